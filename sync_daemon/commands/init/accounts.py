"""Trying the credentials out: which location the token opens, and which lists the key does."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync_daemon.commands.init.credentials import Access, ask_again, obtain
from sync_daemon.commands.init.questions import Questions
from sync_daemon.commands.printing import console, plural, table
from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import ConfigurationError, CredentialsRefused
from sync_daemon.model.system import SystemName
from sync_daemon.settings.variables import Variables
from sync_daemon.systems.ghl.system import GhlSystem
from sync_daemon.wiring.accounts import emailoctopus_lists, ghl_location

PAIR = "main"
GHL_TOKEN, API_KEY = "GHL_TOKEN", "EMAILOCTOPUS_API_KEY"
_ABOUT_GHL = """\
GoHighLevel. In the sub-account: Settings, Private Integrations, "Create new integration", with the rights
contacts.readonly, contacts.write, locations.readonly, locations/customFields.readonly, locations/customFields.write,
locations/tags.readonly, locations/tags.write. What is typed isn't shown."""
_ABOUT_EMAILOCTOPUS = """\
EmailOctopus. In the account settings: Integrations & API, "Create a key". What is typed isn't shown."""
_NO_LIST = "This EmailOctopus account has no list. Make one in its dashboard: Lists, Create a list."


@dataclass(frozen=True, slots=True)
class Place:
    """A location or a list: its id, what it can hold, and the credential that opens it."""

    id: str
    schema: AccountSchema
    access: Access

    @property
    def title(self) -> str:
        """Its name, or else its id."""
        return self.schema.title or self.id


def meet_ghl(questions: Questions, variables: Variables, base_url: str, location_id: str | None) -> Place:
    """The location that a token opens, asked for until it does; raises what a token from a variable deserves."""
    token = obtain(GHL_TOKEN, "Token", _ABOUT_GHL, questions, variables)
    while True:
        try:
            if location_id is None:
                location_id = _own_location(token, base_url, questions)
            return _opened(token, base_url, location_id)
        except CredentialsRefused as refusal:
            token = ask_again(token, refusal, questions)
        except ConfigurationError as error:
            if not questions.anybody:
                raise
            questions.tell(error.shown)
            location_id = questions.text("Location id", "--location-id")


def _own_location(token: Access, base_url: str, questions: Questions) -> str:
    seen = ghl_location(PAIR, token.value, base_url).locations()
    if len(seen) > 1:
        raise CredentialsRefused(
            SystemName.GHL,
            f"This token opens {len(seen)} locations or more: it is an agency's. Contacts need a private integration "
            "token of the sub-account itself.",
        )
    if seen:
        return next(iter(seen))
    questions.tell("GHL doesn't say which location the token belongs to. It stands in Settings, Business Profile.")
    return questions.text("Location id", "--location-id")


def _opened(token: Access, base_url: str, location_id: str) -> Place:
    location = ghl_location(PAIR, token.value, base_url, location_id)
    try:
        schema = location.read_schema()
    except CredentialsRefused:
        _demand_reads(location)
        raise
    _demand_reads(location)
    return Place(location_id, schema, token)


def _demand_reads(location: GhlSystem) -> None:
    """Raise all that the token lacks as one error, so that it is mended at one go."""
    if refused := location.refused_reads():
        raise CredentialsRefused(SystemName.GHL, "\n".join(map(str, refused)))


def meet_emailoctopus(questions: Questions, variables: Variables, base_url: str, list_id: str | None) -> Place:
    """The list that was chosen of those that a key opens; raises what a key from a variable deserves."""
    key = obtain(API_KEY, "API key", _ABOUT_EMAILOCTOPUS, questions, variables)
    while True:
        try:
            lists = emailoctopus_lists(PAIR, key.value, base_url)
        except CredentialsRefused as refusal:
            key = ask_again(key, refusal, questions)
            continue
        if lists:
            chosen = _chosen(lists, list_id, questions)
            return Place(chosen, lists[chosen], key)
        if not questions.anybody:
            raise ConfigurationError(_NO_LIST)
        questions.tell(_NO_LIST)
        questions.text("Enter, once there is one", "--list-id", empty=True)


def _chosen(lists: Mapping[str, AccountSchema], list_id: str | None, questions: Questions) -> str:
    if list_id is not None:
        if list_id not in lists:
            raise ConfigurationError(f"The key opens no list {list_id} (--list-id). It opens:\n{_in_lines(lists)}")
        return list_id
    if len(lists) == 1:
        return next(iter(lists))
    if not questions.anybody:
        raise ConfigurationError(f"The key opens several lists; say which one with --list-id:\n{_in_lines(lists)}")
    columns = ("#", "list", "subscribed#", "opt-in", "id")
    rows = [(n, one.title, *_facts(one), id_) for n, (id_, one) in enumerate(lists.items(), 1)]
    console().print(table(columns, rows))
    while (
        found := _named(answer := questions.text("Which list (its number, name or id)", "--list-id"), lists)
    ) is None:
        questions.tell(f"No list, or more than one, is meant by {answer}.")
    return found


def _named(answer: str, lists: Mapping[str, AccountSchema]) -> str | None:
    """The one list that a number, an id or a name means; a name counts before a number."""
    called = [id_ for id_, one in lists.items() if answer.casefold() in (id_.casefold(), one.title.casefold())]
    if not called and answer.isdecimal() and 1 <= int(answer) <= len(lists):
        return list(lists)[int(answer) - 1]
    return called[0] if len(called) == 1 else None


def _in_lines(lists: Mapping[str, AccountSchema]) -> str:
    return "\n".join(
        f"  {id_}  {one.title} ({plural(one.counts.get('subscribed', 0), 'subscriber')})" for id_, one in lists.items()
    )


def _facts(schema: AccountSchema) -> tuple[str, str]:
    return f"{schema.counts.get('subscribed', 0):,}", "double" if schema.double_opt_in else "single"

"""The command: two credentials, a location, a list, a mapping, a first plan, and then the file."""

import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from cyclopts import Parameter
from pydantic import TypeAdapter

from sync_daemon.commands.exits import BAD_USAGE, DONE, INTERRUPTED
from sync_daemon.commands.init import files, mapping
from sync_daemon.commands.init.accounts import API_KEY, GHL_TOKEN, Place, meet_emailoctopus, meet_ghl
from sync_daemon.commands.init.credentials import wrong_with
from sync_daemon.commands.init.document import field_lines, render
from sync_daemon.commands.init.questions import YES, Questions
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json
from sync_daemon.commands.plan import show_plan
from sync_daemon.commands.printing import console, print_json
from sync_daemon.commands.progress import shown_progress
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.report import Mode
from sync_daemon.reconcile.mapping_proposal import Proposal, propose
from sync_daemon.settings.load import load_text
from sync_daemon.settings.values import Url
from sync_daemon.settings.variables import Variables
from sync_daemon.systems.emailoctopus.settings import BASE_URL as EMAILOCTOPUS_URL
from sync_daemon.systems.ghl.settings import BASE_URL as GHL_URL
from sync_daemon.wiring.accounts import passing_installation
from sync_daemon.wiring.planning import FullPlan, as_json, plan_pair

_ENV = Path(".env")
_AS_URL: TypeAdapter[str] = TypeAdapter(Url)
_NOT_AGREED = "Nothing was written."


@dataclass(frozen=True, slots=True)
class _Draft:
    """Everything that was found out, and the file that would be written."""

    location: Place
    list: Place
    proposal: Proposal
    mapping: mapping.Mapping
    text: str

    @property
    def secrets(self) -> dict[str, str]:
        """What was typed and must be kept somewhere."""
        return {one.access.variable: one.access.value for one in (self.location, self.list) if one.access.typed}


def init(
    *,
    config: Config = DEFAULT_CONFIG,
    location_id: Annotated[
        str | None, Parameter(help="The GHL location, where the token alone doesn't tell it.")
    ] = None,
    list_id: Annotated[str | None, Parameter(help="The EmailOctopus list, where the account has several.")] = None,
    ghl_url: Annotated[
        str | None, Parameter(help="GHL's address, for a sandbox; else SYNC_DAEMON_GHL__BASE_URL or the real one.")
    ] = None,
    emailoctopus_url: Annotated[
        str | None,
        Parameter(help="EmailOctopus's address, for a sandbox; else SYNC_DAEMON_EMAILOCTOPUS__BASE_URL."),
    ] = None,
    yes: Annotated[
        bool, Parameter(name=YES, negative="", help="Ask nothing and write it: for scripts. Needs both variables.")
    ] = False,
    json: Json = False,
) -> int:
    """Write a configuration: asks for two credentials, proposes a mapping, shows a first plan; changes no contact.

    The credentials are asked for without showing them, or taken from the variables GHL_TOKEN and
    EMAILOCTOPUS_API_KEY. What was typed goes to .env, for its owner's eyes alone, never into the configuration.
    """
    questions = Questions(anybody=not (yes or json) and _somebody_is_there())
    try:
        files.demand_room(config)
        variables = Variables.of_process(Path())
        urls = _urls(variables, ghl_url, emailoctopus_url)
        if not questions.anybody:
            _demand_answers(variables, yes=yes)
        draft = _drafted(questions, variables, urls, (location_id, list_id), json=json)
        plan = _first_plan(draft, variables, config, questions)
        if plan is not None and not json:
            show_plan(plan)
        if questions.anybody and not questions.agree(f"Write {_named(config, draft)}?"):
            questions.tell(_NOT_AGREED)
            return BAD_USAGE
        tightened = files.write(config, draft.text, _ENV, draft.secrets)
    except EOFError:
        questions.tell(f"\nThe input ended before every question was answered. {_NOT_AGREED}")
        return BAD_USAGE
    except KeyboardInterrupt as stopped:
        if type(stopped) is not KeyboardInterrupt:
            raise  # SIGTERM
        questions.tell(f"\nStopped. {_NOT_AGREED}")
        return INTERRUPTED
    if tightened:
        questions.tell(f"{_ENV} could be read by others than its owner; now it can't.")
    if json:
        print_json(_as_json(config, draft, plan))
    else:
        _tell_what_next(config, draft)
    return DONE


def _somebody_is_there() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _urls(variables: Variables, ghl: str | None, emailoctopus: str | None) -> tuple[str, str]:
    """The addresses of both systems. Raises `ConfigurationError` for one that can't be one."""
    return (
        _url(variables, "--ghl-url", ghl, "SYNC_DAEMON_GHL__BASE_URL", GHL_URL),
        _url(variables, "--emailoctopus-url", emailoctopus, "SYNC_DAEMON_EMAILOCTOPUS__BASE_URL", EMAILOCTOPUS_URL),
    )


def _url(variables: Variables, flag: str, given: str | None, variable: str, usual: str) -> str:
    value = given or variables.get(variable) or usual
    if (wrong := wrong_with(_AS_URL, value)) is not None:
        raise ConfigurationError(f"{flag if given else variable} {value}: {wrong}.")
    return value


def _demand_answers(variables: Variables, *, yes: bool) -> None:
    """Raise `ConfigurationError` that names all at once what nobody can be asked for."""
    missing = [f"the variable {name}" for name in (GHL_TOKEN, API_KEY) if variables.get(name) is None]
    missing += [] if yes else [f"{YES}, to write the file without being asked"]
    if missing:
        raise ConfigurationError(
            "Nobody can be asked here: no terminal is there, or --yes or --json was given. What is missing: "
            f"{'; '.join(missing)}. (Variables are taken from the environment and from .env.)"
        )


def _drafted(
    questions: Questions,
    variables: Variables,
    urls: tuple[str, str],
    ids: tuple[str | None, str | None],
    *,
    json: bool,
) -> _Draft:
    """Find everything out. Raises `StopSystem`, `ConfigurationError`, `IncompleteRead`."""
    location = meet_ghl(questions, variables, urls[0], ids[0])
    questions.tell(f"The token opens the location {location.title}.")
    mailing_list = meet_emailoctopus(questions, variables, urls[1], ids[1])
    questions.tell(f"The list is {mailing_list.title}.")
    if mailing_list.schema.double_opt_in:
        questions.tell(
            "It has double opt-in: who is new there is asked by mail to confirm. `new_contact_status: subscribed` in "
            "the file spares those the question who have agreed already."
        )
    proposal = propose(location.schema, mailing_list.schema)
    if not json:
        mapping.show(proposal)
    chosen = mapping.choose(proposal, questions)
    text = render(
        (location.id, location.title), (mailing_list.id, mailing_list.title), urls, field_lines(chosen, proposal)
    )
    return _Draft(location, mailing_list, proposal, chosen, text)


def _first_plan(draft: _Draft, variables: Variables, config: Path, questions: Questions) -> FullPlan | None:
    """What a first reconcile under the draft would do, on a store that nothing is left of; None where not wanted."""
    both = {one.access.variable: one.access.value for one in (draft.location, draft.list)}
    settings = load_text(draft.text, str(config), variables.with_values(both))
    if questions.anybody and not questions.agree("Read both sides, and see what a first reconcile would do?"):
        return None
    with passing_installation(settings) as installation, shown_progress() as progress:
        return plan_pair(installation, settings.pairs[0], Mode.FULL, progress)


def _named(config: Path, draft: _Draft) -> str:
    return f"{config} and {', '.join(draft.secrets)} in {_ENV}" if draft.secrets else str(config)


def _tell_what_next(config: Path, draft: _Draft) -> None:
    out = console()
    option = "" if config == DEFAULT_CONFIG else f" --config {quote(str(config))}"
    out.print(f"Written: {_named(config, draft)}.")
    kept = [one.access.variable for one in (draft.location, draft.list) if not one.access.typed]
    if kept:
        out.print(f"{' and '.join(kept)} stay where they are; every command needs them.")
    out.print("Nothing was changed in either account. Next:")
    out.print(f"  sync-daemon check{option}      whether all is right")
    out.print(f"  sync-daemon plan{option}       what would be written, record by record")
    out.print(f"  sync-daemon reconcile{option}  do it")


def _as_json(config: Path, draft: _Draft, plan: FullPlan | None) -> dict[str, Any]:
    return {
        "config": str(config),
        "location": {"id": draft.location.id, "name": draft.location.title},
        "list": {
            "id": draft.list.id,
            "name": draft.list.title,
            "double_opt_in": draft.list.schema.double_opt_in,
        },
        "fields": [
            {
                "ghl": row.rule.ghl,
                "emailoctopus": row.rule.emailoctopus,
                "direction": str(row.rule.direction),
                "conversion": str(row.fidelity),
            }
            for row in draft.mapping.taken
        ],
        "plan": as_json([plan]) if plan is not None else None,
    }

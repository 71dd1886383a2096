"""`sync-daemon forget`: erases every trace of a person from the state store; skips him in both systems from then on."""

from typing import Annotated

from cyclopts import Parameter

from sync_daemon.commands.asking import Yes, ask
from sync_daemon.commands.exits import BAD_USAGE, DONE, WAITING, status_of
from sync_daemon.commands.forget.answers import show_forgotten, show_json, show_plan
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, Wait, choose
from sync_daemon.commands.printing import console, print_json
from sync_daemon.model.errors import ConfigurationError, Refused, SyncError
from sync_daemon.wiring.forgetting import Forgetting, forgetting
from sync_daemon.wiring.installation import open_installation

Everywhere = Annotated[
    bool,
    Parameter(
        name="--everywhere",
        negative="",
        help="Also unsubscribe the person in both systems, in GHL every contact with the address; asks first.",
    ),
]
Delete = Annotated[
    bool,
    Parameter(name="--delete", negative="", help="Beside --everywhere: delete the person there, not only unsubscribe."),
]
Undo = Annotated[
    bool, Parameter(name="--undo", negative="", help="Take it back, for somebody who asks for it: he is synced anew.")
]
_NO_ADDRESS = (
    "That is no e-mail address. `forget` takes a person's address, as in `sync-daemon forget ada@example.com`: an id "
    "names one record, and a person may have several. Nothing was done."
)


def forget(
    email: str,
    /,
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    everywhere: Everywhere = False,
    delete: Delete = False,
    undo: Undo = False,
    yes: Yes = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> int:
    """Erase a person from the state store, in all pairs or one; keyed digests of the address and the ids stay.

    By these the records are known again and skipped, opt-outs included. Both systems keep theirs unless --everywhere
    is given. An address that nobody knows is remembered all the same.
    """
    address = _checked(email, everywhere=everywhere, delete=delete, undo=undo)
    chosen = choose(config, pair)
    with open_installation(chosen.settings) as installation:
        person = forgetting(installation, address, chosen.pairs, narrowed=pair is not None)
        if undo:
            return _take_back(person, json=json)
        try:
            if everywhere and not _agreed(person, delete=delete, yes=yes, json=json):
                return BAD_USAGE
            with person.held(wait):
                if everywhere:
                    person.part(delete=delete)
                person.erase()
        except SyncError as error:
            return _failed(person, error, everywhere=everywhere, delete=delete, json=json)
        person.rewrite()
        if json:
            show_json(person, everywhere=everywhere, delete=delete, done=True)
        else:
            show_forgotten(person, everywhere=everywhere, files_keep_rows=installation.store.keeps_deleted_rows)
    return DONE


def _checked(email: str, *, everywhere: bool, delete: bool, undo: bool) -> str:
    """The address. Raises `ConfigurationError` for what is none, and for options that don't go together."""
    address = email.strip()
    name, _, domain = address.rpartition("@")
    if not name or not domain or any(sign.isspace() for sign in address):
        raise ConfigurationError(_NO_ADDRESS)
    if delete and not everywhere:
        raise ConfigurationError("--delete says what --everywhere does: give both, or neither. Nothing was done.")
    if undo and everywhere:
        raise ConfigurationError("--undo changes nothing in the two systems: leave --everywhere away.")
    return address


def _agreed(person: Forgetting, *, delete: bool, yes: bool, json: bool) -> bool:
    """Show what would be done in both systems, and ask."""
    person.look()
    if not json:
        show_plan(person, delete=delete)
    if yes or (not json and ask("yes")):
        return True
    why = "Nothing was done: say it with --yes."
    if json:
        show_json(person, everywhere=True, delete=delete, done=False, why=why)
    else:
        console().print(why)
    return False


def _failed(person: Forgetting, error: SyncError, *, everywhere: bool, delete: bool, json: bool) -> int:
    """Say what stood in the way. What was done in a system by then is found done when it is tried again."""
    left = [place.name for place in person.places if not place.done]
    why = f"{error.shown.rstrip('.')}. Nothing is erased yet in {', '.join(left)}: give the same command again."
    if json:
        show_json(person, everywhere=everywhere, delete=delete, done=False, why=why)
    else:
        console().print(why)
    return WAITING if isinstance(error, Refused) else status_of(error)


def _take_back(person: Forgetting, *, json: bool) -> int:
    pairs = [place.name for place in person.recall()]
    if json:
        print_json({"pairs": pairs, "undone": bool(pairs)})
    elif pairs:
        console().print(
            f"{', '.join(pairs)}: the address isn't skipped any more. The records meet anew in the next cycle, which "
            "reads everything; what was known of the person, an opt-out included, stays erased: the stricter of what "
            "both systems show counts."
        )
    else:
        console().print("Nobody with this address was forgotten: there is nothing to take back.")
    return DONE

"""`sync-daemon explain`: one person on both sides, what was agreed, and what the next cycle does; writes nothing."""

from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter

from sync_daemon.commands.exits import CREDENTIALS, DONE, UNREACHABLE, status_of
from sync_daemon.commands.explain.as_json import as_json
from sync_daemon.commands.explain.showing import show
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, print_json
from sync_daemon.commands.progress import shown_progress
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.explanation import Explanation
from sync_daemon.wiring.explaining import explain_pair
from sync_daemon.wiring.installation import open_installation

Who = Annotated[str, Parameter(name="EMAIL_OR_ID", help="An e-mail address, or a contact's id in either system.")]
Offline = Annotated[
    bool, Parameter(name="--offline", negative="", help="Ask no system: tell only what the state store knows.")
]
_GRAVEST = (CREDENTIALS, UNREACHABLE)


def explain(
    who: Who,
    /,
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    offline: Offline = False,
    json: Json = False,
) -> int:
    """Show one person on both sides, what was last agreed, and what the next cycle will do and why.

    Every match is shown: duplicates, and each pair that knows the person.
    """
    chosen = choose(config, pair)
    with open_installation(chosen.settings) as installation, shown_progress() as progress:
        answers = [explain_pair(installation, section, who, progress, offline=offline) for section in chosen.pairs]
    found = [one for one in answers if one.persons]
    if json:
        print_json({"pairs": [as_json(one) for one in answers]})
    for one in found if not json else ():
        show(one, several=len(chosen.pairs) > 1)
    status = DONE if offline else _status(answers)
    if not found and status == DONE:
        raise ConfigurationError(_nobody(answers, offline=offline))
    if not found:
        _say_unread(answers)
    return status


def _status(answers: Iterable[Explanation]) -> int:
    """What a system that couldn't be asked makes of the exit status; the answer was given all the same."""
    statuses = {status_of(error) for one in answers for error in one.unread.values()}
    return next((one for one in _GRAVEST if one in statuses), max(statuses, default=DONE))


def _nobody(answers: Iterable[Explanation], *, offline: bool) -> str:
    pairs = ", ".join(one.pair for one in answers)
    if offline:
        return f"the state store knows nobody by that address or id (pairs: {pairs}); without --offline both are asked"
    return (
        f"nobody has that address or id: neither the state store nor GHL nor EmailOctopus know it (pairs: {pairs}). "
        "Ids are written exactly as the systems do; an address is one that somebody has now, or had when he was deleted"
    )


def _say_unread(answers: Iterable[Explanation]) -> None:
    for one in answers:
        for name, error in one.unread.items():
            console().print(f"{one.pair}: {name.label} couldn't be read: {error.shown}")
        console().print(f"{one.pair}: the state store knows nobody by that address or id")

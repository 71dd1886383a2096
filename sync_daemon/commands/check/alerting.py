"""The examination of what alerts go to, and the test alert."""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sync_daemon.commands.exits import BAD_USAGE, DONE, UNEXPECTED
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.installation import AlertsSection
from sync_daemon.wiring.notify import ATTEMPT_S
from sync_daemon.wiring.targets import Message, Target, read_targets

_NOBODY = (
    "Nobody is told when something needs a person: alerts.urls is empty. With an address there, sync-daemon check "
    "--alert sends a test."
)


@dataclass(slots=True)
class AlertFindings:
    """`taken` tells of each target, by its name, whether it took the test alert; None where none was sent."""

    taken: dict[str, bool | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    status: int = DONE


def examine_alerts(section: AlertsSection, *, send: bool) -> AlertFindings:
    """Read the targets, and `send` each a test alert."""
    try:
        targets = read_targets(section.urls)
    except ConfigurationError as error:
        return AlertFindings(problems=[error.shown], status=BAD_USAGE)
    if not targets:
        return AlertFindings(advice=[_NOBODY])
    if not send:
        return AlertFindings({target.name: None for target in targets})
    taken = _test(targets)
    problems = [
        f"{name} didn't take the test alert: it was refused, can't be reached, or didn't answer within "
        f"{ATTEMPT_S:g} s. Look at its address, its credentials and the network."
        for name, was in taken.items()
        if not was
    ]
    return AlertFindings({**taken}, problems, status=UNEXPECTED if problems else DONE)


def _test(targets: Sequence[Target]) -> dict[str, bool]:
    message = Message(
        "sync-daemon: a test alert",
        f"Alerts of sync-daemon on {socket.gethostname()} arrive here.\n\nSent with sync-daemon check --alert at "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC. There is nothing to do.",
    )
    with ThreadPoolExecutor(len(targets)) as pool:
        answers = list(pool.map(lambda target: target.takes(message, ATTEMPT_S), targets))
    return dict(zip((target.name for target in targets), answers, strict=True))

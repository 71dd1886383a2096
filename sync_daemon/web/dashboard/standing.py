"""How a pair stands, in one word and one sentence. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.state import Totals
from sync_daemon.model.words import plural

Tone = Literal["good", "waits", "bad", "idle"]
_NOT_YET = {None, CycleOutcome.BUSY}


@dataclass(frozen=True, slots=True)
class Standing:
    """`tone` is how it is coloured, `word` what it is called."""

    tone: Tone
    word: str
    sentence: str


def standing(
    health: PairHealth, totals: Totals, last: Mapping[str, Any] | None, uncertain: int, now: datetime, silent: timedelta
) -> Standing:
    """How a pair stands: what is wrong comes first, then what waits for a person, then what heals by itself."""
    if health.paused:
        return Standing("idle", "Paused", "Nothing is read or written until somebody resumes it.")
    if health.outcome in _NOT_YET and health.alive:
        return _unmet(health, last)
    if trouble := health.trouble(now, silent):
        return Standing("bad", "In trouble", f"{trouble[:1].upper()}{trouble[1:]}")
    if waiting := _for_a_person(totals, uncertain):
        return Standing("waits", "Needs you", f"{' and '.join(waiting)}. Everything else is equal.")
    if totals.parked:
        said = plural(totals.parked, "contact is", "contacts are")
        return Standing("waits", "Equal but for some", f"{said} parked: refused, and tried again by itself.")
    if totals.staged:
        said = plural(totals.staged, "change is", "changes are")
        return Standing("waits", "Catching up", f"{said} on the way.")
    return Standing("good", "Equal", "Both sides hold the same, as the mapping says.")


def _unmet(health: PairHealth, last: Mapping[str, Any] | None) -> Standing:
    if health.outcome is CycleOutcome.BUSY:
        return Standing("idle", "Elsewhere", "Another process works on this pair.")
    if last is None:
        return Standing("idle", "New", "No cycle has ended yet: the first one reads both sides.")
    return Standing("idle", "Starting", "The service has just begun; its first cycle is under way.")


def _for_a_person(totals: Totals, uncertain: int) -> list[str]:
    said = []
    if totals.held:
        said.append(plural(totals.held, "contact waits for your word", "contacts wait for your word"))
    if uncertain:
        said.append(plural(uncertain, "action got no answer", "actions got no answer"))
    return said

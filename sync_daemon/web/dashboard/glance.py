"""One pair at a glance: everything its card shows, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync_daemon.model.deeds import DeedState
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import READ_ALL, Mode
from sync_daemon.model.state import Totals
from sync_daemon.model.system import SystemName
from sync_daemon.model.working import Working
from sync_daemon.web.dashboard.given import Given, OnePair
from sync_daemon.web.dashboard.standing import Standing, standing
from sync_daemon.web.dashboard.visit import Visit

_SCANS_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Glance:
    """What a card shows. `pair` is None for one that can't be worked on; `uncertain` and `refused` count deeds."""

    slug: str
    name: str
    health: PairHealth
    standing: Standing
    pair: OnePair | None = None
    totals: Totals = field(default_factory=Totals)
    last: Mapping[str, Any] | None = None
    last_full: Mapping[str, Any] | None = None
    uncertain: int = 0
    refused: int = 0
    working: Working | None = None

    @property
    def quotas(self) -> Mapping[SystemName, tuple[int, int]]:
        """What is left of each daily quota, and how much it is."""
        last = self.last or {}
        left, limit = last.get("quota_left", {}), last.get("quota_limit", {})
        return {
            name: (left[name], limit[name]) for name in SystemName if left.get(name) is not None and limit.get(name)
        }


def glances(given: Given, visit: Visit, only: str | None = None) -> Sequence[Glance]:
    """Every pair that the service knows, or the one with a slug."""
    health = {one.pair: one for one in given.health()}
    found = [
        _of(given, slug, pair, health.pop(pair.name))
        for slug, pair in visit.pairs.items()
        if pair.name in health and only in (None, slug)
    ]
    if only is not None:
        return found
    served = {pair.name for pair in visit.pairs.values()}
    return [*found, *(_refused(given, one) for name, one in health.items() if name not in served)]


def _of(given: Given, slug: str, pair: OnePair, health: PairHealth) -> Glance:
    totals, deeds = pair.store.totals(), pair.store.count_deeds()
    last = next(iter(pair.store.last_runs(1)), None)
    uncertain = deeds.get(DeedState.UNCERTAIN, 0)
    return Glance(
        slug,
        pair.name,
        health,
        standing(health, totals, last, uncertain, given.now(), given.silent_after),
        pair,
        totals,
        last,
        next((run for run in pair.store.last_runs(_SCANS_LOOKED_AT, Mode.FULL) if run["outcome"] in READ_ALL), None),
        uncertain,
        deeds.get(DeedState.REFUSED, 0),
        pair.working(),
    )


def _refused(given: Given, health: PairHealth) -> Glance:
    """A pair that can't be worked on as configured."""
    stands = standing(health, Totals(), None, 0, given.now(), given.silent_after)
    return Glance("", health.pair, health, stands)

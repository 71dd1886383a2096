"""One pair at a glance: everything its card or row shows, read once."""

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
AT_ONCE = 50
"""Pairs on a page: one is read with a dozen questions to the database."""
CARDS = 8
"""So many pairs have a card each; of more, each is a row, and those that somebody should look at come first."""
_FIRST = ("bad", "waits", "idle", "good")


@dataclass(frozen=True, slots=True)
class Glance:
    """What is shown of it. `pair` is None for one that can't be worked on; `uncertain` and `refused` count deeds."""

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


def glances(given: Given, visit: Visit, start: int) -> tuple[Sequence[Glance], int]:
    """A page of the pairs that the service knows, and how many there are; of several pages, trouble is on the first.

    Only what is on the page is read: there may be hundreds.
    """
    slugs = {pair.name: slug for slug, pair in visit.pairs.items()}
    health = given.health()
    if len(health) > AT_ONCE:
        health = sorted(health, key=lambda one: not (one.pair not in slugs or _in_trouble(given, one)))
    shown = [
        _of(given, slugs[one.pair], visit.pairs[slugs[one.pair]], one) if one.pair in slugs else _refused(given, one)
        for one in health[start : start + AT_ONCE]
    ]
    if len(health) > CARDS:
        shown.sort(key=lambda one: _FIRST.index(one.standing.tone))
    return shown, len(health)


def glance(given: Given, visit: Visit, slug: str) -> Sequence[Glance]:
    """The pair with a slug; nothing where it has just gone."""
    pair = visit.pairs[slug]
    return [_of(given, slug, pair, one) for one in given.health() if one.pair == pair.name]


def _in_trouble(given: Given, health: PairHealth) -> bool:
    return not health.paused and bool(health.trouble(given.now(), given.silent_after))


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

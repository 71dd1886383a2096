"""The pairs at a glance, one pair's own page, charts, and cycles on demand."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_daemon.model.report import Mode
from sync_daemon.web.dashboard.charts import SPANS, Span, series
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.given import OnePair
from sync_daemon.web.dashboard.glance import AT_ONCE, CARDS, glance, glances
from sync_daemon.web.dashboard.visit import Missing, Visit

_MODES = {"incremental": Mode.INCREMENTAL, "full": Mode.FULL}
_SAID = {
    Mode.INCREMENTAL: "A cycle begins: what has changed is read.",
    Mode.FULL: "A full scan begins: every contact of both sides is read.",
}
_PAUSED = "Paused: nothing is read or written until you resume it. A cycle under way ends with the record in hand."
_RESUMED = "Resumed: a cycle begins, and reads what has changed meanwhile."


class Overview:
    """What somebody sees first."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def routes(self) -> list[Route]:
        """The addresses."""
        doors = self._doors
        return [
            doors.page("/", self.all_pairs),
            doors.page("/charts.json", self.charts),
            doors.page("/pairs/{pair}", self.one_pair),
            doors.page("/pairs/{pair}/charts.json", self.charts),
            doors.action("/pairs/{pair}/cycle", self.cycle),
            doors.action("/pairs/{pair}/pause", self.pause),
            doors.action("/pairs/{pair}/resume", self.resume),
        ]

    def all_pairs(self, visit: Visit) -> Response:
        """Every pair, some at a time: cards, or rows where there are many. Where there is one only, its own page."""
        start = visit.number("from")
        found, total = glances(self._doors.given, visit, start)
        slug = found[0].slug if total == 1 and found else ""
        pages = {"start": start, "total": total, "at_once": AT_ONCE, "rows": total > CARDS}
        return visit.page("overview.html", glances=found, slug=slug, charts="/charts.json", **pages, **_spans(visit))

    def one_pair(self, visit: Visit) -> Response:
        """One pair."""
        slug, _ = visit.pair()
        found = glance(self._doors.given, visit, slug)
        pages = {"start": 0, "total": len(found), "at_once": AT_ONCE, "rows": False}
        charts = f"/pairs/{slug}/charts.json"
        return visit.page("overview.html", glances=found, slug=slug, charts=charts, **pages, **_spans(visit))

    def charts(self, visit: Visit) -> Response:
        """The series of the charts, of one pair or all."""
        pairs = [visit.pair()[1]] if "pair" in visit.request.path_params else list(visit.pairs.values())
        return JSONResponse(_together(visit, pairs, _span(visit)))

    def cycle(self, visit: Visit) -> Response:
        """Wish for a cycle."""
        slug, pair = visit.pair()
        mode = _MODES.get(visit.given("mode"))
        if mode is None:
            raise Missing("There is no such kind of cycle.")
        pair.want(mode)
        return visit.back_to(_page_of(visit, slug), _SAID[mode])

    def pause(self, visit: Visit) -> Response:
        """Have nothing of a pair read or written."""
        slug, pair = visit.pair()
        pair.store.pause()
        return visit.back_to(_page_of(visit, slug), _PAUSED)

    def resume(self, visit: Visit) -> Response:
        """Let it go on."""
        slug, pair = visit.pair()
        pair.store.resume()
        pair.want(Mode.INCREMENTAL)
        return visit.back_to(_page_of(visit, slug), _RESUMED)


def _page_of(visit: Visit, slug: str) -> str:
    """Where the buttons of a pair are: its page, or the overview of the only one."""
    return "/" if len(visit.pairs) == 1 else f"/pairs/{slug}"


def _span(visit: Visit) -> Span:
    number = visit.number("span")
    return SPANS[number] if number < len(SPANS) else SPANS[0]


def _spans(visit: Visit) -> dict[str, Any]:
    return {"spans": SPANS, "span": SPANS.index(_span(visit))}


def _together(visit: Visit, pairs: Sequence[OnePair], span: Span) -> dict[str, Any]:
    """Changes and requests of all pairs, the greatest lag, the least of what is left of a quota."""
    since = visit.now - span.back - span.step
    each = [series(pair.store.figures_since(since), span, visit.now) for pair in pairs]
    sums = {key: list(map(sum, zip(*(one[key] for one in each), strict=True))) for key in _keys(each)}
    return {
        "times": each[0]["times"] if each else [],
        **sums,
        "lag": [max((one for one in some if one is not None), default=None) for some in _across(each, "lag")],
        "quota": [min((one for one in some if one is not None), default=None) for some in _across(each, "quota")],
    }


def _keys(each: Sequence[dict[str, Any]]) -> list[str]:
    return [key for key in (each[0] if each else {}) if key.startswith(("changes_", "requests_"))]


def _across(each: Sequence[dict[str, Any]], key: str) -> list[tuple[float | None, ...]]:
    return list(zip(*(one[key] for one in each), strict=True))

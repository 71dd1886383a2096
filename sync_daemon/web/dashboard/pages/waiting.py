"""What waits: held changes for a person's word, parked ones for another try, deeds of which nobody knows the end."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.deeds import DeedState
from sync_daemon.model.report import Mode
from sync_daemon.model.words import plural
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.visit import Missing, Visit

_AT_ONCE = 50
_TOLD = (DeedState.UNCERTAIN, DeedState.REFUSED, DeedState.GIVEN_UP)
_HELD_WORDS = {
    "approve": "approved: the cycle that begins now proves each again, and makes it if it holds true still",
    "discard": "discarded: both sides count as agreed as they are, until one changes again",
}
_PARKED_WORDS = {
    "retry": "tried again by the cycle that begins now, which reads both records and decides anew",
    "drop": "given up: both sides stay as they are until one changes again. Nobody's unsubscribe is ever given up",
}


class WaitingPages:
    """Three lists, and the buttons that help."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def routes(self) -> list[Route]:
        """The addresses."""
        doors = self._doors
        return [
            doors.page("/pairs/{pair}/held", self.held),
            doors.action("/pairs/{pair}/held", self.order_held),
            doors.page("/pairs/{pair}/parked", self.parked),
            doors.action("/pairs/{pair}/parked", self.order_parked),
            doors.page("/pairs/{pair}/deeds", self.deeds),
        ]

    def held(self, visit: Visit) -> Response:
        """What waits for a person."""
        return _listed(visit, "held.html", lambda store, after: store.held_after(after, _AT_ONCE + 1))

    def parked(self, visit: Visit) -> Response:
        """What was refused."""
        return _listed(visit, "parked.html", lambda store, after: store.parked_after(after, _AT_ONCE + 1))

    def deeds(self, visit: Visit) -> Response:
        """What was to be done once, and may have been, wasn't, or can't be any more."""
        slug, pair = visit.pair()
        counts = pair.store.count_deeds()
        told = {state: pair.store.newest_deeds(state, _AT_ONCE) for state in _TOLD}
        return visit.page("deeds.html", slug=slug, told=told, counts=counts, totals=pair.store.totals())

    def order_held(self, visit: Visit) -> Response:
        """A person's word about held changes."""
        slug, pair = visit.pair()
        word = _word(visit, _HELD_WORDS)
        held = {one.id for one in pair.store.held(everything=True) if one.id is not None}
        known = held if _all(visit) else held & _chosen(visit)
        pair.store.order_held(known, approve=word == "approve")
        pair.want(Mode.INCREMENTAL)
        return _back(visit, f"/pairs/{slug}/held", len(known), _HELD_WORDS[word])

    def order_parked(self, visit: Visit) -> Response:
        """Try parked changes now, or give them up."""
        slug, pair = visit.pair()
        word = _word(visit, _PARKED_WORDS)
        known = pair.store.parked_ids()
        chosen = {one.id for one in pair.store.parked(everything=True)} if _all(visit) else _chosen(visit) & known
        ids = {one for one in chosen if one is not None}
        pair.store.order(ids, drop=word == "drop")
        pair.want(Mode.INCREMENTAL)
        return _back(visit, f"/pairs/{slug}/parked", len(ids), _PARKED_WORDS[word])


def _listed(visit: Visit, template: str, read: Callable[[SqlPairStore, int], list[Any]]) -> Response:
    """A page of rows that have ids; it goes on after the one that the address names."""
    slug, pair = visit.pair()
    after = visit.number("after")
    found = read(pair.store, after)
    rows, more = found[:_AT_ONCE], len(found) > _AT_ONCE
    counts, totals = pair.store.count_deeds(), pair.store.totals()
    return visit.page(template, slug=slug, rows=rows, more=more, first=not after, counts=counts, totals=totals)


def _word(visit: Visit, known: dict[str, str]) -> str:
    word = visit.given("word")
    if word not in known:
        raise Missing("There is no such button.")
    return word


def _all(visit: Visit) -> bool:
    return visit.given("all") == "yes"


def _chosen(visit: Visit) -> set[int]:
    """The ids that were ticked."""
    return {int(text) for text in visit.form.get("id", ()) if text.isascii() and text.isdigit() and len(text) < 16}


def _back(visit: Visit, path: str, count: int, done: str) -> Response:
    if not count:
        return visit.back_to(path, "Nothing was chosen, or what was has left the queue meanwhile.", "waits")
    return visit.back_to(path, f"{plural(count, 'change is', 'changes are')} {done}.")

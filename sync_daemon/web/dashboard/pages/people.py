"""One person: both sides, what was agreed, and what the next cycle does about him; as `explain` tells it."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.explanation import ContactNow, Explanation, Seen
from sync_daemon.model.system import SystemName
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.jobs import Jobs
from sync_daemon.web.dashboard.visit import Visit
from sync_daemon.wiring.planning import what

_KIND = "person"
_UNKNOWN = (Seen.UNREAD, Seen.NO_CONTACT)


class PeoplePages:
    """The search, and its answer. What somebody asked for is his session's own, and in no address."""

    def __init__(self, doors: Doors, jobs: Jobs) -> None:
        self._doors, self._jobs = doors, jobs

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            self._doors.page("/pairs/{pair}/people", self.show),
            self._doors.question("/pairs/{pair}/people", self.ask),
        ]

    def show(self, visit: Visit) -> Response:
        """The last answer, or how far it is."""
        slug, pair = visit.pair()
        job = self._jobs.last(_KIND, visit.own(pair.name))
        answer = job.result if job is not None else None
        return visit.page("people.html", slug=slug, job=job, answer=answer, shown=_SHOWN)

    def ask(self, visit: Visit) -> Response:
        """Look a person up, in the store and in both systems: his contacts are read, nothing is written."""
        slug, pair = visit.pair()
        who = visit.given("who").strip()
        if not who:
            return visit.back_to(f"/pairs/{slug}/people", "Name somebody: an e-mail address, or an id.", "waits")

        def explain(tally: Any) -> Explanation:
            return pair.explain(who, tally)

        self._jobs.begin(_KIND, visit.own(pair.name), who, explain)
        return visit.back_to(f"/pairs/{slug}/people")


def _address(contact: ContactNow) -> str:
    if contact.now is not None:
        return contact.now.address or "none"
    return contact.unread or "doesn't exist"


def _consent(contact: ContactNow) -> str:
    if contact.now is not None:
        return str(contact.now.consent or "granted")
    return str(contact.known.consent or "-") if contact.known is not None else "-"


def _value(value: Any, seen: Seen) -> str:
    if seen in _UNKNOWN:
        return "?" if seen is Seen.UNREAD else "no contact"
    if value is None:
        return "-"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _changed(seen: Any) -> list[SystemName]:
    """The sides that changed since both last agreed."""
    return [name for name in SystemName if seen[name] in (Seen.CHANGED, Seen.NEVER_MET)]


_SHOWN = {"address": _address, "consent": _consent, "value": _value, "changed": _changed, "what": what}
"""How the template says things."""

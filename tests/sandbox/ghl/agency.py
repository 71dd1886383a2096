"""A GHL location in the sandbox, asked without sockets and with a clock that stands still."""

from datetime import timedelta
from typing import Any

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.ghl.app import build_app
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.context import ghl_context
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from tests.sandbox.inprocess import Answer, ask

BY_ADDED = [{"field": "dateAdded", "direction": "asc"}]
BY_UPDATED = [{"field": "dateUpdated", "direction": "asc"}]


class Agency:
    """One location with a token of every scope, and the client's view of it."""

    def __init__(self, **quirks: Any) -> None:
        self.clock = ManualClock()
        self.context = ghl_context(self.clock, seed=1, quirks=GhlQuirks(**quirks))
        self.context.limiter.settings.enabled = False
        self.world = self.context.world
        self.quirks = self.world.quirks
        self.weather = self.context.weather
        self.location = self.world.location
        self.token = self.world.private_token()
        self.app = build_app(self.context)

    def ask(
        self, method: str, url: str, body: Any = None, *, version: str = "2021-07-28", token: str | None = None
    ) -> Answer:
        headers = {"authorization": f"Bearer {token or self.token}", "version": version}
        return ask(self.app, method, url, body, headers)

    def create(self, **fields: Any) -> Answer:
        return self.ask("POST", "/contacts/", {"locationId": self.location.id, **fields})

    def upsert(self, **fields: Any) -> Answer:
        return self.ask("POST", "/contacts/upsert", {"locationId": self.location.id, **fields})

    def put(self, contact_id: str, **fields: Any) -> Answer:
        return self.ask("PUT", f"/contacts/{contact_id}", fields)

    def get(self, contact_id: str, *, version: str = "2021-07-28") -> dict[str, Any]:
        return dict(self.ask("GET", f"/contacts/{contact_id}", version=version).json()["contact"])

    def added(self, **fields: Any) -> str:
        """Create a contact by the API; gives its id."""
        answer = self.create(**fields)
        assert answer.status == 201, answer.content
        return str(answer.json()["contact"]["id"])

    def search(self, **body: Any) -> Answer:
        return self.ask("POST", "/contacts/search", {"locationId": self.location.id, "pageLimit": 100, **body})

    def found(self, *filters: dict[str, Any], **body: Any) -> list[str]:
        """The ids of a search's hits, oldest first unless a sort is given."""
        answer = self.search(**{"filters": list(filters), "sort": BY_ADDED, **body})
        assert answer.status == 200, answer.content
        return [hit["id"] for hit in answer.json()["contacts"]]

    def duplicate(self, query: str) -> dict[str, Any] | None:
        answer = self.ask("GET", f"/contacts/search/duplicate?locationId={self.location.id}&{query}")
        contact: dict[str, Any] | None = answer.json()["contact"]
        return contact

    def crowd(self, count: int) -> list[Contact]:
        """Contacts that have been there for long, oldest first, a second apart."""
        now = self.clock.now()
        return [
            self.world.create(at=now - timedelta(seconds=count - n), email=f"p{n}@example.com", firstName=f"P{n}")
            for n in range(count)
        ]


def where(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    """One filter of a search."""
    return {"field": field, "operator": operator} | ({} if value is None else {"value": value})

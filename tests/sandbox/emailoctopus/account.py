"""An EmailOctopus account in the sandbox, asked without sockets and with a clock that stands still."""

from typing import Any

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.emailoctopus.app import build_app
from sync_daemon.sandbox.emailoctopus.context import emailoctopus_context
from sync_daemon.sandbox.emailoctopus.model import Contact, Field
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from tests.sandbox.inprocess import Answer, ask

KEY = "eo_test"


class Account:
    """One list with fields of every type, and the client's view of it."""

    def __init__(self, **quirks: Any) -> None:
        self.clock = ManualClock()
        self.context = emailoctopus_context(self.clock, seed=1, quirks=Quirks(**quirks))
        self.context.limiter.settings.enabled = False
        self.world = self.context.world
        self.weather = self.context.weather
        self.world.api_keys.add(KEY)
        self.list = self.world.create_list("Newsletter")
        for field in (
            Field("Note", "Note", "text"),
            Field("Pets", "Pets", "number"),
            Field("Birthday", "Birthday", "date"),
            Field("Plan", "Plan", "choice_single", ["One", "Two"]),
            Field("Topics", "Topics", "choice_multiple", ["Tea", "Coffee"]),
        ):
            self.world.add_field(self.list.id, field)
        self.app = build_app(self.context)

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        return ask(self.app, method, path, body, {"authorization": f"Bearer {KEY}"})

    def contacts(self, method: str = "GET", rest: str = "", body: Any = None) -> Answer:
        return self.ask(method, f"/lists/{self.list.id}/contacts{rest}", body)

    def get(self, contact: Contact) -> dict[str, Any]:
        return dict(self.contacts("GET", f"/{contact.id}").json())

    def put(self, contact: Contact, **body: Any) -> Answer:
        return self.contacts("PUT", f"/{contact.id}", body)

    def listed(self, query: str = "") -> list[str]:
        """The local parts of the addresses of one page."""
        return [row["email_address"].partition("@")[0] for row in self.contacts("GET", query).json()["data"]]

    def moved_by(self, contact: Contact, *, seconds: int = 5, **body: Any) -> bool:
        """Whether a PUT some seconds later moves last_updated_at."""
        before = self.get(contact)["last_updated_at"]
        self.clock.advance(seconds)
        assert self.put(contact, **body).status == 200
        return bool(self.get(contact)["last_updated_at"] != before)

"""The outside world of a soak: both sandboxes over their control routes, and what somebody does there at random."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

PLANS = ("Basic", "Team", "Business")
TAGS = ("vip", "spring", "webinar", "customer")


@dataclass
class Outside:
    """Acts on people whom both systems have, now and then on somebody new, and seldom for ever."""

    ghl_url: str
    emailoctopus_url: str
    random: Random
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))
    acts: dict[str, int] = field(default_factory=dict)
    _made: int = 0

    def people(self) -> dict[str, dict[str, Any]]:
        """GHL's contacts that have an address, by address."""
        rows = self.client.get(f"{self.ghl_url}/_sandbox/contacts").json()
        return {row["email"]: row for row in rows if row.get("email")}

    def subscribers(self) -> dict[str, dict[str, Any]]:
        """EmailOctopus's contacts, by address."""
        rows = self.client.get(f"{self.emailoctopus_url}/_sandbox/contacts").json()
        return {row["email_address"].lower(): row for row in rows}

    def act(self) -> None:
        """Somebody does something."""
        people, subscribers = self.people(), self.subscribers()
        both = sorted(people.keys() & subscribers.keys())
        address = self.random.choice(both)
        person, subscriber = people[address]["id"], subscribers[address]["id"]
        what = self.random.choices(list(_ACTS), weights=[weight for weight, _ in _ACTS.values()])[0]
        _ACTS[what][1](self, person, subscriber)
        self.acts[what] = self.acts.get(what, 0) + 1

    def edit_person(self, person: str, **fields: Any) -> None:
        """Change a GHL contact."""
        self._ask("PATCH", self.ghl_url, person, fields)

    def edit_subscriber(self, subscriber: str, **fields: Any) -> None:
        """Change an EmailOctopus contact."""
        self._ask("POST", self.emailoctopus_url, f"{subscriber}/edit", {"fields": fields})

    def person(self, person: str) -> dict[str, Any]:
        """One GHL contact as it is now."""
        return dict(self.client.get(f"{self.ghl_url}/_sandbox/contacts/{person}").json())

    def subscriber(self, subscriber: str) -> dict[str, Any]:
        """One EmailOctopus contact as it is now."""
        return dict(self.client.get(f"{self.emailoctopus_url}/_sandbox/contacts/{subscriber}").json())

    def weather(self, **rates: float) -> None:
        """Let it be foul in both systems, or fair."""
        for url in (self.ghl_url, self.emailoctopus_url):
            self._put(f"{url}/_sandbox/weather", rates)

    def throttle_once(self) -> None:
        """Refuse one request to each system as one too many: the program goes slower for ten minutes after each."""
        for url in (self.ghl_url, self.emailoctopus_url):
            self.client.post(f"{url}/_sandbox/faults", json=[{"kind": "throttle"}]).raise_for_status()

    def webhook_weather(self, **rates: float) -> None:
        """Let webhooks be lost, repeated and overtaken, or not."""
        for url in (self.ghl_url, self.emailoctopus_url):
            self._put(f"{url}/_sandbox/webhooks", {"weather": rates})

    def _rename(self, person: str, _subscriber: str) -> None:
        self.edit_person(person, firstName=self._word())

    def _rename_there(self, _person: str, subscriber: str) -> None:
        self.edit_subscriber(subscriber, LastName=self._word())

    def _plan(self, _person: str, subscriber: str) -> None:
        self.edit_subscriber(subscriber, Plan=self.random.choice(PLANS))

    def _tag(self, person: str, _subscriber: str) -> None:
        action = self.random.choice(("add_tags", "remove_tags"))
        self._ask("POST", self.ghl_url, f"{person}/{action}", {"tags": [self.random.choice(TAGS)]})

    def _tag_there(self, _person: str, subscriber: str) -> None:
        self._ask("POST", self.emailoctopus_url, f"{subscriber}/add_tags", {"tags": [self.random.choice(TAGS)]})

    def _appears(self, _person: str, _subscriber: str) -> None:
        fields = {"email": self._address(), "firstName": self._word(), "lastName": self._word()}
        self.client.post(f"{self.ghl_url}/_sandbox/contacts", json=fields).raise_for_status()

    def _opts_out(self, _person: str, subscriber: str) -> None:
        self._ask("POST", self.emailoctopus_url, f"{subscriber}/unsubscribe", {})

    def _is_blocked(self, person: str, _subscriber: str) -> None:
        self._ask("POST", self.ghl_url, f"{person}/unsubscribe", {})

    def _moves(self, person: str, _subscriber: str) -> None:
        self.edit_person(person, email=self._address())

    def _goes(self, person: str, _subscriber: str) -> None:
        self._ask("DELETE", self.ghl_url, person, None)

    def _ask(self, method: str, url: str, path: str, body: Any) -> None:
        answer = self.client.request(method, f"{url}/_sandbox/contacts/{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"

    def _put(self, url: str, body: Any) -> None:
        answer = self.client.put(url, json=body)
        assert answer.is_success, f"PUT {url}: {answer.text}"

    def _word(self) -> str:
        return f"{self.random.choice(('Ada', 'Bea', 'Cleo', 'Dora'))}{self.random.randrange(10**6)}"

    def _address(self) -> str:
        self._made += 1
        return f"somebody{self._made}@example.com"


_ACTS = {
    "renamed in GHL": (30, Outside._rename),
    "renamed in EmailOctopus": (30, Outside._rename_there),
    "a choice changed": (8, Outside._plan),
    "tagged in GHL": (10, Outside._tag),
    "tagged in EmailOctopus": (8, Outside._tag_there),
    "new in GHL": (5, Outside._appears),
    "unsubscribed": (2, Outside._opts_out),
    "blocked": (2, Outside._is_blocked),
    "another address": (2, Outside._moves),
    "deleted": (2, Outside._goes),
}
"""What is done, how often, and how."""

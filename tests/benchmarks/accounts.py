"""Two accounts that hold the same people, equal under the sandbox's configuration, and what happens to some of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from sync_daemon.sandbox.clock import Clock, ManualClock
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.people import Person, crowd
from sync_daemon.sandbox.server import Sandbox

_PLANS = ("Free", "Pro", "Team")
_YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Twins:
    """A sandbox, and the ids of each person in GHL and in EmailOctopus."""

    sandbox: Sandbox
    ids: list[tuple[str, str]]

    def changed(self, people: slice, act: Callable[[Sandbox, str, str], object]) -> int:
        """Let something happen to some people; how many they are."""
        some = self.ids[people]
        for ghl_id, emailoctopus_id in some:
            act(self.sandbox, ghl_id, emailoctopus_id)
        return len(some)

    def grow_old(self) -> None:
        """Hours pass with one touch in each listing: what went before lies before every poll's overlap."""
        clock = self.sandbox.clock
        assert isinstance(clock, ManualClock)
        clock.advance(6 * 3600)
        self.sandbox.ghl.world.touch(next(iter(self.sandbox.ghl.world.contacts)).id)
        rows = self.sandbox.emailoctopus.world.lists[self.sandbox.list_id].contacts
        for status in ("subscribed", "unsubscribed", "pending"):
            somebody = next((one for one in reversed(list(rows)) if one.status == status), None)
            if somebody is not None:
                self.sandbox.emailoctopus.world.edit(somebody.id, {"Note": f"looked at {clock.now()}"})


def twins(count: int, clock: Clock | None = None, *, in_ghl: bool = True, in_emailoctopus: bool = True) -> Twins:
    """A sandbox with the same `count` people on both sides, or on one; all are a day to a year old.

    One more is blocked in GHL: where search shows nobody's DND, everybody would be read by id (contract, section 4).
    """
    sandbox, dice = Sandbox(seed=1, clock=clock or ManualClock(datetime.now(UTC))), Random(1)
    ghl, emailoctopus = sandbox.ghl.world, sandbox.emailoctopus.world
    ghl.add_field("Plan", "SINGLE_OPTIONS", list(_PLANS))
    ghl.add_field("Renewal", "DATE")
    for name, kind in (("Phone", "text"), ("City", "text"), ("Plan", "text"), ("Renewal", "date"), ("Note", "text")):
        emailoctopus.add_field(sandbox.list_id, Field(name, name, kind))  # type: ignore[arg-type]  # both are its kinds
    for tag in ("customer", "vip"):
        emailoctopus.lists[sandbox.list_id].tags.setdefault(tag, emailoctopus.seconds())
    blocked = ghl.create(at=sandbox.clock.now() - timedelta(days=30), email="blocked@example.com")
    ghl.unsubscribe(blocked.id)
    ids = []
    for person in crowd(count, dice):
        at = sandbox.clock.now() - timedelta(seconds=dice.randrange(86_400, _YEAR_S))
        ghl_id = _contact(sandbox, person, at) if in_ghl else ""
        ids.append((ghl_id, _subscriber(sandbox, person, at) if in_emailoctopus else ""))
    return Twins(sandbox, ids)


def _contact(sandbox: Sandbox, person: Person, at: datetime) -> str:
    known = {"phone": person.phone} if person.phone else {}
    contact = sandbox.ghl.world.create(
        at=at, custom={"plan": _plan(person), "renewal": _renewal(person)},
        firstName=person.first_name, lastName=person.last_name, email=person.email, city=person.city,
        tags=["customer"], **known,
    )  # fmt: skip
    return contact.id


def _subscriber(sandbox: Sandbox, person: Person, at: datetime) -> str:
    fields = {
        "FirstName": person.first_name, "LastName": person.last_name, "Phone": person.phone, "City": person.city,
        "Plan": _plan(person), "Renewal": _renewal(person),
    }  # fmt: skip
    world = sandbox.emailoctopus.world
    return world.add(sandbox.list_id, person.email, fields, ["customer"], "subscribed", at=at).id


def _plan(person: Person) -> str:
    return _PLANS[person.number % 3]


def _renewal(person: Person) -> str:
    return f"2027-{1 + person.number % 12:02}-{1 + person.number % 28:02}"

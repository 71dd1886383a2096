"""Fills both worlds with invented people who share some of their lives: for the demo, tests and benchmarks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sync_daemon.sandbox.emailoctopus.model import Contact as Subscriber
from sync_daemon.sandbox.emailoctopus.model import Field, FieldValue, Status
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.ghl.contact import Contact as GhlContact
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.people import Person, crowd

_GHL_TAGS = ("customer", "lead", "newsletter", "vip", "webinar 2026")
_EMAILOCTOPUS_TAGS = ("Blog", "Newsletter", "VIP")
_PLANS = ("Free", "Pro", "Team")
_AGE_DAYS = 365


@dataclass(frozen=True, slots=True)
class Population:
    """How many contacts each side gets; `shared` of them are the same people."""

    ghl: int = 200
    emailoctopus: int = 180
    shared: int = 150

    def __post_init__(self) -> None:
        if self.shared > min(self.ghl, self.emailoctopus):
            raise ValueError(f"{self.shared} shared contacts are more than one of the sides has.")


@dataclass(frozen=True, slots=True)
class Seeded:
    """The ids of what was made besides contacts."""

    calendar_id: str
    workflow_id: str
    automation_id: str
    campaign_id: str


def populate(ghl: GhlWorld, emailoctopus: EmailOctopusWorld, list_id: str, population: Population, seed: int) -> Seeded:
    """Fill both worlds; the same seed and clock make the same worlds.

    What is odd recurs by number: in GHL missing, invalid and doubled addresses, DND of one or all channels; in
    EmailOctopus the unsubscribed, the pending, addresses in capitals and names that differ.
    """
    random = Random(f"{seed} people")
    people = list(crowd(population.ghl + population.emailoctopus - population.shared, random))
    ghl_side = _GhlSide(ghl, random, population.shared)
    for person in people[: population.ghl]:
        ghl_side.settle(person)
    subscribers = _EmailOctopusSide(emailoctopus, list_id, random)
    for person in [*people[: population.shared], *people[population.ghl :]]:
        subscribers.settle(person)
    workflow = ghl.add_workflow("Welcome call")
    return Seeded(
        calendar_id=ghl_side.calendar_id,
        workflow_id=workflow["id"],
        automation_id=emailoctopus.create_automation(list_id, repeats=True).id,
        campaign_id=_past_campaign(emailoctopus, list_id),
    )


class _GhlSide:
    """GHL's half: contacts with custom fields, tags, DND and what happened with them."""

    def __init__(self, world: GhlWorld, random: Random, shared: int) -> None:
        self._world = world
        self._random = random
        self._shared = shared
        self._emails: list[str] = []
        self.calendar_id = str(world.add_calendar("Discovery call")["id"])
        world.add_field("Plan", "SINGLE_OPTIONS", list(_PLANS))
        world.add_field("Renewal", "DATE")
        world.add_field("Lead score", "NUMERICAL")

    def settle(self, person: Person) -> None:
        """Let a person have been a contact for some time."""
        n = person.number
        contact = self._world.create(
            at=_some_day(self._world.clock.now(), self._random),
            custom={
                "plan": self._random.choice(_PLANS),
                "renewal": f"2026-{1 + n % 12:02}-{1 + n % 28:02}",
                "lead_score": n % 100,
            },
            **_known(
                firstName=person.first_name,
                lastName=person.last_name,
                email=self._email(person),
                phone=person.phone,
                city=person.city,
                source="website" if n % 3 else "import",
                tags=self._random.sample(_GHL_TAGS, n % 3),
            ),
        )
        self._restrict(contact, n)
        self._live(contact, n)

    def _email(self, person: Person) -> str | None:
        oddity = (person.number - self._shared) % 10 if person.number >= self._shared else -1
        if oddity == 2 and self._emails:
            return self._random.choice(self._emails)
        if oddity in (0, 1):
            return None if oddity == 0 else person.email.replace("@", ".")
        self._emails.append(person.email)
        return person.email

    def _restrict(self, contact: GhlContact, n: int) -> None:
        if n % 20 == 3:
            self._world.unsubscribe(contact.id)
        elif n % 40 == 11:
            self._world.set_dnd_all(contact.id, dnd=True)

    def _live(self, contact: GhlContact, n: int) -> None:
        now = self._world.clock.now()
        if n % 5 == 0:
            self._world.add_note(contact.id, f"Asked about the {_PLANS[n % 3]} plan. #share")
        if n % 8 in (2, 6):
            self._world.add_task(contact.id, "Call back", now + timedelta(days=n % 7), completed=n % 8 == 6)
        if n % 12 in (1, 5):
            start = now + timedelta(days=n % 12 - 3, minutes=n % 480)
            event = self._world.book(contact.id, self.calendar_id, start, title="Discovery call")
            self._world.set_appointment(event.id, "confirmed" if start > now else "showed")


class _EmailOctopusSide:
    """EmailOctopus's half: subscribers of one list, some of whom have left it."""

    def __init__(self, world: EmailOctopusWorld, list_id: str, random: Random) -> None:
        self._world = world
        self._list_id = list_id
        self._random = random
        for field in (Field("Phone", "Phone", "text"), Field("Plan", "Plan", "text"), Field("City", "City", "text")):
            world.add_field(list_id, field)

    def settle(self, person: Person) -> Subscriber:
        """Let a person have been a subscriber for some time."""
        n = person.number
        fields: dict[str, FieldValue | None] = {
            "FirstName": person.first_name.upper() if n % 10 == 4 else person.first_name,
            "LastName": person.last_name,
            "Plan": self._random.choice(_PLANS) if n % 6 == 0 else None,
        }
        return self._world.add(
            self._list_id,
            person.email.capitalize() if n % 15 == 8 else person.email,
            fields,
            self._random.sample(_EMAILOCTOPUS_TAGS, n % 3),
            _status(n),
            at=_some_day(self._world.clock.now(), self._random),
        )


def _status(n: int) -> Status:
    if n % 20 == 5:
        return "unsubscribed"
    return "pending" if n % 20 == 9 else "subscribed"


def _past_campaign(world: EmailOctopusWorld, list_id: str) -> str:
    campaign = world.create_campaign("Spring offers", [list_id], "What is new this spring")
    world.send_campaign(campaign.id)
    for event in campaign.events[:40:4]:
        world.open_mail(event.contact_id, campaign.id)
        world.click(event.contact_id, campaign.id)
    return campaign.id


def _some_day(now: datetime, random: Random) -> datetime:
    return now - timedelta(seconds=random.randrange(3_600, _AGE_DAYS * 86_400))


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

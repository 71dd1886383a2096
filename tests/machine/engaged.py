"""What people did in EmailOctopus that rules are about: who, what, in which campaign, when, and who was told of it."""

from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sync_daemon.model.engagement import OF_MAIL, OPT_OUTS, Kind, told
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from tests.machine.doings import Doings
from tests.machine.house import TALLY, House
from tests.machine.outside import Outside
from tests.machine.rulings import CITY, EVENTS, ON_CITY, ON_TAG

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_CAMPAIGNS = ("Spring sale", "Spring news", "Autumn")


@dataclass(slots=True, eq=False)
class Occurrence:
    """Something that happened while the program had its `store`, by number.

    `linked` is whom the EmailOctopus contact belonged to at that moment, where the pair was in scope.
    """

    kind: Kind
    contact: str
    subject: str
    campaign: str
    campaign_name: str
    at: datetime
    store: int
    linked: str | None
    number: int
    told: set[int] = field(default_factory=set)
    """The stores in which a webhook that told of it was kept."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What further ones of the same kind, campaign and contact are the same as."""
        return (self.kind, self.campaign or self.number, self.contact)


class Engaged:
    """Everybody who gets mail: each method acts in the sandbox, and what a rule may act on is remembered."""

    def __init__(self, house: House, doings: Doings) -> None:
        self.house, self.doings = house, doings
        self.outside: Outside = doings.outside
        self.occurred: list[Occurrence] = []
        self.campaigns: list[Any] = []
        self.short: list[datetime] = []
        """When cycles began in which EmailOctopus's listings lacked their end: two reports that agree are believed."""
        self.unsubscribed_by_program: list[tuple[str, datetime]] = []
        self._holds: dict[tuple[int, str], list[tuple[datetime, bool]]] = {}
        """(rule, GHL contact) -> from when on its condition held, or didn't, as far as any request could show."""
        if house.rules:
            self.outside.did = self._did

    def send_campaign(self, number: int) -> None:
        """Somebody sends a campaign to the list."""
        world, name = self.outside.emailoctopus, f"{_CAMPAIGNS[number % len(_CAMPAIGNS)]} {len(self.campaigns)}"
        made = world.create_campaign(name, [self.outside.sandbox.list_id])
        world.send_campaign(made.id)
        self.campaigns.append(made)

    def engage(self, contact_id: str, how: str, campaign: Any) -> Occurrence:
        """Somebody does something with a campaign's mail."""
        match how:
            case "open":
                self.outside.emailoctopus.open_mail(contact_id, campaign.id)
                self._did("opened", contact_id, campaign_id=campaign.id)
            case "click":
                self.outside.emailoctopus.click(contact_id, campaign.id)
                self._did("clicked", contact_id, campaign_id=campaign.id)
            case _:
                self.outside.opt_out(contact_id, how, campaign.id)
        return self.occurred[-1]

    def tell(self, occurrence: Occurrence) -> None:
        """A webhook tells of it, whenever; the service keeps what a rule listens to, and the hint at the contact."""
        TALLY["webhooks of mail"] += 1
        if occurrence.kind not in OF_MAIL:
            self._hint(occurrence.contact, EventKind.CHANGED, occurrence.at)
            return
        if occurrence.kind in OPT_OUTS:
            self._hint(occurrence.contact, EventKind.REVOKED, occurrence.at)
        if self._keep(occurrence.kind, occurrence.contact, occurrence.campaign, occurrence.at, occurrence.number):
            occurrence.told.add(self.doings.stores)

    def tell_of_program(self, contact_id: str, at: datetime) -> None:
        """A webhook tells that somebody was unsubscribed whom the program had unsubscribed: it says no more."""
        self._hint(contact_id, EventKind.REVOKED, at)
        self._keep(Kind.UNSUBSCRIBED, contact_id, "", at, -len(self.unsubscribed_by_program))

    def _keep(self, kind: Kind, contact_id: str, campaign_id: str, at: datetime, number: int) -> bool:
        if kind not in self.house.rules.listens_to:
            return False
        occasion = told(kind, contact_id, campaign_id, at, f"event {number}")
        self.house.process.pair.store.save_occasions([occasion])
        return True

    def _hint(self, contact_id: str, kind: EventKind, at: datetime) -> None:
        TALLY["webhooks"] += 1
        event = WebhookEvent(EMAILOCTOPUS, f"mail {TALLY['webhooks']}", contact_id, kind, at)
        self.house.process.pair.store.save_events([event])

    def _did(self, kind: str, contact_id: str, subject: str = "", campaign_id: str = "") -> None:
        links = self.house.process.pair.store.links(emailoctopus=[contact_id])
        name = next((one.name for one in self.campaigns if one.id == campaign_id), "")
        self.occurred.append(
            Occurrence(
                Kind(kind),
                contact_id,
                subject,
                campaign_id,
                name,
                self.outside.sandbox.clock.now(),
                self.doings.stores,
                next((link.ghl_id for link in links if link.in_scope), None),
                len(self.occurred) + 1,
            )
        )
        TALLY[f"occurred: {kind}"] += 1

    # conditions

    def note_conditions(self) -> None:
        """Look whose conditions hold now: between two looks no request is answered."""
        now = self.outside.sandbox.clock.now()
        for person in self.outside.people():
            tags = {name.lower() for name in person.tags}
            for number, holds in ((ON_CITY, person.fields.get("city") == CITY), (ON_TAG, "vip" not in tags)):
                seen = self._holds.setdefault((number, person.id), [])
                if not seen or seen[-1][1] is not holds:
                    seen.append((now, holds))

    def condition(self, number: int, contact_id: str, since: datetime, until: datetime) -> set[bool]:
        """What a rule's condition on a GHL contact was between two moments; each state may have begun before it was
        seen, and lasts until another is."""
        if number not in (ON_CITY, ON_TAG):
            return {True}
        seen = self._holds.get((number, contact_id), [])
        ends = [at for at, _ in seen[1:]] + [until]
        return {holds for (at, holds), end in zip(seen, ends, strict=True) if end >= since and at <= until}


def is_about(number: int, occurrence: Occurrence, excluded: str) -> bool:
    """Whether a rule is about such an occurrence, its period and its condition on the contact apart."""
    when = EVENTS[number]
    kind, _, subject = when["event"].partition(":")
    if kind == Kind.UNSUBSCRIBED and occurrence.kind in OPT_OUTS:
        return True  # a bounce of which neither a webhook nor a report could tell shows itself as an unsubscribe
    if kind != occurrence.kind or (occurrence.subject and fnmatchcase(occurrence.subject, excluded)):
        return False
    named = "campaign" not in when or fnmatchcase(occurrence.campaign_name.lower(), when["campaign"].lower())
    return named and (not subject or fnmatchcase(occurrence.subject.lower(), subject.lower()))

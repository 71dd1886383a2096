"""What people do in EmailOctopus, as far as rules act on it: each occasion has an identity (contract, section 9)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened; the words of `rules` in the configuration."""

    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    TAG_ADDED = "tag_added"
    FIELD_CHANGED = "field_changed"


OF_MAIL = frozenset({Kind.OPENED, Kind.CLICKED, Kind.BOUNCED, Kind.COMPLAINED, Kind.UNSUBSCRIBED})
"""The kinds that webhooks and campaign reports tell."""
OPT_OUTS = frozenset({Kind.BOUNCED, Kind.COMPLAINED, Kind.UNSUBSCRIBED})
"""Those that end a subscription, so that the contact's status may show one of them first."""
_SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Occasion:
    """One thing that happened to one EmailOctopus contact.

    `event_id` is its identity: whoever tells of it again tells of the same. `subject` is the tag or field it is about,
    `campaign_id` empty where no campaign is named. `occurred_at` None: nobody told when; `received_at` is our clock
    when it was stored.
    """

    kind: Kind
    contact_id: str
    event_id: str
    occurred_at: datetime | None
    campaign_id: str = ""
    subject: str = ""
    received_at: datetime | None = None

    @property
    def seen(self) -> bool:
        """Whether this program found it by itself, in what changed, and nobody told it."""
        return self.event_id.split(" ")[1:2] == [_SEEN]

    @property
    def at(self) -> datetime | None:
        """When it happened, as far as is known."""
        return self.occurred_at or self.received_at


def told(kind: Kind, contact_id: str, campaign_id: str, occurred_at: datetime | None, vendor_id: str = "") -> Occasion:
    """What a webhook or a report tells: one for each kind, campaign and contact; without a campaign one an event."""
    own = "" if campaign_id else f" {vendor_id}"
    return Occasion(kind, contact_id, f"{kind} {campaign_id} {contact_id}{own}", occurred_at, campaign_id)


def seen(kind: Kind, contact_id: str, subject: str, occurred_at: datetime, digest: bytes) -> Occasion:
    """What was found in a contact's changes; `digest` tells it from others of its kind and contact."""
    event_id = f"{kind} {_SEEN} {contact_id} {digest.hex()}"
    return Occasion(kind, contact_id, event_id, occurred_at, subject=subject)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, with the lists it went to."""

    id: str
    name: str
    subject: str
    list_ids: tuple[str, ...]
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One contact in a campaign's report, and when it was; older plans don't tell the time."""

    contact_id: str
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportRead:
    """How many events of a kind a campaign's report held when it was last read.

    `read_at` is until when it is known to have told all: it was read as a whole then, or had not grown since.
    """

    campaign_id: str
    kind: Kind
    events: int
    read_at: datetime

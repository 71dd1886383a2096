"""What webhooks tell, as far as it is kept: ids, a kind and a time (contract, section 2, "What is stored")."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sync_daemon.model.engagement import Occasion
from sync_daemon.model.system import SystemName


class EventKind(StrEnum):
    """What happened to a contact, as far as it matters for what is read next."""

    CHANGED = "changed"
    """It may be new, or another in anything."""
    REVOKED = "revoked"
    """Its consent may be narrower: such hints are looked at first, and polls may be blind to them."""
    DELETED = "deleted"
    """It is said to be deleted; no poll shows that."""
    ACTIVITY = "activity"
    """A task, note or appointment of it changed: the contact itself needn't have."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One thing that a webhook said of one contact: a hint, whatever it claims.

    `event_id` is the vendor's, unique within the account; `occurred_at` is the vendor's clock, None where it told
    none. `verified` says that the vendor signed it: only then does a deletion count as said. `received_at` is our
    clock, once it is stored.
    """

    system: SystemName
    event_id: str
    contact_id: str
    kind: EventKind
    occurred_at: datetime | None
    verified: bool = True
    received_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one webhook request held: events, each with its account (GHL's location, EmailOctopus's list).

    `ignored` entries are of kinds that nobody reads, `malformed` ones couldn't be read; `engagement` is what rules
    may act on.
    """

    events: tuple[tuple[str, WebhookEvent], ...] = ()
    ignored: int = 0
    malformed: int = 0
    engagement: tuple[tuple[str, Occasion], ...] = ()

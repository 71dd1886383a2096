"""Cases for tests of decisions: two contacts, what they said when they last agreed, and what they say now."""

from datetime import timedelta
from typing import Any

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent, Snapshot
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.state import KnownContact, Link
from sync_daemon.reconcile.decision import Context
from tests.unit.changes.values import agreed, at, detector, person, seen, staged, subscriber

LINK = Link("g1", "e1")


def context(**policy: Any) -> Context:
    """A pair's context, in which GHL's search tells consent and nothing was written lately."""
    return Context(
        policy=PairPolicy("main", **policy),
        fields=(),
        detector=detector(),
        now=at(60),
        index_lag=timedelta(minutes=10),
        search_tells_consent=True,
        generation=b"",
        scope_generation=b"",
    )


def met(now: Snapshot, before: Consent, **known: Any) -> CaseSide:
    """A contact that was read again, after its consent was agreed as `before`."""
    return CaseSide(agreed(_as_before(now, before), **known), staged(now))


def unmet(now: Snapshot, **known: Any) -> CaseSide:
    """A contact that was read and had no part in a link."""
    return CaseSide(KnownContact(now.system, now.contact_id, **known), staged(now))


def at_rest(snapshot: Snapshot, **known: Any) -> CaseSide:
    """A contact of which nothing new was read."""
    return CaseSide(seen(snapshot, **known))


def ghl(before: Consent, now: Consent | None, contact_id: str = "g1", **known: Any) -> CaseSide:
    return met(person(contact_id, consent=now), before, **known)


def there(before: Consent, now: Consent | None, contact_id: str = "e1", **known: Any) -> CaseSide:
    return met(subscriber(contact_id, consent=now), before, **known)


def linked(ghl_side: CaseSide, there_side: CaseSide, link: Link = LINK, **more: Any) -> Case:
    return Case(link=link, ghl=ghl_side, emailoctopus=there_side, **more)


def _as_before(now: Snapshot, before: Consent) -> Snapshot:
    make = person if now.system == "ghl" else subscriber
    return make(now.contact_id, now.address, consent=before)

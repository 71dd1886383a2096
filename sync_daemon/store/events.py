"""What webhooks told: each event once, a hint until it is heeded, then the memory that tells a repetition."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.store.engine import writing
from sync_daemon.store.forgotten import Forgotten, of_contact
from sync_daemon.store.many import ForEach
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow
from sync_daemon.store.tables import events
from sync_daemon.store.upsert import Upsert

_WAITING = (events.c.pair_id == bindparam("pair"), events.c.heeded_at.is_(None))
_ABOUT_ACTIVITY = events.c.kind == EventKind.ACTIVITY
_NEXT_ANY = (
    select(events)
    .where(*_WAITING, events.c.system == bindparam("system"))
    .order_by(events.c.received_at, events.c.event_id)
    .limit(bindparam("limit"))
)
_NEXT = _NEXT_ANY.where(~_ABOUT_ACTIVITY)
_NEXT_ACTIVITY = _NEXT_ANY.where(_ABOUT_ACTIVITY)
_OF_WHOM = select(events.c.system).where(*_WAITING, ~_ABOUT_ACTIVITY).distinct()
_COUNT = select(func.count()).where(*_WAITING)
_HEEDED = ForEach(
    {"of": events.c.system, "id": events.c.event_id},
    lambda key: (
        update(events)
        .where(events.c.pair_id == bindparam("pair"), events.c.system == key("of"), events.c.event_id == key("id"))
        .values(heeded_at=bindparam("now"))
    ),
)
ADD = Upsert(events, ("pair_id", "system", "event_id"), first=True)
"""Stores events; one that is known stays as it is."""


class Events(Forgotten):
    """The rows of events, written by whoever receives webhooks; a cycle heeds them."""

    def save_events(self, told: Collection[WebhookEvent]) -> None:
        """Keep what webhooks told, safe from a power cut when this returns; an event that is known changes nothing.

        What tells of somebody who was forgotten isn't kept.
        """
        received_at = to_micros(self._clock.now())
        rows = [
            {
                "pair_id": self._pair_id,
                "system": one.system,
                "event_id": one.event_id,
                "contact_id": one.contact_id,
                "kind": one.kind,
                "verified": one.verified,
                "occurred_at": to_micros(one.occurred_at),
                "received_at": received_at,
            }
            for one in told
        ]
        if rows:
            with writing(self._engine, durable=True) as connection:
                ADD.write(connection, self._let_in(connection, rows, of_contact))

    def waiting_events(self, system: SystemName, limit: int) -> list[WebhookEvent]:
        """Events about contacts that no cycle has heeded yet, oldest first."""
        return [self._event(row) for row in self._read(_NEXT, system=system, limit=limit)]

    def told_of(self) -> set[SystemName]:
        """The systems about whose contacts events wait that no cycle has heeded yet."""
        return {SystemName(row.system) for row in self._read(_OF_WHOM)}

    def waiting_activity(self, limit: int) -> list[WebhookEvent]:
        """Events about GHL contacts' activity that no cycle has heeded yet, oldest first."""
        return [self._event(row) for row in self._read(_NEXT_ACTIVITY, system=SystemName.GHL, limit=limit)]

    def count_waiting_events(self) -> int:
        """How many events no cycle has heeded yet."""
        return int(self._read(_COUNT)[0][0])

    def _event(self, row: AnyRow) -> WebhookEvent:
        return WebhookEvent(
            system=SystemName(row.system),
            event_id=row.event_id,
            contact_id=row.contact_id,
            kind=EventKind(row.kind),
            occurred_at=to_datetime(row.occurred_at),
            verified=row.verified,
            received_at=to_datetime(row.received_at),
        )

    def _write_heeded(self, connection: Connection, heeded: Collection[WebhookEvent], now: datetime) -> None:
        rows = [{"of": one.system, "id": one.event_id} for one in heeded]
        _HEEDED.run(connection, rows, pair=self._pair_id, now=to_micros(now))

"""What rules may act on: occasions among the events, each once, and how far campaign reports were read."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_, update

from sync_daemon.model.engagement import OPT_OUTS, Kind, Occasion, ReportRead
from sync_daemon.model.system import SystemName
from sync_daemon.store.events import ADD
from sync_daemon.store.forgotten import Forgotten, of_contact
from sync_daemon.store.many import Among, ForEach
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow
from sync_daemon.store.tables import events, reports
from sync_daemon.store.upsert import Upsert

ENGAGED = "engaged"
"""The kind of rows that are no hints: nothing of the contact needs to be read for their sake."""

_OF_PAIR = (events.c.pair_id == bindparam("pair"), events.c.engagement.is_not(None))
_SYSTEM = events.c.system == SystemName.EMAILOCTOPUS
_PLACE = (events.c.received_at, events.c.event_id)
_WAITING = select(events).where(*_OF_PAIR, events.c.judged_at.is_(None)).order_by(*_PLACE).limit(bindparam("limit"))
_AFTER = _WAITING.where(tuple_(*_PLACE) > tuple_(bindparam("at"), bindparam("id")))
_LAST = (
    select(events).where(*_OF_PAIR).order_by(events.c.received_at.desc(), events.c.event_id).limit(bindparam("limit"))
)
# With the system, which every occasion shares: without it no index leads to an id.
_BY_ID = select(events).where(*_OF_PAIR, _SYSTEM, Among(events.c.event_id))
_OPT_OUTS = select(events).where(*_OF_PAIR, events.c.engagement.in_(OPT_OUTS), Among(events.c.contact_id))
_JUDGED = ForEach(
    {"id": events.c.event_id},
    lambda key: (
        update(events).where(*_OF_PAIR, _SYSTEM, events.c.event_id == key("id")).values(judged_at=bindparam("now"))
    ),
)
_REPORTS = select(reports).where(reports.c.pair_id == bindparam("pair"))
_WRITE_REPORT = Upsert(reports, ("pair_id", "campaign_id", "kind"))


class Engagement(Forgotten):
    """The rows of events that rules act on; a cycle judges them."""

    def waiting_occasions(self, after: Occasion | None, limit: int) -> list[Occasion]:
        """Occasions that no rule was asked about yet, oldest first, from the one after `after` on."""
        if after is None or after.received_at is None:
            return [self._occasion(row) for row in self._read(_WAITING, limit=limit)]
        at = to_micros(after.received_at)
        return [self._occasion(row) for row in self._read(_AFTER, limit=limit, at=at, id=after.event_id)]

    def last_occasions(self, limit: int) -> list[Occasion]:
        """The newest occasions, whether judged or not."""
        return [self._occasion(row) for row in self._read(_LAST, limit=limit)]

    def occasions(self, ids: Collection[str]) -> dict[str, Occasion]:
        """Occasions by their ids, as far as they are stored still."""
        return {row.event_id: self._occasion(row) for row in self._read_by(_BY_ID, ids)}

    def opt_outs_of(self, contacts: Collection[str]) -> list[Occasion]:
        """What is known of the unsubscribes, bounces and complaints of some EmailOctopus contacts."""
        return [self._occasion(row) for row in self._read_by(_OPT_OUTS, contacts)]

    def reports(self) -> dict[tuple[str, Kind], ReportRead]:
        """How far each campaign's reports were read."""
        return {
            (row.campaign_id, Kind(row.kind)): ReportRead(
                row.campaign_id, Kind(row.kind), row.events, to_datetime(row.read_at)
            )
            for row in self._read(_REPORTS)
        }

    def occasion_rows(self, told: Iterable[Occasion], now: datetime) -> list[dict[str, Any]]:
        """Rows of the table of events; they are no hints, so nothing is left to be heeded."""
        at = to_micros(now)
        return [
            {
                "pair_id": self._pair_id,
                "system": SystemName.EMAILOCTOPUS,
                "event_id": one.event_id,
                "contact_id": one.contact_id,
                "kind": ENGAGED,
                "verified": True,
                "occurred_at": to_micros(one.occurred_at),
                "received_at": at,
                "heeded_at": at,
                "engagement": one.kind,
                "campaign_id": one.campaign_id,
                "subject": self._secrets.encrypt(one.subject.encode()) if one.subject else None,
            }
            for one in told
        ]

    def _write_occasions(self, connection: Connection, told: Collection[Occasion], now: datetime) -> None:
        """Store occasions; one that is known changes nothing, nor does one about somebody who was forgotten."""
        if told:
            ADD.write(connection, self._let_in(connection, self.occasion_rows(told, now), of_contact))

    def _write_judged(self, connection: Connection, judged: Collection[Occasion], now: datetime) -> None:
        rows = [{"id": one.event_id} for one in judged]
        _JUDGED.run(connection, rows, pair=self._pair_id, now=to_micros(now))

    def _write_reports(self, connection: Connection, read: Collection[ReportRead]) -> None:
        rows = [
            {"campaign_id": one.campaign_id, "kind": one.kind, "events": one.events, "read_at": to_micros(one.read_at)}
            for one in read
        ]
        _WRITE_REPORT.write(connection, self._rows(rows))

    def _occasion(self, row: AnyRow) -> Occasion:
        return Occasion(
            kind=Kind(row.engagement),
            contact_id=row.contact_id,
            event_id=row.event_id,
            occurred_at=to_datetime(row.occurred_at),
            campaign_id=row.campaign_id or "",
            subject=self._secrets.decrypt(row.subject).decode() if row.subject else "",
            received_at=to_datetime(row.received_at),
        )

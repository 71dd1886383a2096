"""What EmailOctopus was last told of each link's activity."""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import BindParameter, Connection, and_, bindparam, case, delete, func, or_, select

from sync_daemon.model.activity import KnownActivity
from sync_daemon.model.system import SystemName
from sync_daemon.store.many import Among, ForEach
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.packing import pack_digests, unpack_digests
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import activity, contacts, links
from sync_daemon.store.upsert import Upsert

_PAIR = activity.c.pair_id == bindparam("pair")
_BY_ID = select(activity).where(_PAIR, Among(activity.c.ghl_id))
_WITH_TASKS = select(activity.c.ghl_id).where(_PAIR, activity.c.open_tasks.is_not(None))
_ALL = select(activity.c.ghl_id).where(_PAIR)
_NOTES_READ = func.coalesce(activity.c.notes_read_at, 0)
_BEFORE: BindParameter[int] = bindparam("before")
_CHANGED = func.coalesce(contacts.c.updated_at, 0)
_CHANGED_SINCE = and_(_NOTES_READ - bindparam("margin") < _CHANGED, _CHANGED > _BEFORE)
_STALE_NOTES = (
    select(links.c.ghl_id)
    .join(
        contacts,
        (contacts.c.pair_id == links.c.pair_id)
        & (contacts.c.system == SystemName.GHL)
        & (contacts.c.contact_id == links.c.ghl_id),
    )
    .outerjoin(activity, (activity.c.pair_id == links.c.pair_id) & (activity.c.ghl_id == links.c.ghl_id))
    .where(links.c.pair_id == bindparam("pair"), links.c.in_scope)
    .where(or_(_NOTES_READ < _BEFORE, _CHANGED_SINCE))
    .order_by(_CHANGED_SINCE.desc(), case((_CHANGED_SINCE, -_CHANGED), else_=_NOTES_READ), links.c.ghl_id)
    .limit(bindparam("limit"))
)
_WRITE = Upsert(activity, ("pair_id", "ghl_id"))
_REMOVE = ForEach(
    {"ghl": activity.c.ghl_id}, lambda key: delete(activity).where(_PAIR, activity.c.ghl_id == key("ghl"))
)
_encode = msgspec.msgpack.Encoder().encode
_decode_ids = msgspec.msgpack.Decoder(list[str]).decode


class Activity(Room):
    """The rows of activity, by GHL id."""

    def activity(self, ids: Collection[str]) -> dict[str, KnownActivity]:
        """What is known of the activity of GHL contacts."""
        return {row.ghl_id: _known(row) for row in self._read_by(_BY_ID, ids)}

    def ids_with_activity(self, *, open_tasks: bool = False) -> list[str]:
        """Ids of the GHL contacts of which something was shown, or of which a task was open when last looked at."""
        return [row.ghl_id for row in self._read(_WITH_TASKS if open_tasks else _ALL)]

    def stale_notes(self, before: datetime, margin: timedelta, limit: int) -> list[str]:
        """Ids of the linked GHL contacts whose notes are to be read, the most urgent first.

        First those that changed after `before`, and since, or not longer than `margin` before, their notes were read,
        the newest change first; then those whose notes weren't read since `before`, longest ago first.
        """
        asked = {"before": to_micros(before), "margin": margin // timedelta(microseconds=1), "limit": limit}
        return [row.ghl_id for row in self._read(_STALE_NOTES, **asked)]

    def _write_activity(self, connection: Connection, known: Collection[KnownActivity]) -> None:
        rows = [
            {
                "ghl_id": one.ghl_id,
                "emailoctopus_id": one.emailoctopus_id,
                "written": pack_digests(one.written),
                "open_tasks": _encode(sorted(one.open_tasks)) if one.open_tasks else None,
                "completed_task": one.completed_task,
                "note": one.note,
                "notes_read_at": to_micros(one.notes_read_at),
            }
            for one in known
        ]
        _WRITE.write(connection, self._rows(rows))

    def _remove_activity(self, connection: Connection, ids: Collection[str]) -> None:
        self._delete(connection, _REMOVE, [{"ghl": one} for one in ids])


def _known(row: AnyRow) -> KnownActivity:
    return KnownActivity(
        ghl_id=row.ghl_id,
        emailoctopus_id=row.emailoctopus_id,
        written=unpack_digests(row.written),
        open_tasks=frozenset(_decode_ids(row.open_tasks)) if row.open_tasks else frozenset(),
        completed_task=row.completed_task,
        note=row.note,
        notes_read_at=to_datetime(row.notes_read_at),
    )

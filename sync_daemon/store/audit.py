"""The audit log as people ask it: by run, contact, field, system and time, page by page."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, tuple_

from sync_daemon.model.audit import ChangeFilter, LoggedChange
from sync_daemon.model.state import Change
from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import reading
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import changes

_PAGE = 1000
_PLACE = (changes.c.at, changes.c.id)


class Audit(Room):
    """The lines of the log, in the order of time."""

    def logged(
        self, asked: ChangeFilter, limit: int, *, beyond: tuple[datetime, int] | None = None, newest_first: bool = True
    ) -> list[LoggedChange]:
        """A page of the lines asked for, that after the line at the place `beyond`."""
        columns = [column.desc() if newest_first else column for column in _PLACE]
        statement = self._asked(asked).order_by(*columns).limit(limit)
        if beyond is not None:
            place = tuple_(*_PLACE), tuple_(to_micros(beyond[0]), beyond[1])
            statement = statement.where(place[0] < place[1] if newest_first else place[0] > place[1])
        with reading(self._engine) as connection:
            return [_line(row) for row in connection.execute(statement)]

    def every_logged(self, asked: ChangeFilter) -> Iterator[LoggedChange]:
        """All lines asked for, oldest first; a page at a time is held, and no read transaction between two."""
        page = self.logged(asked, _PAGE, newest_first=False)
        while page:
            yield from page
            page = self.logged(asked, _PAGE, beyond=page[-1].place, newest_first=False)

    def _asked(self, asked: ChangeFilter) -> Select[*tuple[Any, ...]]:
        return select(changes).where(changes.c.pair_id == self._pair_id, *_conditions(asked))


def _conditions(asked: ChangeFilter) -> Iterator[ColumnElement[bool]]:
    if asked.run_id is not None:
        yield changes.c.run_id == asked.run_id
    if asked.contacts is not None:
        yield or_(changes.c.ghl_id.in_(_named(asked.contacts)), changes.c.emailoctopus_id.in_(_named(asked.contacts)))
    if asked.what is not None:
        yield changes.c.what.in_(sorted(asked.what))
    if asked.system is not None:
        yield changes.c.system == asked.system
    if asked.since is not None:
        yield changes.c.at >= to_micros(asked.since)
    if asked.until is not None:
        yield changes.c.at < to_micros(asked.until)


def _named(contacts: Collection[str]) -> list[str]:
    """Ids as the table has them: an id that a line lacks is "", which is nobody's."""
    return sorted(one for one in contacts if one)


def _line(row: AnyRow) -> LoggedChange:
    change = Change(
        row.kind,
        SystemName(row.system) if row.system else None,
        row.ghl_id or None,
        row.emailoctopus_id or None,
        row.what,
        row.reason,
    )
    return LoggedChange(row.id, row.run_id, to_datetime(row.at), change)

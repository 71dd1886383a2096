"""What is wished for of each pair, on PostgreSQL, where several processes work it off."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Engine, and_, bindparam, func, insert, or_, select, update

from sync_daemon.model.report import Mode
from sync_daemon.model.wishes import DuePair, Wishes
from sync_daemon.store.cluster_tables import agendas
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.many import Among
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import leases, pairs

ABANDONED_AFTER = timedelta(seconds=30)
"""A wish that was taken this long ago, of a pair that nobody holds, was taken by a process that is no more."""
_COLUMNS = {Mode.HINTS: "hints_at", Mode.INCREMENTAL: "incremental_at", Mode.FULL: "full_at"}
_OF_PAIR = agendas.c.pair_id == bindparam("pair")
_ROW = select(agendas).where(_OF_PAIR).with_for_update()
_ADD = insert(agendas)
_SET = update(agendas).where(_OF_PAIR)
_DUE_AT = func.greatest(
    agendas.c.resume_at, func.least(*(agendas.c[name] for name in _COLUMNS.values()), agendas.c.taken_at)
)
_IN_NOBODYS_HANDS = or_(
    agendas.c.taken.is_(None),
    and_(agendas.c.taken_at <= bindparam("abandoned"), leases.c.expires_at <= bindparam("now")),
)
_DUE = (
    select(pairs.c.name, pairs.c.id, agendas.c.taken.is_not(None))
    .select_from(
        agendas.join(pairs, pairs.c.id == agendas.c.pair_id).join(leases, leases.c.pair_id == agendas.c.pair_id)
    )
    .where(bindparam("before") >= _DUE_AT, _IN_NOBODYS_HANDS, Among(pairs.c.name, "names"))
    .order_by(agendas.c.taken.is_(None), _DUE_AT)
    .limit(bindparam("most"))
)


class Agendas(Room):
    """The row of a pair's wishes."""

    @property
    def number(self) -> int:
        """The pair's number in the database."""
        return self._pair_id

    def change_wishes(self, change: Callable[[Wishes], Wishes]) -> None:
        """Put in the place of what is wished for what `change` makes of it; one process at a time does so."""
        with writing(self._engine) as connection:
            self._lock(connection)  # two processes may be the first ones
            row = connection.execute(_ROW, {"pair": self._pair_id}).one_or_none()
            before = Wishes() if row is None else _wishes(row)
            after = change(before)
            if row is None:
                connection.execute(_ADD, {"pair_id": self._pair_id, **_columns(after)})
            elif after != before:
                connection.execute(_SET.values(**_columns(after)), {"pair": self._pair_id})


def due_pairs(engine: Engine, names: Collection[str], before: datetime, now: datetime, most: int) -> list[DuePair]:
    """The pairs of these names that were due at `before` and are in nobody's hands, `most` of them.

    Those that were left in the middle come first, then those that wait longest.
    """
    moments = {
        "before": to_micros(before),
        "now": to_micros(now),
        "abandoned": to_micros(now - ABANDONED_AFTER),
        "most": most,
    }
    with reading(engine) as connection:
        return [DuePair(*row) for row in connection.execute(_DUE, {"names": list(names), **moments})]


def _wishes(row: AnyRow) -> Wishes:
    return Wishes(
        {mode: to_datetime(at) for mode, name in _COLUMNS.items() if (at := getattr(row, name)) is not None},
        to_datetime(row.resume_at) if row.resume_at else None,
        row.in_a_row,
        Mode(row.taken) if row.taken else None,
        to_datetime(row.taken_at),
        row.taken_by,
    )


def _columns(wishes: Wishes) -> dict[str, object]:
    return {
        **{name: to_micros(wishes.wanted.get(mode)) for mode, name in _COLUMNS.items()},
        "resume_at": to_micros(wishes.resume_at) or 0,
        "in_a_row": wishes.in_a_row,
        "taken": wishes.taken,
        "taken_at": to_micros(wishes.taken_at),
        "taken_by": wishes.taken_by,
    }

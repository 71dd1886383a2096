"""What processes that share pairs agree on in PostgreSQL: who is due, who does what for all, how fast accounts go."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Engine, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.wishes import DuePair
from sync_daemon.ports import Clock
from sync_daemon.store.agendas import due_pairs
from sync_daemon.store.cluster_tables import duties, rates
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.moments import to_micros

T = TypeVar("T")
_KEY, _NAME = rates.c.key == bindparam("of"), duties.c.name == bindparam("duty")
_SECONDS = func.extract("epoch", func.clock_timestamp())
_RATE = select(rates.c.state).where(_KEY).with_for_update()
_NEW_RATE = insert(rates).values(key=bindparam("of"), state=b"").on_conflict_do_nothing()
_SET_RATE = update(rates).where(_KEY).values(state=bindparam("new_state"))
_DUTY = (
    insert(duties)
    .values(name=bindparam("duty"), holder=bindparam("by"), expires_at=bindparam("until"))
    .on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": bindparam("by"), "expires_at": bindparam("until")},
        where=(duties.c.holder == bindparam("by")) | (duties.c.expires_at <= bindparam("now")),
    )
    .returning(duties.c.name)
)


class Cluster:
    """One process's view of what all share. Every method may raise `StateStoreError`."""

    block = 5

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def refuse_another_time(self, most_apart_s: float) -> None:
        """Raise `StateStoreError` unless this process tells the time as the database does, as far as that matters."""
        apart = self._clock.now().timestamp() - self._time()
        if abs(apart) > most_apart_s:
            raise StateStoreError(
                f"this machine's clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the database's: "
                "workers tell by the clock whether another one still holds a pair; let NTP set the clocks"
            )

    def due(self, names: Collection[str], late: timedelta = timedelta(0), *, most: int) -> list[DuePair]:
        """So many at most of the pairs of these names that have been due for so long and are in nobody's hands.

        Those that were left in the middle come first, then those that wait longest.
        """
        now = self._clock.now()
        return due_pairs(self._engine, names, now - late, now, most)

    def on_duty(self, name: str, holder: str, seconds: float) -> bool:
        """Take over what one process does for all, for `seconds` from now, or again; False while another has it."""
        now = self._clock.now()
        until = to_micros(now + timedelta(seconds=seconds))
        with writing(self._engine) as connection:
            row = {"duty": name, "by": holder, "until": until, "now": to_micros(now)}
            return connection.execute(_DUTY, row).one_or_none() is not None

    def change(self, key: str, change: Callable[[bytes, float], tuple[bytes, T]]) -> T:
        """Put in the place of what is kept under a key what `change` makes of it and of the time (`ports.Shared`).

        It is the database's time, in seconds, whatever the clocks of the processes say.
        """
        with writing(self._engine) as connection:
            row = connection.execute(_RATE, {"of": key}).one_or_none()
            if row is None:
                connection.execute(_NEW_RATE, {"of": key})
                row = connection.execute(_RATE, {"of": key}).one()
            now = float(connection.execute(select(_SECONDS)).scalar_one())
            state, result = change(bytes(row.state), now)
            if state != row.state:
                connection.execute(_SET_RATE, {"of": key, "new_state": state})
        return result

    def _time(self) -> float:
        with reading(self._engine) as connection:
            return float(connection.execute(select(_SECONDS)).scalar_one())

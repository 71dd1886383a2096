"""The lease: one process works on a pair at a time; a crashed holder loses it by the clock."""

from datetime import timedelta

from sqlalchemy import Connection, bindparam, or_, select, update

from sync_daemon.model.errors import PairBusy
from sync_daemon.store.engine import writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.room import Room
from sync_daemon.store.tables import leases, pairs

_PAIR = leases.c.pair_id == bindparam("pair")
_ACQUIRE = (
    update(leases)
    .where(_PAIR, or_(leases.c.holder == bindparam("by"), leases.c.expires_at <= bindparam("now")))
    .values(holder=bindparam("by"), expires_at=bindparam("until"))
)
_LOCK = select(pairs.c.id).where(pairs.c.id == bindparam("pair")).with_for_update()
_LOOK = select(leases.c.holder, leases.c.expires_at).where(_PAIR)
_SHORTEN = update(leases).where(_PAIR, leases.c.expires_at > bindparam("until")).values(expires_at=bindparam("until"))
_RENEW = update(leases).where(_PAIR, leases.c.holder == bindparam("by")).values(expires_at=bindparam("until"))
_RELEASE = update(leases).where(_PAIR, leases.c.holder == bindparam("by")).values(holder="", expires_at=0)


class Lease(Room):
    """The row of a pair's lease."""

    def acquire(self, holder: str, seconds: float) -> bool:
        """Take the pair's lease for `seconds` from now, or again if `holder` has it; False when another has it.

        A lease that ends later than that was taken before the clock was turned back: from now on it has `seconds`.
        """
        now = self._clock.now()
        moments = {"now": to_micros(now), "until": to_micros(now + timedelta(seconds=seconds))}
        with writing(self._engine) as connection:
            found = connection.execute(_LOOK, {"pair": self._pair_id}).one()
            if found.holder != holder and found.expires_at > moments["now"]:
                connection.execute(_SHORTEN, {"pair": self._pair_id, "until": moments["until"]})
                return False
            self._lock(connection)  # a commit under way is the last one of who had it
            taken = connection.execute(_ACQUIRE, {"pair": self._pair_id, "by": holder, **moments})
            return taken.rowcount == 1

    def renew(self, holder: str, seconds: float) -> bool:
        """Let the lease end `seconds` from now; False when `holder` has lost it, though it be free again."""
        until = to_micros(self._clock.now() + timedelta(seconds=seconds))
        with writing(self._engine) as connection:
            kept = connection.execute(_RENEW, {"pair": self._pair_id, "by": holder, "until": until})
            return kept.rowcount == 1

    def release(self, holder: str) -> None:
        """Give the lease back; nothing happens when `holder` doesn't have it."""
        with writing(self._engine) as connection:
            connection.execute(_RELEASE, {"pair": self._pair_id, "by": holder})

    def _lock(self, connection: Connection) -> None:
        """Let nobody else commit to the pair, or take it over, before this transaction has ended."""
        connection.execute(_LOCK, {"pair": self._pair_id})

    def _verify(self, connection: Connection, holder: str) -> None:
        """Raise `PairBusy` unless `holder` has the lease, which it keeps as long as the pair is locked."""
        if connection.execute(_LOOK, {"pair": self._pair_id}).one().holder != holder:
            raise PairBusy("another process took the pair over while this one stood still; nothing more is stored")

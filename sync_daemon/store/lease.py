"""The lease: one process works on a pair at a time; a crashed holder loses it by the clock."""

from datetime import timedelta

from sqlalchemy import bindparam, or_, update

from sync_daemon.store.engine import writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.room import Room
from sync_daemon.store.tables import leases

_PAIR = leases.c.pair_id == bindparam("pair")
_ACQUIRE = (
    update(leases)
    .where(_PAIR, or_(leases.c.holder == bindparam("by"), leases.c.expires_at <= bindparam("now")))
    .values(holder=bindparam("by"), expires_at=bindparam("until"))
)
_RENEW = update(leases).where(_PAIR, leases.c.holder == bindparam("by")).values(expires_at=bindparam("until"))
_RELEASE = update(leases).where(_PAIR, leases.c.holder == bindparam("by")).values(holder="", expires_at=0)


class Lease(Room):
    """The row of a pair's lease."""

    def acquire(self, holder: str, seconds: float) -> bool:
        """Take the pair's lease for `seconds` from now, or again if `holder` has it; False when another has it."""
        now = self._clock.now()
        until = to_micros(now + timedelta(seconds=seconds))
        with writing(self._engine) as connection:
            taken = connection.execute(
                _ACQUIRE, {"pair": self._pair_id, "by": holder, "now": to_micros(now), "until": until}
            )
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

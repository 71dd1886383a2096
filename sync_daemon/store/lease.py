"""The lease: one process works on a pair at a time; a crashed holder loses it by the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, or_, select, update

from sync_daemon.model.errors import StateStoreError
from sync_daemon.store.engine import write_once, writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.room import Room
from sync_daemon.store.tables import installation, leases, pairs

_PAIR = leases.c.pair_id == bindparam("pair")
_FINGERPRINT = [
    select(installation.c.key_check).scalar_subquery(),
    *(
        select(column).where(pairs.c.id == bindparam("pair")).scalar_subquery()
        for column in (pairs.c.location_id, pairs.c.list_id)
    ),
]
"""Whatever a `Fingerprint` tells, as it is now."""
_ACQUIRE = (
    update(leases)
    .where(_PAIR, or_(leases.c.holder == bindparam("by"), leases.c.expires_at <= bindparam("now")))
    .values(holder=bindparam("by"), expires_at=bindparam("until"), run_epoch=leases.c.run_epoch + 1)
    .returning(leases.c.run_epoch, *_FINGERPRINT)
)
_LOOK = select(leases.c.holder, leases.c.expires_at).where(_PAIR)
_SHORTEN = update(leases).where(_PAIR, leases.c.expires_at > bindparam("until")).values(expires_at=bindparam("until"))
_MINE = (_PAIR, leases.c.holder == bindparam("by"), leases.c.run_epoch == bindparam("mine"))
_RENEW = update(leases).where(*_MINE).values(expires_at=bindparam("until"))
_RELEASE = update(leases).where(*_MINE).values(holder="", expires_at=0)
_LOCK_ALL = select(pairs.c.id).order_by(pairs.c.id).with_for_update()
_LEASED = (
    select(pairs.c.name, leases.c.expires_at).join(pairs, pairs.c.id == leases.c.pair_id).with_for_update(of=leases)
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What must not change under a process that works on a pair: the secret behind the store, location and list."""

    key_check: bytes
    location_id: str
    list_id: str


class Lease(Room):
    """The row of a pair's lease. `opened_as` is what the pair was opened as."""

    opened_as: Fingerprint | None = None

    def acquire(self, holder: str, seconds: float) -> bool:
        """Take the pair's lease for `seconds` from now, or again if `holder` has it; False when another has it.

        A lease that ends later than that was taken before the clock was turned back: from now on it has `seconds`.
        Each hold has a fencing number of its own, greater than all before: until it is given back, what a run writes
        through this object is refused once the pair has a newer one, whoever has that. Raises `StateStoreError` when
        another process gave the pair another place or the store another secret.
        """
        now = self._clock.now()
        moments = {"now": to_micros(now), "until": to_micros(now + timedelta(seconds=seconds))}
        with writing(self._engine) as connection:
            found = connection.execute(_LOOK, {"pair": self._pair_id}).one()
            if found.holder != holder and found.expires_at > moments["now"]:
                connection.execute(_SHORTEN, {"pair": self._pair_id, "until": moments["until"]})
                return False
            self._lock(connection)  # a commit under way is the last one of who had it
            taken = connection.execute(_ACQUIRE, {"pair": self._pair_id, "by": holder, **moments}).one_or_none()
            if taken is not None:
                epoch, *fingerprint = taken
                self._refuse_change(Fingerprint(*fingerprint))
        if taken is not None:
            self._run_epoch = epoch
        return taken is not None

    def _refuse_change(self, now: Fingerprint) -> None:
        if self.opened_as is not None and now != self.opened_as:
            raise StateStoreError(
                "another process changed the state store's secret_key, or the location or list of this pair, since "
                "this one opened it: start again with the configuration in force"
            )

    def renew(self, holder: str, seconds: float) -> bool:
        """Let the lease end `seconds` from now; False when `holder` has lost it, though it be free again."""
        until = to_micros(self._clock.now() + timedelta(seconds=seconds))
        return write_once(self._engine, _RENEW, {**self._mine(holder), "until": until}) == 1

    def release(self, holder: str) -> None:
        """Give the lease back; nothing happens when `holder` doesn't have it."""
        if write_once(self._engine, _RELEASE, self._mine(holder)) == 1:
            self._run_epoch = None

    def _mine(self, holder: str) -> dict[str, object]:
        return {"pair": self._pair_id, "by": holder, "mine": self._run_epoch}

    def is_leased(self) -> bool:
        """Whether some process works on the pair now."""
        (found,) = self._read(_LOOK)
        return bool(found.expires_at > to_micros(self._clock.now()))


def leased_pairs(connection: Connection, now: datetime) -> list[str]:
    """The names of the pairs that a process works on now; none takes one before the transaction ends."""
    connection.execute(_LOCK_ALL)  # in the order in which whoever takes a lease locks them
    rows = connection.execute(_LEASED).all()
    return [row.name for row in rows if row.expires_at > to_micros(now)]

"""What is done once for each occasion, from the intent on."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select

from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.store.many import Among
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import deeds
from sync_daemon.store.upsert import Upsert

_PAIR = deeds.c.pair_id == bindparam("pair")
_BY_KEY = select(deeds).where(_PAIR, Among(deeds.c.key))
_OF_GHL = select(deeds).where(_PAIR, Among(deeds.c.ghl_id)).order_by(deeds.c.at, deeds.c.key)
_OPEN = (
    select(deeds)
    .where(_PAIR, deeds.c.state.in_((DeedState.INTENDED, DeedState.REFUSED)))
    .where(func.coalesce(deeds.c.next_try, 0) <= bindparam("due"))
    .order_by(deeds.c.at, deeds.c.key)
)
_IN_STATE = select(deeds).where(_PAIR, deeds.c.state == bindparam("asked")).order_by(deeds.c.at, deeds.c.key)
_NEWEST = (
    select(deeds)
    .where(_PAIR, deeds.c.state == bindparam("asked"))
    .order_by(deeds.c.at.desc(), deeds.c.key.desc())
    .limit(bindparam("limit"))
)
_COUNT = (
    select(deeds.c.state, func.count())
    .where(_PAIR, or_(deeds.c.state != DeedState.DONE, deeds.c.code == ""))
    .group_by(deeds.c.state)
)
_WRITE = Upsert(deeds, ("pair_id", "key"))


class Deeds(Room):
    """The rows of deeds, by their keys."""

    def deeds(self, keys: Collection[str]) -> dict[str, Deed]:
        """The deeds with these keys."""
        return {row.key: self._deed(row) for row in self._read_by(_BY_KEY, keys)}

    def deeds_of(self, ids: Collection[str]) -> list[Deed]:
        """Everything that was done, or is to be, with these GHL contacts."""
        return [self._deed(row) for row in self._read_by(_OF_GHL, ids)]

    def open_deeds(self, due: datetime) -> list[Deed]:
        """Those intended or refused whose time has come, oldest first."""
        return [self._deed(row) for row in self._read(_OPEN, due=to_micros(due))]

    def deeds_in(self, state: DeedState) -> list[Deed]:
        """Every deed in one state, oldest first."""
        return [self._deed(row) for row in self._read(_IN_STATE, asked=state)]

    def newest_deeds(self, state: DeedState, limit: int) -> list[Deed]:
        """The last deeds that came into one state, newest first."""
        return [self._deed(row) for row in self._read(_NEWEST, asked=state, limit=limit)]

    def count_deeds(self) -> dict[DeedState, int]:
        """How many deeds are in each state; what was let be for a reason, as somebody had revoked, isn't done."""
        return {DeedState(row.state): row[1] for row in self._read(_COUNT)}

    def _write_deeds(self, connection: Connection, told: Collection[Deed]) -> None:
        rows = [
            {
                "key": one.key,
                "what": one.what,
                "ghl_id": one.ghl_id,
                "emailoctopus_id": one.emailoctopus_id,
                "state": one.state,
                "at": to_micros(one.at),
                "occurred_at": to_micros(one.occurred_at),
                "attempts": one.attempts,
                "next_try": to_micros(one.next_try),
                "code": one.code,
                "digest": one.digest,
                "message": self._secrets.encrypt(one.message.encode()) if one.message else b"",
            }
            for one in told
        ]
        _WRITE.write(connection, self._rows(rows))

    def _deed(self, row: AnyRow) -> Deed:
        return Deed(
            key=row.key,
            what=row.what,
            ghl_id=row.ghl_id,
            emailoctopus_id=row.emailoctopus_id,
            state=DeedState(row.state),
            at=to_datetime(row.at),
            occurred_at=to_datetime(row.occurred_at),
            attempts=row.attempts,
            next_try=to_datetime(row.next_try),
            code=row.code,
            message=self._secrets.decrypt(row.message).decode() if row.message else "",
            digest=row.digest,
        )

"""The pair as a whole: its row, watermarks, look-ups and the schemas of its two sides."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, literal, select, union_all, update

from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.state import PairState
from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import reading, write_once
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import Room
from sync_daemon.store.tables import lookups, pairs, schemas, watermarks
from sync_daemon.store.upsert import Upsert

_PAIR = pairs.c.id == bindparam("pair")
_ROW = select(pairs).where(_PAIR)
_PAUSED = select(pairs.c.paused_since).where(_PAIR)
_MOMENTS = union_all(
    select(
        literal("watermark").label("what"), watermarks.c.stream.label("name"), watermarks.c.reached.label("at")
    ).where(watermarks.c.pair_id == bindparam("pair")),
    select(literal("look"), lookups.c.name, lookups.c.at).where(lookups.c.pair_id == bindparam("pair")),
)
_SCHEMAS = select(schemas.c.system, schemas.c.body).where(schemas.c.pair_id == bindparam("pair"))
_CONFIGURE = (
    update(pairs)
    .where(_PAIR)
    .values(
        generation=bindparam("new_generation"),
        scope_generation=bindparam("new_scope_generation"),
        tag_filter=bindparam("new_tag_filter"),
        tag_generation=bindparam("new_tag_generation"),
    )
)
_BEGIN_SCAN = update(pairs).where(_PAIR).values(scan=pairs.c.scan + 1).returning(pairs.c.scan)
_PAUSE = update(pairs).where(_PAIR, pairs.c.paused_since.is_(None)).values(paused_since=bindparam("now"))
_RESUME = update(pairs).where(_PAIR, pairs.c.paused_since.is_not(None)).values(paused_since=None)
_SET_BATCH_SIZE = update(pairs).where(_PAIR).values(batch_size=bindparam("size"))
_ADVANCE = Upsert(watermarks, ("pair_id", "stream"), where=lambda proposed: proposed.reached > watermarks.c.reached)
_LOOKED = Upsert(lookups, ("pair_id", "name"))
_SAVE_SCHEMA = Upsert(schemas, ("pair_id", "system"))
_SCHEMA = msgspec.json.Decoder(AccountSchema)


def read_state(connection: Connection, pair_id: int) -> PairState:
    """What is remembered of one pair as a whole."""
    row = connection.execute(_ROW, {"pair": pair_id}).one()
    moments = connection.execute(_MOMENTS, {"pair": pair_id}).all()
    return PairState(
        name=row.name,
        location_id=row.location_id,
        list_id=row.list_id,
        watermarks={one.name: to_datetime(one.at) for one in moments if one.what == "watermark"},
        looked_at={one.name: to_datetime(one.at) for one in moments if one.what == "look"},
        generation=row.generation,
        scope_generation=row.scope_generation,
        tag_filter=row.tag_filter,
        tag_generation=row.tag_generation,
        scan=row.scan,
        paused_since=to_datetime(row.paused_since),
        batch_size=row.batch_size,
    )


class PairRow(Room):
    """The pair's own row and what hangs on it."""

    def state(self) -> PairState:
        """The pair's row."""
        with reading(self._engine) as connection:
            return read_state(connection, self._pair_id)

    def paused_since(self) -> datetime | None:
        """When a person paused the pair, None while it isn't."""
        with reading(self._engine) as connection:
            since: int | None = connection.execute(_PAUSED, {"pair": self._pair_id}).scalar_one()
        return to_datetime(since)

    def configure(self, *, generation: bytes, scope_generation: bytes, tag_filter: bytes) -> PairState:
        """Write down the configuration in force; a changed `tag_filter` counts `tag_generation` up.

        The first filter a pair gets is no change.
        """
        with self._writing() as connection:
            row = connection.execute(_ROW, {"pair": self._pair_id}).one()
            changed = row.tag_filter not in (b"", tag_filter)
            new = {
                "new_generation": generation,
                "new_scope_generation": scope_generation,
                "new_tag_filter": tag_filter,
                "new_tag_generation": row.tag_generation + changed,
            }
            connection.execute(_CONFIGURE, {"pair": self._pair_id, **new})
            return read_state(connection, self._pair_id)

    def pause(self) -> bool:
        """Have no process read or write the pair from now on; False when it was paused already. Needs no lease."""
        now = to_micros(self._clock.now())
        return write_once(self._engine, _PAUSE, {"pair": self._pair_id, "now": now}) == 1

    def resume(self) -> bool:
        """Let the pair be worked on again; False when it wasn't paused. Needs no lease."""
        return write_once(self._engine, _RESUME, {"pair": self._pair_id}) == 1

    def begin_scan(self) -> int:
        """Count the full scans up; the new number."""
        with self._writing() as connection:
            number: int = connection.execute(_BEGIN_SCAN, {"pair": self._pair_id}).scalar_one()
            return number

    def schemas(self) -> dict[SystemName, AccountSchema]:
        """The schema last saved for each system; one that was never read is left out."""
        bodies = {row.system: row.body for row in self._read(_SCHEMAS)}
        return {name: _SCHEMA.decode(bodies[name]) for name in SystemName if name in bodies}

    def save_schema(self, schema: AccountSchema) -> None:
        """Remember a schema, so that idle cycles needn't ask for it."""
        with self._writing() as connection:
            row = {"system": schema.system, "body": msgspec.json.encode(schema).decode()}
            _SAVE_SCHEMA.write(connection, self._rows([row]))

    def _write_watermarks(self, connection: Connection, reached: Mapping[str, datetime]) -> None:
        rows = [{"stream": stream, "reached": to_micros(moment)} for stream, moment in reached.items()]
        _ADVANCE.write(connection, self._rows(rows))

    def _write_looked_at(self, connection: Connection, looked_at: Mapping[str, datetime]) -> None:
        rows = [{"name": name, "at": to_micros(moment)} for name, moment in looked_at.items()]
        _LOOKED.write(connection, self._rows(rows))

    def _write_batch_size(self, connection: Connection, size: int | None) -> None:
        if size is not None:
            connection.execute(_SET_BATCH_SIZE, {"pair": self._pair_id, "size": size})

"""Short numbers for the mapping rows' keys: a stored baseline says 3 where it means `custom.plan=Plan`."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Engine, bindparam, insert, select

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import KnownContact
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.tables import field_keys, pairs

_ALL = select(field_keys.c.key, field_keys.c.number).where(field_keys.c.pair_id == bindparam("pair"))
_LOCK = select(pairs.c.id).where(pairs.c.id == bindparam("pair")).with_for_update()
_INSERT = insert(field_keys)


class KeyNumbers:
    """The numbers of one pair's keys. A number means the same key for ever, so what was read once is kept."""

    def __init__(self, engine: Engine, pair_id: int) -> None:
        self._engine = engine
        self._pair_id = pair_id
        self._numbers: Mapping[str, int] = {}
        self._keys: Mapping[int, str] = {}

    def of(self, contacts: Iterable[KnownContact]) -> Mapping[str, int]:
        """A number for each key that some contacts' baselines and writes name, new ones stored at once."""
        named = {
            key for contact in contacts for part in (contact.baseline, contact.sent) if part for key in part.fields
        }
        if not named <= self._numbers.keys():
            self._add(named)
        return self._numbers

    def key(self, number: int) -> str:
        """The key behind a number, which another process may have given just now."""
        if number not in self._keys:
            with reading(self._engine) as connection:
                self._remember(self._stored(connection))
        if number not in self._keys:
            raise StateStoreError(
                f"the state store is damaged: no mapping row has the number {number}; restore a backup"
            )
        return self._keys[number]

    def _add(self, named: Collection[str]) -> None:
        with writing(self._engine) as connection:
            connection.execute(_LOCK, {"pair": self._pair_id})
            numbers = self._stored(connection)
            new = sorted(set(named) - numbers.keys())
            given = {key: number for number, key in enumerate(new, start=max(numbers.values(), default=0) + 1)}
            if given:
                rows = [{"pair_id": self._pair_id, "key": key, "number": number} for key, number in given.items()]
                connection.execute(_INSERT, rows)
        self._remember(numbers | given)

    def _stored(self, connection: Connection) -> dict[str, int]:
        return {row.key: row.number for row in connection.execute(_ALL, {"pair": self._pair_id})}

    def _remember(self, numbers: Mapping[str, int]) -> None:
        self._keys = {number: key for key, number in numbers.items()}
        self._numbers = numbers

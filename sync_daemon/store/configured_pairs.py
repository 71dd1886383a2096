"""Pairs whose settings are in the database: YAML texts, encrypted whole, as tokens and keys are in them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, delete, select, update

from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.ports import Clock
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.tables import configured_pairs, installation
from sync_daemon.store.upsert import Upsert

_TABLE = configured_pairs
_REVISION = select(installation.c.pairs_revision)
_NEXT = update(installation).values(pairs_revision=installation.c.pairs_revision + 1)
_NAMES = select(_TABLE.c.name).order_by(_TABLE.c.name)
_SINCE = select(_TABLE.c.name, _TABLE.c.settings).where(_TABLE.c.revision > bindparam("revision"))
_ONE = select(_TABLE.c.settings).where(_TABLE.c.name == bindparam("pair"))
_SAVE = Upsert(_TABLE, ("name",))
_REMOVE = delete(_TABLE).where(_TABLE.c.name == bindparam("pair"))


def are_there(engine: Engine) -> bool:
    """Whether a database has a place for such pairs: one that an older version made has none yet."""
    with reading(engine) as connection:
        return engine.dialect.has_table(connection, _TABLE.name)


def names_in(engine: Engine) -> list[str]:
    """The names of such pairs, in order; no secret is needed for them."""
    with reading(engine) as connection:
        return list(connection.scalars(_NAMES))


def remove_from(engine: Engine, name: str) -> bool:
    """Remove the settings of one, which needs no secret; whether they were there. What is known of its people stays."""
    with writing(engine, durable=True) as connection:
        _next_revision(connection)
        return connection.execute(_REMOVE, {"pair": name}).rowcount == 1


@dataclass(frozen=True, slots=True)
class ConfiguredPairs:
    """The settings of such pairs by their names; every change raises `revision`. All raise `StateStoreError`."""

    engine: Engine
    secrets: Secrets
    clock: Clock

    def revision(self) -> int:
        """A number that every change raises."""
        with reading(self.engine) as connection:
            return int(connection.execute(_REVISION).scalar_one())

    def names(self) -> Collection[str]:
        """The names of all, in order."""
        return names_in(self.engine)

    def changed_since(self, revision: int) -> Mapping[str, str]:
        """The text of each that was added or changed after a revision, by name."""
        with reading(self.engine) as connection:
            rows = connection.execute(_SINCE, {"revision": revision}).all()
        return {row.name: self._text(row.name, row.settings) for row in rows}

    def text(self, name: str) -> str | None:
        """The text of one; None where there is none."""
        with reading(self.engine) as connection:
            return self._stored(connection, name)

    def save(self, texts: Mapping[str, str], instead_of: Mapping[str, str]) -> None:
        """Store texts by name, all or none; `instead_of` are those that they were made from.

        Raises `ConfigurationError` where somebody else changed, added or removed one meanwhile.
        """
        with writing(self.engine, durable=True) as connection:
            number = _next_revision(connection)  # whoever changes one waits here for who came first
            for name in texts:
                if self._stored(connection, name) != instead_of.get(name):
                    raise ConfigurationError(
                        f"Nothing was saved: pair {name} was changed in the database by somebody else meanwhile. Look "
                        "at it again, and edit again."
                    )
            now = to_micros(self.clock.now())
            rows = [
                {
                    "name": name,
                    "settings": self.secrets.encrypt(text.encode()),
                    "revision": number,
                    "changed_at": now,
                }
                for name, text in texts.items()
            ]
            _SAVE.write(connection, rows)

    def _stored(self, connection: Connection, name: str) -> str | None:
        found = connection.execute(_ONE, {"pair": name}).scalar_one_or_none()
        return None if found is None else self._text(name, found)

    def _text(self, name: str, stored: bytes) -> str:
        try:
            return self.secrets.decrypt(stored).decode()
        except StateStoreError as error:
            raise StateStoreError(
                f"the settings of the pair {name} in the database were stored with another secret_key: put that one "
                f"back (as secret_key or in previous_secret_keys). If it is lost, `sync-daemon pairs remove {name}`, "
                "and add the pair anew"
            ) from error


def _next_revision(connection: Connection) -> int:
    connection.execute(_NEXT)
    return int(connection.execute(_REVISION).scalar_one())

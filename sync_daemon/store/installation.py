"""The installation's state store: one database, one secret, its pairs."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.person import Person
from sync_daemon.model.state import PairState
from sync_daemon.ports import Clock
from sync_daemon.store import tables
from sync_daemon.store.cluster import Cluster
from sync_daemon.store.configured_pairs import ConfiguredPairs
from sync_daemon.store.copy import private_copy
from sync_daemon.store.crypto import DerivedKeys, Secrets, split_keys
from sync_daemon.store.engine import reading, rewrite, writing
from sync_daemon.store.housekeeping import Removed, Retention, tidy
from sync_daemon.store.lease import Fingerprint, leased_pairs
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.store.pair_state import read_state
from sync_daemon.store.renewal import renew
from sync_daemon.store.room import AnyRow
from sync_daemon.store.tables import installation, leases, links, pairs

_CHECK = select(installation.c.key_check)
_LOCK = _CHECK.with_for_update()
_SET_CHECK = update(installation).values(key_check=bindparam("check"))
_FORMER = select(installation.c.former_keys)
_SET_KEYS = update(installation).values(key_check=bindparam("check"), former_keys=bindparam("former"))
_IDS = select(pairs.c.id).order_by(pairs.c.name)
_PAUSED = select(pairs.c.name).where(pairs.c.paused_since.is_not(None))
_BY_NAME = select(pairs).where(pairs.c.name == bindparam("name"))
_COUNT_LINKS = select(func.count()).where(links.c.pair_id == bindparam("pair"))
_ADD_PAIR = insert(pairs).returning(pairs.c.id)
_ADD_LEASE = insert(leases)
_MOVE = (
    update(pairs)
    .where(pairs.c.id == bindparam("pair"))
    .values(location_id=bindparam("location"), list_id=bindparam("list"))
)
# Consent causes, tombstones and the logs outlive a change of location or list (contract, section 7).
_OF_ONE_LOCATION_AND_LIST = [
    delete(table).where(table.c.pair_id == bindparam("pair"))
    for table in (
        tables.contacts,
        tables.additional_addresses,
        tables.inbox,
        tables.calls,
        tables.events,
        tables.watermarks,
        tables.lookups,
        tables.schemas,
        tables.parked,
        tables.held,
        tables.tags,
        tables.undo_journal,
    )
]

STARTING_OVER = (
    "`sync-daemon adopt` keeps the links whose contacts exist, `sync-daemon reset` keeps none; both show first what "
    "would be kept and what lost"
)
"""What can be done about a changed location, list or secret."""


def is_in_use(engine: Engine) -> bool:
    """Whether a database that has its tables was used with some secret before."""
    with reading(engine) as connection:
        return connection.execute(_CHECK).scalar_one() is not None


class StateStore:
    """The state of every pair, behind one secret. Expects the tables to be there (`migrate.upgrade`).

    It closes the engine it is given: in `close`, and when it can't be made. Made with a `secret_key` that
    neither is nor follows the one the store was first used with, it raises `StateStoreError`.
    """

    def __init__(self, engine: Engine, secrets: Secrets, clock: Clock) -> None:
        self._engine = engine
        self._secrets = secrets
        self._clock = clock
        try:
            self._keys = self._unlock()
            self._former = self._former_keys()
        except StateStoreError:
            engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @property
    def digest_keys(self) -> tuple[bytes, ...]:
        """The keys of every digest in the store, as `Digester` takes them: those of former secrets first."""
        return (*self._former, self._keys.digests)

    @property
    def cluster(self) -> Cluster:
        """What processes that share this store's pairs agree on, on PostgreSQL."""
        return Cluster(self._engine, self._clock)

    def tidy(self, keep: Retention) -> Removed:
        """Remove what is older than it is to be kept, and runs in which nothing happened after a day."""
        return tidy(self._engine, self._clock.now(), keep)

    @property
    def oauth(self) -> OAuthStore:
        """The tokens of OAuth, and the logins under way."""
        return OAuthStore(self._engine, self._secrets, self._clock)

    @property
    def keeps_deleted_rows(self) -> bool:
        """Whether the database's files hold deleted rows until the database itself clears them (PostgreSQL)."""
        return self._engine.dialect.name != "sqlite"

    def rewrite(self) -> None:
        """Leave no trace of what was deleted in a SQLite file. Raises `StateStoreError`."""
        rewrite(self._engine)

    def answers(self) -> None:
        """Ask the database something. Raises `StateStoreError` when it doesn't answer."""
        with reading(self._engine) as connection:
            connection.execute(_CHECK)

    def renew(self) -> bool:
        """Carry everything stored over to the current secret, after which no former one is needed any more.

        False when there is nothing to carry over, or while any process works on a pair.
        """
        keys = self._secrets.current
        if self._keys.check == keys.check:
            return False
        with writing(self._engine) as connection:
            check = connection.execute(_LOCK).scalar_one()
            if check != self._keys.check or leased_pairs(connection, self._clock.now()):
                return False
            renew(connection, self._secrets, keys)
            former = self.digest_keys
            stored = {"check": keys.check, "former": self._secrets.encrypt(b"".join(former))}
            connection.execute(_SET_KEYS, stored)
        self._keys, self._former = keys, former
        return True

    @contextmanager
    def private_copy(self, pair: str) -> Iterator["StateStore"]:
        """A pair's state in a database of its own: what is written there changes nothing here, and ends with it."""
        with private_copy(self._engine, pair) as engine, StateStore(engine, self._secrets, self._clock) as copy:
            yield copy

    @contextmanager
    def copy_of_person(self, name: str, location_id: str, list_id: str, person: Person) -> Iterator[SqlPairStore]:
        """One person's rows of a pair, as `private_copy` has all of them; as quick for many contacts as for few."""
        whole = self.known_pair(name)
        with private_copy(self._engine, name, person) as engine, StateStore(engine, self._secrets, self._clock) as copy:
            opened = copy.open_pair(name, location_id, list_id)
            opened.links_in_all = whole.count_links() if whole is not None else 0
            yield opened

    @property
    def configured_pairs(self) -> ConfiguredPairs:
        """The pairs whose settings are stored here."""
        return ConfiguredPairs(self._engine, self._secrets, self._clock)

    def paused_pairs(self) -> frozenset[str]:
        """The names of the pairs that are paused."""
        with reading(self._engine) as connection:
            return frozenset(connection.scalars(_PAUSED))

    def pairs(self) -> list[PairState]:
        """What is remembered of each pair, in order of their names."""
        with reading(self._engine) as connection:
            return [read_state(connection, pair_id) for pair_id in connection.scalars(_IDS).all()]

    def open_pair(self, name: str, location_id: str, list_id: str) -> SqlPairStore:
        """The state of one pair, made when it is new.

        Raises `StateStoreError` when the pair has links between another location and list.
        """
        with reading(self._engine) as connection:
            row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
        if row is not None and (row.location_id, row.list_id) == (location_id, list_id):
            return self._pair(row.id, location_id, list_id)
        with writing(self._engine) as connection:
            connection.execute(_LOCK)  # one process at a time makes or moves a pair
            row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
            if row is None:
                return self._pair(_add(connection, PairState(name, location_id, list_id)), location_id, list_id)
            _move(connection, row, location_id, list_id)
            return self._pair(row.id, location_id, list_id)

    def look_at_pair(self, name: str, location_id: str, list_id: str) -> SqlPairStore | None:
        """The state of one pair as it is; None where `open_pair` would make it, or clear it for a new place.

        Raises `StateStoreError` as `open_pair` does. Nothing is written.
        """
        with reading(self._engine) as connection:
            row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
            if row is None:
                return None
            if (row.location_id, row.list_id) == (location_id, list_id):
                return self._pair(row.id, location_id, list_id)
            _refuse_links(connection, row, location_id, list_id)
            return None

    def known_pair(self, name: str) -> SqlPairStore | None:
        """The state of one pair as it is, whatever location and list it was opened with; None for an unknown name."""
        with reading(self._engine) as connection:
            row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
        return self._pair(row.id, row.location_id, row.list_id) if row is not None else None

    def _pair(self, pair_id: int, location_id: str, list_id: str) -> SqlPairStore:
        pair = SqlPairStore(self._engine, pair_id, self._secrets, self._keys, self._clock)
        pair.opened_as = Fingerprint(self._keys.check, location_id, list_id)
        pair.digest_keys = lambda: self.digest_keys  # those in force, though the secret was changed since
        return pair

    def _unlock(self) -> DerivedKeys:
        with reading(self._engine) as connection:
            check = connection.execute(_CHECK).scalar_one()
        keys = self._secrets.behind(check if check is not None else self._write_check())
        if keys is None:
            raise StateStoreError(
                "the state store was made with another secret_key: put that one back (as secret_key, as the key file "
                f"beside the database, or in previous_secret_keys). If it is lost: {STARTING_OVER}"
            )
        return keys

    def _former_keys(self) -> tuple[bytes, ...]:
        """The digest keys of former secrets, in the order in which they were in force."""
        with reading(self._engine) as connection:
            stored = connection.execute(_FORMER).scalar_one()
        return split_keys(self._secrets.decrypt(stored)) if stored else ()

    def _write_check(self) -> bytes:
        """Write down which secret a new store is made with, unless another process was quicker; the one that counts."""
        with writing(self._engine) as connection:
            check: bytes | None = connection.execute(_LOCK).scalar_one()
            if check is None:
                connection.execute(_SET_CHECK, {"check": self._secrets.check})
            return check or self._secrets.check


def _add(connection: Connection, new: PairState) -> int:
    row = {
        "name": new.name,
        "location_id": new.location_id,
        "list_id": new.list_id,
        "generation": new.generation,
        "scope_generation": new.scope_generation,
        "tag_filter": new.tag_filter,
        "tag_generation": new.tag_generation,
        "scan": new.scan,
        "batch_size": new.batch_size,
        "last_sequence": 0,
    }
    pair_id: int = connection.execute(_ADD_PAIR, row).scalar_one()
    connection.execute(_ADD_LEASE, {"pair_id": pair_id, "holder": "", "expires_at": 0})
    return pair_id


def _move(connection: Connection, row: AnyRow, location_id: str, list_id: str) -> None:
    """Point a pair without links at another location or list; what it knew of the old one goes."""
    if (row.location_id, row.list_id) == (location_id, list_id):
        return  # another process was quicker
    _refuse_links(connection, row, location_id, list_id)
    for statement in _OF_ONE_LOCATION_AND_LIST:
        connection.execute(statement, {"pair": row.id})
    connection.execute(_MOVE, {"pair": row.id, "location": location_id, "list": list_id})


def _refuse_links(connection: Connection, row: AnyRow, location_id: str, list_id: str) -> None:
    """Raise `StateStoreError` when a pair has links, which belong to one location and list."""
    count = connection.execute(_COUNT_LINKS, {"pair": row.id}).scalar_one()
    if count:
        raise StateStoreError(
            f"pair {row.name} has {count} links between GHL location {row.location_id} and EmailOctopus list "
            f"{row.list_id}, but the configuration names location {location_id} and list {list_id}: put the old ids "
            f"back, or give the pair a new name to start anew there. Else: {STARTING_OVER}"
        )

"""The change of the installation's secret: everything stored carried over from a former one, in one transaction.

Digests are wrapped (see `changes.digests`), values encrypted anew. Nobody may be at work on a pair meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, bindparam, select, tuple_, update

from sync_daemon.changes.digests import wrapped
from sync_daemon.store import tables
from sync_daemon.store.crypto import DerivedKeys, Secrets
from sync_daemon.store.packing import rewrap_baseline, rewrap_digests, rewrap_sent, rewrap_sharing
from sync_daemon.store.tags import tag_digest

_ROWS = 1000
_Renew = Callable[[Any], Any]
DIGESTS: Mapping[str, tuple[str, ...]] = {
    "pairs": ("generation", "scope_generation", "tag_filter"),
    "contacts": ("address", "seen", "generation", "record"),
    "links": ("scope_generation",),
    "additional_addresses": ("address",),
    "parked": ("value",),
    "tombstones": ("address",),
    "revocations": ("address",),
    "forgotten": ("digest", "person"),
    "deeds": ("digest",),
    "undo_journal": ("digest",),
}
"""The columns that hold a digest."""
ENCRYPTED: Mapping[str, tuple[str, ...]] = {
    "inbox": ("payload",),
    "parked": ("message",),
    "deeds": ("message",),
    "events": ("subject",),
    "undo_journal": ("payload",),
    "oauth_tokens": ("tokens",),
    "configured_pairs": ("settings",),
}
"""The columns that hold an encrypted value; names of tags are renewed together with their digests."""
PLAIN = {
    ("activity", "open_tasks"),
    ("links", "diverged"),
    ("links", "bounces"),
    ("installation", "key_check"),
    ("installation", "former_keys"),
}
"""Bytes that no secret is behind, and those of the installation itself."""


def renew(connection: Connection, secrets: Secrets, keys: DerivedKeys) -> None:
    """Carry every row over to the keys of the current secret."""

    def wrap(digest: bytes) -> bytes:
        return wrapped(digest, keys.digests)

    def encrypt(token: bytes) -> bytes:
        return secrets.encrypt(secrets.decrypt(token))

    for table in tables.metadata.sorted_tables:
        renewals: dict[str, _Renew] = dict.fromkeys(DIGESTS.get(table.name, ()), wrap)
        renewals |= dict.fromkeys(ENCRYPTED.get(table.name, ()), encrypt)
        if table is tables.contacts:
            renewals |= {
                "baseline": lambda packed: rewrap_baseline(packed, wrap),
                "sent": lambda packed: rewrap_sent(packed, wrap),
            }
        if table is tables.links:
            renewals |= {"sharing": lambda packed: rewrap_sharing(packed, wrap)}
        if table is tables.activity:
            renewals |= {"written": lambda packed: rewrap_digests(packed, wrap)}
        if renewals:
            _renew_table(connection, table, renewals)
    _renew_tags(connection, secrets, keys)


def binary_columns() -> Iterator[tuple[str, str]]:
    """Table and name of every column that holds bytes."""
    for table in tables.metadata.sorted_tables:
        yield from ((table.name, column.name) for column in table.c if isinstance(column.type, LargeBinary))


def _renew_table(connection: Connection, table: Table, renewals: Mapping[str, _Renew]) -> None:
    key = list(table.primary_key.columns)
    # A table whose key is renewed changes its order on the way: it is read whole, and its rows are short.
    whole = any(column.name in renewals for column in key)
    rows = select(*key, *(table.c[name] for name in renewals if table.c[name] not in set(key))).order_by(*key)
    change = (
        update(table)
        .where(*(column == _param(f"old_{column.name}", column) for column in key))
        .values({name: _param(f"new_{name}", table.c[name]) for name in renewals})
    )
    after: tuple[Any, ...] | None = None
    while True:
        part = rows if after is None else rows.where(tuple_(*key) > tuple_(*after))
        found = connection.execute(part if whole else part.limit(_ROWS)).mappings().all()
        if found:
            connection.execute(change, [_changed(row, key, renewals) for row in found])
            after = tuple(found[-1][column.name] for column in key)
        if whole or len(found) < _ROWS:
            return


def _changed(row: Mapping[Any, Any], key: list[Any], renewals: Mapping[str, _Renew]) -> dict[str, Any]:
    old = {f"old_{column.name}": row[column.name] for column in key}
    return old | {f"new_{name}": anew(row[name]) if row[name] else row[name] for name, anew in renewals.items()}


def _renew_tags(connection: Connection, secrets: Secrets, keys: DerivedKeys) -> None:
    tags = tables.tags
    for row in connection.execute(select(tags)).all():
        name = secrets.decrypt(row.name)
        connection.execute(
            update(tags)
            .where(tags.c.pair_id == row.pair_id, tags.c.digest == row.digest)
            .values(
                digest=tag_digest(keys, row.owner, name.decode()),
                name=secrets.encrypt(name),
                spelling=None if row.spelling is None else secrets.encrypt(secrets.decrypt(row.spelling)),
            )
        )


def _param(name: str, column: Any) -> Any:
    return bindparam(name, type_=column.type)

"""The names of tags, encrypted, each found by a keyed digest of its name."""

import hashlib
import hmac
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, bindparam, select

from sync_daemon.model.state import KnownTag
from sync_daemon.model.system import SystemName
from sync_daemon.store.crypto import DerivedKeys
from sync_daemon.store.room import Room
from sync_daemon.store.tables import tags
from sync_daemon.store.upsert import Upsert

_ALL = select(tags).where(tags.c.pair_id == bindparam("pair"))
_UPSERT = Upsert(tags, ("pair_id", "digest"))
_DIGEST_SIZE = 16


class Tags(Room):
    """The rows of tag names. A name has one row for each system that owns it."""

    def tags(self) -> list[KnownTag]:
        """Every tag name the pair has seen, in order of the names."""
        known = [
            KnownTag(
                name=self._secrets.decrypt(row.name).decode(),
                owner=SystemName(row.owner),
                spelling=None if row.spelling is None else self._secrets.decrypt(row.spelling).decode(),
                entered=row.entered,
            )
            for row in self._read(_ALL)
        ]
        return sorted(known, key=lambda tag: (tag.name, tag.owner))

    def _write_tags(self, connection: Connection, known: Collection[KnownTag]) -> None:
        _UPSERT.write(connection, self._rows([self._tag_row(tag) for tag in known]))

    def _tag_row(self, tag: KnownTag) -> dict[str, Any]:
        name = tag.name.encode()
        return {
            "digest": tag_digest(self._keys, tag.owner, tag.name),
            "owner": tag.owner,
            "name": self._secrets.encrypt(name),
            "spelling": None if tag.spelling is None else self._secrets.encrypt(tag.spelling.encode()),
            "entered": tag.entered,
        }


def tag_digest(keys: DerivedKeys, owner: str, name: str) -> bytes:
    """The digest by which the row of a tag is found."""
    return hmac.digest(keys.tag_names, f"{owner}\x00{name}".encode(), hashlib.sha256)[:_DIGEST_SIZE]

"""The lasting ties between two contacts; no contact is ever in two of them (contract, law L5)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, text
from sqlalchemy.exc import IntegrityError

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.sharing import UNSHARED
from sync_daemon.model.state import Cause, Link
from sync_daemon.store.many import Among, ForEach
from sync_daemon.store.packing import pack_sharing, unpack_sharing
from sync_daemon.store.room import AnyRow, Room, chunks
from sync_daemon.store.tables import links
from sync_daemon.store.upsert import Upsert

_PAIR = links.c.pair_id == bindparam("pair")
_BY_GHL = select(links).where(_PAIR, Among(links.c.ghl_id))
_BY_EMAILOCTOPUS = select(links).where(_PAIR, Among(links.c.emailoctopus_id))
_SHARED = select(links).where(_PAIR, links.c.sharing.is_not(None))
_COUNT = select(func.count()).where(_PAIR)
# Each by the index of such links alone; only the words that an index was made with are known to be meant.
COUNT_DIVERGED = _COUNT.where(links.c.diverged.is_not(None))
COUNT_CONSENT_HELD = _COUNT.where(text("consent_held"))
_UPSERT = Upsert(links, ("pair_id", "ghl_id"))
_UNLINK = ForEach(
    {"ghl": links.c.ghl_id, "emailoctopus": links.c.emailoctopus_id},
    lambda key: delete(links).where(
        _PAIR, links.c.ghl_id == key("ghl"), links.c.emailoctopus_id == key("emailoctopus")
    ),
)


class Links(Room):
    """The rows of links."""

    def links(self, *, ghl: Collection[str] = (), emailoctopus: Collection[str] = ()) -> list[Link]:
        """Links of any of the contacts named, each once."""
        rows = [*self._read_by(_BY_GHL, ghl), *self._read_by(_BY_EMAILOCTOPUS, emailoctopus)]
        return list({row.ghl_id: _link(row) for row in rows}.values())

    def shared_links(self) -> list[Link]:
        """The links that remember something for the sake of other pairs of the location or list."""
        return [_link(row) for row in self._read(_SHARED)]

    def count_links(self) -> int:
        """How many links there are."""
        return int(self._read(_COUNT)[0][0])

    def _remove_links(self, connection: Connection, unlink: Collection[Link]) -> None:
        rows = [{"ghl": link.ghl_id, "emailoctopus": link.emailoctopus_id} for link in unlink]
        self._delete(connection, _UNLINK, rows)

    def _write_links(self, connection: Connection, new: Sequence[Link]) -> None:
        if not new:
            return
        try:
            with connection.begin_nested():
                _UPSERT.write(connection, self._rows([_row(link) for link in new]))
        except IntegrityError as error:
            clash = next(self._clashes(connection, new), "two links would share a contact")
            raise StateStoreError(
                f"{clash}: nothing of this step was stored. This is a fault of the program: please report it; "
                "the next run starts from what is stored"
            ) from error

    def _clashes(self, connection: Connection, new: Sequence[Link]) -> Iterator[str]:
        """Which of the new links take an EmailOctopus contact from another GHL contact."""
        partners: dict[str, str] = {}
        for chunk in chunks([link.emailoctopus_id for link in new]):
            rows = connection.execute(_BY_EMAILOCTOPUS, {"pair": self._pair_id, "ids": chunk})
            partners.update({row.emailoctopus_id: row.ghl_id for row in rows})
        for link in new:
            partner = partners.setdefault(link.emailoctopus_id, link.ghl_id)
            if partner != link.ghl_id:
                yield (
                    f"GHL contact {link.ghl_id} can't be linked with EmailOctopus contact {link.emailoctopus_id}, "
                    f"which is linked with GHL contact {partner}"
                )


def _link(row: AnyRow) -> Link:
    return Link(
        ghl_id=row.ghl_id,
        emailoctopus_id=row.emailoctopus_id,
        cause=Cause(row.cause) if row.cause else None,
        dnd_by_us=row.dnd_by_us,
        in_scope=row.in_scope,
        scope_generation=row.scope_generation,
        left_by_configuration=row.left_by_configuration,
        consent_held=row.consent_held,
        diverged=frozenset(msgspec.msgpack.decode(row.diverged, type=list[str]) if row.diverged else ()),
        address_emptied=row.address_emptied,
        bounces=msgspec.msgpack.decode(row.bounces, type=dict[str, tuple[datetime, ...]]) if row.bounces else {},
        sharing=unpack_sharing(row.sharing) if row.sharing else UNSHARED,
    )


def _row(link: Link) -> dict[str, Any]:
    return {
        "ghl_id": link.ghl_id,
        "emailoctopus_id": link.emailoctopus_id,
        "cause": link.cause,
        "dnd_by_us": link.dnd_by_us,
        "in_scope": link.in_scope,
        "scope_generation": link.scope_generation,
        "left_by_configuration": link.left_by_configuration,
        "consent_held": link.consent_held,
        "diverged": msgspec.msgpack.encode(sorted(link.diverged)) if link.diverged else None,
        "address_emptied": link.address_emptied,
        "bounces": msgspec.msgpack.encode(link.bounces) if link.bounces else None,
        "sharing": pack_sharing(link.sharing) if link.sharing != UNSHARED else None,
    }

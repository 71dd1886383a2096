"""What is kept of a pair in another place, or under another secret: `adopt` and `reset` (contract, section 7).

It works without the secret that the store was made with: ids, causes and tombstones lie in the clear.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Engine, Table, bindparam, delete, func, select, update

from sync_daemon.model.errors import PairBusy
from sync_daemon.model.state import Cause, Unlinked
from sync_daemon.ports import Clock
from sync_daemon.store import tables
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.forgotten import PEOPLE
from sync_daemon.store.lease import leased_pairs
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.store.revocations import remember
from sync_daemon.store.room import chunks
from sync_daemon.store.tables import (
    contacts,
    deeds,
    events,
    forgotten,
    installation,
    links,
    pairs,
    revocations,
    tags,
    tombstones,
)

_OF_PAIR: BindParameter[int] = bindparam("pair")
_CHECK = select(installation.c.key_check)
_SET_KEYS = update(installation).values(key_check=bindparam("check"), former_keys=None)
_LINKS = select(links.c.ghl_id, links.c.emailoctopus_id).where(links.c.pair_id == _OF_PAIR)
_PAIRS = select(pairs.c.id, pairs.c.name, pairs.c.location_id, pairs.c.list_id).order_by(pairs.c.name)
_SEEN_THERE = (
    tables.additional_addresses,
    tables.inbox,
    tables.calls,
    tables.events,
    tables.watermarks,
    tables.lookups,
    tables.schemas,
    tables.parked,
    tables.held,
    tables.activity,
    tables.reports,
    tables.undo_journal,
)
"""What is found anew by the next full scan, and what can be undone there no more."""
_UNLINK = delete(links).where(links.c.pair_id == _OF_PAIR, links.c.ghl_id == bindparam("ghl"))
# As links of contacts out of scope that come back into it: that is what two contacts are that meet anew.
_MEET_ANEW = (
    update(links)
    .where(links.c.pair_id == _OF_PAIR)
    .values(in_scope=False, scope_generation=b"", diverged=None, bounces=None, sharing=None, address_emptied=False)
)
_CAUSES = (
    select(contacts.c.address, links.c.cause)
    .join(
        links,
        (links.c.pair_id == contacts.c.pair_id)
        & (
            ((contacts.c.system == "ghl") & (links.c.ghl_id == contacts.c.contact_id))
            | ((contacts.c.system == "emailoctopus") & (links.c.emailoctopus_id == contacts.c.contact_id))
        ),
    )
    .where(contacts.c.pair_id == _OF_PAIR, contacts.c.address.is_not(None), links.c.cause.is_not(None))
)
_ORPHANS = select(contacts.c.address).where(
    contacts.c.pair_id == _OF_PAIR,
    contacts.c.unlinked == Unlinked.ORPHAN,
    contacts.c.consent == "revoked",
    contacts.c.address.is_not(None),
)


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A pair as the store has it: its place, and how much of each kind is stored of it."""

    pair_id: int
    name: str
    location_id: str
    list_id: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NewStart:
    """What one pair starts anew with: its place, and the GHL ids of the links that stay (None: all of them)."""

    pair: StoredPair
    location_id: str
    list_id: str
    keep: Collection[str] | None


class LockedStore:
    """The state store as far as it can be read, and started over, without the secret it was made with."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def opens_with(self, secrets: Secrets) -> bool:
        """Whether the store was made with one of these secrets, or with none yet."""
        with reading(self._engine) as connection:
            check = connection.execute(_CHECK).scalar_one()
        return check is None or secrets.behind(check) is not None

    def pairs(self) -> list[StoredPair]:
        """Every pair, in order of their names."""
        with reading(self._engine) as connection:
            return [StoredPair(*row, _counts(connection, row.id)) for row in connection.execute(_PAIRS).all()]

    def tokens(self, secrets: Secrets) -> OAuthStore:
        """The tokens of OAuth, for who has the secret."""
        return OAuthStore(self._engine, secrets, self._clock)

    def links(self, pair: StoredPair) -> list[tuple[str, str]]:
        """The ids of each link of a pair, GHL's first."""
        with reading(self._engine) as connection:
            return [(row.ghl_id, row.emailoctopus_id) for row in connection.execute(_LINKS, {"pair": pair.pair_id})]

    def start_over(self, starts: Sequence[NewStart], secrets: Secrets | None = None) -> None:
        """Start pairs anew in one transaction; `secrets` is given where those behind the store are lost.

        Consent causes, tombstones and what is remembered or forgotten by address stay; under another secret the
        latter is lost, and all pairs must be among `starts`. Raises `PairBusy` while a process works on one.
        """
        with writing(self._engine) as connection:
            connection.execute(_CHECK.with_for_update())
            if busy := leased_pairs(connection, self._clock.now()):
                raise PairBusy(f"another process works on the pair {', '.join(busy)}: nothing was done")
            for start in starts:
                _start_over(connection, start, readable=secrets is None)
            if secrets is not None:
                connection.execute(delete(tables.oauth_tokens))  # nobody can read them any more
                connection.execute(_SET_KEYS, {"check": secrets.check})


def _start_over(connection: Connection, start: NewStart, *, readable: bool) -> None:
    pair = {"pair": start.pair.pair_id}
    if readable:
        _remember_causes(connection, pair)
    _forget_links(connection, start)
    connection.execute(_MEET_ANEW, pair)
    for table in _SEEN_THERE:
        connection.execute(delete(table).where(table.c.pair_id == _OF_PAIR), pair)
    connection.execute(delete(contacts).where(contacts.c.pair_id == _OF_PAIR), pair)
    if readable:
        if start.list_id != start.pair.list_id:  # which tags exist there is seen in the next full scan
            connection.execute(update(tags).where(tags.c.pair_id == _OF_PAIR).values(spelling=None), pair)
    else:
        _clear_what_nobody_can_read(connection, pair)
    place = {"location_id": start.location_id, "list_id": start.list_id}
    renewed = {"generation": b"", "scope_generation": b"", **({} if readable else {"tag_filter": b""})}
    connection.execute(update(pairs).where(pairs.c.id == _OF_PAIR).values(**place, **renewed), pair)


def _remember_causes(connection: Connection, pair: Mapping[str, Any]) -> None:
    """Keep who revoked with the address, where it stood with the link alone."""
    causes = [(row.address, row.cause) for row in connection.execute(_CAUSES, pair)]
    causes += [(row.address, str(Cause.POLICY)) for row in connection.execute(_ORPHANS, pair)]
    remember(connection, [{"pair_id": pair["pair"], "address": address, "cause": cause} for address, cause in causes])


def _forget_links(connection: Connection, start: NewStart) -> None:
    if start.keep is None:
        return
    pair = {"pair": start.pair.pair_id}
    kept = set(start.keep)
    gone = [row.ghl_id for row in connection.execute(_LINKS, pair).all() if row.ghl_id not in kept]
    for chunk in chunks(gone):
        connection.execute(_UNLINK, [{**pair, "ghl": ghl_id} for ghl_id in chunk])


def _clear_what_nobody_can_read(connection: Connection, pair: Mapping[str, Any]) -> None:
    """Digests and values of another secret: those of tags and addresses, and the APIs' words; ids and causes stay."""
    for table in (revocations, forgotten, tags):
        connection.execute(delete(table).where(table.c.pair_id == _OF_PAIR), pair)
    connection.execute(update(tombstones).where(tombstones.c.pair_id == _OF_PAIR).values(address=None), pair)
    connection.execute(update(deeds).where(deeds.c.pair_id == _OF_PAIR).values(message=b"", digest=b""), pair)
    connection.execute(update(events).where(events.c.pair_id == _OF_PAIR).values(subject=None), pair)


def _counts(connection: Connection, pair_id: int) -> dict[str, int]:
    def count(table: Table, *where: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(table.c.pair_id == pair_id, *where)
        return int(connection.scalar(query) or 0)

    return {
        "links": count(links),
        "staged": count(tables.inbox),
        "parked": count(tables.parked),
        "held": count(tables.held),
        "tombstones": count(tombstones),
        "revocations": count(revocations),
        "forgotten": count(forgotten, PEOPLE),
    }

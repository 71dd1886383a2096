"""Who is who: staged rows and what the store knows of them, put together person by person (contract, section 3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from sync_daemon.changes.others import NOBODY_ELSE, Others
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.state import Cause, Held, KnownContact, Link, Parked, Staged, Unlinked
from sync_daemon.model.system import SystemName

ContactKey = tuple[SystemName, str]
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
T = TypeVar("T")
_UNKNOWN = datetime.min.replace(tzinfo=UTC)
"""What a timestamp that nobody knows is older than."""


@dataclass(frozen=True, slots=True)
class CaseSide:
    """One contact of a case: what the store knows of it, and what is new. A new one may not be known yet."""

    known: KnownContact
    staged: Staged | None = None

    @property
    def system(self) -> SystemName:
        """The system it is in."""
        return self.known.system

    @property
    def contact_id(self) -> str:
        """Its id there."""
        return self.known.contact_id

    @property
    def key(self) -> ContactKey:
        """What its row is found by."""
        return self.known.key

    @property
    def snapshot(self) -> Snapshot | None:
        """What was read of it; None when nothing new was, or only a hint came."""
        return self.staged.snapshot if self.staged else None

    def with_read(self, snapshot: Snapshot) -> "CaseSide":
        """The same contact after a read by id. A change keeps the time of the snapshot that showed it first."""
        staged = self.staged or Staged(self.system, self.contact_id, None)
        return replace(self, staged=replace(staged, snapshot=snapshot))


@dataclass(frozen=True, slots=True)
class Found:
    """Who has the address of a contact that was deleted, in the same system.

    `heir` may take the link over; `claimed` says that somebody has the address who can't.
    """

    heir: CaseSide | None = None
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One person: the link, or what may become one, with both sides.

    `duplicates` are the other GHL contacts with the address; `blocked_by` is a link that holds the contact
    this one would have to be linked to; `namesakes` are EmailOctopus contacts with the address that aren't part
    of the case, `additional_holders` GHL contacts that have it, as an additional one or under another link;
    `remembered` is the cause of the address's revocation, `enters_revoked` that a linked contact has a new address
    which a person had revoked. When the link moved to another EmailOctopus contact, `former` is the link it
    replaces, `left_behind` that link's EmailOctopus contact, which `orphans` if no other GHL contact has its
    address; `exchanged` says that links exchanged their contacts. `gone` are contacts of the link that are proven to
    be deleted, `found` what the look-up by address then brought, None as long as nobody was asked.
    `over_parked` and `over_held` waited of contacts that turned out to be duplicates, of which nothing is ever written.
    `others` is what the other pairs of the location and of the list know of the person.
    """

    link: Link | None = None
    ghl: CaseSide | None = None
    emailoctopus: CaseSide | None = None
    duplicates: tuple[CaseSide, ...] = ()
    blocked_by: Link | None = None
    namesakes: tuple[KnownContact, ...] = ()
    additional_holders: tuple[KnownContact, ...] = ()
    parked: Mapping[str, Parked] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    remembered: Cause | None = None
    enters_revoked: bool = False
    former: Link | None = None
    left_behind: CaseSide | None = None
    orphans: bool = False
    exchanged: bool = False
    gone: tuple[CaseSide, ...] = ()
    found: Found | None = None
    over_parked: tuple[Parked, ...] = ()
    over_held: tuple[Held, ...] = ()
    others: Others = NOBODY_ELSE

    def side(self, system: SystemName) -> CaseSide | None:
        """The contact in one system, None when there is none."""
        return self.ghl if system is GHL else self.emailoctopus

    def both(self) -> tuple[CaseSide, CaseSide]:
        """GHL's contact and EmailOctopus's. Raises ValueError where there aren't two."""
        if self.ghl is None or self.emailoctopus is None:
            raise ValueError("a pair has two contacts")
        return self.ghl, self.emailoctopus

    def sides(self) -> Iterator[CaseSide]:
        """Every contact of the case."""
        yield from (side for side in (self.ghl, self.emailoctopus) if side is not None)
        yield from self.duplicates

    def targets(self) -> Iterator[CaseSide]:
        """Every contact that the case may write to."""
        yield from self.sides()
        if self.left_behind is not None:
            yield self.left_behind

    def rows(self) -> Iterator[Staged]:
        """Every inbox row of the case."""
        sides = {side.key: side for side in (*self.gone, *self.sides())}
        yield from (side.staged for side in sides.values() if side.staged is not None)

    def with_reads(self, reads: Mapping[ContactKey, Snapshot]) -> "Case":
        """The same case after reads by id."""

        def fresh(side: CaseSide | None) -> CaseSide | None:
            snapshot = reads.get(side.key) if side else None
            return side.with_read(snapshot) if side and snapshot else side

        duplicates = tuple(fresh(side) or side for side in self.duplicates)
        return replace(self, ghl=fresh(self.ghl), emailoctopus=fresh(self.emailoctopus), duplicates=duplicates)


@dataclass(slots=True)
class Lookups:
    """What the store knows around a batch of staged rows."""

    contacts: dict[ContactKey, KnownContact] = field(default_factory=dict)
    links: dict[ContactKey, Link] = field(default_factory=dict)
    staged: dict[ContactKey, Staged] = field(default_factory=dict)
    at: dict[SystemName, dict[bytes, list[KnownContact]]] = field(
        default_factory=lambda: {name: {} for name in SystemName}
    )
    additional: dict[bytes, list[str]] = field(default_factory=dict)
    remembered: dict[bytes, Cause] = field(default_factory=dict)
    parked: dict[ContactKey, list[Parked]] = field(default_factory=dict)
    held: dict[ContactKey, list[Held]] = field(default_factory=dict)

    def add_links(self, links: Iterable[Link]) -> None:
        """Make links findable by either side."""
        for link in links:
            self.links[GHL, link.ghl_id] = link
            self.links[EMAILOCTOPUS, link.emailoctopus_id] = link

    def side(self, key: ContactKey) -> CaseSide:
        """A contact with its staged row, if it has one."""
        known = self.contacts.get(key) or KnownContact(*key)
        return CaseSide(known, self.staged.get(key))

    def group(self, address: bytes | None) -> list[KnownContact]:
        """The GHL contacts that have an address as their primary one, the holder of its link first.

        Without a link the most recently updated comes first (contract: "the one already linked, else the
        most recently updated").
        """
        found = _found(self.at[GHL], address) or []
        return sorted(filter(self.takes_part, found), key=self._precedence, reverse=True)

    def in_emailoctopus(self, address: bytes | None) -> KnownContact | None:
        """The EmailOctopus contact with an address."""
        found = _found(self.at[EMAILOCTOPUS], address) or []
        return next(filter(self.takes_part, found), None)

    def takes_part(self, contact: KnownContact) -> bool:
        """Whether somebody can meet a contact; one taken for deleted that was seen again is there."""
        return contact.unlinked is not Unlinked.DELETED or contact.key in self.staged

    def nobodys_at(self, address: bytes | None) -> list[KnownContact]:
        """The EmailOctopus contacts with an address that are linked to no GHL contact which has it too."""
        found = _found(self.at[EMAILOCTOPUS], address) or []
        taking_part = (contact for contact in found if contact.unlinked is not Unlinked.DELETED)
        links = ((contact, self.links.get((EMAILOCTOPUS, contact.contact_id))) for contact in taking_part)
        return [
            contact for contact, link in links if link is None or self.side((GHL, link.ghl_id)).known.address != address
        ]

    def _precedence(self, contact: KnownContact) -> tuple[bool, datetime, str]:
        linked = (GHL, contact.contact_id) in self.links
        updated_at = contact.updated_at
        if contact.sent is not None and contact.sent.explains(updated_at):
            updated_at = contact.sent.at  # what the process wrote before it died is nobody's edit
        return linked, updated_at or _UNKNOWN, contact.contact_id


def _found(by_address: Mapping[bytes, T], address: bytes | None) -> T | None:
    """What is known of an address, None without one."""
    return by_address.get(address) if address is not None else None  # survives: nothing is known of None.


def who_is_who(rows: Sequence[Staged], lookups: Lookups) -> list[Case]:
    """Put staged rows together to cases; every row ends in exactly one case."""
    cases: list[Case] = []
    taken: set[ContactKey] = set()
    for row in rows:
        key = (row.system, row.contact_id)
        if key not in taken:
            case = _case(key, lookups)
            taken.update(side.key for side in case.sides())
            cases.append(case)
    return cases


def linked_case(link: Link, lookups: Lookups) -> Case:
    """The case of a link, with the other GHL contacts that have its address."""
    ghl = lookups.side((GHL, link.ghl_id))
    emailoctopus = lookups.side((EMAILOCTOPUS, link.emailoctopus_id))
    address = ghl.known.address or emailoctopus.known.address
    duplicates = _duplicates(link.ghl_id, address, lookups)
    namesakes = tuple(one for one in lookups.nobodys_at(address) if one.contact_id != link.emailoctopus_id)
    enters = any(_is_new_and_revoked(side, lookups) for side in (ghl, emailoctopus))
    case = Case(
        link,
        ghl,
        emailoctopus,
        duplicates,
        namesakes=namesakes,
        additional_holders=_holders_there(ghl, emailoctopus, lookups),
        enters_revoked=enters,
    )
    return _with_waiting(case, address, lookups)


def _holders_there(ghl: CaseSide, emailoctopus: CaseSide, lookups: Lookups) -> tuple[KnownContact, ...]:
    """The GHL contacts without a link that have EmailOctopus's address, where a link has two: one of them waits."""
    address = emailoctopus.known.address
    if address == ghl.known.address or ghl.known.address is None:
        return ()
    return tuple(one for one in lookups.group(address) if (GHL, one.contact_id) not in lookups.links)


def _is_new_and_revoked(side: CaseSide, lookups: Lookups) -> bool:
    """Whether a linked contact's address isn't the agreed one, and a person had revoked it."""
    address, baseline = side.known.address, side.known.baseline
    if address is None or baseline is None or baseline.address in (None, address):
        return False
    cause = lookups.remembered.get(address)
    return cause is not None and cause.by_person


def _case(key: ContactKey, lookups: Lookups) -> Case:
    link = lookups.links.get(key)
    if link is not None:
        return linked_case(link, lookups)
    address = lookups.side(key).known.address
    group = lookups.group(address)
    if key[0] is EMAILOCTOPUS:
        return _from_emailoctopus(lookups.side(key), group, lookups)
    if not group:
        return _with_waiting(Case(ghl=lookups.side(key)), address, lookups)
    return _from_ghl(group, address, lookups)


def _from_ghl(group: list[KnownContact], address: bytes | None, lookups: Lookups) -> Case:
    holder = lookups.side((GHL, group[0].contact_id))
    link = lookups.links.get((GHL, holder.contact_id))
    if link is not None:
        return linked_case(link, lookups)
    duplicates = _duplicates(holder.contact_id, address, lookups)
    partner = lookups.in_emailoctopus(address)
    if partner is None:
        return _with_waiting(Case(ghl=holder, duplicates=duplicates), address, lookups)
    key = (EMAILOCTOPUS, partner.contact_id)
    other = lookups.links.get(key)
    if other is not None:
        theirs = lookups.side((GHL, other.ghl_id)).known
        if theirs.address is None and lookups.takes_part(theirs):
            # Its own address was emptied: the link stays, and whoever has the address is a duplicate.
            return linked_case(other, lookups)
        blocked = Case(ghl=holder, duplicates=duplicates, blocked_by=other, namesakes=(partner,))
        return _with_waiting(blocked, address, lookups)
    pair = Case(ghl=holder, emailoctopus=lookups.side(key), duplicates=duplicates)
    return _with_waiting(pair, address, lookups)


def _from_emailoctopus(side: CaseSide, group: list[KnownContact], lookups: Lookups) -> Case:
    address = side.known.address
    if not group:
        holders = _found(lookups.additional, address) or []
        known = tuple(lookups.side((GHL, ghl_id)).known for ghl_id in holders)
        return _with_waiting(Case(emailoctopus=side, additional_holders=known), address, lookups)
    holder = group[0]
    link = lookups.links.get((GHL, holder.contact_id))
    if link is not None:
        known = (lookups.side((GHL, holder.contact_id)).known,)
        return _with_waiting(Case(emailoctopus=side, blocked_by=link, additional_holders=known), address, lookups)
    duplicates = _duplicates(holder.contact_id, address, lookups)
    pair = Case(ghl=lookups.side((GHL, holder.contact_id)), emailoctopus=side, duplicates=duplicates)
    return _with_waiting(pair, address, lookups)


def _duplicates(holder: str, address: bytes | None, lookups: Lookups) -> tuple[CaseSide, ...]:
    """The other GHL contacts with an address; while two links have it, they are those of the first."""
    group = lookups.group(address)
    linked = [contact for contact in group if (GHL, contact.contact_id) in lookups.links]
    if linked and linked[0].contact_id != holder:
        return ()
    others = (contact for contact in group if contact.contact_id != holder and contact not in linked)
    return tuple(lookups.side((GHL, contact.contact_id)) for contact in others)


def _with_waiting(case: Case, address: bytes | None, lookups: Lookups) -> Case:
    keys = [side.key for side in (case.ghl, case.emailoctopus) if side is not None]
    parked = {entry.what: entry for key in keys for entry in lookups.parked.get(key, ())}
    held = {entry.action: entry for key in keys for entry in lookups.held.get(key, ())}
    remembered = _found(lookups.remembered, address)
    others = [side.key for side in case.duplicates]
    return replace(
        case,
        parked=parked,
        held=tuple(held.values()),
        remembered=remembered,
        over_parked=tuple(entry for key in others for entry in lookups.parked.get(key, ())),
        over_held=tuple(entry for key in others for entry in lookups.held.get(key, ())),
    )

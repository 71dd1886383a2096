"""What of a page is worth keeping: snapshots that differ from what is known, ready for the inbox (contract, 2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync_daemon.changes.detect import Detector
from sync_daemon.changes.digests import Digester
from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.state import Baseline, KnownContact, Link, Sighting, Staged, Unlinked
from sync_daemon.model.system import SystemName

NO_RECORDS: Mapping[str, bytes] = {}
OF_STATUS = frozenset({"consent", "creation"})
"""The parts that may change without the contact's timestamp: our clock tells when that was first seen."""


@dataclass(frozen=True, slots=True)
class StagingRules:
    """What staging must know of the pair and of this reading.

    `scan` is the number of the full scan under way, 0 for a poll; `generation` digests the configuration,
    `scope_generation` its scope;
    `watermark` is the one in force before this reading; `now` is our clock; `apply_scope` asks for those who left a
    narrowed scope.
    """

    detector: Detector
    generation: bytes
    scope_generation: bytes
    scan: int
    watermark: datetime | None
    search_tells_consent: bool
    now: datetime
    apply_scope: bool = False


@dataclass(slots=True)
class StagedPage:
    """The rows to store for one page, and what it told."""

    contacts: list[KnownContact] = field(default_factory=list)
    staged: list[Staged] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    """Links that another scope leaves as they are: from here on they leave or come back by a change."""
    additional_addresses: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    left: set[bytes] = field(default_factory=set)
    """Addresses that contacts of the page had and have no more: whoever waited for one may take it over."""
    missed: list[frozenset[str]] = field(default_factory=list)
    """For each change that polling had missed, its parts."""


def stage_page(
    snapshots: Iterable[Snapshot],
    known: Mapping[str, KnownContact],
    links: Mapping[str, Link],
    waiting: Mapping[str, Staged],
    stuck: Mapping[str, frozenset[str]],
    scopes: Mapping[str, bool],
    rules: StagingRules,
    records: Mapping[str, bytes] = NO_RECORDS,
) -> StagedPage:
    """Hold each snapshot against what is known; `waiting` are inbox rows of the same contacts by id.

    `stuck` are the parts that are parked or held: a record that changes in whatever way is decided anew about
    those too. `scopes` tells for each GHL contact id whether its snapshot satisfies the scope; `records` are the
    digests of the records that a full scan read snapshots from.
    """
    page = StagedPage()
    for snapshot in snapshots:
        contact_id = snapshot.contact_id
        row = known.get(contact_id)
        _stage_one(
            snapshot,
            row or KnownContact(snapshot.system, contact_id),
            (links.get(contact_id), waiting.get(contact_id), scopes.get(contact_id, True), records.get(contact_id)),
            stuck.get(contact_id, frozenset()),
            rules,
            page,
            new=row is None,
        )
    return page


def _stage_one(
    snapshot: Snapshot,
    row: KnownContact,
    around: tuple[Link | None, Staged | None, bool, bytes | None],
    stuck: frozenset[str],
    rules: StagingRules,
    page: StagedPage,
    *,
    new: bool,
) -> None:
    link, waiting, inside, record = around
    scan = rules.scan or row.scan
    if outdated(snapshot, row):
        _keep_if_changed(replace(row, scan=scan), row, page)
        return
    digest = rules.detector.digester.snapshot(snapshot)
    untold = snapshot.consent is None and not rules.search_tells_consent
    settled = rules.scan == 0 or row.generation == rules.generation
    updated_at = _latest(row.updated_at, snapshot.updated_at)
    same = digest == row.seen and _same_consent(snapshot, row, untold=untold)
    leaves = _leaves_now(snapshot, link, rules, inside=inside)
    if same and settled and waiting is None and not leaves:
        record = record if _lasts(snapshot, updated_at, row.consent) else None
        _keep_if_changed(replace(row, scan=scan, updated_at=updated_at, record=record), row, page)
        return
    parts = _parts(snapshot, row, link, rules, inside=inside) | leaves
    if untold and not _same_consent(snapshot, row, untold=True):
        parts |= {"consent"}
    as_left = settled and parts <= stuck - {"consent"} and _as_we_left_it(snapshot, row, untold=untold)
    parts = _with_stuck(parts, stuck if link is not None else frozenset(), as_left=as_left)
    consent = snapshot.consent or row.consent
    fresh = replace(row, scan=scan, updated_at=updated_at, address=_address(snapshot, rules), consent=consent)
    if row.address is not None and row.address != fresh.address:
        page.left.add(row.address)
        fresh = _under_another_address(fresh, link)
    if snapshot.system is SystemName.GHL and (snapshot.additional_addresses or not new):
        digests = map(rules.detector.digester.address, snapshot.additional_addresses)
        page.additional_addresses[snapshot.contact_id] = tuple(digests)
    if not parts and waiting is None:
        if link is not None and _stays_under_another_scope(snapshot, link, rules):
            page.links.append(replace(link, scope_generation=rules.scope_generation))
        record = record if _lasts(snapshot, updated_at, consent) else None
        generation = rules.generation if rules.scan else row.generation
        page.contacts.append(replace(fresh, seen=digest, generation=generation, record=record))
        return
    if _missed(snapshot, rules, link, new=new) and parts:
        page.missed.append(parts)
    page.contacts.append(fresh)
    page.staged.append(to_stage(snapshot, row, waiting, parts, rules, untold=untold))


def adds_nothing(snapshot: Snapshot, row: Sighting, digester: Digester, *, search_tells_consent: bool) -> bool:
    """Whether a poll shows what was seen before of a contact about which nothing waits: polls overlap."""
    if row.updated_at is None or snapshot.updated_at > row.updated_at:
        return False
    untold = snapshot.consent is None and not search_tells_consent
    same = _same_consent(snapshot, row, untold=untold) and digester.snapshot(snapshot) == row.seen
    return same or outdated(snapshot, row)


def unread_contact(rest: Snapshot, row: KnownContact, digester: Digester, scan: int) -> KnownContact | None:
    """The row of a contact without a link of which only address and consent can be read; None if they are known."""
    if outdated(rest, row):
        return None
    address = digester.address(rest.address) if rest.address else None
    consent = rest.consent or row.consent
    if (address, consent) == (row.address, row.consent):
        return None
    there = Unlinked.PARKED if row.unlinked in (None, Unlinked.DELETED) else row.unlinked
    fresh = replace(
        row,
        updated_at=_latest(row.updated_at, rest.updated_at),
        address=address,
        consent=consent,
        unlinked=there,
        scan=scan or row.scan,
    )
    return fresh if row.address in (None, address) else _under_another_address(fresh, None)


def to_stage(
    snapshot: Snapshot,
    row: KnownContact,
    waiting: Staged | None,
    parts: frozenset[str],
    rules: StagingRules,
    *,
    untold: bool,
) -> Staged:
    """The inbox row for a snapshot; a change keeps the time of the snapshot that showed it first."""
    agreed = row.baseline.consent if row.baseline else None
    revoked = snapshot.consent is Consent.REVOKED or untold
    return Staged(
        snapshot.system,
        snapshot.contact_id,
        snapshot,
        changed_at=_first_seen(snapshot, row, waiting, parts, rules),
        # One that waits to be carried waits still: somebody may have got the address since it was agreed.
        revoked=revoked and (agreed is not Consent.REVOKED or (waiting is not None and waiting.revoked)),
        moved="address" in parts,
        echo=_echo(snapshot, row) and (waiting is None or waiting.snapshot is None or waiting.echo),
    )


def _parts(
    snapshot: Snapshot, row: KnownContact, link: Link | None, rules: StagingRules, *, inside: bool
) -> frozenset[str]:
    """What differs; an unlinked contact differs as a whole."""
    if link is None:
        return frozenset({"creation"})
    if not link.in_scope:
        agreed = (row.baseline or Baseline()).consent
        revoked = {"consent"} if snapshot.consent is not None and snapshot.consent is not agreed else set[str]()
        # Either side's address may have changed meanwhile: whoever comes back goes where moved addresses go.
        back = {"scope", "address"} if snapshot.system is SystemName.GHL and inside else set[str]()
        return frozenset(revoked | back)
    return rules.detector.differences(snapshot, row, full=rules.scan > 0, link=link, in_scope=inside)


def _first_seen(
    snapshot: Snapshot, row: KnownContact, waiting: Staged | None, parts: frozenset[str], rules: StagingRules
) -> dict[str, datetime]:
    unmoved = row.updated_at is not None and snapshot.updated_at <= row.updated_at
    now = {part: rules.now if unmoved and part in OF_STATUS else snapshot.updated_at for part in parts}
    before = waiting.snapshot if waiting else None
    if waiting is None or before is None:
        return now
    same = {
        rule.key
        for rule in rules.detector.rules
        if rules.detector.field_digest(rule, before) == rules.detector.field_digest(rule, snapshot)
    }
    same |= OF_STATUS if before.consent is snapshot.consent else set()
    return {part: waiting.changed_at.get(part, time) if part in same else time for part, time in now.items()}


def outdated(snapshot: Snapshot, row: KnownContact | Sighting) -> bool:
    """A hit older than the newest state known comes from an index that runs behind."""
    return snapshot.source is Source.HINT and row.updated_at is not None and snapshot.updated_at < row.updated_at


def _same_consent(snapshot: Snapshot, row: KnownContact | Sighting, *, untold: bool) -> bool:
    """Whether consent is as last seen. Where hits don't tell it, a newer timestamp may be an opt-out: read it."""
    if untold:
        return row.consent is not None and row.updated_at is not None and snapshot.updated_at <= row.updated_at
    return row.consent is (snapshot.consent or Consent.GRANTED)


def _lasts(snapshot: Snapshot, updated_at: datetime, consent: Consent | None) -> bool:
    """Whether the same record leaves as little to do to a later full scan, be it told consent by hits or not."""
    return updated_at == snapshot.updated_at and consent is (snapshot.consent or Consent.GRANTED)


def _leaves_now(snapshot: Snapshot, link: Link | None, rules: StagingRules, *, inside: bool) -> frozenset[str]:
    """The part "scope", where somebody who left because the scope was narrowed is to be treated as one who left."""
    outside = snapshot.system is SystemName.GHL and not inside
    leaves = rules.apply_scope and outside and link is not None and (link.in_scope or link.left_by_configuration)
    return frozenset({"scope"} if leaves else ())


def _stays_under_another_scope(snapshot: Snapshot, link: Link, rules: StagingRules) -> bool:
    """Whether a full scan found the link where it was although the scope was changed."""
    judged = rules.scan > 0 and snapshot.system is SystemName.GHL
    return judged and link.scope_generation != rules.scope_generation


def _with_stuck(parts: frozenset[str], stuck: frozenset[str], *, as_left: bool) -> frozenset[str]:
    return frozenset() if stuck and as_left else parts | stuck


def _as_we_left_it(snapshot: Snapshot, row: KnownContact, *, untold: bool) -> bool:
    """Whether nobody touched a contact since our own last write: what of it is parked waits for its time."""
    return row.seen is None and _echo(snapshot, row) and _same_consent(snapshot, row, untold=untold)


def _echo(snapshot: Snapshot, row: KnownContact) -> bool:
    return row.written_at is not None and row.updated_at is not None and snapshot.updated_at <= row.updated_at


def _missed(snapshot: Snapshot, rules: StagingRules, link: Link | None, *, new: bool) -> bool:
    older = rules.watermark is not None and snapshot.updated_at < rules.watermark
    return rules.scan > 0 and older and (link is not None or new)


def _address(snapshot: Snapshot, rules: StagingRules) -> bytes | None:
    return rules.detector.digester.address(snapshot.address) if snapshot.address else None


def _under_another_address(fresh: KnownContact, link: Link | None) -> KnownContact:
    """Consent belongs to the address: under another one an unlinked GHL contact has yet to meet."""
    return replace(fresh, baseline=None) if link is None and fresh.system is SystemName.GHL else fresh


def _keep_if_changed(fresh: KnownContact, row: KnownContact, page: StagedPage) -> None:
    if fresh != row:
        page.contacts.append(fresh)


def _latest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)

"""Read both sides into the inbox: listings page by page, each stored before the next is asked for."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from sync_daemon.apply.retry_times import next_try
from sync_daemon.changes.absence import Tally
from sync_daemon.changes.staging import StagingRules, stage_page, unread_contact
from sync_daemon.cycle.forgotten import without_forgotten
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, TELLS_CONSENT, Run, log
from sync_daemon.cycle.unchanged import NOBODY_KNOWN, Known, sift, without_seen
from sync_daemon.model.contact import Consent, Malformed, Page, Snapshot
from sync_daemon.model.errors import IncompleteRead, StopSystem
from sync_daemon.model.state import KnownContact, Parked, Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.streams import Listing, StreamKey, side_by_side
from sync_daemon.reconcile.guard import stuck_parts
from sync_daemon.reconcile.scope import in_scope

OVERLAP = {GHL: timedelta(minutes=10), EMAILOCTOPUS: timedelta(minutes=5)}
"""How far a poll reaches back before the watermark: GHL's index lags, EmailOctopus counts whole seconds."""
_BETWEEN_BATCHES = timedelta(seconds=30)
"""How far a look for revocations within a cycle reaches back: the next poll will reach further."""
_UNSEEN_CHANGES = timedelta(hours=1)
"""A scan takes its time, and clocks differ: the watermark it leaves lies this far before its start."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""The watermark of a listing that was empty: whatever appears there is new, whatever this machine's clock says."""


def poll(run: Run) -> None:
    """Stage what changed since the watermarks."""
    run.polled_at = run.pair.clock.now()
    listings: dict[StreamKey, Listing] = {}
    for name in readable(run):
        reader = run.systems[name].reader
        for stream in reader.streams:
            since = run.state.watermarks[watermark_key(name, stream)] - OVERLAP[name]
            listings[name, stream] = partial(reader.poll, stream, since)
    take_in(run, listings)


def poll_revocations(run: Run) -> None:
    """Stage what may be a revocation and is newer than anything this cycle has read; watermarks stay."""
    run.polled_at = run.pair.clock.now()
    listings: dict[StreamKey, Listing] = {}
    for name in readable(run):
        reader = run.systems[name].reader
        for stream in reader.revocation_streams:
            newest = run.newest.get((name, stream)) or run.state.watermarks.get(watermark_key(name, stream))
            if newest is not None:
                listings[name, stream] = partial(reader.poll, stream, newest - _BETWEEN_BATCHES)
    take_in(run, listings, moves_watermarks=False)


def sweep(run: Run, listings: Mapping[StreamKey, Listing]) -> None:
    """Stage what differs in listings that are neither polls nor full scans; watermarks stay."""
    take_in(run, listings, moves_watermarks=False)


def take_in(
    run: Run, listings: Mapping[StreamKey, Listing], *, scan: int = 0, moves_watermarks: bool = True
) -> Mapping[StreamKey, Tally]:
    """Store what differs of each page as it comes, and each listing's watermark when it has ended well.

    Answers what each listing came to.
    """
    started = run.pair.clock.now()
    tallies = {key: Tally() for key in listings}
    newest: dict[StreamKey, datetime] = {}
    for key, item in side_by_side(listings, run.tick, run.pair.workers):
        if isinstance(item, Page):
            page, known = sift(run, key[0], item, scan)
            tallies[key].add(page, stage(run, key[0], page, scan=scan, known=known))
            _note_times(key, (*known.unchanged.values(), *(one.updated_at for one in page.snapshots)), newest)
        elif item.error is not None:
            _note_failure(run, key, item.error)
        else:
            tallies[key].ended = True
            if moves_watermarks:
                _move_watermark(run, key, newest.get(key), started, scan=scan)
    if moves_watermarks:
        run.polled.update(name for name in readable(run) if name not in run.failed)
    for key, time in newest.items():
        run.newest[key] = max(run.newest.get(key, time), time)
    return tallies


def stage(run: Run, system: SystemName, page: Page, *, scan: int = 0, known: Known = NOBODY_KNOWN) -> set[str]:
    """Hold one page against the store and keep what differs; the ids of the contacts that are skipped as forgotten.

    `known` is what `sift` tells of the page in a full scan.
    """
    store = run.pair.store
    shown = len(page.snapshots) + known.shown
    page, forgotten = without_forgotten(run, system, page)
    snapshots = _latest_of_each((*page.snapshots, *_revoked_though_malformed(run, system, page.malformed)))
    run.book.meet({system: {name for snapshot in snapshots for name in snapshot.tags}})
    if not scan and not run.apply_scope:
        snapshots = without_seen(run, system, snapshots)
    ids = [snapshot.contact_id for snapshot in snapshots]
    links = store.links(ghl=ids) if system is GHL else store.links(emailoctopus=ids)
    staged = stage_page(
        snapshots,
        store.contacts(system, ids),
        {link.id_in(system): link for link in links},
        store.staged(system, ids),
        _stuck(run, system, ids),
        _scopes(run, system, snapshots),
        StagingRules(
            run.detector(),
            run.generation,
            run.scope_generation,
            scan,
            run.state.watermarks.get(watermark_key(system, page.stream)),
            run.search_tells_consent,
            run.pair.clock.now(),
            run.apply_scope,
        ),
        known.records,
    )
    commit = Commit(
        contacts=staged.contacts,
        seen_again=known.seen_again(system, scan),
        links=staged.links,
        staged=staged.staged,
        additional_addresses=staged.additional_addresses,
    )
    commit.staged += [*called(run, staged.left), *called_by_additional(run, staged.additional_addresses)]
    news = list(_unlinked_though_malformed(run, system, page.malformed, scan))
    commit.contacts.extend(news)
    commit.staged.extend(map(_to_be_read, news))
    told = {contact.contact_id for contact in news}  # parked when they were read by id
    commit.parked.extend(_malformed(run, system, [one for one in page.malformed if one.contact_id not in told]))
    if page.tells_consent and not run.search_tells_consent:
        run.search_tells_consent = True
        commit.looked_at[TELLS_CONSENT] = run.pair.clock.now()
    run.commit(commit)
    run.report.read[system] += shown
    run.report.changed[system] += len(staged.staged)
    run.report.missed_by_poll += len(staged.missed)
    for parts in staged.missed:
        if "consent" in parts:
            log.error("consent_change_missed_by_poll", pair=run.pair.name, system=system)
            run.consent_missed[system] += 1
    run.pair.progress.pages_read(system, shown)
    return forgotten


def called_by_additional(run: Run, now: Mapping[str, Collection[bytes]]) -> list[Staged]:
    """Hints at those whom the additional addresses concern that GHL contacts have `now`, and had not or have no more.

    Who has as his own one that was given up may be created now; one that was unsubscribed before blocks who got it.
    """
    before = run.pair.store.additional_addresses(now.keys())
    given_up = {address for ghl_id, held in before.items() for address in held if address not in now[ghl_id]}
    gained = {address for ghl_id, held in now.items() for address in held if address not in before.get(ghl_id, ())}
    return [*called(run, given_up), *_unsubscribed_at(run, gained)]


def called(run: Run, left: Collection[bytes]) -> list[Staged]:
    """Hints at those without a link who have one of these addresses, which somebody left: one may take his place."""
    return [Staged(contact.system, contact.contact_id, None) for contact in _without_link_at(run, left)]


def _unsubscribed_at(run: Run, addresses: Collection[bytes]) -> list[Staged]:
    """Hints at those without a link who had unsubscribed an address before a GHL contact got it too."""
    return [
        Staged(contact.system, contact.contact_id, None, revoked=True)
        for contact in _without_link_at(run, addresses)
        if contact.system is EMAILOCTOPUS and contact.consent is Consent.REVOKED
    ]


def _without_link_at(run: Run, addresses: Collection[bytes]) -> list[KnownContact]:
    found = [run.pair.store.contacts_at(name, addresses) for name in SystemName] if addresses else []
    return [
        contact
        for groups in found
        for group in groups.values()
        for contact in group
        if contact.unlinked not in (None, Unlinked.DELETED)
    ]


def watermark_key(system: SystemName, stream: str) -> str:
    """What the store calls a stream's watermark."""
    return f"{system}.{stream}"


def readable(run: Run) -> Iterable[SystemName]:
    """The systems that can be asked in this cycle."""
    return [name for name in SystemName if name not in run.stopped]


def _latest_of_each(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """A row that changes during a walk may be seen twice; the later sight counts."""
    return list({snapshot.contact_id: snapshot for snapshot in snapshots}.values())


def _scopes(run: Run, system: SystemName, snapshots: Iterable[Snapshot]) -> dict[str, bool]:
    if system is not GHL:
        return {}
    scope = run.policy().scope
    return {snapshot.contact_id: in_scope(scope, snapshot) for snapshot in snapshots}


def _stuck(run: Run, system: SystemName, ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The parts of these contacts that are parked or held."""
    keys = [rule.key for rule in run.policy().fields]
    stuck: dict[str, frozenset[str]] = {}
    for one in run.pair.store.stuck(system, ids):
        parts = stuck_parts(one.what, keys) if one.is_held else {one.what}
        stuck[one.contact_id] = stuck.get(one.contact_id, frozenset()) | parts
    return stuck


def _revoked_though_malformed(run: Run, system: SystemName, malformed: Collection[Malformed]) -> Iterable[Snapshot]:
    """The new revocations of linked contacts that are parked as malformed: nothing else of those is decided."""
    revoked = {one.contact_id: one.rest for one in malformed if one.rest and one.rest.consent is Consent.REVOKED}
    if not revoked:
        return ()
    store = run.pair.store
    links = store.links(ghl=revoked) if system is GHL else store.links(emailoctopus=revoked)
    known = store.contacts(system, [link.id_in(system) for link in links]).values()
    return [revoked[one.contact_id] for one in known if not one.baseline or one.baseline.consent is not Consent.REVOKED]


def _unlinked_though_malformed(
    run: Run, system: SystemName, malformed: Collection[Malformed], scan: int
) -> Iterable[KnownContact]:
    """What is new of the address and consent of malformed contacts without a link: somebody may meet them."""
    rests = {one.contact_id: one.rest for one in malformed if one.rest is not None}
    if not rests:
        return
    store = run.pair.store
    links = store.links(ghl=rests) if system is GHL else store.links(emailoctopus=rests)
    known = store.contacts(system, rests)
    for contact_id in rests.keys() - {link.id_in(system) for link in links}:
        row = known.get(contact_id, KnownContact(system, contact_id))
        fresh = unread_contact(rests[contact_id], row, run.pair.digester, scan)
        if fresh is not None:
            yield fresh


def _to_be_read(contact: KnownContact) -> Staged:
    """A hint at a contact; a revocation that it shows is looked at first."""
    agreed = contact.baseline.consent if contact.baseline else None
    revoked = contact.consent is Consent.REVOKED and agreed is not Consent.REVOKED
    return Staged(contact.system, contact.contact_id, None, revoked=revoked)


def _malformed(run: Run, system: SystemName, malformed: Collection[Malformed]) -> Iterable[Parked]:
    """What to park. A record that is parked already is tried again when its time comes, not at each sight."""
    if not malformed:
        return
    ids = [record.contact_id for record in malformed]
    store = run.pair.store
    waiting = store.parked(ghl=ids) if system is GHL else store.parked(emailoctopus=ids)
    known = {entry.ghl_id if system is GHL else entry.emailoctopus_id for entry in waiting if entry.what == "creation"}
    for record in malformed:
        if record.contact_id not in known:
            run.report.new_parked += 1
            ghl_id, emailoctopus_id = (record.contact_id, None) if system is GHL else (None, record.contact_id)
            at = next_try(1, run.pair.clock.now())
            yield Parked(ghl_id, emailoctopus_id, "creation", "malformed", record.why, 1, at)


def _note_times(key: StreamKey, times: Collection[datetime], newest: dict[StreamKey, datetime]) -> None:
    if times:
        newest[key] = max(newest.get(key, _LONG_AGO), *times)


def _note_failure(run: Run, key: StreamKey, error: Exception) -> None:
    system, stream = key
    if not isinstance(error, (StopSystem, IncompleteRead)):
        raise error
    known = run.failed.get(system)
    if known is None or isinstance(error, StopSystem):
        run.failed[system] = error
    if isinstance(error, StopSystem):
        run.sender.stopped.setdefault(system, error)
    log.warning("read_failed", pair=run.pair.name, system=system, stream=stream, error=type(error).__name__)


def _move_watermark(run: Run, key: StreamKey, newest: datetime | None, started: datetime, *, scan: int) -> None:
    """The remote's own newest timestamp; after a scan not later than its start, for what changed meanwhile."""
    name = watermark_key(*key)
    before = run.state.watermarks.get(name)
    reached = newest if newest is not None else before
    if scan or reached is None:
        reached = min(reached or _LONG_AGO, started - _UNSEEN_CHANGES)
    if before is None or reached > before:
        run.commit(Commit(watermarks={name: reached}))

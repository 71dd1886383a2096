"""A contact that came back under another id: EmailOctopus may give it one with a new address (undocumented). Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sync_daemon.changes.detect import Detector
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.plan import WriteResult
from sync_daemon.model.state import Baseline, KnownContact, Link, Parked, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit


def follow_new_ids(
    commit: Commit, results: Iterable[WriteResult], parked: Iterable[Parked], detector: Detector
) -> None:
    """Let everything that is about to be stored of a contact, and what is `parked` of it, go by its new id."""
    for old_id, contact in _renamed(results):
        system, new_id = contact.system, contact.contact_id
        moving = [link for link in commit.links if link.id_in(system) == old_id]
        commit.unlink.extend(moving)
        commit.links = [_link_to(link, system, new_id) if link in moving else link for link in commit.links]
        rows = [row for row in commit.contacts if row.key == (system, old_id)]
        gone = KnownContact(system, old_id, unlinked=Unlinked.DELETED)
        commit.contacts = [row for row in commit.contacts if row not in rows]
        commit.contacts += [gone, *(_row_of(row, contact, detector) for row in rows)]
        waiting = {entry.what: entry for entry in (*parked, *commit.parked)}
        settled = {entry.what for entry in commit.unparked}
        commit.unparked.extend(parked)
        commit.parked = [_parked_by(entry, system, new_id) for what, entry in waiting.items() if what not in settled]


def _renamed(results: Iterable[WriteResult]) -> Iterator[tuple[str, Snapshot]]:
    """The old id of each contact whose answer shows another one, and that answer."""
    for result in results:
        contact = result.returned.contact if result.returned else None
        old_id = result.operation.target_id
        if contact is not None and old_id not in (None, contact.contact_id) and result.operation.address:
            yield old_id or "", contact


def _link_to(link: Link, system: SystemName, new_id: str) -> Link:
    if system is SystemName.GHL:
        return replace(link, ghl_id=new_id)
    return replace(link, emailoctopus_id=new_id)


def _parked_by(entry: Parked, system: SystemName, new_id: str) -> Parked:
    if system is SystemName.GHL:
        return replace(entry, ghl_id=new_id, id=None)
    return replace(entry, emailoctopus_id=new_id, id=None)


def _row_of(row: KnownContact, contact: Snapshot, detector: Detector) -> KnownContact:
    baseline = None if row.baseline is None else _baseline_of(row, row.baseline, contact, detector)
    return replace(row, contact_id=contact.contact_id, baseline=baseline, sent=None)


def _baseline_of(row: KnownContact, before: Baseline, contact: Snapshot, detector: Detector) -> Baseline:
    """The baseline under the new id. A value that isn't the agreed one keeps the old digest, so that it is a change."""
    fields = dict(before.fields)
    for rule in detector.rules:
        value = contact.fields.get(rule.name_in(row.system))
        if fields.get(rule.key) == detector.digester.field(row.system, row.contact_id, rule.key, value):
            fields[rule.key] = detector.digester.field(row.system, contact.contact_id, rule.key, value)
    tags = detector.tags_before(row).values()
    digests = None if before.tags is None else detector.tag_digests(row.system, contact.contact_id, tags)
    return replace(before, fields=fields, tags=digests)

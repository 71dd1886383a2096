"""What changed on one side: a snapshot held against that side's own baseline (contract, section 2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from sync_daemon.changes.digests import Digester
from sync_daemon.changes.tagbook import TagBook
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.state import Baseline, KnownContact, KnownTag, Link, Sent
from sync_daemon.model.system import SystemName


@dataclass(frozen=True, slots=True)
class Detector:
    """Compares snapshots with baselines for one pair's mapping; `rules` leaves suspended rows out."""

    digester: Digester
    rules: tuple[FieldRule, ...]
    tags: TagBook

    def field_changed(self, rule: FieldRule, snapshot: Snapshot, known: KnownContact) -> bool | None:
        """Whether a mapped field differs from this side's baseline; None when it never met."""
        before = (known.baseline or Baseline()).fields.get(rule.key)
        if before is None:
            return None
        return self.field_digest(rule, snapshot) != before and not self._was_sent(rule, snapshot, known)

    def half_written(self, rule: FieldRule, snapshot: Snapshot, known: KnownContact) -> bool:
        """Whether a field holds what was about to be written when the process may have died: not agreed yet."""
        before = (known.baseline or Baseline()).fields.get(rule.key)
        there = before is not None and self.field_digest(rule, snapshot) != before
        return there and self._was_sent(rule, snapshot, known)

    def field_digest(self, rule: FieldRule, snapshot: Snapshot) -> bytes:
        """The digest of a mapped field as the snapshot has it."""
        value = snapshot.fields.get(rule.name_in(snapshot.system))
        return self.digester.field(snapshot.system, snapshot.contact_id, rule.key, value)

    def _was_sent(self, rule: FieldRule, snapshot: Snapshot, known: KnownContact) -> bool:
        value = snapshot.fields.get(rule.name_in(snapshot.system))
        now = self.digester.sent_field(snapshot.system, snapshot.contact_id, rule.key, value)
        return now == (known.sent or Sent()).fields.get(rule.key)

    def tags_now(self, snapshot: Snapshot) -> dict[str, KnownTag]:
        """The snapshot's travelling tags, by GHL's name."""
        return self.tags.travelling(snapshot.system, snapshot.tags)

    def tags_before(self, known: KnownContact, likely: Iterable[KnownTag] = ()) -> dict[str, KnownTag]:
        """The travelling tags of this side's baseline, by GHL's name; those that meet anew are left out.

        A digest tells no name, so the pair's tags are tried until all of the baseline's are explained: `likely` first.
        """
        baseline = known.baseline or Baseline()
        unexplained = set(baseline.tags or ())
        before: dict[str, KnownTag] = {}
        for tag in chain(likely, self.tags.all()):
            if not unexplained:
                break
            digest = self.tag_digest(known.system, known.contact_id, tag)
            if digest in unexplained:
                unexplained.discard(digest)
                if self.tags.travels(tag) and tag.entered <= baseline.generation:
                    before[self.tags.ghl_name(tag)] = tag
        return before

    def tags_sent(self, known: KnownContact) -> set[str]:
        """The travelling tags, by GHL's name, that were about to be added or removed when the process may have died."""
        sent = (known.sent or Sent()).tags
        if not sent:
            return set()
        return {
            self.tags.ghl_name(tag)
            for tag in self.tags.all()
            if self.tags.travels(tag) and self.tag_digest(known.system, known.contact_id, tag) in sent
        }

    def tag_digest(self, system: SystemName, contact_id: str, tag: KnownTag) -> bytes:
        """The digest of a tag on one contact, by GHL's name: under another prefix it is another tag on both sides."""
        return self.digester.tag(system, contact_id, self.tags.ghl_name(tag))

    def tag_digests(self, system: SystemName, contact_id: str, tags: Iterable[KnownTag]) -> frozenset[bytes]:
        """The digests of several tags on one contact."""
        return frozenset(self.tag_digest(system, contact_id, tag) for tag in tags)

    def address_changed(self, snapshot: Snapshot, known: KnownContact) -> bool:
        """Whether a linked contact's primary address isn't the agreed one; one that we wrote is yet to be agreed."""
        agreed = known.baseline.address if known.baseline else None
        now = self.digester.address(snapshot.address) if snapshot.address else None
        return agreed is not None and now != agreed

    def differences(
        self, snapshot: Snapshot, known: KnownContact, *, full: bool, link: Link | None, in_scope: bool
    ) -> frozenset[str]:
        """The parts of a linked contact that differ from its baseline; empty when there is nothing to do.

        Parts are mapping row keys, "tags", "consent", "address" and "scope". A row that never met counts
        only when `full` (a mapping that gained a field meets at the next full scan).
        """
        parts = {
            rule.key
            for rule in self.rules
            if (changed := self.field_changed(rule, snapshot, known)) or (changed is None and full)
        }
        now = self.tags_now(snapshot)
        if now.keys() != self.tags_before(known, now.values()).keys():
            parts.add("tags")
        agreed = (known.baseline or Baseline()).consent
        if snapshot.consent is not None and snapshot.consent is not agreed:
            parts.add("consent")
        if self.address_changed(snapshot, known) or _has_address_again(snapshot, link):
            parts.add("address")
        if link is not None and snapshot.system is SystemName.GHL and link.in_scope != in_scope:
            parts.add("scope")
        return frozenset(parts)


def _has_address_again(snapshot: Snapshot, link: Link | None) -> bool:
    """Whether a GHL contact that had lost its address has one, be it the old one."""
    emptied = link is not None and link.address_emptied and snapshot.system is SystemName.GHL
    return emptied and snapshot.address is not None

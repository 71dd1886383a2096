"""What must hold when the outside has fallen quiet and the program has had its cycles: L1, L3, L4, L5, L9."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sync_daemon.changes.tagbook import TagBook
from sync_daemon.model.plan import MassChange
from sync_daemon.model.policy import Blanks, FieldRule
from sync_daemon.model.state import Held, KnownContact, Link, Parked, Unlinked
from sync_daemon.model.system import SystemName
from tests.machine.house import House
from tests.machine.memory import Edit, Memory, is_blocked, is_revoked
from tests.machine.outside import Outside
from tests.machine.rulings import TAG
from tests.machine.vault import stored_bytes

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


@dataclass(slots=True)
class Both:
    """A link with its contacts as they are in both systems, and what waits of it."""

    link: Link
    person: Any
    subscriber: Any
    waiting: set[str]
    held: set[str]

    @property
    def ids(self) -> tuple[str, str]:
        return self.link.ghl_id, self.link.emailoctopus_id

    def values(self, rule: FieldRule) -> tuple[Any, Any]:
        """What both sides have of a field, None where nothing."""
        return self.person.fields.get(rule.ghl) or None, self.subscriber.fields.get(rule.emailoctopus) or None


class Quiet:
    """Both systems and the store at rest. Every method names what is broken; none is a promise kept."""

    def __init__(self, house: House, outside: Outside, excluded: str) -> None:
        self.house, self.outside, self.excluded = house, outside, excluded
        self.memory: Memory = outside.memory
        self.people = {one.id: one for one in outside.people()}
        self.subscribers = {one.id: one for one in outside.subscribers()}
        self.store = house.process.pair.store
        self.links: list[Link] = self.store.links(ghl=list(self.people), emailoctopus=list(self.subscribers))
        parked: list[Parked] = self.store.parked(everything=True)
        held: list[Held] = self.store.held(everything=True)
        self.both = [
            Both(
                link,
                self.people[link.ghl_id],
                self.subscribers[link.emailoctopus_id],
                {entry.what for entry in parked if link.ghl_id == entry.ghl_id},
                {entry.action for entry in held if link.ghl_id == entry.ghl_id},
            )
            for link in self.links
            if link.ghl_id in self.people and link.emailoctopus_id in self.subscribers
        ]
        self.parked_ids = {entry.ghl_id for entry in parked} | {entry.emailoctopus_id for entry in parked}
        # Whose address an EmailOctopus contact has whose own link is out of scope waits for that.
        self.parked_ids |= {link.ghl_id for link in self.links if not link.in_scope} | self.memory.let_be
        self.parked_ids |= {entry.ghl_id for entry in held} | {entry.emailoctopus_id for entry in held}

    def broken(self) -> list[str]:
        """Every law that is broken."""
        found = [
            *self.duplicates(),
            *self.lost_updates(),
            *self.differences(),
            *self.subscribed_again(),
            *self.not_blocked(),
            *self.forgotten(),
            *self.personal_data(),
        ]
        return list(dict.fromkeys(found))

    def agree(self) -> None:
        """Remember what both sides hold: the next changes are counted from here."""
        self.memory.edits.clear()
        self.memory.disturbed.clear()
        self.memory.agreed = {
            both.ids: {
                **{rule.key: both.values(rule) for rule in self.house.policy.fields},
                "tags": self._synced(both.person.tags),
            }
            for both in self.both
            if both.link.in_scope and not both.waiting and not both.held
        }

    # L5

    def duplicates(self) -> Iterator[str]:
        partners = Counter(link.emailoctopus_id for link in self.links)
        yield from (f"L5 two links share the contact {one}" for one, count in partners.items() if count > 1)

    # L1

    def differences(self) -> Iterator[str]:
        for both in self.both:
            if both.link.in_scope and not both.waiting & {"creation"}:
                yield from self._differing_fields(both)
                yield from self._differing_tags(both)
                yield from self._differing_consent(both)

    def _differing_fields(self, both: Both) -> Iterator[str]:
        for rule in self.house.policy.fields:
            here, there = both.values(rule)
            if (
                here != there
                and rule.key not in both.link.diverged | both.waiting
                and MassChange.BLANK not in both.held
            ):
                yield f"L1 {rule.key} of {both.ids}: {here!r} and {there!r}"
        here, there = both.person.email, both.subscriber.email_address
        waits = both.held or "address" in both.waiting or not self.memory.let_be.isdisjoint(both.ids)
        if here and here.lower() != there.lower() and not waits:
            yield f"L1 address of {both.ids}: {here} and {there}"

    def _differing_tags(self, both: Both) -> Iterator[str]:
        here = self._travelling(GHL, both.person.tags)
        there = self._travelling(EMAILOCTOPUS, both.subscriber.tags)
        waits = "tags" in both.waiting | both.link.diverged or MassChange.TAG_REMOVAL in both.held
        waits = waits or (self.house.policy.tags.prefix != "" and self.memory.store_was_lost)
        if here != there and not waits:
            yield f"L1 tags of {both.ids}: {sorted(here)} and {sorted(there)}"

    def _differing_consent(self, both: Both) -> Iterator[str]:
        # Revoked, then pending: GHL stays blocked until the person has confirmed (section 4).
        if both.link.consent_held or "consent" in both.waiting or both.subscriber.status == "pending":
            return
        if is_blocked(both.person) != is_revoked(both.subscriber):
            yield f"L1 consent of {both.ids}: {is_blocked(both.person)} and {both.subscriber.status}"

    def forgotten(self) -> Iterator[str]:
        """Whoever has no link has a reason, and it is true."""
        linked = {one for link in self.links for one in (link.ghl_id, link.emailoctopus_id)}
        for system, rows in ((GHL, self.people), (EMAILOCTOPUS, self.subscribers)):
            known = self.store.contacts(system, list(rows))
            for contact_id, row in rows.items():
                if contact_id not in known:
                    yield f"L1 the {system} contact {contact_id} was never seen"
                elif contact_id not in linked and not self._is_true(known[contact_id], row):
                    yield f"L1 the {system} contact {contact_id} waits as {known[contact_id].unlinked}"

    def _is_true(self, known: KnownContact, row: Any) -> bool:
        address = ((row.email if known.system is GHL else row.email_address) or "").lower()
        match known.unlinked:
            case None | Unlinked.CREATION_OFF | Unlinked.INVALID_EMAIL:
                return False
            case Unlinked.NO_EMAIL:
                return not address
            case Unlinked.DUPLICATE:
                taken = {both.subscriber.email_address.lower() for both in self.both}
                return (
                    address in taken
                    or known.duplicate_of in self.parked_ids
                    or sum(address in one.all_emails() for one in self.people.values()) > 1
                )
            case Unlinked.PENDING:
                return bool(row.status == "pending")
            case Unlinked.OUT_OF_SCOPE:
                return not self._in_scope(row) if known.system is GHL else True
            case Unlinked.PARKED | Unlinked.HELD:
                return not self.parked_ids.isdisjoint({known.contact_id, known.duplicate_of} - {None})
            case Unlinked.SUPPRESSED:
                shown = is_blocked(row) if known.system is GHL else is_revoked(row)
                return shown or self.memory.has_reason(address)
            case _:
                return True

    # L3

    def lost_updates(self) -> Iterator[str]:
        """A change made on one side only reaches the other; nothing is ever invented."""
        for both in self.both:
            before = self.memory.agreed.get(both.ids)
            disturbed = {(GHL, both.ids[0]), (EMAILOCTOPUS, both.ids[1])} & self.memory.disturbed
            whole = before is not None and not disturbed and both.link.in_scope and not both.held
            for rule in self.house.policy.fields:
                if rule.key not in both.waiting and "creation" not in both.waiting:
                    yield from self._invented(both, rule)
                    if whole and before is not None and rule.key not in both.link.diverged:
                        yield from self._lost_value(both, rule, before[rule.key])
            if whole and before is not None and not both.waiting & {"tags", "creation"}:
                yield from self._lost_tags(both, before["tags"])

    def _edits(self, both: Both, here: str, there: str) -> tuple[list[Edit], list[Edit]]:
        edits = self.memory.edits
        return edits.get((GHL, both.ids[0], here), []), edits.get((EMAILOCTOPUS, both.ids[1], there), [])

    def _invented(self, both: Both, rule: FieldRule) -> Iterator[str]:
        typed = self.memory.typed[rule.ghl] | self.memory.typed[rule.emailoctopus] | {None}
        if not set(both.values(rule)) <= typed:
            yield f"L6 {rule.key} of {both.ids} has a value that nobody typed"

    def _lost_value(self, both: Both, rule: FieldRule, before: tuple[Any, Any]) -> Iterator[str]:
        ghl, emailoctopus = self._edits(both, rule.ghl, rule.emailoctopus)
        if rule.direction.leader is GHL:
            emailoctopus = []
        now = both.values(rule)
        expected = self._expected(rule, ghl, emailoctopus, before)
        if now[1] not in expected or (rule.direction.leader is None and now[0] not in expected):
            yield f"L3 {rule.key} of {both.ids} is {now}, though one of {expected} was written"

    def _expected(
        self, rule: FieldRule, ghl: list[Edit], emailoctopus: list[Edit], before: tuple[Any, Any]
    ) -> set[Any]:
        blank = any(edit.value is None for edit in emailoctopus) and rule.blanks is Blanks.KEEP
        if not ghl and not emailoctopus:
            return set(before)
        if blank:
            return {edit.value for edit in (*ghl, *emailoctopus)} | set(before)
        if not emailoctopus:
            return {ghl[-1].value}
        if not ghl:
            return {emailoctopus[-1].value}
        return {ghl[-1].value, emailoctopus[-1].value}

    def _lost_tags(self, both: Both, before: frozenset[str]) -> Iterator[str]:
        if self.house.policy.tags.prefix:
            return  # whose name a tag is was decided before; L1 compares them all the same
        now = self._synced(both.person.tags)
        for name in {key[2] for key in self.memory.edits if key[2].startswith("tag ")}:
            tag = name.removeprefix("tag ")
            ghl, emailoctopus = self._edits(both, name, name)
            if fnmatchcase(tag, self.excluded) or bool(ghl) == bool(emailoctopus):
                continue
            if (tag in now) != (ghl or emailoctopus)[-1].value:
                yield f"L3 the tag {tag} of {both.ids}: {tag in now}, written {(ghl or emailoctopus)[-1].value}"
        touched = {key[2].removeprefix("tag ") for key in self.memory.edits if key[1] in both.ids}
        touched |= {name for name in now if name.startswith(TAG)}
        if (now ^ before) - touched:
            yield f"L6 tags of {both.ids} changed that nobody had touched: {sorted((now ^ before) - touched)}"

    # L4

    def subscribed_again(self) -> Iterator[str]:
        linked = {link.emailoctopus_id for link in self.links}
        for row in self.subscribers.values():
            # Whose address somebody corrected in EmailOctopus alone is nobody's whom this program knows.
            strange = row.id not in linked and (EMAILOCTOPUS, row.id) in self.memory.moved
            if row.status == "subscribed" and row.email_address.lower() in self.memory.revoked and not strange:
                yield f"L4 {row.id} is subscribed though the address is revoked"

    def not_blocked(self) -> Iterator[str]:
        """A revoked address is blocked in GHL for every contact that has it."""
        parked = self.parked_ids
        for person in self.people.values():
            address = (person.email or "").lower()
            subscriber = next((one for one in self.subscribers.values() if one.email_address.lower() == address), None)
            if subscriber is None or not is_revoked(subscriber) or is_blocked(person) or person.id in parked:
                continue
            if person.id in self.memory.lifted and address in self.memory.unseen:
                continue  # somebody freed him, and nobody could see that the address was revoked anew
            if address in self.memory.revoked and not any(
                link.consent_held for link in self.links if link.emailoctopus_id == subscriber.id
            ):
                yield f"L4 {person.id} isn't blocked though the address is revoked"

    # L9

    def personal_data(self) -> Iterator[str]:
        kept = stored_bytes()
        if any(word.encode() in kept for word in self.memory.secrets) or b"@example" in kept:
            yield "L9 the settled store holds somebody's name or address"

    def _in_scope(self, person: Any) -> bool:
        return set(self.house.policy.scope.tags_none).isdisjoint(person.tags)

    def _synced(self, tags: Any) -> frozenset[str]:
        own_mark = self.house.policy.deletes.tag
        names = {name.lower() for name in tags} - {own_mark}
        return frozenset(name for name in names if not fnmatchcase(name, self.excluded))

    def _travelling(self, system: SystemName, tags: Any) -> frozenset[str]:
        """Tags by GHL's names; with a prefix, a name is whose it was where the pair first saw it."""
        rule = self.house.policy.tags
        if not rule.prefix:
            return self._synced(tags)
        book = TagBook(self.store.tags(), rule, 0, frozenset({self.house.policy.deletes.tag}))
        return frozenset(book.travelling(system, tags))

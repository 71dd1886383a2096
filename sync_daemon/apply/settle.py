"""What is remembered of a case once its operations were answered: new baselines, links, what is parked. Pure.

A part whose write failed keeps its baselines, so that the change is still one. What a write returned is
what goes into that side's baseline, so that a lossy round trip is never seen as a change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sync_daemon.apply.answers import Answers, Written, latest
from sync_daemon.apply.audit import audit
from sync_daemon.apply.baselines import Baselines
from sync_daemon.apply.burial import ends_without_heir, lay_to_rest, left_alone, orphan, to_be_met
from sync_daemon.apply.intents import intents
from sync_daemon.apply.link_after import link_after
from sync_daemon.apply.new_ids import follow_new_ids
from sync_daemon.apply.parking import spelt_otherwise, to_park
from sync_daemon.apply.shared import remember_for_others
from sync_daemon.apply.verify import Failure
from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.plan import WriteResult
from sync_daemon.model.state import (
    Baseline,
    Cause,
    Held,
    KnownContact,
    Link,
    Parked,
    Staged,
    Unlinked,
)
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.deletions import Effect
from sync_daemon.reconcile.guard import stuck_parts
from sync_daemon.reconcile.side_consent import consent_now

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS

_WAITING = {Unlinked.HELD, Unlinked.PARKED, Unlinked.DROPPED, Unlinked.DISCARDED}
"""Why somebody has no link yet who is over once he is a duplicate."""


def settle(decision: Decision, results: Sequence[WriteResult], context: Context, tag_generation: int) -> Commit:
    """Everything to store about one case. Operations without a result weren't sent: their rows stay staged."""
    return _Settlement(decision, results, context, tag_generation).commit()


class _Settlement:
    """The work of `settle`, with what its steps share."""

    def __init__(
        self, decision: Decision, results: Sequence[WriteResult], context: Context, tag_generation: int
    ) -> None:
        self._decision = decision
        self._context = context
        self._digester = context.detector.digester
        self._answers = Answers(decision, results, context)
        self._baselines = Baselines(decision, self._answers, context, tag_generation)
        self._known = self._answers.complete and not self._answers.consent_unknown
        self._intents = {} if self._known else {row.key: row.sent for row in intents(decision, context)}
        self._dropped = list(self._dropped_fields())
        self._commit = Commit()

    def _dropped_fields(self) -> Iterator[str]:
        """The rows that a write of others emptied in EmailOctopus."""
        there = self._decision.case.emailoctopus
        if there is not None:
            written = self._answers.on(EMAILOCTOPUS, there.contact_id)
            rules = (mapped.rule for mapped in self._context.fields)
            yield from (rule.key for rule in rules if self._baselines.was_dropped(rule, there, written))

    def commit(self) -> Commit:
        decision = self._decision
        if (decision.forget_fields or decision.tombstone is not None) and not self._answers.complete:
            # Two contacts meet, and a link ends, as a whole: until all of it is done they have yet to.
            return self._commit
        link = link_after(decision, self._answers, self._context, self._dropped)
        if ends_without_heir(decision, link):
            self._bury()
        else:
            self._settle(link)
        remember_for_others(self._commit, decision, self._answers, self._context)
        return self._commit

    def _settle(self, link: Link | None) -> None:
        decision, case = self._decision, self._decision.case
        if decision.dissolves is not None and self._answers.complete:
            self._commit.unlink.append(decision.dissolves)
        if link is not None:
            self._commit.links.append(link)
        for side in (case.ghl, case.emailoctopus):
            if side is not None:
                self._settle_side(side, link)
        self._settle_created(link)
        for side in case.duplicates:
            self._settle_duplicate(side)
        self._settle_others()
        self._settle_orphan()
        if decision.tombstone is not None:
            lay_to_rest(self._commit, case.gone, decision.tombstone)
        again = spelt_otherwise(decision, self._answers.done)
        self._commit.staged.extend(again)
        self._park(link, [one for part, one in self._answers.failed.items() if part != "tags" or not again])
        self._remember()
        self._commit.changes.extend(audit(decision, self._answers, self._commit, self._ids(link), self._dropped))
        if self._answers.final:
            self._commit.done.extend(case.rows())
        if decision.partial:
            self._commit.staged.extend(self._with_revocations())
        if self._baselines.dissolved and self._answers.final and case.ghl is not None:
            # Its new address tells whose duplicate it is: that is decided like every other contact's.
            self._commit.staged.append(replace(case.ghl.staged or Staged(GHL, case.ghl.contact_id, None), moved=False))
        self._commit.staged.extend(self._left_to_others())
        follow_new_ids(self._commit, self._answers.done, case.parked.values(), self._context.detector)

    def _left_to_others(self) -> Iterator[Staged]:
        """The EmailOctopus contact that a link left to others with its address: if it finds none, it says so."""
        case, decision = self._decision.case, self._decision
        for side in (case.left_behind, case.emailoctopus if self._baselines.dissolved else None):
            if side is not None and side.contact_id != decision.orphan and self._answers.final:
                yield Staged(EMAILOCTOPUS, side.contact_id, None)

    def _with_revocations(self) -> Iterator[Staged]:
        """The rows that stay, with the consent that was just written, and no revocation to be carried any more."""
        for side in self._decision.case.sides():
            written = self._answers.on(side.system, side.contact_id)
            if side.staged is not None and side.snapshot is not None and written.operations:
                snapshot = replace(side.snapshot, consent=self._baselines.consent_after(side, written))
                yield replace(side.staged, snapshot=snapshot, revoked=False)
            elif side.staged is not None and side.staged.revoked and "consent" in self._answers.settled:
                yield replace(side.staged, revoked=False)

    def _settle_side(self, side: CaseSide, link: Link | None) -> None:
        written = self._answers.on(side.system, side.contact_id)
        known, snapshot = side.known, side.snapshot
        linked = link is not None and side.contact_id == link.id_in(side.system)
        after = replace(
            known,
            updated_at=latest(known.updated_at, snapshot.updated_at if snapshot else None, written.updated_at),
            consent=self._baselines.consent_after(side, written),
            address=self._baselines.address_after(side, written),
            unlinked=None if linked else self._why_unlinked(side),
            duplicate_of=None if linked else self._decision.duplicate_of,
            baseline=self._baselines.baseline(side, written, linked=linked),
            written_at=self._context.now if written.operations else known.written_at,
        )
        sent = None if self._known else self._intents.get(known.key, known.sent)
        after = replace(after, sent=sent)
        if self._answers.final:
            after = replace(after, seen=self._seen(side, written), generation=self._generation(after, linked=linked))
        self._commit.contacts.append(after)
        self._heed_consent(side, written)
        self._keep_further_addresses(side, after)

    def _keep_further_addresses(self, side: CaseSide, after: KnownContact) -> None:
        """Keep what a read by id told of further addresses: a hit that says the same won't be looked at any more."""
        snapshot = side.snapshot
        if side.system is GHL and after.seen is not None and snapshot is not None and snapshot.source is Source.READ:
            digests = map(self._digester.address, snapshot.additional_addresses)
            self._commit.additional_addresses[side.contact_id] = tuple(digests)

    def _heed_consent(self, side: CaseSide, written: Written) -> None:
        """Let a contact be read whose answer shows another consent than was decided about: no hit may ever tell it."""
        told = written.contact.consent if written.contact else None
        sent = any(op.consent is not None for op in written.operations)
        if told is not None and not sent and told is not consent_now(side):
            hint = Staged(side.system, side.contact_id, None, revoked=told is Consent.REVOKED)
            self._commit.staged.append(hint)

    def _seen(self, side: CaseSide, written: Written) -> bytes | None:
        """What needn't be looked at again. The answer to a write may show an outside change that no read showed."""
        if written.operations:
            return None
        return self._digester.snapshot(side.snapshot) if side.snapshot is not None else side.known.seen

    def _generation(self, after: KnownContact, *, linked: bool) -> bytes:
        """A linked contact is done with a configuration when every field has met; one may wait for a full scan."""
        met = (after.baseline or Baseline()).fields
        whole = not linked or all(mapped.rule.key in met for mapped in self._context.fields)
        return self._context.generation if whole else b""

    def _settle_created(self, link: Link | None) -> None:
        """The row of a contact that this case created."""
        created = self._answers.creation()
        if created is None or created.returned is None or link is None:
            return
        operation, returned = created.operation, created.returned
        fresh = CaseSide(KnownContact(operation.system, returned.contact_id))
        written = Written([operation], returned.contact, returned.contact_id, returned.updated_at)
        contact = returned.contact
        if operation.consent is Consent.REVOKED and "consent" in self._answers.failed:
            # It was created as one that may be mailed: what is missing is written at once.
            self._commit.staged.append(Staged(operation.system, returned.contact_id, None, revoked=True))
        self._commit.contacts.append(
            KnownContact(
                operation.system,
                returned.contact_id,
                updated_at=returned.updated_at or (contact.updated_at if contact else None),
                consent=(contact.consent if contact else None) or operation.consent or Consent.GRANTED,
                address=self._digester.address(operation.address or ""),
                baseline=self._baselines.created_baseline(fresh, written),
                written_at=self._context.now,
                generation=self._context.generation,
            )
        )

    def _settle_duplicate(self, side: CaseSide) -> None:
        written = self._answers.on(side.system, side.contact_id)
        if side.staged is None and not written.operations and side.known.unlinked not in _WAITING:
            return
        consent = self._baselines.consent_after(side, written)
        holder, linked = self._decision.case.ghl, self._decision.link is not None
        known, snapshot = side.known, side.snapshot
        after = replace(
            known,
            consent=consent,
            unlinked=Unlinked.ORPHAN if known.unlinked is Unlinked.ORPHAN and not linked else Unlinked.DUPLICATE,
            duplicate_of=holder.contact_id if holder else None,
            baseline=Baseline(consent=consent) if "consent" in self._answers.settled else known.baseline,
            written_at=self._context.now if written.operations else known.written_at,
        )
        if self._answers.final:
            seen = self._digester.snapshot(snapshot) if snapshot is not None else known.seen
            after = replace(after, sent=None, seen=seen, generation=self._context.generation)
        else:
            after = replace(after, sent=self._intents.get(known.key, known.sent))
        self._commit.contacts.append(after)
        self._keep_further_addresses(side, after)

    def _settle_others(self) -> None:
        """Contacts that were revoked for the address's sake: they are read before anything else of them is decided."""
        case = self._decision.case
        for known in (*case.additional_holders, *case.namesakes):
            if self._answers.on(known.system, known.contact_id).operations:
                linked = known.unlinked is None
                self._commit.staged.append(Staged(known.system, known.contact_id, None, moved=linked))

    def _bury(self) -> None:
        """The end of a link; where the policy's write was refused it stays. Duplicates are decided by themselves."""
        decision, case = self._decision, self._decision.case
        if decision.tombstone is not None and not self._answers.failed:
            self._commit.unlink.extend([decision.dissolves] if decision.dissolves is not None else [])
            lay_to_rest(self._commit, case.gone, decision.tombstone)
            for side in (case.ghl, case.emailoctopus):
                if side is not None and side not in case.gone:
                    self._commit.contacts.append(self._survivor(side))
                    self._commit.staged.extend(to_be_met(case, side))
        # Whatever of it was refused, what waits is a deletion: it is proven again when its time comes.
        self._park(None, [replace(one, part="deletion") for one in list(self._answers.failed.values())[:1]])
        self._remember()
        self._commit.changes.extend(audit(decision, self._answers, self._commit, self._ids(None), self._dropped))
        self._commit.done.extend(replace(case, duplicates=()).rows())

    def _survivor(self, side: CaseSide) -> KnownContact:
        written = self._answers.on(side.system, side.contact_id)
        tombstone = self._decision.tombstone
        kept = tombstone is not None and tombstone.done == Effect.KEPT
        consent = self._baselines.consent_after(side, written)
        after = left_alone(side, consent, written, self._context, kept=kept)
        return replace(after, address=self._baselines.address_after(side, written), seen=self._seen(side, written))

    def _settle_orphan(self) -> None:
        """The EmailOctopus contact that lost its link, and the tombstone that says so."""
        decision, case = self._decision, self._decision.case
        ends = (case.left_behind, case.emailoctopus)
        side = next((end for end in ends if end is not None and end.contact_id == decision.orphan), None)
        if side is not None and self._answers.complete:
            written = self._answers.on(EMAILOCTOPUS, side.contact_id)
            consent = self._baselines.consent_after(side, written)
            orphan(self._commit, decision, side, (written, consent), self._context.now)

    def _why_unlinked(self, side: CaseSide) -> Unlinked | None:
        if self._decision.partial:
            return side.known.unlinked
        if self._decision.dissolves is not None and side.system is EMAILOCTOPUS:
            return None
        if "creation" in self._answers.failed:
            return Unlinked.PARKED
        return self._decision.unlinked

    def _park(self, link: Link | None, failed: Iterable[Failure]) -> None:
        decision = self._decision
        self._commit.parked.extend(to_park(decision, failed, self._ids(link), self._context.now))
        if self._answers.final:
            self._commit.parked.extend(decision.let_be)
            parked_again = set(map(_place, self._commit.parked))
            self._commit.unparked.extend(entry for entry in decision.unparks if _place(entry) not in parked_again)
            self._commit.unparked.extend(decision.case.over_parked)
            self._commit.unheld.extend(decision.case.over_held)
            self._commit.held.extend(decision.holds)
            self._commit.unheld.extend(entry for entry in decision.unholds if not self._must_try_again(entry))

    def _must_try_again(self, entry: Held) -> bool:
        """Whether what a person approved wasn't taken: another try needn't ask him again."""
        keys = [rule.key for rule in self._context.policy.fields]
        return entry.approved and not stuck_parts(entry.action, keys).isdisjoint(self._answers.failed)

    def _ids(self, link: Link | None) -> tuple[str | None, str | None]:
        case = self._decision.case
        if link is not None:
            return link.ghl_id, link.emailoctopus_id
        return (
            case.ghl.contact_id if case.ghl else None,
            case.emailoctopus.contact_id if case.emailoctopus else None,
        )

    def _remember(self) -> None:
        """Keep a person's revocation with the address, for ever; or note that it is over."""
        case, decision = self._decision.case, self._decision
        sides = [side for side in (case.ghl, case.emailoctopus) if side is not None]
        if decision.remember is Cause.POLICY:  # it revoked who is left, whose address may be another by now
            sides = [side for side in sides if side not in case.gone]
        addresses = {side.known.address for side in sides if side.known.address}
        if decision.remember is not None:
            self._commit.revoked_addresses.update(dict.fromkeys(addresses, decision.remember.value))
        elif decision.regrant and "consent" in self._answers.settled and self._answers.refused_step is None:
            self._commit.regranted_addresses.extend(addresses)


def _place(entry: Parked) -> tuple[str | None, str | None, str]:
    return entry.ghl_id, entry.emailoctopus_id, entry.what

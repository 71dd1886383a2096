"""The baselines after a case was answered: what each side holds now, part by part. Pure.

A part whose write failed keeps its baselines, so that the change is still one. What a write returned is
what goes into that side's baseline, so that a lossy round trip is never seen as a change.
"""

from sync_daemon.apply.answers import Answers, Written
from sync_daemon.apply.verify import NOT_TAKEN, failures
from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.contact import Consent, Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.state import Baseline, KnownTag
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.side_consent import consent_now


class Unread:
    """The mark of a value that wasn't read."""


UNREAD = Unread()
_HELD_BY_NOBODY = ()


class Baselines:
    """The baselines that one decision and its answers leave."""

    def __init__(self, decision: Decision, answers: Answers, context: Context, tag_generation: int) -> None:
        self._decision = decision
        self._answers = answers
        self._context = context
        self._digester = context.detector.digester
        self._tag_generation = tag_generation

    def created_baseline(self, side: CaseSide, written: Written) -> Baseline:
        """What was sent to the new contact, as it came back; what wasn't sent counts as blank there."""
        operation = written.operations[0]
        fields: dict[str, bytes] = {}
        unsettled = {entry.part for entry in self._decision.to_park} | set(self._answers.failed)
        for mapped in self._context.fields:
            name, key = mapped.rule.name_in(side.system), mapped.rule.key
            sent = operation.fields.get(name)
            came = written.contact.fields.get(name) if written.contact and sent is not None else sent
            if key not in unsettled or key in self._answers.failed:
                fields[key] = self._digester.field(side.system, side.contact_id, key, came)
        return Baseline(
            fields,
            self._created_tags(side, operation),
            self._created_consent(operation, written),
            self._digester.address(operation.address or ""),
            self._tag_generation,
        )

    def _created_tags(self, side: CaseSide, operation: Operation) -> frozenset[bytes] | None:
        """The tags that both have now; one that the creation added for the scope's sake is yet to travel back."""
        source = self._decision.case.side(side.system.other)
        if not self._syncs_tags or "tags" in self._answers.failed or source is None or source.snapshot is None:
            return None
        detector = self._context.detector
        shared = detector.tags_now(source.snapshot)
        sent = detector.tags.travelling(side.system, operation.tags)
        return detector.tag_digests(side.system, side.contact_id, (sent[name] for name in sent if name in shared))

    def _created_consent(self, operation: Operation, written: Written) -> Consent:
        told = written.contact.consent if written.contact else None
        return told or operation.consent or Consent.GRANTED

    @property
    def dissolved(self) -> bool:
        """Whether the link ends and no other takes its place."""
        return self._decision.dissolves is not None and self._decision.link is None

    @property
    def _syncs_tags(self) -> bool:
        return self._context.policy.tags.sync

    def baseline(self, side: CaseSide, written: Written, *, linked: bool) -> Baseline:
        """The baseline of a contact of the case; one without a link keeps its consent alone."""
        old = side.known.baseline or Baseline()
        # Two contacts that got a link and didn't come to agree about consent have yet to meet about it.
        before = None if linked and self._decision.case.link is None else old.consent
        consent = self.consent_after(side, written) if "consent" in self._answers.settled else before
        unconfirmed = unconfirmed_after(side, consent)
        if not linked:
            dissolved = self.dissolved and side.system is SystemName.GHL
            return Baseline(consent=None if dissolved else consent, unconfirmed=unconfirmed)
        creates = any(result.operation.action is Action.CREATE for result in self._answers.done)
        return Baseline(
            fields=self._baseline_fields(side, written, old, everything=creates),
            tags=self._baseline_tags(side, written, old, settles=self._met("tags", creates=creates)),
            consent=consent,
            address=self._baseline_address(side, written, old, settles=self._met("address", creates=creates)),
            generation=self._tag_generation if self._met("tags", creates=creates) else old.generation,
            unconfirmed=unconfirmed,
        )

    def _met(self, part: str, *, creates: bool) -> bool:
        """Whether both sides agree about a part now; with a contact that was created they agree about all it took."""
        return part in self._answers.settled or (creates and part not in self._answers.failed)

    def _baseline_fields(
        self, side: CaseSide, written: Written, old: Baseline, *, everything: bool
    ) -> dict[str, bytes]:
        mapped_keys = {rule.key for rule in self._context.policy.fields}
        fields = {} if self._decision.forget_fields else {k: v for k, v in old.fields.items() if k in mapped_keys}
        unmet = {entry.part for entry in self._decision.to_park} | set(self._answers.failed)
        for mapped in self._context.fields:
            key, name = mapped.rule.key, mapped.rule.name_in(side.system)
            wrote = next((op for op in written.operations if name in op.fields), None)
            if self.was_dropped(mapped.rule, side, written):
                fields[key] = self._digester.field(side.system, side.contact_id, key, None)
                continue
            not_taken = wrote is not None and key in self._answers.failed and written.contact is not None
            if not_taken or (key in self._answers.settled) or (everything and key not in unmet):
                value = self._value(side, written, wrote, name)
                if not isinstance(value, Unread):
                    fields[key] = self._digester.field(side.system, side.contact_id, key, value)
            elif key not in fields and self._not_taken(key):
                # The other side made something else of it: whatever is here has yet to travel.
                fields[key] = self._digester.field(side.system, side.contact_id, key, _HELD_BY_NOBODY)
        return fields

    def was_dropped(self, rule: FieldRule, side: CaseSide, written: Written) -> bool:
        """Whether an answer of EmailOctopus lacks a field that was there and wasn't sent: the write's doing, no edit.

        That an update keeps what it doesn't name is very likely, but not in print.
        """
        name, baseline = rule.name_in(side.system), side.known.baseline or Baseline()
        sent = any(name in op.fields for op in written.operations)
        if side.system is not SystemName.EMAILOCTOPUS or written.contact is None or sent:
            return False
        if side.snapshot is not None:
            before = side.snapshot.fields.get(name) is not None
        else:
            blank = self._digester.field(side.system, side.contact_id, rule.key, None)
            before = baseline.fields.get(rule.key, blank) != blank
        return before and written.contact.fields.get(name) is None

    def _not_taken(self, key: str) -> bool:
        failure = self._answers.failed.get(key)
        return failure is not None and failure.code == NOT_TAKEN

    def _value(self, side: CaseSide, written: Written, wrote: Operation | None, name: str) -> "Value | Unread":
        """The value a side holds now: what came back, what was sent, what was read."""
        if wrote is not None:
            return written.contact.fields.get(name) if written.contact else wrote.fields[name]
        return side.snapshot.fields.get(name) if side.snapshot else UNREAD

    def _baseline_tags(
        self, side: CaseSide, written: Written, old: Baseline, *, settles: bool
    ) -> frozenset[bytes] | None:
        if not self._syncs_tags or not settles:
            return None if self._decision.forget_fields else self._with_written_tags(side, old.tags)
        detector, book = self._context.detector, self._context.detector.tags
        held = detector.tags_now(side.snapshot) if side.snapshot else self._tags_before(side)
        for op in written.operations:
            named = book.travelling(side.system, op.tags)
            if op.action is Action.ADD_TAGS:
                held |= named
            elif op.action is Action.REMOVE_TAGS:
                held = {name: tag for name, tag in held.items() if name not in named}
        return detector.tag_digests(side.system, side.contact_id, held.values())

    def _with_written_tags(self, side: CaseSide, before: frozenset[bytes] | None) -> frozenset[bytes] | None:
        """The tags agreed about where some were refused: those that were written both sides have, or lack, now."""
        if before is None:
            return None
        detector = self._context.detector
        for result in self._answers.done:
            op = result.operation
            named = detector.tags.travelling(op.system, op.tags).values()
            digests = detector.tag_digests(side.system, side.contact_id, named)
            if failures(result, ()):
                continue
            if op.action is Action.ADD_TAGS:
                before |= digests
            elif op.action is Action.REMOVE_TAGS:
                before -= digests
        return before

    def _tags_before(self, side: CaseSide) -> dict[str, KnownTag]:
        other = self._decision.case.side(side.system.other)
        likely = self._context.detector.tags_now(other.snapshot).values() if other and other.snapshot else ()
        return self._context.detector.tags_before(side.known, likely)

    def _baseline_address(self, side: CaseSide, written: Written, old: Baseline, *, settles: bool) -> bytes | None:
        if not settles:
            return old.address
        return self.address_after(side, written) or old.address

    def address_after(self, side: CaseSide, written: Written) -> bytes | None:
        """The digest of the address a contact has now."""
        sent = next((op.address for op in written.operations if op.address), None)
        if sent is not None:
            return self._digester.address(sent)
        if side.snapshot is None:
            return side.known.address
        return self._digester.address(side.snapshot.address) if side.snapshot.address else None

    def consent_after(self, side: CaseSide, written: Written) -> Consent:
        """What a write about consent came to. What comes back with any other write was never decided about."""
        sent = [op.consent for op in written.operations if op.consent is not None]
        if not sent:
            return consent_now(side)
        return (written.contact.consent if written.contact else None) or sent[-1]


def unconfirmed_after(side: CaseSide, consent: Consent | None) -> bool:
    """Whether a contact of whom `consent` is agreed now was asked to confirm and never did."""
    shown = side.snapshot.consent if side.snapshot is not None else side.known.consent
    before = side.known.baseline or Baseline()
    return consent is not Consent.GRANTED and (before.unconfirmed or Consent.PENDING in (consent, shown))

"""What is written down before anything is sent: a later snapshot that equals it is our own writing. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import KnownContact, Sent
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Decision

EMAILOCTOPUS = SystemName.EMAILOCTOPUS


def all_intents(decisions: Sequence[Decision], context: Context) -> list[KnownContact]:
    """The rows to store before anything of a batch is sent; what a contact's own case is about to write counts."""
    others = [row for decision in decisions for row in _namesakes(decision)]
    own = [row for decision in decisions for row in intents(decision, context)]
    return list({row.key: row for row in (*others, *own)}.values())


def intents(decision: Decision, context: Context) -> list[KnownContact]:
    """The rows to store before a case's operations are sent: what equals this later is our own writing."""
    rows: list[KnownContact] = []
    case, sent = decision.case, list(_sent_at_all(decision))
    for side in case.targets():
        mine = [op for op in sent if _is_on(op, side)]
        creates = any(op.action is Action.CREATE and op.system is side.system.other for op in sent)
        if mine or (creates and side in (case.ghl, case.emailoctopus)):
            rows.append(
                replace(side.known, sent=_sent(mine, side, context, creation=creates, counted=decision.counted))
            )
    return rows


def before_intents(unbegun: Sequence[Decision], others: Sequence[Decision], context: Context) -> list[KnownContact]:
    """The rows that were stored as intents of the first decisions alone, as these found them."""
    names = {row.key for row in all_intents(unbegun, context)}
    names -= {row.key for row in all_intents(others, context)}
    sides = (side.known for decision in unbegun for side in decision.case.targets())
    namesakes = (known for decision in unbegun for known in decision.case.namesakes)
    found = {known.key: known for known in (*namesakes, *sides)}
    return [found[name] for name in sorted(names)]


def _namesakes(decision: Decision) -> Iterator[KnownContact]:
    """Those who are unsubscribed for the sake of an address that isn't theirs alone: nobody else did it."""
    ids = {op.emailoctopus_id for op in _sent_at_all(decision) if op.system is EMAILOCTOPUS and op.revokes}
    for known in decision.case.namesakes:
        if known.contact_id in ids:
            yield replace(known, sent=replace(known.sent or Sent(), namesake=True))


def _sent_at_all(decision: Decision) -> Iterator[Operation]:
    """The operations that go out: what equals another one later is somebody else's writing."""
    return (op for op in decision.operations if op.system not in decision.unsent)


def _is_on(operation: Operation, side: CaseSide) -> bool:
    return operation.system is side.system and operation.target_id == side.contact_id


def _sent(
    operations: list[Operation], side: CaseSide, context: Context, *, creation: bool, counted: frozenset[str]
) -> Sent:
    detector, digester = context.detector, context.detector.digester
    names = {mapped.rule.name_in(side.system): mapped.rule.key for mapped in context.fields}
    fields = {
        names[name]: digester.sent_field(side.system, side.contact_id, names[name], value)
        for op in operations
        for name, value in op.fields.items()
    }
    tags = (detector.tags.find(side.system, name) for op in operations for name in op.tags)
    consent = next((op.consent for op in operations if op.consent is not None), None)
    address = next((digester.address(op.address) for op in operations if op.address), None)
    changed = detector.tag_digests(side.system, side.contact_id, (tag for tag in tags if tag is not None))
    at = side.snapshot.updated_at if side.snapshot else side.known.updated_at
    deletion = any(op.action is Action.DELETE for op in operations)
    return Sent(fields, changed, consent, address, creation, deletion, counted, at, context.now)

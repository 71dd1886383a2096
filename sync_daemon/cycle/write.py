"""Decisions to outcomes: intents stored, operations sent, each case settled as soon as all its answers are in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync_daemon.apply.answers import all_answered
from sync_daemon.apply.burial import addresses_left
from sync_daemon.apply.intents import all_intents
from sync_daemon.cycle.intake import called, called_by_additional, stage
from sync_daemon.cycle.overwriting import look_before_writing
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Run, log
from sync_daemon.cycle.settling import settled
from sync_daemon.cycle.withdrawing import withdraw
from sync_daemon.model.contact import Consent, Page, Snapshot
from sync_daemon.model.errors import AlreadyExists, Refused, Stopped, StopSystem
from sync_daemon.model.plan import Action, Operation, WriteResult
from sync_daemon.model.state import KnownTag, Staged
from sync_daemon.ports import Commit
from sync_daemon.reconcile.consents import unsubscribe
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.guard import begun, refused, within_reach
from sync_daemon.reconcile.side_consent import consent_now
from sync_daemon.threads import pool

OperationKey = tuple[str, str, str | None, str | None]


@dataclass(slots=True)
class _Open:
    """A case on its way: what was decided, and the answers so far.

    `withheld` are the refusals of tags, by the operations that go out without them: both count together.
    """

    decision: Decision
    results: list[WriteResult] = field(default_factory=list)
    withheld: dict[OperationKey, WriteResult] = field(default_factory=dict)


def carry_out(run: Run, decisions: Sequence[Decision]) -> None:
    """Write what was decided and remember what came of it, case by case.

    Raises `WithoutEvidence` before anything is sent when a step toward consent rests on an earlier cycle's reads.
    """
    decisions = look_before_writing(run, decisions)
    run.pair.progress.records_planned(sum(bool(decision.operations) for decision in decisions))
    context = run.context()
    run.sender.in_hand.clear()
    if closed := run.sender.closed():
        decisions = [within_reach(decision, closed) for decision in decisions]
    waiting: dict[OperationKey, _Open] = {}
    at_once: list[_Open] = []
    commit = Commit(contacts=all_intents(decisions, context))
    counted: Counter[str] = Counter()
    for operation in (operation for decision in decisions for operation in decision.operations):
        operation.demand_reads(run.read_now)
    for decision in decisions:
        case = _Open(decision)
        counted.update(decision.counted - begun(decision.case))
        waiting.update((_key(operation), case) for operation in decision.operations)
        if not decision.operations:
            at_once.append(case)
    commit.mass_changes.update(counted)  # before it is sent: what a crash cuts off was counted, and only once
    if commit.contacts:
        run.commit(commit)
    # Links that exchange their contacts change in one transaction: no two links ever share a contact.
    exchanged = [case for case in at_once if case.decision.case.exchanged]
    _settle(run, [case for case in at_once if not case.decision.case.exchanged])
    widened: dict[str | None, Operation] = {}
    for results in _send(run, [operation for decision in decisions for operation in decision.operations], waiting):
        widened.update((one.emailoctopus_id, one) for one in _widened(run, results, waiting))
        ready = _answered(run, results, waiting)
        exchanged.extend(case for case in ready if case.decision.case.exchanged)
        _settle(run, [case for case in ready if not case.decision.case.exchanged])
    left = list(_each_once(waiting.values()))
    unfinished = [case for case in left if case.results]
    whole = not any(case.decision.case.exchanged for case in waiting.values())
    _settle(run, exchanged if whole else [])
    _settle(run, [case for case in unfinished if not case.decision.case.exchanged])
    unsent = [case.decision for case in left if not (case.results or run.sender.has_begun(case.decision.operations))]
    withdraw(run, unsent, decisions, context)
    for results in run.sender.send(widened.values()):
        done = (result.operation for result in results if result.refusal is None)
        run.report.written.update((operation.system, _word(operation)) for operation in done)


def _send(
    run: Run, operations: Sequence[Operation], waiting: Mapping[OperationKey, _Open]
) -> Iterator[list[WriteResult]]:
    """Revocations first, then the tags that EmailOctopus lacks, then what may use them."""
    yield from run.sender.send(operation for operation in operations if operation.revokes)
    others = [operation for operation in operations if not operation.revokes]
    refused = _create_tags(run, others)
    to_send: list[Operation] = []
    for operation in others:
        names = [name for name in operation.tags if name in refused] if operation.system is EMAILOCTOPUS else []
        rest = replace(operation, tags=tuple(name for name in operation.tags if name not in names))
        refusal = WriteResult(replace(operation, parts=("tags",)), refusal=refused[names[0]]) if names else None
        if refusal is not None and not rest.tags and operation.action is not Action.CREATE:
            yield [refusal]
            continue
        case = waiting.get(_key(operation))
        if refusal is not None and case is not None:
            case.withheld[_key(operation)] = refusal
        to_send.append(rest)
    yield from run.sender.send(to_send)


def _widened(run: Run, results: Iterable[WriteResult], waiting: dict[OperationKey, _Open]) -> Iterator[Operation]:
    """The end of each subscription that an update without a status began: what a missing one means is undocumented."""
    for result in results:
        operation, contact = result.operation, result.returned.contact if result.returned else None
        case = waiting.get(_key(operation))
        side = case.decision.case.emailoctopus if case else None
        if operation.system is not EMAILOCTOPUS or operation.consent is not None or contact is None or side is None:
            continue
        if consent_now(side) is Consent.REVOKED and contact.consent is Consent.GRANTED:
            log.error("subscribed_by_an_update", pair=run.pair.name, emailoctopus_id=contact.contact_id)
            yield unsubscribe(operation.ghl_id, contact.contact_id, "an update without a status subscribed the contact")


def _answered(run: Run, results: Iterable[WriteResult], waiting: dict[OperationKey, _Open]) -> list[_Open]:
    """The cases whose last answer has come; a contact that exists already is met instead of created."""
    ready: list[_Open] = []
    for result in results:
        # What was read of a contact before our own write tells nothing of it any more.
        run.read_now.discard((result.operation.system, result.operation.target_id or ""))
        case = waiting.get(_key(result.operation))
        if case is None:
            continue
        known = _meet_existing(run, case.decision, result)
        if known is None:
            withheld = case.withheld.pop(_key(result.operation), None)
            case.results.extend(one for one in (result, withheld) if one is not None)
            if all_answered(case.decision, case.results):
                ready.append(case)
        else:
            # Decided anew, with the contact that was met; nothing of this decision is remembered.
            if run.following is not None:
                run.following.exists(result.operation, case.decision, run.context())
            for operation in case.decision.operations:
                waiting.pop(_key(operation), None)
            run.commit(known)
    for case in ready:
        for operation in case.decision.operations:
            waiting.pop(_key(operation), None)
    return ready


def _settle(run: Run, cases: Sequence[_Open]) -> None:
    """Store what came of some cases in one transaction, and count it."""
    if not cases:
        return
    context = run.context()
    commit = Commit()
    counted: Counter[str] = Counter()
    left: set[bytes] = set()
    for case in cases:
        one = settled(run, case.decision, case.results, context)
        commit.include(one)
        if one.done and (addresses := set(addresses_left(case.decision))):
            left |= addresses
            commit.staged.extend(Staged(one.system, one.contact_id, None) for one in case.decision.case.duplicates)
        done = [result.operation for result in case.results if result.refusal is None]
        counted.subtract(refused(case.decision, done))
        _count(run, case)
    commit.mass_changes.update(counted)
    commit.staged.extend(called_by_additional(run, commit.additional_addresses))
    commit.staged.extend(called(run, left))
    run.report.new_parked += sum(entry.attempts == 1 and not entry.let_be for entry in commit.parked)
    run.report.new_held += len(commit.held)
    for change in (change for change in commit.changes if change.kind == "reported"):
        ids = {"ghl_id": change.ghl_id, "emailoctopus_id": change.emailoctopus_id}
        log.warning("reported", pair=run.pair.name, **ids, what=change.what, reason=change.reason)
    run.commit(commit)


def _count(run: Run, case: _Open) -> None:
    decision, report = case.decision, run.report
    if run.following is not None:
        run.following.note(decision, case.results, run.context())
    done = [result.operation for result in case.results if result.refusal is None]
    report.written.update({(operation.system, word) for operation in done if (word := _word(operation)) == "updated"})
    report.written.update((operation.system, word) for operation in done if (word := _word(operation)) != "updated")
    report.conflicts += len(decision.conflicts)
    if decision.partial or decision.undoes is not None:
        return
    if decision.unlinked is not None:
        report.skipped[decision.unlinked] += 1
    report.skipped.update("duplicate" for side in decision.case.duplicates if side.staged is not None)
    for conflict in decision.conflicts:
        log.info(
            "conflict",
            pair=run.pair.name,
            ghl_id=decision.link.ghl_id if decision.link else None,
            field=conflict.part,
            winner=conflict.winner,
            ghl_at=conflict.ghl_at,
            emailoctopus_at=conflict.emailoctopus_at,
        )


def _word(operation: Operation) -> str:
    match operation.action:
        case Action.CREATE:
            return "created"
        case Action.DELETE:
            return "deleted"
        case Action.SET_DND:
            return "dnd_set"
        case Action.LIFT_DND:
            return "dnd_lifted"
        case Action.SET_STATUS if operation.revokes:
            return "unsubscribed"
        case _:
            return "updated"


def _create_tags(run: Run, operations: Sequence[Operation]) -> dict[str, Refused]:
    """Define the tags that EmailOctopus doesn't have yet, side by side; those that it refused."""
    missing: dict[str, KnownTag] = {}
    for operation in operations:
        if operation.system is EMAILOCTOPUS and operation.action in (Action.ADD_TAGS, Action.CREATE):
            found = ((name, run.book.find(EMAILOCTOPUS, name)) for name in operation.tags)
            missing.update((name, tag) for name, tag in found if tag is not None and tag.spelling is None)

    in_hand = {name for operation in operations if run.sender.is_in_hand(operation) for name in operation.tags}

    def create(name: str) -> Refused | StopSystem | None:
        reason = run.stopped.get(EMAILOCTOPUS)
        if reason is not None and not (isinstance(reason, Stopped) and name in in_hand):
            return reason
        try:
            run.systems[EMAILOCTOPUS].writer.create_tag(name)
        except StopSystem as error:
            return run.sender.stopped.setdefault(EMAILOCTOPUS, error)
        except Refused as refusal:
            return refusal
        return None

    refused: dict[str, Refused] = {}
    with pool(run.pair.workers, "tags") as threads:
        for (name, tag), error in zip(missing.items(), threads.map(create, missing), strict=True):
            if error is None:
                run.book.created(tag)
            elif isinstance(error, Refused):
                refused[name] = error
    return refused


def _meet_existing(run: Run, decision: Decision, result: WriteResult) -> Commit | None:
    """What to store when the address to be written exists already; None when that isn't what happened.

    The contact found is staged, and so is what was to be created: the two meet in the next round.
    """
    refusal, operation = result.refusal, result.operation
    if not isinstance(refusal, AlreadyExists) or "phone" in refusal.fields or operation.address is None:
        return None
    if operation.system is GHL and operation.action is not Action.CREATE:
        return None
    found = _existing(run, operation, refusal)
    if found is None or not _same_address(run, found, operation.address):
        return None
    known = run.pair.store.contacts(operation.system, [found.contact_id]).get(found.contact_id)
    if known is not None and known.address == run.pair.digester.address(operation.address):
        return None
    stage(run, operation.system, Page("read", (found,)))
    return Commit(staged=list(decision.case.rows()))


def _existing(run: Run, operation: Operation, refusal: AlreadyExists) -> Snapshot | None:
    reader = run.systems[operation.system].reader
    try:
        by_id = refusal.other_id is not None
        found = reader.fetch(refusal.other_id or "") if by_id else reader.find(operation.address or "")
    except StopSystem as error:
        run.sender.stopped.setdefault(operation.system, error)
        return None
    except Refused:  # it can't be read: what was to be written is parked as it was refused
        return None
    if found is not None:
        run.read_now.add((operation.system, found.contact_id))
    return found


def _same_address(run: Run, found: Snapshot, address: str) -> bool:
    digester = run.pair.digester
    return found.address is not None and digester.address(found.address) == digester.address(address)


def _key(operation: Operation) -> OperationKey:
    return operation.system, operation.action, operation.ghl_id, operation.emailoctopus_id


def _each_once(cases: Iterable[_Open]) -> Iterator[_Open]:
    seen: set[int] = set()
    for case in cases:
        if id(case) not in seen:
            seen.add(id(case))
            yield case

"""Cases to decisions, with the reads by id that decisions ask for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sync_daemon.apply.retry_times import next_try
from sync_daemon.changes.addresses import is_valid
from sync_daemon.changes.cases import Case, CaseSide, ContactKey
from sync_daemon.cycle.forgotten import forget_met
from sync_daemon.cycle.gone import Holder, look_up, with_found, with_gone
from sync_daemon.cycle.intake import stage
from sync_daemon.cycle.neighbours import with_others
from sync_daemon.cycle.pair import GHL, Run, log
from sync_daemon.model.contact import Page, Snapshot, Source
from sync_daemon.model.errors import Refused, StopSystem
from sync_daemon.model.state import NEVER, Change, KnownContact, Parked, Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.schemas import read_schemas
from sync_daemon.reconcile.decide import decide, decide_unread
from sync_daemon.reconcile.decision import Context, Decision, Needs
from sync_daemon.reconcile.deletions import DELETION
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.threads import pool

_ROUNDS = 6
_NOBODY_LEFT = "it was held, and is over: the contact doesn't exist any more"


def judge(
    run: Run, cases: Sequence[Case], moves: Mapping[str, Move] | None = None, *, consent_alone: bool = False
) -> list[Decision]:
    """Decide cases; those whose contacts turned out to be gone or somebody else's are left for another round.

    `moves` are by GHL id; `consent_alone` is for whoever asks for revocations. Before the first blank of a cycle is
    written or agreed to the schema is read, and all is decided again: only a field that its system still has can be
    blank.
    """
    decisions = _judge(run, cases, moves or {}, consent_alone=consent_alone)
    if run.schema_fresh:
        return decisions
    context = run.context()
    if any(_meets_a_blank(decision, context) for decision in decisions):
        refresh_schemas(run)
        decisions = _judge(run, list(_as_they_were(cases, decisions)), moves or {}, consent_alone=consent_alone)
    return decisions


def _as_they_were(cases: Sequence[Case], decisions: Sequence[Decision]) -> Iterator[Case]:
    """The cases that were decided, before one took another's link over, with what was read by id meanwhile."""
    decided = {side.key: side.snapshot for decision in decisions for side in _everybody(decision.case)}
    reads = {key: snapshot for key, snapshot in decided.items() if snapshot and snapshot.source is Source.READ}
    for case in cases:
        if not decided.keys().isdisjoint(side.key for side in _everybody(case)):
            yield case.with_reads(reads)


def _everybody(case: Case) -> tuple[CaseSide, ...]:
    return (*case.gone, *case.sides())


def refresh_schemas(run: Run) -> None:
    """Read what both accounts can hold now, and remember it."""
    schemas = read_schemas(run.systems)
    for schema in schemas.values():
        run.pair.store.save_schema(schema)
    run.use_schemas(schemas)
    run.schema_fresh = True


def fetch(run: Run, keys: Collection[ContactKey]) -> dict[ContactKey, Snapshot | Refused | None]:
    """Contacts by id, side by side; None for one that doesn't exist, the refusal of one that can't be read.

    What a stopped system owes is left out, and so is whoever turns out to be forgotten.
    """
    found: dict[ContactKey, Snapshot | Refused | None] = {key: None for key in keys if key in run.gone}
    wanted = [key for key in keys if key[0] not in run.stopped and key not in found]

    def read(key: ContactKey) -> Snapshot | StopSystem | Refused | None:
        if (reason := run.stopped.get(key[0])) is not None:
            return reason
        try:
            return run.systems[key[0]].reader.fetch(key[1])
        except (StopSystem, Refused) as error:
            return error

    with pool(run.pair.workers, "fetch", systems=2) as threads:
        for key, answer in zip(wanted, threads.map(read, wanted), strict=True):
            if isinstance(answer, StopSystem):
                run.sender.stopped.setdefault(key[0], answer)
            else:
                found[key] = answer
                run.read_now.add(key)
                run.gone.update([key] if answer is None else [])
    met = forget_met(run, [answer for answer in found.values() if isinstance(answer, Snapshot)])
    return {key: answer for key, answer in found.items() if key not in met}


def _judge(run: Run, cases: Sequence[Case], moves: Mapping[str, Move], *, consent_alone: bool) -> list[Decision]:
    context = run.context(consent_alone=consent_alone)
    decisions: list[Decision] = []
    open_cases = [_as_read_now(run, case) for case in cases]
    for _ in range(_ROUNDS):
        waiting: list[tuple[Case, Needs]] = []
        for case in with_others(open_cases, run.pair.neighbours):  # as they are now, when the last reads are over
            answer = _decide(case, context, moves)
            if isinstance(answer, Needs):
                waiting.append((case, answer))
            else:
                decisions.append(answer)
        if not waiting:
            break
        open_cases, revocations = _with_reads(run, waiting, moves)
        decisions.extend(revocations)
        context = run.context(consent_alone=consent_alone)
    return decisions


def _as_read_now(run: Run, case: Case) -> Case:
    """The case without what an earlier cycle had read by id: that is to be read again."""

    def fresh(side: CaseSide) -> CaseSide:
        read = side.snapshot is not None and side.snapshot.source is Source.READ
        if side.staged is None or not read or side.key in run.read_now:
            return side
        return replace(side, staged=replace(side.staged, snapshot=None))

    return replace(
        case,
        ghl=fresh(case.ghl) if case.ghl else None,
        emailoctopus=fresh(case.emailoctopus) if case.emailoctopus else None,
        duplicates=tuple(map(fresh, case.duplicates)),
    )


def _decide(case: Case, context: Context, moves: Mapping[str, Move]) -> Decision | Needs:
    return decide(case, context, moves.get(case.ghl.contact_id) if case.ghl else None)


def _with_reads(
    run: Run, waiting: Sequence[tuple[Case, Needs]], moves: Mapping[str, Move]
) -> tuple[list[Case], list[Decision]]:
    """The waiting cases with what they asked for; those that can't go on now are put back or parked.

    Of a case that can't go on because a contact can't be read, its revocations go out first.
    """
    reads = fetch(run, {key for _, needs in waiting for key in needs.reads})
    found = {key: answer for key, answer in reads.items() if isinstance(answer, Snapshot)}
    for system in SystemName:
        run.book.meet({system: {tag for key, one in found.items() if key[0] is system for tag in one.tags}})
    ready: list[Case] = []
    searching: list[tuple[Case, Collection[Holder]]] = []
    revocations: list[Decision] = []
    for case, needs in waiting:
        gone = {key for key in needs.reads if key in reads and reads[key] is None}
        refusal = next((answer for key in needs.reads if isinstance(answer := reads.get(key), Refused)), None)
        strangers = [side for side in case.sides() if _has_other_address(run, side, found)]
        if any(key not in reads for key in needs.reads):
            continue
        if refusal is not None:
            alone = None if gone or strangers else decide_unread(case.with_reads(found), run.context())
            if alone is None:
                _park(run, case, refusal.code, refusal.message)
            else:  # the rows stay: it is parked once nothing of it is left to be revoked
                revocations.append(alone)
        elif gone and (buried := with_gone(run, case, gone, found)) is None:
            _put_aside(run, case, gone, found)
        elif strangers or _is_not_empty(case, found, moves):
            # Whoever has the address now takes the link over, not who has the old one.
            _stage_again(run, case, found)
        elif gone and buried is not None:
            ready.append(buried)
            ready.extend(_left_out(case.with_reads(found), buried, gone))
        elif needs.holders:
            searching.append((case, needs.holders))
        else:
            ready.append(case.with_reads(found))
    return [*ready, *_searched(run, searching)], revocations


def _searched(run: Run, searching: Sequence[tuple[Case, Collection[Holder]]]) -> Iterator[Case]:
    """The cases of deleted contacts with whoever else has the address."""
    answers = look_up(run, {holder for _, holders in searching for holder in holders})
    for case, holders in searching:
        for holder in holders:
            answer = answers.get(holder)
            if isinstance(answer, Refused):
                _park(run, case, answer.code, answer.message)
            elif holder in answers:
                yield with_found(run, case, holder, answer)


def _has_other_address(run: Run, side: CaseSide, found: Mapping[ContactKey, Snapshot]) -> bool:
    """Whether a read shows another address than the one the case was put together by."""
    snapshot = found.get(side.key)
    if snapshot is None:
        return False
    address = run.pair.digester.address(snapshot.address) if snapshot.address else None
    return address != side.known.address


def _left_out(case: Case, buried: Case, gone: Collection[ContactKey]) -> Iterator[Case]:
    """Those with news who have the address of a contact whose deletion is held: they wait until its link has ended."""
    waits = any(entry.action == DELETION and not (entry.approved or entry.discarded) for entry in case.held)
    kept = {side.contact_id for side in buried.duplicates}
    for side in case.duplicates if waits else ():
        if side.staged is not None and side.contact_id not in kept and side.key not in gone:
            yield Case(ghl=side, blocked_by=case.link, namesakes=case.namesakes, remembered=case.remembered)


def _is_not_empty(case: Case, found: Mapping[ContactKey, Snapshot], moves: Mapping[str, Move]) -> bool:
    """Whether a contact that was taken for one without an address, as it had none when last read, has one now."""
    move = moves.get(case.ghl.contact_id) if case.ghl is not None else None
    if case.ghl is None or move is None or move.step is not Step.EMPTIED:
        return False
    snapshot = found.get((GHL, case.ghl.contact_id))
    return snapshot is not None and snapshot.address is not None and is_valid(snapshot.address)


def _stage_again(run: Run, case: Case, found: Mapping[ContactKey, Snapshot]) -> None:
    """Put what was read into the inbox, so that the contacts are put together by what they are now."""
    for side in case.sides():
        snapshot = found.get(side.key)
        if snapshot is not None:
            stage(run, side.system, Page("read", (snapshot,)))
        elif side.staged is not None:
            run.commit(Commit(staged=[side.staged]))


def _put_aside(run: Run, case: Case, gone: set[ContactKey], found: Mapping[ContactKey, Snapshot]) -> None:
    """A contact doesn't exist any more: it is out of matching. A link is parked; a deletion needs more proof.

    One that a full scan lacked, and that another link has, stays in the inbox: that link ends.
    """
    missing = [side for side in case.sides() if side.key in gone]
    lost = [side for side in missing if not _ends_another_link(run, case, side)]
    ends = [side for side in lost if case.link is not None and side in (case.ghl, case.emailoctopus)]
    lost_ids = {side.contact_id for side in lost}
    over = [one for one in case.held if not ends and not lost_ids.isdisjoint({one.ghl_id, one.emailoctopus_id})]
    commit = Commit(
        contacts=[
            replace(side.known, unlinked=Unlinked.DELETED, address=side.known.address if side in ends else None)
            for side in lost
        ],
        additional_addresses={side.contact_id: () for side in lost if side.system is GHL and side not in ends},
        done=[side.staged for side in lost if side.staged is not None],
        unheld=over,
        revoked_addresses=_revoked_meanwhile(run, case.with_reads(found)) if ends else {},
        changes=[Change("reported", None, one.ghl_id, one.emailoctopus_id, one.action, _NOBODY_LEFT) for one in over],
    )
    for one in over:
        ids = {"ghl_id": one.ghl_id, "emailoctopus_id": one.emailoctopus_id}
        log.warning("reported", pair=run.pair.name, **ids, what=one.action, reason=_NOBODY_LEFT)
    # Whoever else has the address is decided without the contact that is gone.
    others = case.duplicates if case.ghl in ends else () if ends else tuple(case.sides())
    commit.staged.extend(
        side.staged or Staged(side.system, side.contact_id, None) for side in others if side not in lost
    )
    run.commit(commit)
    if ends and case.link is not None:
        log.info("contact_missing", pair=run.pair.name, system=ends[0].system, ghl_id=case.link.ghl_id)
        _park(run, case, f"missing_in_{ends[0].system}", "", gone)


def _revoked_meanwhile(run: Run, case: Case) -> dict[bytes, str]:
    """The addresses of a link that is parked which somebody else there revokes: he may have left it by then."""
    alone = decide_unread(case, run.context())
    if alone is None or alone.remember is None:
        return {}
    addresses = {side.known.address for side in case.both() if side.known.address is not None}
    return dict.fromkeys(addresses, alone.remember.value)


def _ends_another_link(run: Run, case: Case, side: CaseSide) -> bool:
    """Whether a contact of a case that takes it from another link is proven to be deleted."""
    if case.former is None or side.staged is None or not side.staged.absent:
        return False
    ids = [side.contact_id]
    store = run.pair.store
    links = store.links(ghl=ids) if side.system is GHL else store.links(emailoctopus=ids)
    return any(link != case.former for link in links)


def _park(run: Run, case: Case, code: str, message: str, gone: Collection[ContactKey] = ()) -> None:
    """A case that can't be decided: parked as a whole, its rows done; it is read again when its time comes."""
    what = "deletion" if any(row.absent for row in case.rows()) else "creation"
    others = [entry for of, entry in case.parked.items() if of != what]
    ordered = [entry for entry in others if entry.dropped]
    seen = [
        # Whatever the next sight of one that can't be read says, it is to be decided.
        replace(
            _while_parked(case, side),
            seen=run.pair.digester.snapshot(side.snapshot) if side.snapshot is not None else None,
        )
        for side in case.sides()
        if (side.snapshot is not None or not gone) and side.key not in gone
    ]
    before = case.parked.get(what)
    attempts = before.attempts + 1 if before else 1
    at = next_try(attempts, run.pair.clock.now())
    if before is not None:
        entry = replace(before, code=code, message=message, attempts=attempts, next_try=NEVER if before.dropped else at)
    else:
        ghl_id, emailoctopus_id = (side.contact_id if side else None for side in (case.ghl, case.emailoctopus))
        entry = Parked(ghl_id, emailoctopus_id, what, code, message, attempts, at)
    run.report.new_parked += before is None
    parked = [entry, *(replace(one, next_try=at) for one in ordered)]  # to be obeyed once it can be read
    unparked = [one for one in others if one not in ordered]
    run.commit(Commit(contacts=seen, parked=parked, unparked=unparked, done=list(case.rows())))


def _while_parked(case: Case, side: CaseSide) -> KnownContact:
    """The row of a contact of a parked case: whose duplicates are such, though nothing of them was decided."""
    if side not in case.duplicates:
        return side.known
    return replace(side.known, unlinked=Unlinked.DUPLICATE, duplicate_of=case.ghl.contact_id if case.ghl else None)


def _meets_a_blank(decision: Decision, context: Context) -> bool:
    """Whether a field is to be cleared, or a blank that a linked contact shows is to become its baseline."""
    case = decision.case
    sides = (side for side in (case.ghl, case.emailoctopus) if case.link is not None and side is not None)
    return any(value is None for op in decision.operations for value in op.fields.values()) or any(
        side.snapshot.fields.get(mapped.rule.name_in(side.system)) is None
        for side in sides
        if side.snapshot is not None
        for mapped in context.fields
        if mapped.rule.key in decision.settles
    )

"""What a look at activity came to, written to EmailOctopus and remembered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync_daemon.apply.retry_times import refused
from sync_daemon.apply.send import Sender
from sync_daemon.cycle.pair import EMAILOCTOPUS, Run, field_names, log
from sync_daemon.model.activity import UNKNOWN, ActivityPolicy, KnownActivity
from sync_daemon.model.contact import FieldSpec, Value
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.errors import NotShown, Refused
from sync_daemon.model.plan import Operation, WriteResult
from sync_daemon.model.planned import Planned
from sync_daemon.model.state import Baseline, Change, KnownContact, Link
from sync_daemon.ports import Commit
from sync_daemon.reconcile.activity import ACTIVITY, Digest, can_hold, field_types, new_activity_field, news, showing
from sync_daemon.reconcile.activity_seen import Shown
from sync_daemon.reconcile.planned import planned_activity, planned_field

Look = tuple[Link, KnownActivity, Shown]
_REFUSED_FIELD = "activity_field "
_WHY, _WHAT = "activity in GoHighLevel", "show activity in EmailOctopus"


@dataclass(slots=True)
class Answer:
    """What came of one contact's write: the fields that were written, why others weren't, each request's result."""

    done: dict[str, Value] = field(default_factory=dict)
    refusal: Refused | None = None
    results: list[WriteResult] = field(default_factory=list)


def fields_there(run: Run, policy: ActivityPolicy) -> dict[str, FieldSpec]:
    """The fields that can be written, those that lacked made; what the list can't have is reported, and left out."""
    there: dict[str, FieldSpec] = {}
    for name, kind in field_types(policy).items():
        spec = run.schemas[EMAILOCTOPUS].field(name) or _made(run, name, kind)
        if spec is None:
            continue
        if can_hold(spec, kind):
            there[name] = spec
        else:
            log.error("activity_field_unfit", pair=run.pair.name, field=name, type=spec.type, needs=kind)
    return there


def _made(run: Run, name: str, kind: str) -> FieldSpec | None:
    """The field, made now; one that was refused is asked for again in full scans."""
    refused = _REFUSED_FIELD + name
    if not run.policy().create_missing_fields or (refused in run.state.looked_at and not run.full):
        return None
    new = planned_field(new_activity_field(name, kind), run.pair.digester)
    if run.following is not None and not run.following.may(new):
        return None
    try:
        run.systems[EMAILOCTOPUS].writer.create_field(name, kind, name, ())
    except Refused as refusal:  # the free plan has seven fields
        log.error("activity_field_refused", pair=run.pair.name, field=name, code=refusal.code)
        run.interrupted = run.interrupted or NotShown(
            f"EmailOctopus refuses to make the field {name}: {refusal.message.rstrip('.')}. Show less in `activity`, "
            "make room for it, or name a field that is there.",
        )
        run.commit(Commit(looked_at={refused: run.pair.clock.now()}))
        return None
    log.info("field_created", pair=run.pair.name, system=EMAILOCTOPUS, field=name, type=kind)
    if run.following is not None:
        run.following.done(new)
    schema = run.systems[EMAILOCTOPUS].read_schema()
    run.pair.store.save_schema(schema)
    run.schemas[EMAILOCTOPUS] = schema
    return schema.field(name)


def operations_of(run: Run, specs: Mapping[str, FieldSpec], looks: Iterable[Look]) -> list[Operation]:
    """The writes that bring EmailOctopus up to date; what was refused waits for its time."""
    found = []
    for link, before, look in looks:
        values = {name: value for name, value in look.values.items() if name in specs}
        told = news(values, specs, before, link, digest_of(run))
        if told:
            found.append(showing(link, told, specs))
    waiting = run.pair.store.deeds([_key(one.ghl_id or "") for one in found])
    now = run.pair.clock.now()
    return [one for one in found if not _waits(waiting.get(_key(one.ghl_id or "")), now)]


def show(run: Run, specs: Mapping[str, FieldSpec], looks: Sequence[Look]) -> dict[str, Commit]:
    """Write what is news; what to remember of each contact that is up to date then, by GHL id."""
    operations = operations_of(run, specs, looks)
    asked = {one.ghl_id for one in operations}
    answers = sent(run, specs, operations)
    emptied = _emptied(run, answers)
    deeds = run.pair.store.deeds(list(map(_key, answers)))
    commits: dict[str, Commit] = {}
    for link, before, look in looks:
        answer = answers.get(link.ghl_id)
        if link.ghl_id in asked and answer is None:  # it wasn't sent
            continue
        commit = _settled(run, link, before, look, answer or Answer())
        if answer is not None:
            if (known := emptied.get(link.emailoctopus_id)) is not None:
                commit.contacts.append(known)
            commit.deeds.extend(_told_of_refusal(run, link, answer, deeds.get(_key(link.ghl_id))))
        commits[link.ghl_id] = commit
    return commits


def digest_of(run: Run) -> Digest:
    """What tells whether a field was told the same before; a number and its text are the same."""

    def digest(contact_id: str, name: str, value: Value) -> bytes:
        text = str(value) if isinstance(value, int) else value
        return run.pair.digester.field(EMAILOCTOPUS, contact_id, name, text)

    return digest


def foreseen(run: Run, operations: Sequence[Operation]) -> list[tuple[Operation, Planned]]:
    """Writes of activity, and what a plan holds of each: what was shown there last, and what is to be."""
    known = run.pair.store.activity([one.ghl_id or "" for one in operations])
    found = ((one, known.get(one.ghl_id or "")) for one in operations)
    return [
        (one, planned_activity(one, before.written if before and _is_in(before, one) else {}, run.pair.digester))
        for one, before in found
    ]


def _is_in(shown: KnownActivity, operation: Operation) -> bool:
    """Whether activity was shown in the contact that is to be written."""
    return shown.emailoctopus_id == operation.emailoctopus_id


def sent(run: Run, specs: Mapping[str, FieldSpec], operations: Sequence[Operation]) -> dict[str, Answer]:
    """The answers by GHL id, those left out that a plan which is carried out doesn't hold."""
    following = run.following
    if following is None:
        return _sent(run, specs, operations)
    planned = [(one, entry) for one, entry in foreseen(run, operations) if following.may(entry)]
    answers = _sent(run, specs, [one for one, _ in planned])
    for one, entry in planned:
        answer = answers.get(one.ghl_id or "")
        if answer is not None:
            (following.done if answer.refusal is None else following.parked)(entry)
    return answers


def _sent(run: Run, specs: Mapping[str, FieldSpec], operations: Sequence[Operation]) -> dict[str, Answer]:
    """The answers by GHL id, sent beside the mapped fields' columns: what an update empties unasked shows."""
    names = field_names(run.policy(), EMAILOCTOPUS) | specs.keys()
    system = run.systems[EMAILOCTOPUS].with_schema(run.schemas[EMAILOCTOPUS], names)
    sender = Sender(
        systems={**run.systems, EMAILOCTOPUS: system},
        progress=run.pair.progress,
        names={name: {each: each for each in specs} for name in run.systems},
        workers=run.pair.workers,
        batch=run.sender.batch,
        tick=run.pair.lease.keep,
        told_to_stop=run.pair.told_to_stop,
        stopped=run.sender.stopped,
    )
    _begin(run, operations)
    answers: dict[str, Answer] = defaultdict(Answer)
    for results in sender.send(operations):
        for result in results:
            answer = answers[result.operation.ghl_id or ""]
            answer.results.append(result)
            if result.refusal is None:
                answer.done.update(result.operation.fields)
            else:
                answer.refusal = result.refusal
    return answers


def _begin(run: Run, operations: Sequence[Operation]) -> None:
    """Remember that these fields may show something else from now on, whatever becomes of the answers or of us."""
    ids = [one.ghl_id or "" for one in operations]
    known = run.pair.store.activity(ids)
    both = [
        (one, known.get(ghl_id) or KnownActivity(ghl_id, one.emailoctopus_id or ""))
        for ghl_id, one in zip(ids, operations, strict=True)
    ]
    rows = [
        replace(before, written={**before.written, **dict.fromkeys(one.fields, UNKNOWN)})
        for one, before in both
        if _is_in(before, one)
    ]
    if rows:
        run.commit(Commit(activity=rows))


def _settled(run: Run, link: Link, before: KnownActivity, look: Shown, answer: Answer) -> Commit:
    """What to remember of one contact: a field that was refused isn't taken for shown."""
    there = link.emailoctopus_id
    written = dict(before.written) if before.emailoctopus_id == there else {}
    digest = digest_of(run)
    written.update(dict.fromkeys((name for one in answer.results for name in one.operation.fields), UNKNOWN))
    written.update({name: digest(there, name, value) for name, value in answer.done.items()})
    commit = Commit(changes=[Change("written", EMAILOCTOPUS, link.ghl_id, there, name, _WHY) for name in answer.done])
    after = replace(look.known if answer.refusal is None else before, emailoctopus_id=there, written=written)
    if after != before or answer.done:
        commit.activity.append(after)
    if answer.done:
        run.report.written[EMAILOCTOPUS, "updated"] += 1
    return commit


def _emptied(run: Run, answers: Mapping[str, Answer]) -> dict[str, KnownContact]:
    """The contacts without mapped fields that a write emptied though it didn't name them, by id: that is nobody's edit.

    That an update keeps what it doesn't name is very likely, but not in print.
    """
    told = {
        contact.contact_id: contact
        for answer in answers.values()
        if (contact := next((one.returned.contact for one in reversed(answer.results) if one.returned), None))
    }
    rules = [mapped.rule for mapped in run.mapped_fields()]
    digest = run.pair.digester.field
    emptied: dict[str, KnownContact] = {}
    for contact_id, known in run.pair.store.contacts(EMAILOCTOPUS, told).items():
        before, now = known.baseline or Baseline(), told[contact_id].fields
        blanks = {rule.key: digest(EMAILOCTOPUS, contact_id, rule.key, None) for rule in rules}
        lost = {
            rule.key: blanks[rule.key]
            for rule in rules
            if now.get(rule.emailoctopus) is None and before.fields.get(rule.key, blanks[rule.key]) != blanks[rule.key]
        }
        if lost:
            emptied[contact_id] = replace(known, baseline=replace(before, fields={**before.fields, **lost}))
    return emptied


def _told_of_refusal(run: Run, link: Link, answer: Answer, before: Deed | None) -> Iterator[Deed]:
    """The refusal of a write, until it was taken: it is tried again by the schedule of what is parked."""
    now, refusal = run.pair.clock.now(), answer.refusal
    if refusal is not None:
        attempts = before.attempts if before is not None else 0
        there = link.emailoctopus_id
        deed = Deed(_key(link.ghl_id), _WHAT, link.ghl_id, there, DeedState.INTENDED, now, attempts=attempts)
        again = refused(deed, refusal.code, refusal.message, now)
        names = {"pair": run.pair.name, "ghl_id": link.ghl_id, "emailoctopus_id": there}
        log.warning("activity_refused", **names, code=refusal.code, attempts=again.attempts)
        yield again
    elif before is not None and before.state is DeedState.REFUSED:
        yield replace(before, state=DeedState.DONE, attempts=0, next_try=None, code="", message="")


def _key(ghl_id: str) -> str:
    return f"{ACTIVITY}:{ghl_id}"


def _waits(deed: Deed | None, now: datetime) -> bool:
    return deed is not None and deed.next_try is not None and deed.next_try > now

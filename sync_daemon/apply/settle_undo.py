"""What is remembered of an undo once its operations were answered. Pure.

What was put back counts as agreed, on the side it was written to alone: the other side's baselines, and whatever else
is known of the two, stay as they were. So what changed meanwhile is still a change for the next cycle.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sync_daemon.apply.answers import Answers, Written, latest
from sync_daemon.apply.audit import audit
from sync_daemon.apply.baselines import Baselines
from sync_daemon.apply.burial import lay_to_rest
from sync_daemon.apply.intents import intents
from sync_daemon.apply.verify import Failure, failures
from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.contact import Consent, Value
from sync_daemon.model.plan import Action, WriteResult
from sync_daemon.model.state import Baseline, KnownContact, Link, Staged
from sync_daemon.model.undo import Left
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision, Undone
from sync_daemon.reconcile.side_consent import consent_now


def settle_undo(decision: Decision, results: Sequence[WriteResult], context: Context) -> Commit:
    """Everything to store about one pair of contacts. Operations without a result weren't sent."""
    undone, link = decision.undoes, decision.link or decision.dissolves
    if undone is None or link is None:
        raise ValueError("only an undo of a link is settled so")
    answers = Answers(decision, results, context)
    commit = Commit()
    ids = (link.ghl_id, link.emailoctopus_id)
    if undone.gone is not None:
        if answers.complete and not answers.failed:
            _bury(commit, decision, undone, context)
        dropped: list[str] = []
    else:
        dropped = _settle(commit, decision, undone, answers, context)
    if answers.complete:
        commit.unheld.extend(decision.unholds)
    commit.changes.extend(audit(decision, answers, commit, ids, dropped))
    return commit


def not_taken(decision: Decision, results: Iterable[WriteResult], context: Context) -> Iterator[Left]:
    """What a system didn't take of an undo: it stays as it is, and isn't tried again by itself."""
    link = decision.link or decision.dissolves
    for result in results:
        for failure in failures(result, context.fields):
            if link is not None:
                ids = (link.ghl_id, link.emailoctopus_id)
                yield Left(result.operation.system, *ids, failure.part, f"refused: {_words(failure)}")


def _words(failure: Failure) -> str:
    return failure.message or failure.code


def _settle(commit: Commit, decision: Decision, undone: Undone, answers: Answers, context: Context) -> list[str]:
    """Store what both contacts and their link are now; the mapping rows that a write of others emptied."""
    baselines = Baselines(decision, answers, context, 0)
    begun = {row.key: row.sent for row in intents(decision, context)}
    dropped: list[str] = []
    taken: set[str] = set()
    for side in decision.case.both():
        written = answers.on(side.system, side.contact_id)
        lost = [m.rule.key for m in context.fields if baselines.was_dropped(m.rule, side, written)]
        dropped.extend(lost)
        fields = dict(_fields_now(side, written, undone, context))
        tags = _tags_now(side, answers, undone, context)
        taken |= fields.keys() - answers.failed.keys()
        taken |= {"tags"} if undone.tags_back.get(side.system) or _writes_tags(written) else set()
        if not (written.operations or fields or undone.tags_back.get(side.system) or side.known.sent):
            continue
        before = side.known.baseline or Baseline()
        blanks = {key: _digest(side, key, None, context) for key in lost}
        commit.contacts.append(
            replace(
                _touched(side, written, context),
                baseline=replace(before, fields={**before.fields, **fields, **blanks}, tags=tags),
                sent=None if answers.complete else begun.get(side.key, side.known.sent),
            )
        )
        commit.staged.extend(_heed_consent(side, written))
    if decision.link is not None:
        commit.links.append(_link_after(decision.link, undone, taken - answers.failed.keys(), dropped))
    return dropped


def _touched(side: CaseSide, written: Written, context: Context) -> KnownContact:
    if not written.operations:
        return side.known
    updated_at = latest(side.known.updated_at, written.updated_at)
    return replace(side.known, updated_at=updated_at, written_at=context.now, seen=None)


def _fields_now(side: CaseSide, written: Written, undone: Undone, context: Context) -> Iterator[tuple[str, bytes]]:
    """The digests of what was written, as it came back, and of what had been put back before."""
    for mapped in context.fields:
        key, name = mapped.rule.key, mapped.rule.name_in(side.system)
        wrote = next((op for op in written.operations if name in op.fields), None)
        if wrote is not None:
            value = written.contact.fields.get(name) if written.contact is not None else wrote.fields[name]
            yield key, _digest(side, key, value, context)
        elif key in undone.back.get(side.system, ()) and side.snapshot is not None:
            yield key, _digest(side, key, side.snapshot.fields.get(name), context)


def _tags_now(side: CaseSide, answers: Answers, undone: Undone, context: Context) -> frozenset[bytes] | None:
    """The tags agreed about on one side, with those that were added, and without those that were removed."""
    detector = context.detector
    tags = (side.known.baseline or Baseline()).tags
    if tags is None:
        return None
    mine = [
        result for result in answers.done if result.operation in answers.on(side.system, side.contact_id).operations
    ]
    for result in mine:
        named = detector.tags.travelling(side.system, result.operation.tags).values()
        digests = detector.tag_digests(side.system, side.contact_id, named)
        if not failures(result, ()) and result.operation.action is Action.ADD_TAGS:
            tags |= digests
        elif not failures(result, ()) and result.operation.action is Action.REMOVE_TAGS:
            tags -= digests
    known = {detector.tags.ghl_name(tag): tag for tag in detector.tags.all()}
    for name, present in undone.tags_back.get(side.system, {}).items():
        digest = detector.tag_digests(side.system, side.contact_id, [known[name]] if name in known else [])
        tags = tags | digest if present else tags - digest
    return tags


def _writes_tags(written: Written) -> bool:
    return any(op.action in (Action.ADD_TAGS, Action.REMOVE_TAGS) for op in written.operations)


def _link_after(link: Link, undone: Undone, taken: Iterable[str], dropped: Iterable[str]) -> Link:
    """The link with the parts that differ on purpose now, and without those that are equal again."""
    settled = set(taken)
    differ = {part for part in settled if undone.diverged.get(part)}
    return replace(link, diverged=(link.diverged - settled) | differ | set(dropped))


def _heed_consent(side: CaseSide, written: Written) -> Iterator[Staged]:
    """Let a contact be read whose answer shows another consent than the read before: no hit may ever tell it."""
    told = written.contact.consent if written.contact is not None else None
    if told is not None and told is not consent_now(side):
        yield Staged(side.system, side.contact_id, None, revoked=told is Consent.REVOKED)


def _bury(commit: Commit, decision: Decision, undone: Undone, context: Context) -> None:
    """The end of a contact that was created, and of its link; the other isn't created there until it changes."""
    for side in decision.case.both():
        if side.system is undone.gone and decision.tombstone is not None:
            lay_to_rest(commit, [side], decision.tombstone)
        elif side.snapshot is not None:
            commit.contacts.append(
                replace(
                    side.known,
                    unlinked=decision.unlinked,
                    baseline=Baseline(consent=consent_now(side)),
                    seen=context.detector.digester.snapshot(side.snapshot),
                    generation=context.generation,
                    sent=None,
                )
            )
    if decision.dissolves is not None:
        commit.unlink.append(decision.dissolves)


def _digest(side: CaseSide, key: str, value: Value, context: Context) -> bytes:
    return context.detector.digester.field(side.system, side.contact_id, key, value)

"""The decision about one case: which of the rooms beside this one decides it."""

from dataclasses import replace

from sync_daemon.changes.cases import Case
from sync_daemon.reconcile.creation import (
    decide_blocked,
    decide_emailoctopus_only,
    decide_ghl_only,
    revocations_of_one,
)
from sync_daemon.reconcile.decision import Context, Decision, Needs, Notice, revocations_of
from sync_daemon.reconcile.deletions import decide_deletion, healed
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.reconcile.orphans import decide_dissolution
from sync_daemon.reconcile.pairs import decide_pair, revocations_of_pair


def decide(case: Case, context: Context, move: Move | None = None) -> Decision | Needs:
    """What is to be done about one person, or what must be read by id first. Pure: the same answer every time."""
    answer = _decide(case, context, move)
    if isinstance(answer, Decision) and not case.gone:
        answer = replace(answer, unholds=(*answer.unholds, *healed(case)))
    remarks = [side.snapshot.remark for side in case.sides() if side.snapshot and side.snapshot.remark]
    if isinstance(answer, Needs) or not remarks:
        return answer
    return replace(answer, notices=(*answer.notices, *(Notice("consent", remark) for remark in remarks)))


def decide_unread(case: Case, context: Context) -> Decision | None:
    """What narrows consent where a contact can't be read, by what is known of it; None when nothing does.

    Nothing else of such a case is decided.
    """
    if case.former is not None:
        return None
    if case.blocked_by is None and case.ghl is not None and case.emailoctopus is not None:
        return revocations_of_pair(case, context)
    return revocations_of(Decision(case, revocations_of_one(case), frozenset({"consent"})))


def _decide(case: Case, context: Context, move: Move | None) -> Decision | Needs:
    if case.gone:
        return decide_deletion(case, context)
    if case.blocked_by is not None:
        return decide_blocked(case, case.blocked_by, context)
    if move is not None and move.step is Step.DISSOLVE:
        return decide_dissolution(case, context, move)
    if case.ghl is not None and case.emailoctopus is not None:
        return decide_pair(case, context, move)
    if case.ghl is not None:
        return decide_ghl_only(case, context)
    return decide_emailoctopus_only(case, context)

"""What one case came to: what is stored of it, and what its writes replaced."""

from collections.abc import Sequence

from sync_daemon.apply.replaced import replaced
from sync_daemon.apply.settle import settle
from sync_daemon.apply.settle_undo import not_taken, settle_undo
from sync_daemon.cycle.noticing import noticed
from sync_daemon.cycle.pair import Run
from sync_daemon.model.plan import WriteResult
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision


def settled(run: Run, decision: Decision, results: Sequence[WriteResult], context: Context) -> Commit:
    """Everything to store about one case, with what goes into the undo journal and what rules may ask about."""
    if decision.undoes is not None:
        commit = settle_undo(decision, results, context)
        run.left.extend(not_taken(decision, results, context))
    else:
        commit = settle(decision, results, context, run.state.tag_generation)
        commit.occasions.extend(noticed(run, decision, context, commit.contacts))
    if run.pair.keeps_undo:
        commit.replaced.extend(replaced(decision, results, context, run.overwritten))
    return commit

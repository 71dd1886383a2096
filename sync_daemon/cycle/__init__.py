"""One pass over a pair: read, detect, reconcile, apply. `one_pass.py` is the whole of it in a few sentences."""

from sync_daemon.cycle.lease import Lease
from sync_daemon.cycle.one_pass import reconcile
from sync_daemon.cycle.outcome import report_of
from sync_daemon.cycle.pair import Pair, Timing
from sync_daemon.cycle.planning import PairPlan, plan
from sync_daemon.cycle.undoing import Task, UndoPlan, plan_undo, undo

__all__ = [
    "Lease",
    "Pair",
    "PairPlan",
    "Task",
    "Timing",
    "UndoPlan",
    "plan",
    "plan_undo",
    "reconcile",
    "report_of",
    "undo",
]

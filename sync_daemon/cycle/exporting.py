"""Who would be created in EmailOctopus as subscribed, one by one: for a file that its dashboard imports."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import EMAILOCTOPUS, Pair, Run
from sync_daemon.cycle.planning import decide_all, demand_both, read_whole
from sync_daemon.model.contact import Consent
from sync_daemon.model.grants import NotRevoked
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.reconcile.foreseen import asking


@dataclass(frozen=True, slots=True)
class Export:
    """An export under way. `left_out` counts creations that aren't in it, by reason, as far as it has come."""

    run: Run
    left_out: Counter[str]

    def creations(self) -> Iterator[Operation]:
        """Each creation in EmailOctopus that reconcile would send, of somebody whom nobody ever revoked.

        An import is made later than the decision, and of whoever is in its file: so it gets none of those whom only
        a read at the time of writing shows free again, who have to confirm, or whom a guard holds.
        """
        run, fields = self.run, self.run.pair.policy.fields
        for decision in decide_all(run):
            run.pair.progress.records_planned(bool(decision.operations))
            for now, held in asking(decision, fields, first_load=run.guard.first_load).parted(run.guard.over, fields):
                if held is not None and _creates(held):
                    self.left_out["held until somebody approves it"] += 1
                if now is not None and _creates(now):
                    if (why := _why_not(now)) is None:
                        yield now
                    else:
                        self.left_out[why] += 1
        demand_both(run)
        parked = run.pair.store.parked(everything=True)
        if refused := sum(one.what == "creation" and one.emailoctopus_id is None for one in parked):
            self.left_out["parked, as EmailOctopus refused it before"] += refused


def open_export(pair: Pair) -> Export:
    """Read both sides to their end, as a full plan does. Works on a private copy of the pair's state.

    Raises `StopSystem` and `IncompleteRead` when a side can't be read to its end: who is there isn't known then.
    """
    run = open_run(pair, CycleReport(pair.name, pair.new_run_id(), Mode.FULL), pair.store.state())
    read_whole(run)
    if not run.guard.first_load:  # what the guard holds is known only when all is counted
        for decision in decide_all(run):
            run.guard.sift([decision])
        run.guard.judge()
    return Export(run, Counter())


def _creates(operation: Operation) -> bool:
    return operation.system is EMAILOCTOPUS and operation.action is Action.CREATE


def _why_not(creation: Operation) -> str | None:
    """Why somebody who would be created mustn't be in a file, None where nothing stands against it."""
    grant = creation.sets
    if not isinstance(grant, NotRevoked):
        return "to be created as unsubscribed"
    if grant.consent is not Consent.GRANTED:
        return "to be asked to confirm first"
    if grant.remembered is not None or grant.lifted is not None:
        return "blocked or unsubscribed before"
    return None

"""What was written down as about to be sent and wasn't, as a system went out of reach: it is no writing of ours."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sync_daemon.apply.intents import before_intents
from sync_daemon.cycle.pair import Run
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.guard import begun


def withdraw(run: Run, unsent: Sequence[Decision], batch: Sequence[Decision], context: Context) -> None:
    """Store the intents of decisions of which nothing was sent as if they had never been, and count them no more.

    What a person does to these contacts from now on would count as ours else. The intents of the rest of the batch
    stay, and so does what was stored of the contacts meanwhile.
    """
    if not unsent:
        return
    mine = set(map(id, unsent))
    others = [decision for decision in batch if id(decision) not in mine]
    before = {row.key: row for row in before_intents(unsent, others, context)}
    commit, counted = Commit(), Counter[str]()
    for system in SystemName:
        stored = run.pair.store.contacts(system, [contact_id for name, contact_id in before if name is system])
        commit.contacts.extend(replace(row, sent=before[row.key].sent) for row in stored.values())
    for decision in unsent:
        counted.subtract(decision.counted - begun(decision.case))
    commit.mass_changes.update(counted)
    if commit.contacts:
        run.commit(commit)

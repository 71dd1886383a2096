"""What is about to be overwritten is read first, where nobody has: it goes into the undo journal.

A read that shows another value than the one both sides agreed about is an edit that no poll has told yet: nothing is
written over it, the two are decided together.
"""

from collections.abc import Sequence

from sync_daemon.apply.replaced import is_as_agreed, overwritten
from sync_daemon.changes.cases import ContactKey
from sync_daemon.cycle.intake import stage
from sync_daemon.cycle.judge import fetch
from sync_daemon.cycle.pair import Run, log
from sync_daemon.model.contact import Page, Snapshot
from sync_daemon.reconcile.decision import Context, Decision


def look_before_writing(run: Run, decisions: Sequence[Decision]) -> list[Decision]:
    """Read what some decisions overwrite unread into `run.overwritten`; those that hold true still.

    Contacts that can't be read are written to as they would be without a look.
    """
    run.overwritten.clear()
    if not run.pair.keeps_undo:
        return list(decisions)
    context = run.context()
    unread = {key for decision in decisions for key, _ in overwritten(decision, context)}
    found = fetch(run, unread) if unread else {}
    run.overwritten.update({key: one for key, one in found.items() if isinstance(one, Snapshot)})
    return [decision for decision in decisions if not _meets_an_edit(run, decision, context)]


def _meets_an_edit(run: Run, decision: Decision, context: Context) -> bool:
    if decision.case.exchanged:  # two links exchange their contacts together, or not at all
        return False
    return any(_is_edited(run, decision, key, parts, context) for key, parts in overwritten(decision, context))


def _is_edited(run: Run, decision: Decision, key: ContactKey, parts: frozenset[str], context: Context) -> bool:
    """Whether an edit that no poll has told stands in the way; it is staged then, to be decided about."""
    system, contact_id = key
    snapshot, side = run.overwritten.get(key), decision.case.side(system)
    if snapshot is None or side is None or is_as_agreed(snapshot, side, parts, context):
        return False
    stage(run, system, Page("read", (snapshot,)))
    staged = run.pair.store.staged(system, [contact_id]).get(contact_id)
    if staged is None or staged.snapshot is None:
        return False
    log.info("edited_meanwhile", pair=run.pair.name, system=system, contact_id=contact_id)
    return True

"""Tasks, notes and appointments shown in EmailOctopus, on an interval of their own (contract, section 9).

What can't be read or shown is reported and tried again: it never keeps contacts from being reconciled.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sync_daemon.cycle.automations import active_since, as_operation, due_starts, new_only, start_due
from sync_daemon.cycle.left_behind import left_behind, take_back
from sync_daemon.cycle.pair import GHL, Run, log
from sync_daemon.cycle.shared_activity import apart
from sync_daemon.cycle.showing import Look, fields_there, foreseen, operations_of, show
from sync_daemon.model.activity import ActivityPolicy, KnownActivity
from sync_daemon.model.contact import FieldSpec
from sync_daemon.model.deeds import Deed
from sync_daemon.model.errors import CredentialsRefused, NotShown, Refused, StopSystem
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.planned import Planned
from sync_daemon.model.report import Mode
from sync_daemon.ports import ActivityReader, Commit
from sync_daemon.read.activity import look_at_all, look_at_some, with_notes
from sync_daemon.reconcile.activity import Moment
from sync_daemon.reconcile.activity_seen import Seen, shown
from sync_daemon.reconcile.automations import occasions
from sync_daemon.reconcile.planned import planned_start

LOOKED, COMPLETED = "activity", "activity_completed"
NOTES_PAID = "activity_notes"
_AT_ONCE = 500
_EVENTS = 1000
_DAY = timedelta(days=1)
_MARGIN = timedelta(minutes=2)
"""How far GHL's clock and this one may differ when a contact's change is held against a look at its notes."""


def show_activity(run: Run) -> None:
    """Look at activity where it is time or webhooks told of some, and bring EmailOctopus's fields up to date."""
    policy = run.pair.activity
    if run.stopped or run.failed or run.pair.told_to_stop():
        return
    told = run.pair.store.waiting_activity(_EVENTS)
    try:
        if policy is not None:
            _show(run, policy, sorted({event.contact_id for event in told}))
            start_due(run)
    except CredentialsRefused as refused:  # the token lacks a scope that contacts don't need
        run.interrupted = run.interrupted or NotShown(refused.shown)
        log.error("activity_unreadable", pair=run.pair.name, reason=refused.shown)
    except StopSystem as error:
        run.sender.stopped.setdefault(error.system, error)
    except Refused as refused:
        run.interrupted = run.interrupted or refused
        log.error("activity_unreadable", pair=run.pair.name, reason=refused.shown)
    if run.following is not None and run.following.activity_left:
        return
    if told and not run.stopped:  # what couldn't be read is looked at when its interval has passed
        run.commit(Commit(heeded=told))


def foresee_activity(run: Run) -> list[tuple[Operation, Planned]]:
    """What a cycle would show and start now, and that as a plan holds it; nothing is made, written or remembered.

    What can't be read is left out: the cycle itself says so.
    """
    policy, now = run.pair.activity, run.pair.clock.now()
    if policy is None:
        return []
    begun = [_as_planned(run, deed) for deed in due_starts(run)]
    if not (run.full or _is_due(run, LOOKED, policy.poll_every)):
        return begun
    try:
        seen = _everything(run, policy, now, completed=run.full or COMPLETED not in run.state.looked_at)
    except (CredentialsRefused, Refused) as error:
        log.error("activity_unreadable", pair=run.pair.name, reason=error.shown)
        return begun
    found: list[tuple[Operation, Planned]] = []
    since, specs = active_since(run, policy), fields_there(run, policy)
    for part in _ids(run, seen):
        found += foreseen(run, left_behind(run, part).clearings(specs))
    for looks in _parts(run, policy, seen):
        found += foreseen(run, operations_of(run, specs, looks))
        deeds = [deed for look in looks for deed in occasions(since, *look, now)]
        found += (_as_planned(run, deed) for deed in new_only(run, deeds))
    return found + begun


def _as_planned(run: Run, deed: Deed) -> tuple[Operation, Planned]:
    return as_operation(deed), planned_start(deed, run.pair.digester)


def requests_for_activity(run: Run, operations: Sequence[Operation]) -> int:
    """How many requests it takes to carry these out: updates go in batches, a start alone."""
    updates = [one for one in operations if one.action is Action.UPDATE]
    return len(run.sender.bundle(updates)) + len(operations) - len(updates)


def _show(run: Run, policy: ActivityPolicy, ids: Sequence[str]) -> None:
    now = run.pair.clock.now()
    whole = run.report.mode is not Mode.HINTS and (run.full or _is_due(run, LOOKED, policy.poll_every))
    if not whole and not ids:
        return
    specs = fields_there(run, policy)
    noted: dict[str, datetime] = {}
    if whole:
        completed = run.full or COMPLETED not in run.state.looked_at
        seen = _everything(run, policy, now, completed=completed)
        noted = {LOOKED: now, **({COMPLETED: now} if completed else {})}
    else:
        seen = look_at_some(_source(run), policy, now, [link.ghl_id for link in run.pair.store.links(ghl=ids)])
    if seen.unread:
        log.warning("activity_unread", pair=run.pair.name, contacts=len(seen.unread))
    _bring_up_to_date(run, policy, specs, seen)
    left = run.following is not None and run.following.activity_left  # it is to be looked at again by the next cycle
    if not run.stopped:
        run.commit(Commit(looked_at={**({} if left else noted), **_paid(run, policy, seen)}))


def _everything(run: Run, policy: ActivityPolicy, now: datetime, *, completed: bool) -> Seen:
    store = run.pair.store
    known = store.activity(store.ids_with_activity(open_tasks=True))
    seen = look_at_all(_source(run), policy, now, completed=completed, known=known)
    if policy.notes is None:
        return seen
    affordable = int((now - _paid_until(run, now)) / _DAY * policy.notes_a_day)
    return with_notes(seen, _source(run), store.stale_notes(now - _DAY, _MARGIN, affordable))


def _paid_until(run: Run, now: datetime) -> datetime:
    """The moment up to which the budget for notes is used: at least all of it but the last day's."""
    return max(run.state.looked_at.get(NOTES_PAID, now - _DAY), now - _DAY)


def _paid(run: Run, policy: ActivityPolicy, seen: Seen) -> dict[str, datetime]:
    """That moment after a look: each contact whose notes were read moves it on by its share of a day."""
    if not seen.notes:
        return {}
    return {NOTES_PAID: _paid_until(run, seen.at) + _DAY * len(seen.notes) / max(policy.notes_a_day, 1)}


def _bring_up_to_date(run: Run, policy: ActivityPolicy, specs: Mapping[str, FieldSpec], seen: Seen) -> None:
    """Show what was seen, and note what happened, part by part."""
    since = active_since(run, policy)
    for part in _ids(run, seen):
        take_back(run, specs, part)
    for looks in _parts(run, policy, seen):
        if run.stopped or run.pair.told_to_stop():
            return
        commit = Commit()
        deeds: list[Deed] = []
        settled = show(run, specs, looks)
        for link, before, look in looks:
            if (mine := settled.get(link.ghl_id)) is not None:
                commit.include(mine)
                deeds.extend(occasions(since, link, before, look, seen.at))
        commit.deeds.extend(new_only(run, deeds))
        run.commit(commit)


def _ids(run: Run, seen: Seen) -> Iterator[list[str]]:
    """Whom a look is about, so many at a time: neither memory nor a transaction grows with the location."""
    known_before = set(run.pair.store.ids_with_activity()) if seen.everybody else set()
    listed = sorted((seen.ids() | known_before) - seen.unread)
    yield from (listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE))


def _parts(run: Run, policy: ActivityPolicy, seen: Seen) -> Iterator[list[Look]]:
    """What was seen of linked contacts, part by part."""
    moment = Moment(seen.at, run.zone)
    for part in _ids(run, seen):
        links = {link.ghl_id: link for link in run.pair.store.links(ghl=part)}
        known = run.pair.store.activity(part)
        looks: list[Look] = []
        for ghl_id, link in links.items():
            if link.in_scope:
                before = known.get(ghl_id) or KnownActivity(ghl_id, link.emailoctopus_id)
                looks.append((link, before, shown(seen, policy, before, moment)))
        yield apart(run, looks)


def _source(run: Run) -> ActivityReader:
    source = run.systems[GHL].activity
    if source is None:
        raise ValueError("GHL has activity")
    return source


def _is_due(run: Run, what: str, every: timedelta) -> bool:
    """Whether an interval has passed; a last look in the future tells that the clock was put back."""
    last, now = run.state.looked_at.get(what), run.pair.clock.now()
    return last is None or not timedelta(0) <= now - last < every

"""What a cycle would do about one person: a cycle of his own, on a copy of his rows, that only pretends to write.

Whoever was read is put into the inbox as a poll, or a full scan, would have put him there. A poll shows what changed
since its watermark: who changed otherwise, say by an opt-out that moves no timestamp, waits for a sweep, a webhook or
the next full scan. Every write is taken to be accepted; what others of the same cycle ask of a guard isn't known.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sync_daemon.changes.cases import ContactKey
from sync_daemon.cycle import hints
from sync_daemon.cycle.intake import OVERLAP, stage, watermark_key
from sync_daemon.cycle.one_pass import work_through
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Pair, Run
from sync_daemon.cycle.pretence import Pretence
from sync_daemon.cycle.rules import foresee_stored
from sync_daemon.cycle.scanning import look_at_held_again, stage_missing
from sync_daemon.cycle.sight import Sight
from sync_daemon.model.audit import ChangeFilter
from sync_daemon.model.contact import Consent, Page, Snapshot, Source
from sync_daemon.model.explanation import Forecast
from sync_daemon.model.plan import Operation, RuleAction
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Change
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit

WRITTEN = "written"
_STATUS = {Consent.GRANTED: "subscribed", Consent.PENDING: "pending", Consent.REVOKED: "unsubscribed", None: ""}


@dataclass(frozen=True, slots=True)
class Told:
    """What a cycle would do with everybody around a person, in order; `changes` is what it would log beside that."""

    mode: Mode
    operations: tuple[Operation, ...]
    actions: tuple[RuleAction, ...]
    held_actions: tuple[RuleAction, ...]
    changes: tuple[Change, ...]


def begin(pair: Pair, sight: Sight, mode: Mode) -> Run:
    """A cycle that has read one person. `pair` has a copy of his rows, and systems that have read him."""
    run = open_run(pair, CycleReport(pair.name, "", mode), pair.store.state())
    run.polled_at = pair.clock.now()
    run.schema_fresh = pair.schema_fresh
    number = pair.store.begin_scan() if run.full else 0
    run.search_tells_consent = run.search_tells_consent and not run.full  # as a scan begins
    for (name, stream), snapshots in _listed(run, sight).items():
        stage(run, name, Page(stream, tuple(snapshots), tells_consent=any(map(_tells_consent, snapshots))), scan=number)
    run.polled.update(SystemName)
    if run.full:
        _stage_missing(run, sight, number)
    hints.heed(run)
    return run


def go_on(run: Run, pretence: Pretence) -> Told:
    """Let the cycle do all that waits of the person."""
    work_through(run)
    actions, held_actions = foresee_stored(run)
    changes = tuple(line.change for line in run.pair.store.every_logged(ChangeFilter()))
    return Told(run.report.mode, tuple(pretence.written), tuple(actions), tuple(held_actions), changes)


def forecast(told: Told, keys: Collection[ContactKey]) -> Forecast:
    """The part of it that is about some contacts."""
    ids = {name: {one for of, one in keys if of is name} for name in SystemName}

    def concerns(one: Operation | RuleAction | Change) -> bool:
        return one.ghl_id in ids[GHL] or one.emailoctopus_id in ids[EMAILOCTOPUS]

    return Forecast(
        told.mode,
        tuple(filter(concerns, told.operations)),
        tuple(filter(concerns, told.actions)),
        tuple(filter(concerns, told.held_actions)),
        tuple(one for one in told.changes if one.kind != WRITTEN and concerns(one)),
    )


def _listed(run: Run, sight: Sight) -> dict[tuple[SystemName, str], list[Snapshot]]:
    """What the listings of this cycle show of those that were read, the oldest change first."""
    shown: dict[tuple[SystemName, str], list[Snapshot]] = {}
    for snapshot in sorted(filter(None, sight.contacts.values()), key=lambda one: one.updated_at):
        name, stream = snapshot.system, _stream(run, snapshot)
        if run.full or snapshot.updated_at >= run.state.watermarks[watermark_key(name, stream)] - OVERLAP[name]:
            shown.setdefault((name, stream), []).append(_as_listed(run, snapshot))
    return shown


def _as_listed(run: Run, snapshot: Snapshot) -> Snapshot:
    """A contact as a listing shows it: GHL's hits tell no DND of who never had any."""
    if not run.systems[snapshot.system].reader.runs_behind:
        return replace(snapshot, source=Source.LISTING)
    known = run.pair.store.contacts(snapshot.system, [snapshot.contact_id]).get(snapshot.contact_id)
    agreed = known.baseline.consent if known is not None and known.baseline is not None else None
    had = known is not None and Consent.REVOKED in (known.consent, agreed)
    untold = snapshot.consent is Consent.GRANTED and not had
    return replace(snapshot, source=Source.HINT, consent=None if untold else snapshot.consent)


def _tells_consent(snapshot: Snapshot) -> bool:
    """Whether a hit carries `dndSettings`; `dnd: true` alone, a permanent block, is told without them."""
    told = snapshot.source is Source.HINT and snapshot.consent is not None
    return told and (snapshot.consent is Consent.GRANTED or not snapshot.permanent)


def _stream(run: Run, snapshot: Snapshot) -> str:
    """The listing that shows a contact: the only one, or that of its status."""
    streams, status = run.systems[snapshot.system].reader.streams, _STATUS[snapshot.consent]
    return status if status in streams else streams[0]


def _stage_missing(run: Run, sight: Sight, number: int) -> None:
    """Who doesn't exist is missing in a full scan; of whom nothing was read nothing is told."""
    for name in SystemName:
        gone = {one for (of, one), snapshot in sight.contacts.items() if of is name and snapshot is None}
        ids = set(run.pair.store.absent_from_scan(name, number, run.pair.clock.now())) - gone
        known = run.pair.store.contacts(name, ids).values()
        run.commit(Commit(contacts=[replace(one, scan=number) for one in known]))
        stage_missing(run, name, number, ())
    look_at_held_again(run, number)

"""What webhooks told is a hint: its contact is read by id before anything is decided, unless a poll has shown it.

Bursts about one contact are one hint; of a system about which many wait, one poll answers all that a poll can show.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sync_daemon.cycle import intake
from sync_daemon.cycle.forgotten import erase_told
from sync_daemon.cycle.pair import GHL, Run
from sync_daemon.model.state import KnownContact, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.ports import Commit

MOST_BY_ID = 20
"""More contacts than this of one system aren't read one by one while a poll can show them."""
_AT_ONCE = 1000


def poll_if_crowded(run: Run) -> None:
    """Poll when about one system more hints wait than are to be read one by one; both, as a merge needs both."""
    run.polled_at = run.pair.clock.now()
    if any(len(_contacts(_waiting(run, name))) > MOST_BY_ID for name in SystemName):
        intake.poll(run)


def heed(run: Run) -> None:
    """Stage what webhooks told, as far as this cycle's polls didn't show it. What a failed system owes waits."""
    told_of = run.pair.store.told_of()
    for name in intake.readable(run):
        while name in told_of and name not in run.failed and (waiting := _waiting(run, name)):
            _heed(run, name, waiting)


def _heed(run: Run, name: SystemName, waiting: Sequence[WebhookEvent]) -> None:
    left = erase_told(run, name, waiting)
    open_events = list(_unanswered(run, name, left)) if name in run.polled else left
    ids = _contacts(open_events)
    known, staged = run.pair.store.contacts(name, ids), run.pair.store.staged(name, ids)
    hints = [
        _hint(staged.get(contact_id) or Staged(name, contact_id, None), told)
        for contact_id, told in ids.items()
        if _concerns(known.get(contact_id), told)
    ]
    partners = () if run.polled else _partners(run, name, [hint.contact_id for hint in hints])
    run.commit(Commit(staged=[*hints, *partners], heeded=left))


def _waiting(run: Run, name: SystemName) -> list[WebhookEvent]:
    return run.pair.store.waiting_events(name, _AT_ONCE)


def _contacts(events: Collection[WebhookEvent]) -> dict[str, list[WebhookEvent]]:
    """The events of each contact."""
    told: dict[str, list[WebhookEvent]] = {}
    for event in events:
        told.setdefault(event.contact_id, []).append(event)
    return told


def _unanswered(run: Run, name: SystemName, waiting: Sequence[WebhookEvent]) -> Iterator[WebhookEvent]:
    """The events that the poll just made didn't show; of too many to be read one by one, what it couldn't show."""
    ids = _contacts(waiting)
    known, staged = run.pair.store.contacts(name, ids), run.pair.store.staged(name, ids)
    crowded = len(ids) > MOST_BY_ID
    for event in waiting:
        if _is_shown(event, known.get(event.contact_id), staged.get(event.contact_id)):
            continue
        if not crowded or event.kind is not EventKind.CHANGED or _is_later(event, run.polled_at):
            yield event


def _is_later(event: WebhookEvent, polled_at: datetime | None) -> bool:
    """Whether an event came when the poll had begun."""
    return event.received_at is not None and polled_at is not None and event.received_at > polled_at


def _is_shown(event: WebhookEvent, known: KnownContact | None, staged: Staged | None) -> bool:
    """Whether what was listed is as new as the event. No listing shows a deletion, nor every hit of GHL's a DND."""
    if event.occurred_at is None or event.kind is EventKind.DELETED:
        return False
    if event.kind is EventKind.REVOKED and event.system is GHL:
        return False
    snapshot = staged.snapshot if staged is not None else None
    times = (known.updated_at if known else None, snapshot.updated_at if snapshot else None)
    return any(time is not None and time >= event.occurred_at for time in times)


def _concerns(known: KnownContact | None, told: Sequence[WebhookEvent]) -> bool:
    """Whether a contact is to be read; one that nobody knew and that is deleted needn't be."""
    return known is not None or any(event.kind is not EventKind.DELETED for event in told)


def _hint(row: Staged, told: Sequence[WebhookEvent]) -> Staged:
    """The contact's inbox row without what was read before the event; what it is marked with stays."""
    return replace(
        row,
        snapshot=None,
        revoked=row.revoked or any(event.kind is EventKind.REVOKED for event in told),
        absent=row.absent or any(event.kind is EventKind.DELETED and event.verified for event in told),
    )


def _partners(run: Run, name: SystemName, ids: Collection[str]) -> list[Staged]:
    """Hints at the other contact of each link: what changed there since the last poll takes part in the merge."""
    store, other = run.pair.store, name.other
    links = store.links(ghl=ids) if name is GHL else store.links(emailoctopus=ids)
    partners = [link.id_in(other) for link in links]
    staged: Mapping[str, Staged] = store.staged(other, partners)
    return [Staged(other, contact_id, None) for contact_id in partners if contact_id not in staged]

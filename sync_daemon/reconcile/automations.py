"""Which EmailOctopus automations a look at a contact starts (contract, section 9). Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sync_daemon.model.activity import ActivityPolicy, KnownActivity
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.state import Link
from sync_daemon.reconcile.activity import is_to_come
from sync_daemon.reconcile.activity_seen import Shown

AUTOMATION = "automation"
COMPLETED, BOOKED = "completed", "booked"
Start = tuple[str, str]
"""What starts an automation, and its id."""


def configured(policy: ActivityPolicy) -> Iterator[Start]:
    """The automations that a pair starts."""
    if policy.tasks is not None and policy.tasks.on_completed is not None:
        yield COMPLETED, policy.tasks.on_completed
    if policy.appointments is not None and policy.appointments.on_booked is not None:
        yield BOOKED, policy.appointments.on_booked


def occasions(
    since: Mapping[Start, datetime], link: Link, before: KnownActivity, look: Shown, now: datetime
) -> Iterator[Deed]:
    """The starts that are due for what one look at a contact saw; those made or intended already are among them.

    `since` tells of each automation since when it has been active.
    """
    for (kind, automation), at_first in since.items():
        for record, at in _happened(kind, at_first, before, look, now):
            yield Deed(
                f"{AUTOMATION}:{automation}:{kind}:{record}",
                f"start the automation {automation}",
                link.ghl_id,
                link.emailoctopus_id,
                DeedState.INTENDED,
                now,
                at,
            )


def _happened(
    kind: str, since: datetime, before: KnownActivity, look: Shown, now: datetime
) -> Iterator[tuple[str, datetime]]:
    """The records that something happened to after a moment, with the time of it.

    A task was completed since if it was open at the last look, or was made since. Of a series one booking is told.
    """
    if since >= now:  # it has just become active: whatever shows now happened before
        return
    if kind == COMPLETED:
        for task in look.completed:
            if task.id in before.open_tasks or (task.added_at is not None and task.added_at > since):
                yield task.id, task.updated_at or now
        return
    for one in look.booked:
        if one.added_at is not None and one.added_at > since and is_to_come(one, now):
            yield one.id.partition("_")[0], one.added_at

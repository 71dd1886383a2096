"""What a check says of `activity`: fields that don't fit, rights that lack, and what a day of looks costs."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta
from math import ceil

from sync_daemon.commands.check.findings import Findings
from sync_daemon.model.activity import ActivityPolicy
from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import SyncError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, System
from sync_daemon.reconcile.activity import can_hold, field_types
from sync_daemon.settings.installation import ServiceSection

_DAY = timedelta(days=1)


def examine_activity(
    policy: ActivityPolicy,
    ghl: System,
    emailoctopus: AccountSchema,
    service: ServiceSection,
    clock: Clock,
    findings: Findings,
) -> None:
    """Look once as a cycle would. Nothing of it keeps contacts from being reconciled: so all of it is advice."""
    for name, kind in field_types(policy).items():
        spec = emailoctopus.field(name)
        if spec is not None and not can_hold(spec, kind):
            findings.advice.append(
                f"The field {name} of the list is a {spec.type}: it can't show what needs a {kind} or a text. Name "
                "another field in `activity`."
            )
    if policy.notes is not None and policy.notes.include is None:
        findings.advice.append(
            "`activity.notes` shows every note, and what a field holds can reach the customer: name those that may in "
            '`include`, such as ["#share*"].'
        )
    each_time, each_scan = _looks(policy, ghl, clock, findings)
    daily = _DAY / policy.poll_every * each_time + _DAY / service.full_scan_every * each_scan
    findings.daily[SystemName.GHL] += ceil(daily) + (policy.notes_a_day if policy.notes is not None else 0)


def _looks(policy: ActivityPolicy, ghl: System, clock: Clock, findings: Findings) -> tuple[int, int]:
    """How many requests a look takes, and how many more in a full scan."""
    source, now = ghl.activity, clock.now()
    if source is None:
        raise ValueError("GHL has activity")

    def cost(read: Callable[[], Iterable[object]]) -> int:
        before = ghl.usage().requests
        try:
            deque(read(), maxlen=0)
        except SyncError as error:
            findings.advice.append(f"`activity` can't be read: {error.shown}")
        return ghl.usage().requests - before

    tasks, appointments = policy.tasks, policy.appointments
    each_time = cost(lambda: source.tasks(completed=False)) if tasks is not None else 0
    if appointments is not None:
        each_time += cost(lambda: source.appointments(now - appointments.window, now + appointments.window))
    return each_time, cost(lambda: source.tasks(completed=True)) if tasks is not None else 0

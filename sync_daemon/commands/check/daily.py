"""What a day of the service costs in requests, before a single contact changes. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil

from sync_daemon.model.system import SystemName
from sync_daemon.settings.installation import ServiceSection
from sync_daemon.systems.emailoctopus.client import PAGE_SIZE
from sync_daemon.systems.ghl.listing import PAGE_LIMIT

_DAY = timedelta(days=1)
_GHL_SCHEMA_REQUESTS = 3
"""Custom fields, location, tags."""
_EMAILOCTOPUS_SCHEMA_REQUESTS = 2
"""List, tags."""
STATUSES = ("subscribed", "unsubscribed", "pending")


def requests_a_day(
    service: ServiceSection, ghl_contacts: int, emailoctopus_contacts: Mapping[str, int], *, by_id: bool = False
) -> dict[SystemName, int]:
    """Polls, counts, sweeps and full scans of a quiet day, for one pair.

    `by_id` says that full scans read every GHL contact by id, because search doesn't tell all that is mapped.
    """
    full_scans = _DAY / service.full_scan_every
    polls = _DAY / service.poll_every
    ghl_scan = _pages(ghl_contacts, PAGE_LIMIT) + _GHL_SCHEMA_REQUESTS + (ghl_contacts if by_id else 0)
    emailoctopus_scan = sum(_pages(emailoctopus_contacts.get(status, 0), PAGE_SIZE) for status in STATUSES)
    return {
        SystemName.GHL: ceil(polls + _DAY / service.consent_sweep_every + full_scans * ghl_scan),
        SystemName.EMAILOCTOPUS: ceil(
            polls * len(STATUSES)
            + _DAY / service.counts_every
            + full_scans * (emailoctopus_scan + _EMAILOCTOPUS_SCHEMA_REQUESTS)
        ),
    }


def reports_a_day(poll_every: timedelta, campaigns: int) -> int:
    """What rules ask in a quiet day: at each reading the list of campaigns, and how much each one's report holds."""
    return ceil(_DAY / poll_every * (1 + campaigns))


def _pages(contacts: int, size: int) -> int:
    return max(1, ceil(contacts / size))

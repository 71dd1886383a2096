"""Campaign reports, read as far as rules need them: newest campaigns first, a report only when it has grown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sync_daemon.cycle.pair import EMAILOCTOPUS, Run, log
from sync_daemon.model.engagement import Campaign, Kind, Occasion, ReportRead, ReportRow, told
from sync_daemon.model.errors import CredentialsRefused, IncompleteRead, Refused, Stopped, StopSystem
from sync_daemon.model.report import Mode
from sync_daemon.ports import Commit, Engagement

REPORTS = "reports"
"""What the time of the last reading is stored under."""
EACH_TIME, _IN_A_FULL_SCAN = timedelta(days=30), timedelta(days=90)
"""How long after it was sent a campaign's reports are read; the free plan keeps them 30 days (facts: §14)."""
_AT_ONCE = 1000
_A_MOMENT = timedelta(seconds=1)
_FAILS_FOR = timedelta(hours=1)
"""So long reading may fail before a cycle says that it is incomplete."""

ReadBefore = Mapping[tuple[str, Kind], ReportRead]


def read_reports(run: Run, since: datetime) -> None:
    """Store what the reports tell that happened after `since`, if a rule asks and the interval has passed.

    Whatever goes wrong, contacts were reconciled: it is tried again in the next cycle.
    """
    listening = run.pair.rules.listens_to
    engagement = run.pair.systems[EMAILOCTOPUS].engagement
    if engagement is None or not listening or run.report.mode is Mode.HINTS or not _is_due(run):
        return
    began = run.pair.clock.now()
    read = run.pair.store.reports()
    unchanged: list[ReportRead] = []
    try:
        for campaign in recent_campaigns(engagement, began - (_IN_A_FULL_SCAN if run.full else EACH_TIME)):
            run.campaigns[campaign.id] = campaign
            run.tick()
            unchanged += _read_campaign(run, engagement, campaign, since, read)
    except (CredentialsRefused, IncompleteRead, Refused) as error:
        _note_failure(run, error)
    except StopSystem as error:
        if isinstance(error, Stopped):
            raise
        _note_failure(run, error)
    else:
        run.commit(Commit(looked_at={REPORTS: began}, reports=unchanged))


def recent_campaigns(engagement: Engagement, since: datetime) -> list[Campaign]:
    """The list's campaigns sent since then, the newest first; the API's own order is undocumented."""
    dated = [(one.sent_at, one) for one in engagement.campaigns() if one.sent_at is not None and one.sent_at >= since]
    return [one for _, one in sorted(dated, key=lambda pair: pair[0], reverse=True)]


def as_told(
    run: Run, campaign: Campaign, kind: Kind, rows: Iterator[ReportRow], before: datetime | None
) -> list[Occasion]:
    """A report's rows as occasions. One without a time happened after the last reading, or after the sending.

    Of a campaign that went to other lists, too, those are left out whom nobody knows on this one.
    """
    earliest = before or campaign.sent_at
    untold = earliest + _A_MOMENT if earliest is not None else None
    occasions = [told(kind, row.contact_id, campaign.id, row.occurred_at or untold) for row in rows]
    if len(campaign.list_ids) <= 1:
        return occasions
    known = run.pair.store.contacts(EMAILOCTOPUS, {one.contact_id for one in occasions})
    return [one for one in occasions if one.contact_id in known]


def _read_campaign(
    run: Run, engagement: Engagement, campaign: Campaign, since: datetime, read: ReadBefore
) -> list[ReportRead]:
    """Read those of a campaign's reports that have grown; the others, which are known to tell all until now."""
    began = run.pair.clock.now()
    counts = engagement.summary(campaign.id)
    unchanged = []
    for kind in sorted(run.pair.rules.listens_to):
        before, held = read.get((campaign.id, kind)), counts.get(kind, 0)
        if held <= (before.events if before is not None else 0):
            unchanged.append(replace(before or ReportRead(campaign.id, kind, 0, began), read_at=began))
            continue
        _read_report(run, engagement, campaign, since, before, ReportRead(campaign.id, kind, held, began))
    return unchanged


def _read_report(
    run: Run, engagement: Engagement, campaign: Campaign, since: datetime, before: ReportRead | None, now: ReportRead
) -> None:
    """One report. A growth is noted only when all of it is stored; what has a time and is old isn't.

    A report that lists less than its summary counts ended early, and is read again; two readings that agree are it.
    What it left out may be as old as the last reading that told all: until then its time stays.
    """
    rows = list(engagement.report(campaign.id, now.kind))
    told_until = before.read_at if before is not None else campaign.sent_at
    occasions = as_told(run, campaign, now.kind, _new(rows, since), told_until)
    for start in range(0, len(occasions), _AT_ONCE):
        run.commit(Commit(occasions=occasions[start : start + _AT_ONCE]))
    if len(rows) < now.events and not _agrees(run, before, len(rows)):
        now = replace(now, events=len(rows), read_at=told_until or now.read_at)
    run.commit(Commit(reports=[now]))


def _agrees(run: Run, before: ReportRead | None, listed: int) -> bool:
    """Whether a report that ended early did so in the last look, too, at the same row.

    A look moves the time of every report that told all to its own; an older one tells which did not.
    """
    last = run.state.looked_at.get(REPORTS)
    return before is not None and last is not None and before.read_at < last and before.events == listed


def _new(rows: Iterable[ReportRow], since: datetime) -> Iterator[ReportRow]:
    return (row for row in rows if row.occurred_at is None or row.occurred_at > since)


def _is_due(run: Run) -> bool:
    last = run.state.looked_at.get(REPORTS)
    return run.full or last is None or run.pair.clock.now() - last >= run.pair.rules.poll_every


def _note_failure(run: Run, error: StopSystem | IncompleteRead | Refused) -> None:
    """Say it; the cycle is incomplete only once this lasts."""
    last = run.state.looked_at.get(REPORTS)
    log.warning("reports_not_read", pair=run.pair.name, error=type(error).__name__, why=error.shown)
    if last is not None and run.pair.clock.now() - last >= max(_FAILS_FOR, 4 * run.pair.rules.poll_every):
        why = f"Campaign reports couldn't be read since {last:%Y-%m-%d %H:%M} UTC, so rules wait: {error.shown}"
        run.unread_reports = IncompleteRead(why)

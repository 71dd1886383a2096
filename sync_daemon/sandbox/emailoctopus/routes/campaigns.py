"""/campaigns and their reports, all of them read only (facts: §14)."""

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus.calls import Call, json_response
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.model import Campaign, ReportEvent
from sync_daemon.sandbox.emailoctopus.paging import rows_page
from sync_daemon.sandbox.emailoctopus.rendering import campaign_json, iso

_EVENTS = ("bounced", "clicked", "complained", "opened", "sent", "unsubscribed")
_ABSENCES = {"not-opened": "opened", "not-clicked": "clicked"}


def list_campaigns(call: Call) -> Response:
    """GET the account's campaigns."""
    rows = ((campaign.id, campaign_json(campaign)) for campaign in call.world.campaigns.values())
    return json_response(rows_page(call, rows))


def get_campaign(call: Call) -> Response:
    """GET one campaign."""
    return json_response(campaign_json(_named(call)))


def contact_report(call: Call) -> Response:
    """GET to whom something happened, or to whom it didn't, once for each contact. `status` is required."""
    campaign = _named(call)
    status = call.choice("status", (*_EVENTS, *_ABSENCES))
    rows = [(f"{event.at:012d} {event.contact_id}", _row(call, event)) for event in _events(campaign, status)]
    return json_response({"status": status, **rows_page(call, rows, keeps=("status",))})


def summary_report(call: Call) -> Response:
    """GET how often everything happened."""
    campaign = _named(call)
    hard = sum(event.hard for event in _first(campaign.events, "bounced"))
    bounced = len(_first(campaign.events, "bounced"))
    return json_response(
        {
            "id": campaign.id,
            "sent": len(_first(campaign.events, "sent")),
            "bounced": {"hard": hard, "soft": bounced - hard},
            "opened": _totals(campaign.events, "opened"),
            "clicked": _totals(campaign.events, "clicked"),
            "complained": len(_first(campaign.events, "complained")),
            "unsubscribed": len(_first(campaign.events, "unsubscribed")),
        }
    )


def link_report(call: Call) -> Response:
    """GET the clicks on each link; the one collection without pages."""
    clicks: dict[str, list[str]] = {}
    for event in _named(call).events:
        if event.kind == "clicked":
            clicks.setdefault(event.url, []).append(event.contact_id)
    rows = [{"url": url, "clicked_total": len(who), "clicked_unique": len(set(who))} for url, who in clicks.items()]
    return json_response({"data": rows})


def _named(call: Call) -> Campaign:
    campaign = call.world.campaigns.get(call.uuid("campaign_id"))
    if campaign is None:
        raise ProblemError(404)
    return campaign


def _events(campaign: Campaign, status: str) -> list[ReportEvent]:
    if status not in _ABSENCES:
        return _first(campaign.events, status)
    did = {event.contact_id for event in campaign.events if event.kind == _ABSENCES[status]}
    return [event for event in _first(campaign.events, "sent") if event.contact_id not in did]


def _first(events: Iterable[ReportEvent], kind: str) -> list[ReportEvent]:
    first: dict[str, ReportEvent] = {}
    for event in events:
        if event.kind == kind:
            first.setdefault(event.contact_id, event)
    return list(first.values())


def _totals(events: list[ReportEvent], kind: str) -> dict[str, int]:
    return {"total": sum(event.kind == kind for event in events), "unique": len(_first(events, kind))}


def _row(call: Call, event: ReportEvent) -> dict[str, Any]:
    row = {"contact_id": event.contact_id, "contact_email_address": event.email_address}
    return {**row, "occurred_at": iso(event.at)} if call.world.quirks.report_times else row

"""What people did with the mails of one list: campaigns and their reports (documented: OpenAPI; facts: §14)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from sync_daemon.model.engagement import Campaign, Kind, ReportRow
from sync_daemon.model.errors import IncompleteRead, NotFound
from sync_daemon.systems.emailoctopus import wire
from sync_daemon.systems.emailoctopus.client import Client
from sync_daemon.systems.emailoctopus.reader import pages
from sync_daemon.systems.event_times import moment_of

_SENT = ("sent", "sending")
T = TypeVar("T")


class _Campaign(msgspec.Struct):
    """A campaign; its content, which is long, isn't read. One that is being sent may not tell when it was."""

    id: str
    status: str = ""
    name: str | None = None
    subject: str | None = None
    to: list[str] | None = None
    created_at: Any = None
    sent_at: Any = None


class _Row(msgspec.Struct):
    """A row of a report; older plans leave `occurred_at` out (observed by users)."""

    contact_id: str
    occurred_at: Any = None


class _Bounced(msgspec.Struct):
    hard: int = 0
    soft: int = 0


class _Unique(msgspec.Struct):
    unique: int = 0


class _Summary(msgspec.Struct):
    bounced: _Bounced = msgspec.field(default_factory=_Bounced)
    opened: _Unique = msgspec.field(default_factory=_Unique)
    clicked: _Unique = msgspec.field(default_factory=_Unique)
    complained: int = 0
    unsubscribed: int = 0


class EmailOctopusReports:
    """The reports of the campaigns that went to one list, and perhaps to others with it."""

    def __init__(self, client: Client, list_id: str) -> None:
        self._client = client
        self._list_id = list_id

    def campaigns(self) -> Iterator[Campaign]:
        """The list's campaigns that were sent. Raises `IncompleteRead`."""
        for row in _rows("campaigns", self._client.list_campaigns, _Campaign):
            if row.status in _SENT and self._list_id in (row.to or ()):
                yield _campaign(row)

    def campaign(self, campaign_id: str) -> Campaign | None:
        """One campaign, None when there is none such."""
        try:
            return _campaign(self._client.get_campaign(campaign_id).decode(_Campaign))
        except NotFound:
            return None

    def summary(self, campaign_id: str) -> Mapping[Kind, int]:
        """How many contacts each kind of event has in a campaign."""
        told = self._client.get_summary(campaign_id).decode(_Summary)
        return {
            Kind.OPENED: told.opened.unique,
            Kind.CLICKED: told.clicked.unique,
            Kind.BOUNCED: told.bounced.hard + told.bounced.soft,
            Kind.COMPLAINED: told.complained,
            Kind.UNSUBSCRIBED: told.unsubscribed,
        }

    def report(self, campaign_id: str, kind: Kind) -> Iterator[ReportRow]:
        """To whom something happened in a campaign. Raises `IncompleteRead`."""

        def ask(cursor: str | None) -> wire.Page:
            return self._client.list_report(campaign_id, kind.value, cursor)

        for row in _rows(f"who {kind.value}", ask, _Row):
            yield ReportRow(row.contact_id, moment_of(row.occurred_at))


def _rows(what: str, ask: Callable[[str | None], wire.Page], form: type[T]) -> Iterator[T]:
    for page in pages(what, ask):
        try:
            yield from (msgspec.json.decode(row, type=form) for row in page.data)
        except msgspec.MsgspecError as error:
            raise IncompleteRead(f"EmailOctopus lists {what} in a form that isn't documented: {error}.") from error


def _campaign(row: _Campaign) -> Campaign:
    sent_at: datetime | None = moment_of(row.sent_at) or moment_of(row.created_at)
    return Campaign(
        row.id,
        row.name or "",
        row.subject or "",
        tuple(row.to or ()),
        sent_at.astimezone(UTC) if sent_at is not None else None,
    )

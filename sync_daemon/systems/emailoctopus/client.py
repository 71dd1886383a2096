"""EmailOctopus's operations as functions, one each (documented: OpenAPI; paths have no version)."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sync_daemon.http.answers import Response
from sync_daemon.http.session import Query, Retry, Session
from sync_daemon.model.errors import NotFound
from sync_daemon.systems.emailoctopus import wire
from sync_daemon.systems.emailoctopus.errors import Refusals

PAGE_SIZE = 100
"""Rows of a page at most (documented)."""

Body = Mapping[str, Any]


class Client:
    """The calls for one list. Each raises what `Session.request` does, `ConfigurationError` for an unknown list."""

    def __init__(self, session: Session, refusals: Refusals, list_id: str) -> None:
        self._session = session
        self._refusals = refusals
        self.list_id = list_id
        self._list = list_path(list_id)

    def list_lists(self, cursor: str | None) -> wire.Page:
        """GET a page of the account's lists."""
        return self._session.request("GET", "/lists", query={"limit": PAGE_SIZE, "starting_after": cursor}).decode(
            wire.Page
        )

    def get_list(self) -> wire.MailingList:
        """GET the list: its fields, settings and counts."""
        return self._of_list("GET", "").decode(wire.MailingList)

    def list_contacts(self, status: str, since: datetime | None, cursor: str | None) -> wire.Page:
        """GET a page of the contacts of a status; the filters must come with the cursor (facts: §3)."""
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else None
        query = {"status": status, "last_updated_at.gte": moment, "limit": PAGE_SIZE, "starting_after": cursor}
        return self._of_list("GET", "/contacts", query=query).decode(wire.Page)

    def get_contact(self, key: str) -> bytes | None:
        """GET a contact by id or by `md5_of` its address, None when the list has none such."""
        try:
            return self._session.request("GET", self._contact(key)).data
        except NotFound:
            return None

    def create_contact(self, body: Body) -> bytes:
        """POST a contact. Raises `AlreadyExists`, and `AnswerLost` as it may not be sent twice unasked."""
        return self._of_list("POST", "/contacts", body=body, retry=Retry.LOOK_FIRST).data

    def update_contact(self, contact_id: str, body: Body, *, revokes: bool = False, retry: Retry = Retry.SAFE) -> bytes:
        """PUT what changes of a contact; what isn't named stays. Raises `NotFound`, `AlreadyExists`."""
        return self._session.request("PUT", self._contact(contact_id), body=body, revokes=revokes, retry=retry).data

    def update_contacts(self, items: Sequence[Body], *, revokes: bool) -> wire.BatchAnswer:
        """PUT changes of several contacts, each with its `id`; some may be refused while others are done."""
        answer = self._of_list("PUT", "/contacts/batch", body={"contacts": items}, revokes=revokes)
        return answer.decode(wire.BatchAnswer)

    def delete_contact(self, contact_id: str) -> None:
        """DELETE a contact. Raises `NotFound`."""
        self._session.request("DELETE", self._contact(contact_id))

    def list_tags(self, cursor: str | None) -> wire.Page:
        """GET a page of the tags that the list defines."""
        return self._of_list("GET", "/tags", query={"limit": PAGE_SIZE, "starting_after": cursor}).decode(wire.Page)

    def create_tag(self, name: str) -> None:
        """POST a tag. Raises `AlreadyExists`, `PlanLimitReached`."""
        self._of_list("POST", "/tags", body={"tag": name})

    def create_field(self, body: Body) -> None:
        """POST a field. Raises `AlreadyExists`, `PlanLimitReached`."""
        self._of_list("POST", "/fields", body=body)

    def start_automation(self, automation_id: str, contact_id: str) -> None:
        """POST a contact into an automation's queue. Raises `AlreadyExists` for one who entered it, `NotFound`.

        Raises `Forbidden` for an automation that isn't active or has no trigger "Started via API" (observed).
        """
        path = f"/automations/{quote(automation_id, safe='')}/queue"
        self._session.request("POST", path, body={"contact_id": contact_id})

    def list_campaigns(self, cursor: str | None) -> wire.Page:
        """GET a page of the account's campaigns, whichever lists they went to."""
        query: Query = {"limit": PAGE_SIZE, "starting_after": cursor}
        return self._session.request("GET", "/campaigns", query=query).decode(wire.Page)

    def get_campaign(self, campaign_id: str) -> Response:
        """GET a campaign. Raises `NotFound`."""
        return self._session.request("GET", _campaign(campaign_id))

    def get_summary(self, campaign_id: str) -> Response:
        """GET how often everything happened in a campaign. Raises `NotFound`."""
        return self._session.request("GET", f"{_campaign(campaign_id)}/reports/summary")

    def list_report(self, campaign_id: str, status: str, cursor: str | None) -> wire.Page:
        """GET a page of the contacts to whom something happened in a campaign. Raises `NotFound`."""
        query: Query = {"status": status, "limit": PAGE_SIZE, "starting_after": cursor}
        return self._session.request("GET", f"{_campaign(campaign_id)}/reports", query=query).decode(wire.Page)

    def _of_list(self, method: str, path: str, **options: Any) -> Response:
        try:
            return self._session.request(method, self._list + path, **options)
        except NotFound as error:
            raise self._refusals.unknown_list() from error

    def _contact(self, key: str) -> str:
        return f"{self._list}/contacts/{quote(key, safe='')}"


def _campaign(campaign_id: str) -> str:
    return f"/campaigns/{quote(campaign_id, safe='')}"


def list_path(list_id: str) -> str:
    """The path of a list."""
    return f"/lists/{quote(list_id, safe='')}"


def md5_of(address: str) -> str:
    """How the API names a contact by its address: MD5 of the trimmed address in lower case (documented)."""
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()

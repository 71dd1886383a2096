"""The batch update: each contact succeeds or fails by itself, and the answer is 200 either way (facts: §7)."""

from typing import Any

from sync_daemon.sandbox.emailoctopus.errors import ProblemError, unprocessable
from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.emailoctopus.patches import Reader
from sync_daemon.sandbox.emailoctopus.rendering import contact_json
from sync_daemon.sandbox.emailoctopus.state import MailingList, State
from sync_daemon.sandbox.emailoctopus.values import wrong_type
from sync_daemon.sandbox.emailoctopus.writes import update

_WORDS = {
    404: ("not_found", "Not found"),
    409: ("conflict", "Conflict"),
    422: ("invalid_field", "Invalid field"),
}


def update_batch(state: State, mailing_list: MailingList, body: dict[str, Any]) -> dict[str, Any]:
    """Update many contacts by their ids; raises the problem of a batch that is refused as a whole."""
    items = _items(state, body)
    if state.quirks.batch_refusal == "whole":
        for place, item in enumerate(items):
            Reader(state, mailing_list, item, f"/contacts/{place}").change(creates=False, address_required=False)
    success: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for item in items:
        try:
            contact = update(state, mailing_list, _found(state, mailing_list, item["id"]), item)
        except ProblemError as problem:
            errors.append(_error_row(state, item["id"], problem))
        else:
            success.append({"success": True, "data": contact_json(contact, mailing_list, state.quirks)})
    answer = {"success": success, "errors": errors}
    return answer if state.quirks.batch_empty_arrays else {name: rows for name, rows in answer.items() if rows}


def _items(state: State, body: dict[str, Any]) -> list[dict[str, Any]]:
    sent = body.get("contacts")
    if not isinstance(sent, list):
        raise unprocessable("/contacts", str(wrong_type("array", sent)))
    quirks = state.quirks
    if quirks.batch_max is not None and len(sent) > quirks.batch_max:
        detail = f"This collection should contain {quirks.batch_max} elements or less."
        error = [{"detail": detail, "pointer": "/contacts"}]
        raise ProblemError(quirks.batch_over_status, errors=error)
    return [_item(state, item, f"/contacts/{place}") for place, item in enumerate(sent)]


def _item(state: State, item: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise unprocessable(pointer, str(wrong_type("object", item)))
    if not isinstance(item.get("id"), str):
        raise unprocessable(f"{pointer}/id", "This value should not be blank.")
    fields = item.get("fields")
    if not isinstance(fields, dict) or state.quirks.batch_null == "honoured":
        return item
    nulls = [tag for tag, value in fields.items() if value is None]
    if nulls and state.quirks.batch_null == "refused":
        raise unprocessable(f"{pointer}/fields/{nulls[0]}", "This value should not be null.")
    return {**item, "fields": {tag: value for tag, value in fields.items() if value is not None}}


def _found(state: State, mailing_list: MailingList, key: str) -> Contact:
    contact = mailing_list.contacts.find(key.lower())
    if contact is None or (contact.id != key.lower() and not state.quirks.batch_md5):
        raise ProblemError(404)
    return contact


def _error_row(state: State, key: str, problem: ProblemError) -> dict[str, Any]:
    detail = problem.errors[0]["detail"] if problem.errors else problem.detail
    if state.quirks.batch_error_form == "uri":
        kind, title, status = problem.type_uri, "An error occurred.", problem.status
    else:
        kind, title = _WORDS.get(problem.status, (problem.slug, "Error"))
        status = 400 if problem.status == 422 else problem.status
        kind = problem.slug if problem.slug == "out-of-limits" else kind
    row = {"success": False, "id": key, "type": kind, "title": title, "detail": detail}
    return {**row, "status": status, "data": None}

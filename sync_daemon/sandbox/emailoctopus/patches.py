"""From the body of a write to a `Change`: every value checked and turned into what is stored."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from email_validator import EmailNotValidError, validate_email

from sync_daemon.sandbox.emailoctopus.errors import ProblemError, unprocessable
from sync_daemon.sandbox.emailoctopus.model import Change, FieldValue, Status
from sync_daemon.sandbox.emailoctopus.state import MailingList, State
from sync_daemon.sandbox.emailoctopus.values import ValueRefusedError, stored_value, wrong_type

STATUSES = ("pending", "subscribed", "unsubscribed")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}[A-Za-z0-9]@[a-z0-9][a-z0-9-]{0,62}\.(com|org|net)")


class Reader:
    """Reads one body and gathers what is wrong with it; `pointer` is where the body stands in the request."""

    def __init__(self, state: State, mailing_list: MailingList, body: Mapping[str, Any], pointer: str = "") -> None:
        self._state = state
        self._list = mailing_list
        self._body = body
        self._pointer = pointer
        self._errors: list[dict[str, str]] = []

    def change(self, *, creates: bool, address_required: bool) -> Change:
        """Read the whole body; raises the 422 with everything that is wrong."""
        change = Change(
            email_address=self._address(required=address_required),
            fields=self._fields(),
            tags=self._tag_array() if creates else self._tag_object(),
            status=self._status(),
        )
        if self._errors:
            raise ProblemError(422, errors=self._errors)
        return change

    def _address(self, *, required: bool) -> str | None:
        if "email_address" not in self._body and not required:
            return None
        value = self._body.get("email_address")
        if value is None or value == "":
            self._refuse("/email_address", "This value should not be blank.")
            return None
        if not isinstance(value, str):
            self._refuse("/email_address", str(wrong_type("string", value)))
            return None
        address = value.strip()
        if not is_address(address):
            self._refuse("/email_address", "This value is not a valid email address.")
        return address

    def _fields(self) -> dict[str, FieldValue | None]:
        sent = self._body.get("fields", {})
        if not isinstance(sent, dict):
            if sent != []:
                self._refuse("/fields", str(wrong_type("object", sent)))
            return {}
        read: dict[str, FieldValue | None] = {}
        for tag, value in sent.items():
            field = self._list.fields.get(tag)
            if field is None:
                if self._state.quirks.unknown_field == "refused":
                    self._refuse(f"/fields/{tag}", "This field does not exist on the list.")
                continue
            if value is None and not self._state.quirks.null_clears:
                continue
            try:
                read[tag] = stored_value(field, value, self._state.quirks)
            except ValueRefusedError as refusal:
                self._refuse(f"/fields/{tag}", str(refusal))
        return read

    def _tag_array(self) -> dict[str, bool]:
        sent = self._body.get("tags", [])
        if not isinstance(sent, list):
            self._refuse("/tags", str(wrong_type("array", sent)))
            return {}
        return self._tags((name, True) for name in sent)

    def _tag_object(self) -> dict[str, bool]:
        sent = self._body.get("tags", {})
        if not isinstance(sent, dict):
            self._refuse("/tags", str(wrong_type("object", sent)))
            return {}
        return self._tags(sent.items())

    def _tags(self, sent: Iterable[tuple[Any, Any]]) -> dict[str, bool]:
        read: dict[str, bool] = {}
        for name, on in sent:
            if not isinstance(name, str) or not name.strip():
                self._refuse("/tags", "This value should not be blank.")
            elif not isinstance(on, bool):
                self._refuse(f"/tags/{name}", str(wrong_type("bool", on)))
            elif (listed := self._state.listed_tag(self._list, name)) is not None:
                read[listed] = on
            elif on and self._state.quirks.unknown_tag == "refused":
                self._refuse(f"/tags/{name}", "This tag does not exist on the list.")
            elif on and self._state.quirks.unknown_tag == "created":
                read[name] = on
        self._demand_tag_room(read)
        return read

    def _demand_tag_room(self, tags: Mapping[str, bool]) -> None:
        limit = self._state.quirks.tag_limit
        fresh = sum(on and name not in self._list.tags for name, on in tags.items())
        if limit is not None and fresh and len(self._list.tags) + fresh > limit:
            raise self._state.out_of_limits("The list's number of tags would be exceeded.")

    def _status(self) -> Status | None:
        if "status" not in self._body:
            return None
        value = self._body["status"]
        if value not in STATUSES:
            self._refuse("/status", "The value you selected is not a valid choice.")
            return None
        status: Status | None = value
        return status

    def _refuse(self, pointer: str, detail: str) -> None:
        self._errors.append({"detail": detail, "pointer": self._pointer + pointer})


def is_address(value: str) -> bool:
    """Tell whether a string is an address. The usual form is recognised at once, for speed."""
    if _PLAIN_ADDRESS.fullmatch(value) and ".." not in value:
        return True
    try:
        validate_email(value, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def required_text(body: Mapping[str, Any], name: str, limit: int = 255) -> str:
    """Read a text that must be there; raises the 422 that says what is wrong with it."""
    value = body.get(name)
    if value is None or value == "":
        raise unprocessable(f"/{name}", "This value should not be blank.")
    if not isinstance(value, str):
        raise unprocessable(f"/{name}", str(wrong_type("string", value)))
    if len(value) > limit:
        raise unprocessable(f"/{name}", f"This value is too long. It should have {limit} characters or less.")
    return value

"""GHL's refusals in the words of the error tree (facts: GHL section 7).

The body's own statusCode can differ from HTTP's, `error` can stand for `message`, and a 401 can be a time-out.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sync_daemon.http.answers import Classify, Response
from sync_daemon.http.bearer import TokenExpired
from sync_daemon.model.errors import AlreadyExists, CredentialsRefused, NotFound, Refused, SyncError, Unreachable
from sync_daemon.model.system import SystemName
from sync_daemon.systems.ghl import credential_words as words
from sync_daemon.systems.ghl.settings import GhlSettings
from sync_daemon.systems.ghl.wire import DuplicateMeta, ErrorBody

CONTACT_NOT_FOUND = "contact_not_found"
"""The code of the refusal that proves a contact's absence."""

_GHL = SystemName.GHL
_BODY = msgspec.json.Decoder(ErrorBody)
_FIELDS = {"email": "address", "phone": "phone"}
_POINTED = re.compile(r"^(?:property )?([A-Za-z][\w.]*)", re.MULTILINE)
_RECORD = re.compile(r"contact|location", re.IGNORECASE)
"""What a path can name; another record that wasn't found stands in the body (such as the user of assignedTo)."""
_NO_CONTACT = re.compile(r"\bcontact with id .+ not found", re.IGNORECASE)
"""What alone says that a contact doesn't exist (observed); it may be another record that wasn't found."""
_EXPIRED = re.compile(r"invalid token|access token", re.IGNORECASE)
"""What a 401 says of a token that has ended, or never was one (documented)."""
_WORD = re.compile(r"[A-Za-z][\w.]*")


class ScopeMissing(CredentialsRefused):
    """The token is good, but lacks the scope of one route."""


class Forbidden(CredentialsRefused):
    """The token is good, but for something else: another location, or an agency."""


def classifier(settings: GhlSettings) -> Classify:
    """What one location's refusals mean, with texts that name its keys in the configuration file."""
    return lambda response: _classify(response, settings)


def fields_named(refusal: Refused, body: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """The configuration names of the fields that a refusal of `body` points at; none when it points at nothing.

    `names` tells the configuration's name of a standard key or a custom field's id. Texts are `property X
    should not exist`, `X must be …`, `customFields.0.… must be …`, or prose with the key in it.
    """
    for found_words in (_POINTED.findall(refusal.message), _WORD.findall(refusal.message)):
        keys = [key for word in found_words for key in _keys_of(word, body)]
        found = tuple(dict.fromkeys(names[key] for key in keys if key in names))
        if found:
            return found
    return ()


def _keys_of(word: str, body: Mapping[str, Any]) -> list[str]:
    """The keys of a body that a dotted word of a message can mean; for customFields the ids of its entries."""
    head, _, rest = word.rstrip(".").partition(".")
    ids = [entry["id"] for entry in body.get("customFields", [])]
    if head == "customFields":
        index = rest.partition(".")[0]
        return [ids[int(index)]] if index.isdigit() and int(index) < len(ids) else []
    return [head] if head in body or head in ids else []


def _classify(response: Response, settings: GhlSettings) -> SyncError:
    status, body = response.status, _body_of(response)
    text = "\n".join(body.texts)
    if status == 401:
        return _unauthorized(text, settings)
    if status == 403:
        return Forbidden(_GHL, (words.no_access if "location" in text.lower() else words.forbidden)(settings))
    if status < 400 or status in (408, 425) or (status == 404 and not _names_nothing(text)):
        return Unreachable(_GHL, f"HTTP {status}, which this path never answers")
    if body.meta is not None and body.meta.contact_id:
        return _duplicate(text, body.meta)
    if status == 404 or (status == 400 and _names_nothing(text) and _RECORD.search(text)):
        return NotFound(CONTACT_NOT_FOUND if _NO_CONTACT.search(text) else "not_found", text)
    code = {400: "bad_request", 422: "invalid"}.get(status, f"http_{status}")
    return Refused(code, text or f"GHL refused the request with HTTP {status} and no word.")


def _body_of(response: Response) -> ErrorBody:
    try:
        return _BODY.decode(response.data)
    except msgspec.DecodeError:  # an empty body, or a page of the network in front
        return ErrorBody()


def _names_nothing(text: str) -> bool:
    return "not found" in text.lower()


def _unauthorized(text: str, settings: GhlSettings) -> SyncError:
    """A 401 means many things; only one of them is that the token has ended (facts: sections 7 and 10)."""
    if "timed out" in text.lower():
        return Unreachable(_GHL, "HTTP 401 that stands for a time-out")
    if "not authorized for this scope" in text.lower():
        return ScopeMissing(_GHL, words.lacks_scope(settings, "that this request needs"))
    if _EXPIRED.search(text):
        return TokenExpired(_GHL, words.refused(settings, expired=True))
    return CredentialsRefused(_GHL, words.refused(settings, expired=False))


def _duplicate(text: str, meta: DuplicateMeta) -> AlreadyExists:
    field = _FIELDS.get(meta.matching_field or "", "address")
    return AlreadyExists(f"{field}_taken", text, fields=(field,), other_id=meta.contact_id)

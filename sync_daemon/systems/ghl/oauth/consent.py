"""The page at which a person lets an app in, and what comes back from it (facts: GHL section 1.3). Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from sync_daemon.systems.ghl.settings import BASE_URL

CALLBACK = "/oauth/ghl/callback"
"""The path that GHL sends a person's browser back to."""
_MARKETPLACE = "https://marketplace.gohighlevel.com"
_PAGE = "/v2/oauth/chooselocation"
_SCOPES = (
    "contacts.readonly",
    "contacts.write",
    "locations.readonly",
    "locations/customFields.readonly",
    "locations/customFields.write",
    "locations/tags.readonly",
    "locations/tags.write",
)
_OF_ACTIVITY = ("locations/tasks.readonly", "calendars.readonly", "calendars/events.readonly")
_OF_AGENCIES = ("oauth.readonly", "oauth.write")
_CODE = re.compile(r"[\w.~-]{8,}", re.ASCII)


def scopes(*, activity: bool, agency: bool) -> tuple[str, ...]:
    """What a login asks for: what contacts need, tasks and appointments, and what gives locations' tokens."""
    return (*_SCOPES, *(_OF_ACTIVITY if activity else ()), *(_OF_AGENCIES if agency else ()))


def consent_url(base_url: str, client_id: str, redirect_uri: str, state: str, wanted: Sequence[str]) -> str:
    """The page's address: the vendor's for the vendor's API, else (a sandbox) one at the API's own host."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(wanted),
        "state": state,
    }
    return f"{_MARKETPLACE if base_url == BASE_URL else base_url}{_PAGE}?{urlencode(query, quote_via=quote)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What GHL sent back: a `code`, or why there is none; `state` is empty where it wasn't handed back (uncertain)."""

    code: str = ""
    state: str = ""
    error: str = ""


def answer_in(pasted: str) -> Answer | None:
    """What stands in a pasted address, or in a code alone; None when it is neither."""
    text = pasted.strip()
    if _CODE.fullmatch(text):
        return Answer(code=text)
    query = parse_qs(urlsplit(text).query) if "?" in text and not re.search(r"\s", text) else {}
    code, state, error = (query.get(name, [""])[0] for name in ("code", "state", "error"))
    return Answer(code, state, error) if code or error else None

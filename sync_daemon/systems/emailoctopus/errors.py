"""What EmailOctopus's refusals mean (documented: OpenAPI, errors as RFC 9457; facts: §1, §7, §16). Pure."""

import re

import msgspec

from sync_daemon.http.answers import Response, is_json
from sync_daemon.model.errors import (
    AlreadyExists,
    BatchRefused,
    ConfigurationError,
    CredentialsRefused,
    NotFound,
    PlanLimitReached,
    Refused,
    SyncError,
    Unreachable,
)
from sync_daemon.model.system import SystemName
from sync_daemon.systems.emailoctopus import wire
from sync_daemon.systems.emailoctopus.settings import BASE_URL, EmailOctopusSettings

_SYSTEM = SystemName.EMAILOCTOPUS
_OUT_OF_LIMITS = "out-of-limits"
_TOO_LARGE = 413
_OUR_NAMES = {"email_address": "address", "tags": "tags", "status": "consent"}
_ITEM = re.compile(r"/?contacts/(\d+)/?")


class Forbidden(CredentialsRefused):
    """The key is good, but not for what was asked."""


class Refusals:
    """Turns answers into errors that name the list's place in the configuration."""

    def __init__(self, settings: EmailOctopusSettings) -> None:
        self._settings = settings

    def classify(self, response: Response) -> SyncError:
        """The error behind an answer that is neither a success, a 429 nor a 5xx."""
        if not is_json(response.data):  # documented: such an error comes from in front of the API
            if response.status == _TOO_LARGE:  # the edge refuses that body however often it is sent
                return _refusal(response.status, wire.Problem(detail="The request is too large."))
            return Unreachable(_SYSTEM, "it isn't the API that answered")
        problem = _problem(response.data)
        if _slug(problem) == _OUT_OF_LIMITS:
            return PlanLimitReached(_OUT_OF_LIMITS, problem.detail or "")
        if response.status in (401, 403):
            return self._credentials(response.status)
        if any(error.parameter == "list_id" for error in problem.errors or ()):
            return self.unknown_list()
        return _refusal(response.status, problem)

    def unknown_list(self) -> ConfigurationError:
        """The list in the configuration doesn't exist, or not where it was asked for: the paths have no version."""
        address = self._settings.base_url
        elsewhere = "" if address == BASE_URL else f" Or emailoctopus.base_url ({address}) isn't the API's: {BASE_URL}."
        return ConfigurationError(
            f"EmailOctopus knows no list {self._settings.list_id!r} ({self._settings.key}.list_id). Its address in the "
            f"dashboard ends in the id.{elsewhere}"
        )

    def _credentials(self, status: int) -> CredentialsRefused:
        key = self._settings.key
        if status == 401:
            what = f"the API key ending in {self._settings.key_ending} ({key}.api_key)"
            cure = "Legacy keys don't work with API v2: make a new one in the account settings."
        else:
            what = f"access to the list {self._settings.list_id} ({key}.list_id)"
            cure = f"Check that {key}.api_key belongs to the account that owns it."
        kind = Forbidden if status == 403 else CredentialsRefused
        return kind(_SYSTEM, f"EmailOctopus refused {what} with HTTP {status}. {cure}")


def item_refusal(error: wire.BatchError) -> Refused:
    """The refusal of one item of a batch: its type is a word or ends in a slug, its status isn't always exact."""
    problem = wire.Problem(type=error.type, detail=error.detail)
    slug = _slug(problem)
    if slug == _OUT_OF_LIMITS:
        return PlanLimitReached(slug, error.detail or "")
    status = {"not-found": 404, "conflict": 409, "already-exists": 409}.get(slug, error.status)
    return _refusal(status if isinstance(status, int) else 422, problem)


def _refusal(status: int, problem: wire.Problem) -> Refused:
    errors = problem.errors or ()
    message = " ".join(filter(None, [problem.detail, *(error.detail for error in errors)]))
    code = _slug(problem) or f"http-{status}"
    if status == 404:
        return NotFound(code, message)
    if status == 409:
        return AlreadyExists("already-exists", message, fields=("address",))
    indexes = [match[1] for error in errors if (match := _ITEM.match(error.pointer or ""))]
    if indexes:
        return BatchRefused(code, message, int(indexes[0]))
    names = dict.fromkeys(filter(None, (_name(error.pointer or "") for error in errors)))
    return Refused(code, message, fields=tuple(names))


def _problem(data: bytes) -> wire.Problem:
    try:
        return msgspec.json.decode(data, type=wire.Problem)
    except msgspec.MsgspecError:  # JSON of another form: the status alone tells
        return wire.Problem()


def _slug(problem: wire.Problem) -> str:
    return (problem.type or "").rpartition("#")[2].rpartition("/")[2].replace("_", "-").lower()


def _name(pointer: str) -> str:
    """The configuration's name of what a JSON Pointer points at: a field's tag, "address", "tags" or "consent"."""
    place, _, rest = pointer.removeprefix("/").partition("/")
    if place == "fields":
        return rest.partition("/")[0].replace("~1", "/").replace("~0", "~")
    return _OUR_NAMES.get(place, "")

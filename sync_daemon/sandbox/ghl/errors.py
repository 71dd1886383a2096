"""GHL's refusals: an HTTP status and the body that goes with it (facts: GHL §7)."""

from collections.abc import Sequence
from typing import Any

import msgspec

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    422: "Unprocessable Entity",
}
_EDGE_MESSAGES = {
    401: "Command timed out",  # a gateway time-out in disguise (observed)
    429: "Too Many Requests",
    500: "Internal server error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class ApiError(Exception):
    """An answer that isn't a success; `body` None means an empty one."""

    def __init__(self, status: int, body: dict[str, Any] | None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def refusal(status: int, message: str | Sequence[str], **more: Any) -> ApiError:
    """Build the usual refusal: statusCode, message, error, and whatever else the case adds."""
    text = message if isinstance(message, str) else list(message)
    return ApiError(status, {"statusCode": status, "message": text, "error": _REASONS[status], **more})


def bad_request(message: str) -> ApiError:
    """400: the request makes no sense, or names a record that doesn't exist."""
    return refusal(400, message)


def unauthorized(message: str) -> ApiError:
    """401: token, scope or version are not what the route wants."""
    return refusal(401, message)


def forbidden(message: str) -> ApiError:
    """403: the token is good, for something else."""
    return refusal(403, message)


def no_access_to_location() -> ApiError:
    """403: the location named is not the token's (observed)."""
    return forbidden("The token does not have access to this location.")


def not_found(message: str) -> ApiError:
    """404: a note, task, tag, field or event that doesn't exist (observed; the specs list no 404)."""
    return refusal(404, message)


def unknown_path() -> ApiError:
    """404 with an empty body (observed)."""
    return ApiError(404, None)


def unprocessable(messages: Sequence[str]) -> ApiError:
    """422: one line for each thing that is wrong (documented)."""
    return refusal(422, messages)


def disguised_unprocessable(message: str) -> ApiError:
    """HTTP 400 whose body says 422 (observed on a creation that names nothing but the location)."""
    return ApiError(400, {"statusCode": 422, "message": [message], "error": _REASONS[422]})


def unknown_contact(contact_id: str) -> ApiError:
    """Answer for a contact id that doesn't exist: 400, not 404, in a shape of its own (observed)."""
    return ApiError(400, {"error": f"Contact with id {contact_id} not found", "status": 400})


def duplicate_refused(contact_id: str, matching_field: str, contact_name: str) -> ApiError:
    """400 that names the contact which has the address or number already (observed; not in the spec)."""
    meta = {"contactId": contact_id, "matchingField": matching_field, "contactName": contact_name}
    message = "This location does not allow duplicated contacts."
    return ApiError(400, {"statusCode": 400, "message": message, "meta": meta})


def removed_in_v3() -> ApiError:
    """400 of a route that v3 took away (issue 304)."""
    return bad_request(
        "This endpoint is not available in version v3. Please use an earlier version, such as 2021-07-28."
    )


def edge_body(status: int) -> bytes:
    """Body of an answer that never reached the API: limits and gateway errors; 429 has no `error` key."""
    message = _EDGE_MESSAGES.get(status, _REASONS.get(status, "Error"))
    body: dict[str, Any] = {"statusCode": status, "message": message}
    if status in _REASONS:
        body["error"] = _REASONS[status]
    return msgspec.json.encode(body)

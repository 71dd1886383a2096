"""EmailOctopus's problem bodies (documented: OpenAPI introduction and its responses)."""

from typing import Any

import msgspec

DOCUMENTATION = "https://emailoctopus.com/api-documentation/v2#"
_TITLE = "An error occurred."
_SLUGS = {
    400: ("bad-request", "Bad request."),
    401: ("unauthorized", "Invalid key."),
    403: ("access-denied", "Access denied."),
    404: ("not-found", "Resource not found."),
    405: ("method-not-allowed", "Method not allowed."),
    409: ("conflict", "Resource already exists."),
    413: ("bad-request", "The request body is too large."),
    415: ("unsupported-media-type", "Unsupported media type."),
    422: ("unprocessable-content", "Unprocessable content."),
    429: ("too-many-requests", "Too many requests."),
}
_INTERNAL = ("internal-error", "Internal error.")


class ProblemError(Exception):
    """An answer that is a problem: its status, the slug of its type, its detail and the single errors."""

    def __init__(
        self,
        status: int,
        *,
        slug: str = "",
        detail: str = "",
        errors: list[dict[str, str]] | None = None,
        type_uri: str = "",
    ) -> None:
        usual_slug, usual_detail = _SLUGS.get(status, _INTERNAL)
        self.status = status
        self.slug = slug or usual_slug
        self.detail = detail or usual_detail
        self.errors = errors or []
        self.type_uri = type_uri or DOCUMENTATION + self.slug
        super().__init__(f"{status} {self.slug}: {self.detail}")

    def body(self) -> bytes:
        """Write the problem as JSON; `errors` stands there only when there are any."""
        problem: dict[str, Any] = {
            "title": _TITLE,
            "detail": self.detail,
            "status": self.status,
            "type": self.type_uri,
        }
        if self.errors:
            problem["errors"] = self.errors
        return msgspec.json.encode(problem)


def error_body(status: int) -> bytes:
    """Write the usual body for a status."""
    return ProblemError(status).body()


def bad_parameter(parameter: str, detail: str) -> ProblemError:
    """Make the 400 for a value in the path or the query."""
    return ProblemError(400, errors=[{"detail": detail, "parameter": parameter}])


def unprocessable(pointer: str, detail: str) -> ProblemError:
    """Make the 422 for one value of the body."""
    return ProblemError(422, errors=[{"detail": detail, "pointer": pointer}])


def missing_key() -> ProblemError:
    """Make the 401 for a request without a key; its type is another than that for a bad key (observed)."""
    detail = "Full authentication is required to access this resource."
    return ProblemError(401, detail=detail, type_uri="/errors/401")

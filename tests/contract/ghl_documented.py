"""Exchanges with GHL against the vendor's own OpenAPI: where they differ knowingly, and whether they differ in more."""

import re
from typing import Any

import httpx

from tests.contract.openapi import SPECS, Contract, contract
from tests.plain import PLAIN

# Keys that live answers carry though their schema lacks them; with an operation that shows it.
EXTRA_KEYS = {
    "traceId": ("each answer has one (documented: Overview.md)", "GET /contacts/{contactId}"),
    "meta": ("the cursor of the old listing; in a refusal, the duplicate (observed)", "GET /contacts/"),
    "followers": ("on contacts (observed)", "GET /contacts/{contactId}"),
    "additionalEmails": ("on contacts (observed)", "GET /contacts/{contactId}"),
    "inboundDndSettings": ("on contacts (observed)", "PUT /contacts/{contactId}"),
    "tagsAdded": ("beside the whole list of tags (observed)", "POST /contacts/{contactId}/tags"),
    "tagsRemoved": ("beside the whole list of tags (observed)", "DELETE /contacts/{contactId}/tags"),
    "contactUniqueIdentifiers": ("in a location's settings (observed)", "GET /locations/{locationId}"),
    "textBoxListOptions": ("the parts by which a search asks", "GET /locations/{locationId}/customFields"),
    "appointment": (
        "what the spec wraps in `event` (observed)",
        "GET /calendars/events/appointments/{eventId}",
    ),
}

# Keys that refusals carry besides statusCode and message.
REFUSAL_KEYS = {
    "error": "the reason of the status, also where the schema lacks it (observed)",
    "status": "an unknown contact is answered in a shape of its own (observed)",
    "error_description": "the token route speaks OAuth's own words as well (observed)",
}

# Rows of the old listing and of a business are told in full (observed), though their schema has ten keys.
LISTED_KEYS = {
    "firstName",
    "firstNameRaw",
    "lastName",
    "lastNameRaw",
    "contactName",
    "contactNameRaw",
    "phone",
    "address1",
    "city",
    "state",
    "companyName",
    "website",
    "assignedTo",
    "postalCode",
    "dnd",
    "dndSettings",
    "type",
    "dateUpdated",
    "dateOfBirth",
}

# Where the live API differs from its own specification, and the sandbox follows the live API.
DEVIATIONS = {
    r"\$\..*customFields\[\d+\]\.value: .* is not of type 'string'": (
        "typed values come typed (documented in words)",
        "GET /contacts/{contactId}",
    ),
    r"\$\..*(startTime|endTime|dateAdded|dateUpdated): '.*' is not of type 'object'": (
        "instants are text (documented by example)",
        "GET /calendars/events",
    ),
    r"\$\.dateOfBirth: '.*' is not of type 'object'": ("so are dates (documented in words)", "POST /contacts/"),
    r"\$\.responses\[\d+\]: \{.*\} is not of type 'string'": (
        "the schema's own example shows objects",
        "POST /contacts/bulk/tags/update/{type}",
    ),
    r"\$\.tasks\[\d+\]: \{.*\} is not of type 'array'": (
        "the schema of a found task says nothing",
        "POST /locations/{locationId}/tasks/search",
    ),
    r"\$: Additional properties .*'filters'": (
        "the search body stands outside of the spec only (documented: CU)",
        "POST /contacts/search",
    ),
}
UNDOCUMENTED_STATUSES = {
    400: "an unknown location",
    401: "a missing token on the bulk routes, which are documented without any",
    403: "another location, another kind of token (observed)",
    404: "notes, tasks, tags, fields, events that don't exist (observed)",
    422: "what the validator refuses, also where the spec is silent (observed)",
}


# Where this program knowingly leaves the specification, and why.
REQUEST_DEVIATIONS = {
    r"POST /contacts/search \$: Additional properties": "the specification leaves the body to a page outside of it",
    r"POST /locations/\S+ \$: .*\('options' was unexpected\)": "how a pick-list gets its options is documented nowhere",
    r"PUT \S+ \$\.(country|postalCode): None": "null clears; these two aren't marked as nullable",
    r"PUT \S+ \$\.customFields\[\d\]: .*'(field_value|fieldValue)': None": "null clears; no type of value has a null",
}


def defects(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Repair scalars that are typed as objects (dateOfBirth, the values of number fields): their examples tell."""
    example = schema.get("example")
    if schema.get("type") != "object" or not isinstance(example, (str, int)):
        return None
    return {**schema, "type": "string" if isinstance(example, str) else "number"}


def extra_keys(violation: str) -> set[str]:
    """Name the keys that a violation complains of; the whole text where it complains of something else."""
    extra = re.search(r"Additional properties are not allowed \((.*) (was|were) unexpected\)", violation)
    return set(re.findall(r"'(\w+)'", extra[1])) if extra is not None else {violation}


def undocumented(spec: Contract, response: httpx.Response) -> list[str]:
    """Say what in an answer is neither documented nor known to differ."""
    return [each for each in spec.response_violations(response) if not _is_known(response, each)]


def request_lines(answer: httpx.Response) -> list[str]:
    """Say what in the request of an answer isn't documented, with its method and path in front."""
    request = answer.request
    found = _spec_of(request).request_violations(request)
    return [f"{request.method} {request.url.path} {line}" for line in found]


def _is_known(response: httpx.Response, violation: str) -> bool:
    if any(re.match(known, violation, re.DOTALL) for known in DEVIATIONS):
        return True
    if violation.startswith("Unknown response http status"):
        shape = response.json().keys()
        usual = {"statusCode", "message"} <= shape or {"error", "status"} <= shape
        return response.status_code in UNDOCUMENTED_STATUSES and usual
    allowed = set(EXTRA_KEYS) if response.is_success else {*REFUSAL_KEYS, "traceId", "meta"}
    path = response.request.url.path
    if "business" in path or path == "/contacts/":
        allowed |= LISTED_KEYS
    return extra_keys(violation) <= allowed


def _spec_of(request: httpx.Request) -> Contract:
    room = request.url.path.split("/")[1]
    name = f"ghl-v3/{room}-v3.json" if request.headers.get("version") == "v3" else f"ghl/{room}.json"
    return contract(name, defects, closed=True)


class Recorder(httpx.BaseTransport):
    """Passes requests on and keeps each that was answered by the API itself, with its answer."""

    def __init__(self) -> None:
        self._wire = httpx.HTTPTransport(verify=PLAIN)
        self.answers: list[httpx.Response] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = self._wire.handle_request(request)
        response.read()
        self.answers.append(
            httpx.Response(response.status_code, headers=response.headers, content=response.content, request=request)
        )
        return response

    def violations(self) -> list[str]:
        """Say what in the exchanges is neither documented nor known to differ; nothing without the specifications.

        A refused request may be wrong on purpose. Left out are answers of limits and of the network in front, and
        paths that nothing answers.
        """
        if not SPECS.is_dir():
            return []
        found: list[str] = []
        for answer in self.answers:
            if answer.status_code == 429 or answer.status_code >= 500 or not answer.content:
                continue
            where = f"{answer.request.method} {answer.request.url.path}"
            found += [f"{where} {answer.status_code} {line}" for line in undocumented(_spec_of(answer.request), answer)]
            if answer.is_success:
                lines = request_lines(answer)
                found += [line for line in lines if not any(re.match(known, line) for known in REQUEST_DEVIATIONS)]
        return found

    def close(self) -> None:
        self._wire.close()

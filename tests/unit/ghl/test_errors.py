"""GHL's refusals, by what the caller does next."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.http.answers import Response
from sync_daemon.http.bearer import FixedToken, TokenExpired
from sync_daemon.model.errors import (
    AlreadyExists,
    CredentialsRefused,
    NotFound,
    Refused,
    SyncError,
    Unreachable,
)
from sync_daemon.systems.ghl.errors import CONTACT_NOT_FOUND, Forbidden, ScopeMissing, classifier, fields_named
from sync_daemon.systems.ghl.settings import GhlSettings

SETTINGS = GhlSettings(pair="main", location_id="loc", token="pit-secret")


def refusal(status: int, body: Any) -> SyncError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = classifier(SETTINGS)(Response(status, {}, data))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"statusCode": 401, "message": "Invalid token: access token is invalid"}, TokenExpired),
        (401, {"statusCode": 401, "message": "E01 - Unauthorized request"}, CredentialsRefused),
        (401, {"statusCode": 401, "message": "Unauthorized"}, CredentialsRefused),
        (401, {"statusCode": 401, "message": "version header is invalid"}, CredentialsRefused),
        (401, b"", CredentialsRefused),
        (401, {"statusCode": 401, "message": "Command timed out", "error": "Unauthorized"}, Unreachable),
        (401, {"message": "The token is not authorized for this scope."}, ScopeMissing),
        (403, {"message": "The token does not have access to this location."}, Forbidden),
        (403, {"message": "Forbidden resource"}, Forbidden),
        (403, b"<html>no</html>", Forbidden),
        (404, b"", Unreachable),
        (404, {"message": "Cannot GET /contact/x", "error": "Not Found", "statusCode": 404}, Unreachable),
        (404, {"message": "Tag not found", "statusCode": 404}, NotFound),
        (400, {"error": "Contact with id abc not found", "status": 400}, NotFound),
        (400, {"message": ["Contact not found"]}, NotFound),
        (400, {"message": "Location with id abc not found"}, NotFound),
        (400, {"message": "User not found"}, Refused),
        (400, {"message": "Invalid field contact_name", "statusCode": 400}, Refused),
        (422, {"message": ["property x should not exist"], "statusCode": 422}, Refused),
        (400, {"statusCode": 422, "message": ["email or phone is required"]}, Refused),
        (413, b"", Refused),
        (301, b"", Unreachable),
        (408, b"", Unreachable),
        (400, {"error": {"code": "X", "message": "Bad thing", "details": {}}}, Refused),
        (400, [1, 2], Refused),
    ],
)
def test_kinds(status: int, body: Any, kind: type[SyncError]) -> None:
    assert type(refusal(status, body)) is kind


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (400, {"error": "Contact with id abc not found"}, CONTACT_NOT_FOUND, "Contact with id abc not found"),
        (400, {"message": ["Contact not found"]}, "not_found", "Contact not found"),
        (400, {"message": "Location of contact abc not found"}, "not_found", "Location of contact abc not found"),
        (404, {"message": "Tag not found"}, "not_found", "Tag not found"),
        (422, {"message": ["one", "two"], "error": "Unprocessable Entity"}, "invalid", "one\ntwo"),
        (400, {"error": {"code": "X", "message": "Bad thing"}}, "bad_request", "Bad thing"),
        (413, b"", "http_413", "GHL refused the request with HTTP 413 and no word."),
    ],
)
def test_codes_and_messages(status: int, body: Any, code: str, message: str) -> None:
    found = refusal(status, body)
    assert isinstance(found, Refused)
    assert (found.code, found.message) == (code, message)


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"contactId": "c9", "matchingField": "email", "contactName": "x"}, "address"),
        ({"contactId": "c9", "matchingField": "phone"}, "phone"),
        ({"contactId": "c9"}, "address"),
    ],
)
def test_duplicates_name_the_one_in_the_way(meta: dict[str, Any], field: str) -> None:
    body = {"statusCode": 400, "message": "This location does not allow duplicated contacts.", "meta": meta}
    found = refusal(400, body)
    assert isinstance(found, AlreadyExists)
    assert (found.other_id, found.fields, found.code) == ("c9", (field,), f"{field}_taken")


def test_texts_name_the_configuration_and_no_secret() -> None:
    token = str(refusal(401, {"message": "Invalid token: access token is invalid"}))
    location = str(refusal(403, {"message": "The token does not have access to this location."}))
    assert "`pairs.main.ghl.token`" in token
    assert "`pairs.main.ghl.location_id`" in location
    assert "pit-secret" not in token + location + repr(SETTINGS)


def test_texts_about_a_login_name_it_and_how_to_log_in() -> None:
    login = replace(SETTINGS, token="", bearer=FixedToken("secret-token"))
    for status, message in (
        (401, "Invalid token: access token is invalid"),
        (401, "E01 - Unauthorized request"),
        (401, "The token is not authorized for this scope."),
        (403, "The token does not have access to this location."),
        (403, "Forbidden resource"),
    ):
        told = str(classifier(login)(Response(status, {}, json.dumps({"message": message}).encode())))
        assert "`pairs.main.ghl.oauth`" in told
        assert "sync-daemon oauth login --pair main" in told
        assert "ghl.token" not in told
    assert "secret-token" not in repr(login)


NAMES = {"email": "address", "phone": "phone", "state": "state", "f1": "custom.plan", "f2": "custom.f2"}
BODY = {
    "email": "a@example.com",
    "phone": "1",
    "customFields": [{"id": "f1", "field_value": "x"}, {"id": "f2", "field_value": "y"}],
}


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("phone must be a valid phone number", ("phone",)),
        ("email must be an email\nphone must be a string", ("address", "phone")),
        ("property phone should not exist", ("phone",)),
        ("customFields.1.field_value must be a string", ("custom.f2",)),
        ("customFields.0.property value should not exist", ("custom.plan",)),
        ("customFields.7.id should not be empty", ()),
        ("Invalid value for field f1.", ("custom.plan",)),
        ("The given phone is invalid", ("phone",)),
        ("The state of the request is invalid", ()),
        ("Unprocessable Entity", ()),
    ],
)
def test_messages_point_at_fields_of_the_body(message: str, fields: tuple[str, ...]) -> None:
    assert fields_named(Refused("invalid", message), BODY, NAMES) == fields

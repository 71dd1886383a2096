import json
from typing import Any

import pytest

from sync_daemon.http.answers import Response
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
from sync_daemon.systems.emailoctopus import wire
from sync_daemon.systems.emailoctopus.errors import Refusals, item_refusal
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings

KEY = "eo_0123456789abcdef0123456789abcdef"
SETTINGS = EmailOctopusSettings("main", "1b1c", KEY)
BASE = "https://emailoctopus.com/api-documentation/v2#"


def classify(status: int, body: Any) -> SyncError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Refusals(SETTINGS).classify(Response(status, {}, data))


def problem(slug: str, **more: Any) -> dict[str, Any]:
    return {"title": "An error occurred.", "detail": "Something.", "status": 400, "type": BASE + slug, **more}


@pytest.mark.parametrize("type_", ["/errors/401", BASE + "unauthorized"])
def test_a_refused_key_is_named_by_its_place_and_ending(type_: str) -> None:
    error = classify(401, {"type": type_, "detail": "Invalid key."})
    assert isinstance(error, CredentialsRefused)
    assert "pairs.main.emailoctopus.api_key" in str(error)
    assert "cdef" in str(error)
    assert KEY not in str(error)
    assert KEY not in repr(SETTINGS)


def test_a_list_of_another_account_is_a_matter_of_credentials() -> None:
    error = classify(403, problem("access-denied"))
    assert isinstance(error, CredentialsRefused)
    assert "pairs.main.emailoctopus.list_id" in str(error)


def test_an_id_that_is_no_id_is_a_matter_of_configuration() -> None:
    body = problem("bad-request", errors=[{"detail": "Not a valid UUID.", "parameter": "list_id"}])
    error = classify(400, body)
    assert isinstance(error, ConfigurationError)
    assert "pairs.main.emailoctopus.list_id" in str(error)


def test_an_unknown_list_under_another_address_points_at_the_address_too() -> None:
    elsewhere = EmailOctopusSettings("main", "1b1c", KEY, base_url="https://api.emailoctopus.com/v2")
    assert "emailoctopus.base_url (https://api.emailoctopus.com/v2)" in str(Refusals(elsewhere).unknown_list())
    assert "base_url" not in str(Refusals(SETTINGS).unknown_list())


@pytest.mark.parametrize("status", [403, 404, 400, 409])
@pytest.mark.parametrize("body", [b"<html>blocked</html>", b""])
def test_what_is_no_json_never_reached_the_api(status: int, body: bytes) -> None:
    assert isinstance(classify(status, body), Unreachable)


def test_a_body_too_large_for_the_edge_is_refused_whatever_page_says_so() -> None:
    error = classify(413, b"<html>413 Request Entity Too Large</html>")
    assert type(error) is Refused
    assert error.code == "http-413"


@pytest.mark.parametrize("status", [402, 403, 422])
def test_a_full_plan_is_known_by_its_slug(status: int) -> None:
    assert isinstance(classify(status, problem("out-of-limits")), PlanLimitReached)


@pytest.mark.parametrize("slug", ["conflict", "already-exists"])
def test_a_conflict_is_about_the_address(slug: str) -> None:
    error = classify(409, problem(slug))
    assert isinstance(error, AlreadyExists)
    assert error.fields == ("address",)


def test_a_missing_contact_is_not_found() -> None:
    assert isinstance(classify(404, problem("not-found")), NotFound)


@pytest.mark.parametrize(
    ("pointer", "fields"),
    [
        ("/fields/FirstName", ("FirstName",)),
        ("/fields/Likes/0", ("Likes",)),
        ("/fields/a~1b", ("a/b",)),
        ("fields/FirstName", ("FirstName",)),
        ("/email_address", ("address",)),
        ("/tags/vip", ("tags",)),
        ("/status", ("consent",)),
        ("/something", ()),
        (None, ()),
    ],
)
def test_a_pointer_names_what_the_configuration_calls_it(pointer: str | None, fields: tuple[str, ...]) -> None:
    error = classify(422, problem("unprocessable-content", errors=[{"detail": "Too long.", "pointer": pointer}]))
    assert type(error) is Refused
    assert error.fields == fields
    assert error.code == "unprocessable-content"
    assert "Too long." in error.message


def test_a_pointer_into_a_batch_names_the_item() -> None:
    error = classify(422, problem("bad-request", errors=[{"detail": "No.", "pointer": "/contacts/3/fields/X"}]))
    assert isinstance(error, BatchRefused)
    assert error.index == 3


@pytest.mark.parametrize("body", [[], {"errors": "x"}, {"type": None, "detail": None, "errors": None}, 7])
def test_a_problem_of_an_unknown_form_is_known_by_its_status(body: Any) -> None:
    error = classify(422, body)
    assert type(error) is Refused
    assert error.code == "http-422"


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (wire.BatchError("e1", "not_found", "x", 404), NotFound),
        (wire.BatchError("e1", BASE + "not-found", "x", 404), NotFound),
        (wire.BatchError("e1", "not_found", "x", 400), NotFound),
        (wire.BatchError("e1", BASE + "conflict", "x", 409), AlreadyExists),
        (wire.BatchError("e1", "out-of-limits", "x", 422), PlanLimitReached),
        (wire.BatchError("e1", "invalid_field", "x", 400), Refused),
        (wire.BatchError("e1", None, None, None), Refused),
    ],
)
def test_an_item_of_a_batch_is_refused_in_words_or_slugs(row: wire.BatchError, kind: type[Refused]) -> None:
    assert type(item_refusal(row)) is kind


@pytest.mark.parametrize("key", ["", "  ", "eo_ключ", "eo_1\n"])
def test_a_key_that_can_be_none_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        EmailOctopusSettings("main", "1b1c", key)
    assert "pairs.main.emailoctopus.api_key" in str(error.value)
    assert "ключ" not in str(error.value)

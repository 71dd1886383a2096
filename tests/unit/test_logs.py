"""Nothing that is logged shows credentials or personal data, in either format."""

import json
import sys
from collections.abc import Iterator

import pytest
import structlog

from sync_daemon import logs
from sync_daemon.model.errors import ConfigurationError

PRIVATE = {
    "address": "ada.lovelace+news@example.co.uk",
    "token": "pit-0a1b2c3d-4e5f",
    "key": "eo_0123456789abcdef",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "header": "Bearer abc.def-ghi",
    "password": "postgresql://sync:hunter2@db/sync",
    "phone": "+44 20 7946 0958",
    "national": "(555) 123-4567",
    "digits": "5551234567",
}
KEPT = (
    "ve9EPM428h8vShlRW1KT",
    "1b1c2d3e-0000-4000-8000-1234567890ab",
    "2026-01-05T09:00:00.000Z",
    "120.5",
    "pairs.main",
)


@pytest.fixture(autouse=True)
def _log_configuration_of_its_own() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(params=["console", "json"])
def form(request: pytest.FixtureRequest) -> str:
    logs.configure({"SYNC_DAEMON_LOG_FORMAT": request.param})
    return str(request.param)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("private", PRIVATE.values(), ids=PRIVATE.keys())
def test_private_texts_are_cut_out_wherever_they_stand(private: str, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info(
        f"met {private} there",
        alone=private,
        inside=f"<{private}>",
        deep={"list": [{"one": private}]},
        error=ValueError(private),
    )

    written = capsys.readouterr().err
    assert "there" in written
    assert not [part for part in private.split() if len(part) > 4 and part != "Bearer" and part in written]


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", ["token", "api_key", "client_secret", "Authorization", "database_password"])
def test_what_is_called_a_secret_is_one(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("event", **{name: "plain"})
    assert "plain" not in capsys.readouterr().err


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("kept", KEPT)
def test_ids_and_times_stay(kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("event", what=f"of {kept}")
    assert kept in capsys.readouterr().err


@pytest.mark.usefixtures("form")
def test_a_traceback_shows_where_and_neither_variables_nor_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Names of people have no form by which they could be cut out."""

    def look_up(name: str) -> None:
        raise KeyError(name)

    def fail(name: str) -> None:
        try:
            look_up(name)
        except KeyError as error:
            raise ValueError(f"no {name}") from error

    try:
        fail(PRIVATE["address"].partition("@")[0])
    except ValueError:
        structlog.get_logger().exception("failed")

    written = capsys.readouterr().err
    assert "builtins.ValueError" in written
    assert "builtins.KeyError" in written
    assert "in look_up" in written
    assert PRIVATE["address"].partition("@")[0] not in written


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure({"SYNC_DAEMON_LOG_FORMAT": "json"})
    structlog.get_logger().warning("parked", contact_id="c1", attempts=2)

    event = json.loads(capsys.readouterr().err)
    event.pop("timestamp")
    assert event == {"event": "parked", "level": "warning", "contact_id": "c1", "attempts": 2}


def test_not_on_a_terminal_it_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    logs.configure({})
    structlog.get_logger().info("event")
    assert capsys.readouterr().err.startswith("{")


def test_standard_output_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure({})
    structlog.get_logger().error("event")
    assert capsys.readouterr().out == ""


def test_the_level_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure({"SYNC_DAEMON_LOG_LEVEL": "error"})
    structlog.get_logger().warning("event")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["SYNC_DAEMON_LOG_FORMAT", "SYNC_DAEMON_LOG_LEVEL"])
def test_an_unknown_word_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be one of"):
        logs.configure({name: "loud"})


def test_what_is_only_foretold_is_not_logged(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure({"SYNC_DAEMON_LOG_FORMAT": form})
    with structlog.contextvars.bound_contextvars(foretold=True):
        structlog.get_logger().warning("parked")
    structlog.get_logger().warning("done")
    written = capsys.readouterr().err
    assert "parked" not in written
    assert "done" in written

"""Values from the environment, `.env` and files reach the settings they are meant for."""

from datetime import timedelta
from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.load import load_outside_pairs
from sync_daemon.settings.variables import Variables
from tests.unit.settings.configurations import SMALL, loaded

FROM_VARIABLE = SMALL.replace("pit-abc", '"${GHL_TOKEN}"')


def token(folder: Path, text: str, variables: dict[str, str]) -> str:
    secret = loaded(folder, text, variables).pairs[0].ghl.token
    assert secret is not None
    return secret.get_secret_value()


def test_a_variable_fills_its_place(tmp_path: Path) -> None:
    assert token(tmp_path, FROM_VARIABLE, {"GHL_TOKEN": "pit-1"}) == "pit-1"


def test_a_variable_can_be_part_of_a_text(tmp_path: Path) -> None:
    text = SMALL.replace("pit-abc", '"${A}-x-${B:-y}"')
    assert token(tmp_path, text, {"A": "a"}) == "a-x-y"


@pytest.mark.parametrize("variables", [{}, {"GHL_TOKEN": ""}])
def test_a_default_stands_in_for_what_is_unset_or_empty(tmp_path: Path, variables: dict[str, str]) -> None:
    assert token(tmp_path, SMALL.replace("pit-abc", '"${GHL_TOKEN:-pit-0}"'), variables) == "pit-0"


@pytest.mark.parametrize("variables", [{}, {"GHL_TOKEN": ""}])
def test_without_a_default_it_is_an_error(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, FROM_VARIABLE.replace("eo_abc", '"${API_KEY}"'), variables)

    assert [line.split("sync.yaml, ")[1] for line in str(caught.value).splitlines()] == [
        f"line {line}: {path}: the variable {name} is unset or empty. "
        f"Set {name} in the environment or in .env, or {name}_FILE to a file that holds it."
        for line, path, name in [
            (3, "pairs.main.ghl.token", "GHL_TOKEN"),
            (4, "pairs.main.emailoctopus.api_key", "API_KEY"),
        ]
    ]


def test_a_file_can_hold_the_value(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pit-2\n")
    assert token(tmp_path, FROM_VARIABLE, {"GHL_TOKEN_FILE": str(tmp_path / "token")}) == "pit-2"


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="GHL_TOKEN_FILE names /nowhere/token, which can't be read: No such"):
        loaded(tmp_path, FROM_VARIABLE, {"GHL_TOKEN_FILE": "/nowhere/token"})


def test_a_value_is_never_read_as_another_reference(tmp_path: Path) -> None:
    assert token(tmp_path, FROM_VARIABLE, {"GHL_TOKEN": "${HOME}"}) == "${HOME}"


def test_nor_is_that_of_a_setting(tmp_path: Path) -> None:
    secret = "${HOME} and ${ and the rest of forty letters"
    settings = loaded(tmp_path, "secret_key: ${UNSET}\n" + SMALL, {"SYNC_DAEMON_SECRET_KEY": secret})
    assert settings.secret_key.get_secret_value() == secret


def test_a_dotenv_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"ONE=\xff\n")
    with pytest.raises(ConfigurationError, match=r"\.env can't be read: it isn't UTF-8 text"):
        Variables.of_process(tmp_path)


def test_the_environment_wins_over_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ONE=from-file\nTWO='from $ONE file'\n")
    monkeypatch.setenv("ONE", "from-environment")
    monkeypatch.delenv("TWO", raising=False)

    variables = Variables.of_process(tmp_path)

    assert (variables.get("ONE"), variables.get("TWO")) == ("from-environment", "from $ONE file")


def test_settings_outside_pairs_come_from_variables(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x" * 40)
    settings = loaded(
        tmp_path,
        "service: {poll_every: 5m}\nsecret_key: ${UNSET}\n" + SMALL,
        {
            "SYNC_DAEMON_SERVICE__POLL_EVERY": "30s",
            "SYNC_DAEMON_SERVICE__HTTP__PORT": "9000",
            "SYNC_DAEMON_ALERTS__URLS": '["json://localhost"]',
            "SYNC_DAEMON_SECRET_KEY_FILE": str(tmp_path / "secret"),
            "SYNC_DAEMON_GHL__SHARE": "",
            "SYNC_DAEMON_CONFIG": "elsewhere.yaml",
            "SYNC_DAEMON_SERVICE_HOST": "10.0.0.1",  # as Kubernetes sets it for a service of that name
        },
    )

    assert settings.service.poll_every == timedelta(seconds=30)
    assert settings.service.http.port == 9000
    assert [url.get_secret_value() for url in settings.alerts.urls] == ["json://localhost"]
    assert settings.secret_key.get_secret_value() == "x" * 40
    assert settings.ghl.share == 1.0


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "SYNC_DAEMON_SERVICE__POLL_EVRY",
            "1m",
            "variable SYNC_DAEMON_SERVICE__POLL_EVRY: service.poll_evry: there is",
        ),
        ("SYNC_DAEMON_GHL__SHARE", "all", "variable SYNC_DAEMON_GHL__SHARE: ghl.share: expected a number"),
        ("SYNC_DAEMON_SERVICE", "soon", "variable SYNC_DAEMON_SERVICE: expected a JSON object"),
        ("SYNC_DAEMON_GHL__BASE_URL", "x", "variable SYNC_DAEMON_GHL__BASE_URL: ghl.base_url: expected an address"),
        ("SYNC_DAEMON_ALERTS__URLS", "json://x", "variable SYNC_DAEMON_ALERTS__URLS: expected a JSON list"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path, name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, SMALL, {name: value})
    assert told in str(caught.value)


def test_what_needs_no_pairs_needs_no_file_and_no_credentials(tmp_path: Path) -> None:
    variables = Variables({"SYNC_DAEMON_DATABASE_URL": "sqlite:///elsewhere.db"})
    (tmp_path / "sync.yaml").write_text(FROM_VARIABLE)

    urls = [load_outside_pairs(path, variables).database_url for path in (tmp_path / "sync.yaml", None)]

    assert [url.get_secret_value() for url in urls] == ["sqlite:///elsewhere.db"] * 2

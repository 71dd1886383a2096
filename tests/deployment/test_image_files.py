"""The Dockerfile agrees with the program, with the compose files, and with the unit for those without containers."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import PurePosixPath
from typing import Any

import pytest

from sync_daemon.cli import _TIME_TO_FINISH_S, application
from sync_daemon.commands.exits import BAD_USAGE
from sync_daemon.settings.installation import DEFAULT_DATABASE
from sync_daemon.settings.values import _duration
from tests.deployment.files import CONFIG, ROOT, Dockerfile, known_variables, yaml

IMAGE = Dockerfile.of_repository()
COMPOSED = ("compose.yaml", "compose.postgres.yaml", "compose.workers.yaml")
OURS = "sync-daemon"


def composed(name: str, *, webhooks: bool) -> Any:
    """A compose file; with `webhooks`, as its comments say that it is to be changed for them."""
    text = (CONFIG / name).read_text(encoding="utf-8")
    if webhooks:
        lines = r"(?m)^( *)# (EMAILOCTOPUS_WEBHOOK|- emailoctopus_webhook|emailoctopus_webhook|  file: .*webhook)"
        text, changed = re.subn(lines, r"\1\2", text)
        assert changed == 4
    return yaml(text)


@pytest.fixture(params=[(name, webhooks) for name in COMPOSED for webhooks in (False, True)], ids=str)
def whole(request: pytest.FixtureRequest) -> Any:
    name, webhooks = request.param
    return composed(name, webhooks=webhooks)


def unit() -> ConfigParser:
    parsed = ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their capitals
    parsed.read(CONFIG / "sync-daemon.service", encoding="utf-8")
    return parsed


def test_the_image_is_labelled_with_the_version_it_holds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    labels = IMAGE.pairs("LABEL")
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert labels["org.opencontainers.image.description"] == project["description"]


def test_the_image_runs_the_service_as_nobody_in_particular() -> None:
    assert IMAGE.last("USER") == "10001"
    (command,) = IMAGE.words("CMD")
    assert IMAGE.words("ENTRYPOINT") == ["sync-daemon"]
    assert command in application()


def test_the_image_holds_what_it_is_built_from() -> None:
    assert IMAGE.copied()
    allowed = re.findall(r"(?m)^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"))
    for source in IMAGE.copied():
        assert (ROOT / source).exists()
        assert source in allowed
    assert sorted(allowed) == sorted(IMAGE.copied())


def test_the_default_database_lies_on_the_volume() -> None:
    path = PurePosixPath(IMAGE.last("WORKDIR")) / DEFAULT_DATABASE.removeprefix("sqlite:///")
    (volume,) = IMAGE.words("VOLUME")
    assert str(path.parent) == volume


def test_the_image_knows_no_variable_that_the_program_does_not() -> None:
    own = {name for name in IMAGE.pairs("ENV") if name.startswith("SYNC_DAEMON_")}
    assert own
    assert own <= known_variables()


def test_the_image_is_asked_for_its_health_where_it_listens() -> None:
    variables = IMAGE.pairs("ENV")
    assert variables["SYNC_DAEMON_SERVICE__HTTP__HOST"] == "0.0.0.0"  # noqa: S104 - within the container
    assert variables["SYNC_DAEMON_SERVICE__HTTP__PORT"] == IMAGE.last("EXPOSE")
    check = IMAGE.last("HEALTHCHECK")
    assert "os.environ['SYNC_DAEMON_SERVICE__HTTP__PORT'] + '/healthz'" in check


def test_compose_runs_this_image(whole: Any) -> None:
    service = whole["services"][OURS]
    assert (CONFIG / service["build"] / "Dockerfile").resolve() == ROOT / "Dockerfile"
    mounted = {one["target"]: one["source"] for one in service["volumes"] if isinstance(one, dict)}
    assert mounted[IMAGE.pairs("ENV")["SYNC_DAEMON_CONFIG"]] == "./sync.yaml"
    (volume,) = IMAGE.words("VOLUME")
    if "postgres" in whole["services"]:
        assert volume in service["tmpfs"]
    else:
        assert f"data:{volume}" in service["volumes"]
    (port,) = service["ports"]
    assert port.endswith(f":{IMAGE.last('EXPOSE')}")


def test_compose_shuts_everything_off_that_is_not_needed(whole: Any) -> None:
    for service in whole["services"].values():
        assert service["read_only"] is True
        assert "/tmp" in service["tmpfs"]  # noqa: S108 - the container's
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert _duration(service["stop_grace_period"]).total_seconds() > _TIME_TO_FINISH_S
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_compose_names_variables_and_secrets_that_exist(whole: Any) -> None:
    assert set(whole["services"][OURS]["environment"]) <= known_variables()
    used = set()
    for service in whole["services"].values():
        files = {value for name, value in service["environment"].items() if name.endswith("_FILE")}
        assert files == {f"/run/secrets/{name}" for name in service["secrets"]}
        used |= set(service["secrets"])
    assert used == set(whole["secrets"])
    assert all(secret == {"file": f"./secrets/{name}"} for name, secret in whole["secrets"].items())
    volumes = {one for service in whole["services"].values() for one in service["volumes"] if isinstance(one, str)}
    assert {one.partition(":")[0] for one in volumes} == set(whole["volumes"])


def test_secrets_and_the_configuration_are_kept_out_of_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "config/sync.yaml", "config/secrets/"} <= set(ignored)


def test_compose_waits_for_postgresql() -> None:
    services = composed("compose.postgres.yaml", webhooks=False)["services"]
    assert services[OURS]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert {"SYNC_DAEMON_DATABASE_URL_FILE", "SYNC_DAEMON_SECRET_KEY_FILE"} <= services[OURS]["environment"].keys()


def test_compose_starts_two_workers_alike() -> None:
    services = composed("compose.workers.yaml", webhooks=False)["services"]
    one, other = dict(services[OURS]), dict(services["another"])
    assert one["command"][0] in application()
    assert one.pop("ports") != other.pop("ports")
    assert one == other


def test_the_unit_runs_the_service() -> None:
    service = unit()["Service"]
    assert service["ExecStart"].split()[1:] == ["run"]
    variables = dict(pair.split("=") for pair in service["Environment"].split())
    assert variables.keys() <= known_variables()
    assert variables["SYNC_DAEMON_CONFIG"].startswith("/etc/")
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert service["RestartPreventExitStatus"] == str(BAD_USAGE)
    assert _duration(service["TimeoutStopSec"]).total_seconds() > _TIME_TO_FINISH_S

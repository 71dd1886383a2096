"""The image, built once; two accounts on this machine; and a configuration that takes its secrets from files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_daemon.commands.demo.sides import Sides
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, running_sandbox
from sync_daemon.settings.installation import DEFAULT_DATABASE
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from tests.image.engine import Done, Engine, NoEngine, find, locked_up

SECRETS = ("GHL_TOKEN", "EMAILOCTOPUS_API_KEY")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine, with the image; without one, every test fails and says so."""
    try:
        found = find()
    except NoEngine as error:
        pytest.fail(f"NO CONTAINER ENGINE, so nothing is proved about the image: {error}")
    found.build()
    yield found
    found.must("image", "rm", found.image)


@dataclass(frozen=True)
class Installation:
    """An operator's folder: sync.yaml and secrets, and the accounts behind them."""

    engine: Engine
    running: RunningSandbox
    folder: Path
    data: str

    def options(self) -> list[str]:
        """What a container is given: configuration, volume, secrets by file."""
        mounts = [f"{self.data}:/data", f"{self.folder / 'sync.yaml'}:/config/sync.yaml:ro"]
        mounts += [f"{self.folder / name}:/run/secrets/{name}:ro" for name in SECRETS]
        variables = [f"{name}_FILE=/run/secrets/{name}" for name in SECRETS]
        return [*(f"--volume={one}" for one in mounts), *(f"--env={one}" for one in variables)]

    def command(self, *arguments: str) -> Done:
        """One command in a container of its own."""
        return self.engine("run", "--rm", *locked_up(self.engine.image, *self.options(), arguments=arguments))

    def differences(self) -> list[str]:
        """In what both sides differ that should be equal."""
        pair = load(self.folder / "sync.yaml", Variables(dict.fromkeys(SECRETS, "x"))).pairs[0]
        return Sides(self.running.sandbox, pair.policy().fields).compare().differences


@pytest.fixture
def installation(engine: Engine, tmp_path: Path) -> Iterator[Installation]:
    """Two small accounts that share most of their people."""
    sandbox = Sandbox(seed=1)
    sandbox.populate(Population(ghl=30, emailoctopus=30, shared=24))
    values = (sandbox.ghl_token, sandbox.emailoctopus_key)
    with running_sandbox(sandbox) as running, engine.volume() as data:
        text = configuration(running, DEFAULT_DATABASE)
        for name, value in zip(SECRETS, values, strict=True):
            assert text.count(value) == 1
            text = text.replace(value, f"${{{name}}}")
            (tmp_path / name).write_text(value + "\n", encoding="utf-8")
        (tmp_path / "sync.yaml").write_text(text, encoding="utf-8")
        yield Installation(engine, running, tmp_path, data)

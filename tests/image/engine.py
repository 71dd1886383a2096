"""Whatever runs containers on this machine: docker, or podman."""

import json
import os
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_FORMAT = {"docker": [], "podman": ["--format", "docker"]}
"""Only docker's format of an image knows a health check."""


class NoEngine(Exception):
    """There is nothing that runs containers; the text says what was tried."""


@dataclass(frozen=True)
class Done:
    """What a command gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Engine:
    """One engine, and the image that it built."""

    name: str
    image: str = field(default_factory=lambda: f"localhost/sync-daemon-test-{uuid.uuid4().hex[:8]}")

    def __call__(self, *arguments: str, seconds: float = 120) -> Done:
        """Run one of its commands."""
        line = [self.name, *arguments]
        done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=seconds, cwd=ROOT)
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str, seconds: float = 120) -> str:
        """Run one of its commands, which has to succeed; what it printed."""
        done = self(*arguments, seconds=seconds)
        assert done.status == 0, f"{self.name} {shlex.join(arguments)}: {done.err}"
        return done.out.strip()

    def build(self) -> None:
        """Build the image as the Dockerfile says, on the base and with the arguments that the environment names."""
        base = os.environ.get("TEST_IMAGE_BASE")
        chosen = ["--build-arg", f"BASE={base}"] if base else []
        more = shlex.split(os.environ.get("TEST_IMAGE_BUILD", ""))
        self.must("build", *_FORMAT[self.name], *chosen, *more, "--tag", self.image, ".", seconds=1800)

    def health_check(self) -> list[str]:
        """How the image says that a container's health is asked for: `CMD` and a command."""
        found = json.loads(self.must("image", "inspect", self.image))[0]
        check = found["Config"].get("Healthcheck") or found.get("Healthcheck")  # docker's place, podman's place
        return list(check["Test"])

    @contextmanager
    def volume(self) -> Iterator[str]:
        """An empty volume."""
        name = f"sync-daemon-test-{uuid.uuid4().hex[:8]}"
        self.must("volume", "create", name)
        try:
            yield name
        finally:
            self.must("volume", "rm", "--force", name)


def find() -> Engine:
    """The engine of this machine. Raises `NoEngine`."""
    tried = []
    for name in _FORMAT:
        if shutil.which(name) is None:
            tried.append(f"{name} isn't installed")
            continue
        engine = Engine(name)
        done = engine("info")
        if done.status == 0 and "Cannot connect" not in done.err:
            return engine
        tried.append(f"{name} doesn't work ({done.err.strip().splitlines()[-1] if done.err.strip() else 'no reason'})")
    raise NoEngine("; ".join(tried))


def locked_up(image: str, *options: str, arguments: Sequence[str] = ()) -> list[str]:
    """The arguments of `run` as compose.yaml has it: nothing can be written but /tmp and volumes, no capability."""
    safe = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]  # noqa: S108
    return [*safe, "--network", "host", *options, image, *arguments]

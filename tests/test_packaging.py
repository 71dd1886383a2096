"""What is built can be installed and used with nothing of the repository around; what is pinned is what is needed."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")


def test_the_wheel_works_on_its_own(tmp_path: Path) -> None:
    wheel = build(tmp_path / "dist")
    contents = set(zipfile.ZipFile(wheel).namelist())
    assert {"sync_daemon/migrations/env.py", "sync_daemon/config/sync.example.yaml"} <= contents
    dashboard = ROOT / "sync_daemon" / "web" / "dashboard"
    pages = {
        path.relative_to(ROOT).as_posix()
        for room in ("templates", "static")
        for path in dashboard.glob(f"{room}/**/*.*")
    }
    assert len(pages) > 20
    assert pages <= contents
    assert not [name for name in contents if name.startswith("tests/") or "__pycache__" in name]

    command = install(wheel, tmp_path / "environment")
    folder = tmp_path / "an empty folder"
    folder.mkdir()

    assert "Start with: sync-daemon demo" in call(command, "--help", folder=folder)
    assert call(command, "db", "upgrade", folder=folder).startswith("Upgraded from nothing to")
    assert call(command, "db", "current", folder=folder)
    assert "124 operations" in call(command, "ghl", "list", folder=folder)
    assert_the_demo_tells_its_story(run(command, "demo", folder=folder))
    assert sorted(path.name for path in folder.iterdir()) == ["data"]
    lost = subprocess.run([command, "status"], check=False, cwd=folder, env={}, capture_output=True, text=True)
    example = re.search(r"copy (.+) there", lost.stderr)
    assert example is not None, lost.stderr
    assert Path(example[1]).read_text(encoding="utf-8").startswith("# The configuration of sync-daemon")


def test_exactly_what_is_needed_is_pinned() -> None:
    lines = (ROOT / "config" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["cluster"], *extras["postgres"], *extras["dev"]]

    assert {canonicalize_name(line.split("==")[0]) for line in lines} == needed(wanted)


def build(folder: Path) -> Path:
    """Build the wheel without fetching anything."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel alone into an environment that finds its dependencies in this one; the command's path."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--no-compile",
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    paths = {"base": str(folder), "platbase": str(folder)}
    site_packages = Path(sysconfig.get_path("purelib", vars=paths))
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin" / "sync-daemon"


def call(command: Path, *arguments: str, folder: Path) -> str:
    """What the installed command prints."""
    return run(command, *arguments, folder=folder).stdout


def run(command: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What came of the installed command; it must succeed, and must not need the repository."""
    line = [str(command), *arguments]
    done = subprocess.run(line, check=False, cwd=folder, env={}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def assert_the_demo_tells_its_story(demo: subprocess.CompletedProcess[str]) -> None:
    said = [
        line for line in demo.stderr.splitlines() if not line.startswith("sandbox: read ")
    ]  # a slow machine's progress
    assert said == []
    assert demo.stdout.count("; 0 differences") == 2
    idle = r"^0 writes, (?:1 request|[2-4] requests) to GHL and [3-6] to EmailOctopus"  # activity and mail: each second
    assert re.search(idle, demo.stdout, re.MULTILINE)
    assert re.search(r"Ada \S+ +EmailOctopus +LastName +Stone +Miller-Stone +lastName differs", demo.stdout)


def needed(wanted: Iterable[str]) -> set[str]:
    """The names of all that requirements lead to, on every Python that is supported."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in wanted]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        found.add(canonicalize_name(requirement.name))
        if str(requirement) not in seen:
            seen.add(str(requirement))
            waiting.extend(_behind(requirement))
    return found


def _behind(requirement: Requirement) -> Iterator[Requirement]:
    try:
        lines = requires(requirement.name) or []
    except PackageNotFoundError:
        return  # needed on another Python only
    environments = [
        {"python_version": python, "python_full_version": f"{python}.0", "extra": extra}
        for python in PYTHONS
        for extra in ("", *requirement.extras)
    ]
    for line in lines:
        behind = Requirement(line)
        if behind.marker is None or any(behind.marker.evaluate(one) for one in environments):
            yield behind

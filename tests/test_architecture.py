"""The house stands as it is drawn: imports point down, pure rooms are pure, and README's tree is true."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sync_daemon"

FLOORS = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("service", "web", "workers"),
    ("wiring",),
    ("settings",),
    ("cycle",),
    ("read", "apply", "store", "systems"),
    ("http",),
    ("reconcile",),
    ("changes",),
    ("ports",),
    ("logs", "threads"),
    ("model",),
    ("sandbox",),
)
"""Rooms from the roof down; those of one floor don't know each other, and nobody looks up."""
ONLY_FROM = {
    "sandbox": {"commands", "web"},
    "logs": {"commands", "cli"},
    "http": {"systems"},
    "threads": {"cycle", "apply", "read", "systems"},
}
"""Rooms that not everybody above may enter."""

PURE = ("model", "ports", "changes", "reconcile")
HARMLESS = {
    "collections", "dataclasses", "datetime", "enum", "fnmatch", "functools", "hashlib", "hmac", "html", "itertools",
    "math", "operator", "re", "string", "textwrap", "types", "typing", "unicodedata",
    "email_validator", "idna", "phonenumbers",
}  # fmt: skip
"""What pure rooms may import from outside: nothing that reads, writes, waits, logs, or rolls dice."""
CLOCKS = re.compile(r"\b(?:datetime|date)\.(?:now|utcnow|today)\b")

MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


@cache
def imported(module: Path) -> tuple[str, ...]:
    """The full names of the modules that a module imports, wherever in it."""
    return tuple(_imported(module))


def _imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports out from sync_daemon on"
            name = node.module or ""
            yield from ([f"{name}.{alias.name}" for alias in node.names] if name == "sync_daemon" else [name])


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_imports_point_down(module: Path) -> None:
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    own = room_of(module)
    if own == "__init__":
        assert imported(module) == ()
        return
    for name in imported(module):
        if not name.startswith("sync_daemon."):
            continue
        other = name.split(".")[1]
        if other != own:
            assert floor_of[other] > floor_of[own], f"{own} imports {name}, which is not below it"
            assert own in ONLY_FROM.get(other, {own}), f"{own} has no business in {name}"


@pytest.mark.parametrize(
    "module", [one for one in MODULES if room_of(one) in PURE], ids=lambda module: str(module.relative_to(ROOT))
)
def test_pure_rooms_do_nothing_but_think(module: Path) -> None:
    outside = {name.split(".")[0] for name in imported(module)} - {"sync_daemon"}
    assert outside - HARMLESS == set()
    assert CLOCKS.findall(module.read_text(encoding="utf-8")) == []


def test_one_module_knows_the_http_client() -> None:
    knowing = [module.relative_to(PACKAGE).as_posix() for module in MODULES if "httpx" in map(top, imported(module))]
    assert knowing == ["http/session.py"]


def test_every_dependency_is_used_and_every_import_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["cluster"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    distributions = packages_distributions()
    used = {
        canonicalize_name(distributions[name][0])
        for module in (*MODULES, *(ROOT / "migrations").rglob("*.py"))
        for name in map(top, imported(module))
        if name in distributions and name != "sync_daemon"
    }
    # zoneinfo's data where the system has none; Starlette's sessions; what SQLAlchemy and Procrastinate connect by
    needed_at_run_time = {"tzdata", "itsdangerous", "psycopg"}
    assert used - declared == set()
    assert declared - used == needed_at_run_time


def test_the_tree_in_readme_is_true() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if not readme.strip():
        pytest.skip("README is still empty")
    block = re.search(r"^```\w*\n(sync_daemon/.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert block is not None, "README shows no tree that begins with sync_daemon/"

    named = list(paths_in(block[1]))

    assert [path for path in named if not (ROOT / path).exists()] == []
    rooms = {path.name for path in PACKAGE.iterdir() if path.name not in ("__init__.py", "__pycache__", "py.typed")}
    assert rooms - {Path(path).parts[1] for path in named if len(Path(path).parts) > 1} == set()


def paths_in(tree: str) -> Iterator[str]:
    """The files and folders that a drawn tree names; folders end in a slash, what follows the names is prose."""
    parents: list[str] = []
    for line in tree.splitlines():
        drawing = re.match(r"[\s│├└─]*", line)
        assert drawing is not None
        depth = len(drawing[0]) // 4
        names = re.match(r"(?:[\w.]+(?:\.\w+|/)(?:\s+|$))+", line[drawing.end() :])
        if names is None:
            continue
        for name in names[0].split():
            yield "/".join([*parents[:depth], name.rstrip("/")])
        parents[depth:] = [names[0].split()[0].rstrip("/")]


def top(name: str) -> str:
    """The top-level package of a module's name."""
    return name.split(".", maxsplit=1)[0]

"""Nobody can write "subscribe again" without evidence: the type checker refuses it, and no module goes round it."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNTYPED = """
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName

Operation(SystemName.EMAILOCTOPUS, Action.SET_STATUS, "g", "e", "why", sets=Consent.{consent})
"""


@pytest.fixture(scope="module")
def cache_of_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the type checker learns about the program, once for all modules that it checks."""
    return tmp_path_factory.mktemp("types")


@pytest.mark.parametrize(("consent", "passes"), [("GRANTED", False), ("PENDING", False), ("REVOKED", True)])
def test_the_type_checker_refuses_a_wider_consent_too(
    consent: str, passes: bool, tmp_path: Path, cache_of_types: Path
) -> None:
    module = tmp_path / "subscribing.py"
    module.write_text(UNTYPED.format(consent=consent), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        "pyproject.toml",
        "--cache-dir",
        str(cache_of_types),
        str(module),
    ]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (checked.returncode == 0) is passes, checked.stdout
    assert passes or 'Argument "sets" to "Operation"' in checked.stdout


@cache
def names_called(module: Path) -> frozenset[str]:
    calls = (node for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return frozenset(call.func.id for call in calls if isinstance(call.func, ast.Name))


@pytest.mark.parametrize(
    ("evidence", "only_in"),
    [
        ("OptedInAgain", "reconcile/consents.py"),
        ("LiftedInGhl", "reconcile/consents.py"),
        ("NotRevoked", "reconcile/creation.py"),
    ],
)
def test_one_place_makes_each_kind_of_evidence(evidence: str, only_in: str) -> None:
    package = ROOT / "sync_daemon"
    made_in = [one for one in package.rglob("*.py") if evidence in names_called(one)]
    assert [one.relative_to(package).as_posix() for one in made_in] == [only_in]


def test_nobody_goes_round_the_checks() -> None:
    """`object.__setattr__`, `__new__` and copies would make evidence without its checks; settings hold none."""
    ways = ("__setattr__", "__new__", "__setstate__", "copy.copy", "model_construct")
    for module in (ROOT / "sync_daemon").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        of_settings = {"model_construct"} if module.parent.name == "settings" else set()
        assert [way for way in ways if way in text and way not in of_settings] == [], module

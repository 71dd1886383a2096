"""Plans' files: what is written is read again, and what isn't a plan of this installation is refused in words."""

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_daemon.changes.digests import Digester
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.planned import Area, Planned
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.wiring.plan_file import check_target, make_plan_file, read_plan, write_plan
from sync_daemon.wiring.planning import digest_of

OURS, THEIRS = Digester(b"k" * 32), Digester(b"o" * 32)
UPDATE = Planned(
    Area.CONTACTS, SystemName.EMAILOCTOPUS, "update", "g1", "e1", ("FirstName",), "it changed", b"before", b"after"
)
TAGS = replace(UPDATE, action="add_tags", fields=(), before=b"", held=True)
PAIR = PlannedPair("main", Mode.FULL, True, "location", "list", b"settings", (UPDATE, TAGS))
MADE = datetime(2026, 11, 26, 8, 30, 15, 123456, UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A plan's file."""
    path = tmp_path / "the.plan"
    write_plan(make_plan_file((PAIR,), MADE, OURS), path)
    return path


def test_a_plan_is_read_as_it_was_written(path: Path) -> None:
    plan = read_plan(path, OURS)
    assert plan.pairs == (PAIR,)
    assert (plan.made_at, plan.digest) == (MADE.replace(microsecond=0), digest_of([PAIR]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: b"", "isn't a plan"),
        (lambda _: b"\xff\x00", "isn't a plan"),
        (lambda _: b'{"pairs": []}', "isn't a plan"),
        (lambda _: b"[]", "isn't a plan"),
        (lambda text: text[: len(text) // 2], "isn't a plan"),
        (lambda text: text.replace(b'"version": 1', b'"version": 2'), "of format 2, made by another version"),
        (lambda text: text.replace(b'"contacts"', b'"nonsense"', 1), "is damaged"),
        (lambda text: text.replace(b'"update"', b'"delete"'), "was changed since it was made"),
        (lambda text: text.replace(b'"location"', b'"elsewhere"'), "was changed since it was made"),
        (lambda text: text.replace(b'"held": true', b'"held": false'), "was changed since it was made"),
        (lambda text: text.replace(b'"apply_scope": true', b'"apply_scope": false'), "was changed since it was made"),
    ],
)
def test_what_is_no_plan_is_refused(path: Path, spoil: Callable[[bytes], bytes], told: str) -> None:
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ConfigurationError, match=told):
        read_plan(path, OURS)


def test_a_plan_of_another_installation_is_refused(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="made by another installation, or with another secret_key"):
        read_plan(path, THEIRS)


@pytest.mark.parametrize("name", [".", "none.plan"])
def test_what_cant_be_read_is_named(path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_plan(path.with_name(name) if name != "." else path.parent, OURS)


def test_a_plan_gives_way_to_a_plan_and_nothing_else_does(path: Path) -> None:
    write_plan(make_plan_file((replace(PAIR, operations=()),), MADE, OURS), path)
    assert read_plan(path, OURS).pairs[0].operations == ()

    other = path.with_name("notes.txt")
    other.write_text("mine")
    for target in (other, path.parent, Path("/dev/null")):
        with pytest.raises(ConfigurationError, match="isn't a plan"):
            check_target(target)
    assert other.read_text() == "mine"
    link = path.with_name("link.plan")
    link.symlink_to(path.with_name("nowhere"))
    with pytest.raises(ConfigurationError, match="isn't a plan"):
        check_target(link)
    with pytest.raises(ConfigurationError, match="there is no folder"):
        check_target(path.parent / "nowhere" / "the.plan")


def test_nothing_is_left_beside_a_plan(path: Path) -> None:
    assert [one.name for one in path.parent.iterdir()] == ["the.plan"]


def test_a_digest_tells_what_would_be_done_and_neither_the_order_nor_the_reasons() -> None:
    digest = digest_of([PAIR])
    assert digest_of([replace(PAIR, operations=(TAGS, replace(UPDATE, reason="because")))]) == digest
    for other in (replace(UPDATE, after=b"else"), replace(UPDATE, before=b"else"), replace(UPDATE, held=True)):
        assert digest_of([replace(PAIR, operations=(other, TAGS))]) != digest

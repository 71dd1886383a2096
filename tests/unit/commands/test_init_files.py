"""The two files that init writes: both or neither, over nothing, and read back as they were meant."""

import errno
import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from sync_daemon.commands.init.files import demand_room, write
from sync_daemon.model.errors import ConfigurationError

TEXT = "pairs: []\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("value", ["pit-1", "eo_1=", "it's", 'a"b', "a\\b", "a#b", "$HOME", "${HOME}", "`id`", "a\\'b"])
@pytest.mark.parametrize("before", ["", "A=1\n", "A=1", "# note\r\nB='x y'"])
def test_a_secret_is_read_back_as_it_was_typed(value: str, before: str) -> None:
    env = Path(".env")
    if before:
        env.write_bytes(before.encode())
    known = dotenv_values(env, interpolate=False)
    write(Path("config/sync.yaml"), TEXT, env, {"GHL_TOKEN": value})
    assert dotenv_values(env, interpolate=False) == {**known, "GHL_TOKEN": value}
    assert env.read_bytes().startswith(before.encode())
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert Path("config/sync.yaml").read_text() == TEXT


def test_nothing_is_added_where_nothing_was_typed() -> None:
    assert write(Path("sync.yaml"), TEXT, Path(".env"), {}) is False
    assert not Path(".env").exists()


@pytest.mark.parametrize("before", [None, "A=1"])
def test_a_disk_that_is_full_leaves_neither(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    env, real = Path(".env"), os.fsync
    if before is not None:
        env.write_text(before)

    def full(descriptor: int) -> None:
        if env.exists() and os.path.samestat(os.fstat(descriptor), env.stat()):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        write(Path("sync.yaml"), TEXT, env, {"GHL_TOKEN": "pit-1"})
    assert not Path("sync.yaml").exists()
    assert (env.read_text() if env.exists() else None) == before


def test_what_came_meanwhile_is_not_overwritten() -> None:
    Path("sync.yaml").symlink_to("nowhere")
    with pytest.raises(ConfigurationError, match="exists already"):
        write(Path("sync.yaml"), TEXT, Path(".env"), {"GHL_TOKEN": "pit-1"})
    assert not Path(".env").exists()


def test_a_pipe_is_no_place_for_secrets() -> None:
    os.mkfifo(".env")
    with pytest.raises(ConfigurationError, match="no plain file"):
        write(Path("sync.yaml"), TEXT, Path(".env"), {"GHL_TOKEN": "pit-1"})
    assert not Path("sync.yaml").exists()


def test_a_place_that_cant_be_is_told_before_anybody_is_asked() -> None:
    Path("file").touch()
    with pytest.raises(ConfigurationError, match="is no folder"):
        demand_room(Path("file/sync.yaml"))
    demand_room(Path("new/folder/sync.yaml"))
    assert not Path("new").exists()

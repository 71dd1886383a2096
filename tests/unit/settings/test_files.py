"""The configuration's file: written whole or not at all, over nothing that somebody else wrote."""

import stat
from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.files import ConfigurationFile, put


@pytest.fixture
def file(tmp_path: Path) -> ConfigurationFile:
    path = tmp_path / "sync.yaml"
    path.write_bytes(b"a: 1\r\n")
    path.chmod(0o640)
    return ConfigurationFile(path)


def test_a_text_takes_anothers_place(file: ConfigurationFile) -> None:
    written = file.read()
    assert written.text == "a: 1\r\n"
    assert file.obstacle() == ""
    file.save("b: é\r\n", written.digest)
    assert file.path.read_bytes() == "b: é\r\n".encode()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o640
    assert [one.name for one in file.path.parent.iterdir()] == ["sync.yaml"]


def test_a_link_stays_a_link(file: ConfigurationFile, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file.path)
    linked = ConfigurationFile(tmp_path / "link")
    linked.save("b: 2", linked.read().digest)
    assert (tmp_path / "link").is_symlink()
    assert file.path.read_text(encoding="utf-8") == "b: 2"


def test_what_somebody_else_wrote_stays(file: ConfigurationFile) -> None:
    written = file.read()
    file.path.write_text("c: 3", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="changed by somebody else"):
        file.save("b: 2", written.digest)
    assert file.path.read_text(encoding="utf-8") == "c: 3"


def test_a_file_that_is_only_to_be_read_isnt_written(file: ConfigurationFile) -> None:
    written = file.read()
    file.path.chmod(0o440)
    assert "may only be read" in file.obstacle()
    with pytest.raises(ConfigurationError, match=r"Nothing was saved: .* may only be read by the service"):
        file.save("b: 2", written.digest)
    assert file.read() == written


def test_a_file_that_is_gone_or_no_text_is_said(file: ConfigurationFile) -> None:
    file.path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="isn't UTF-8"):
        file.read()
    file.path.unlink()
    assert "can't be reached" in file.obstacle()
    with pytest.raises(ConfigurationError, match="No such file"):
        file.read()


def test_what_cant_be_put_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "full").touch()
    with pytest.raises(OSError, match="folder"):
        put(tmp_path / "folder", b"x", 0o600)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]

"""Writing the configuration and the secrets beside it: both or neither, and over nothing that is there."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sync_daemon.model.errors import ConfigurationError

_BARE = re.compile(r"[\w.+/=:@-]+", re.ASCII)
_OWNER_ALONE = 0o600


def demand_room(config: Path) -> None:
    """Raise `ConfigurationError` where a configuration is already, or can't be: before anybody is asked anything."""
    refuse_existing(config)
    above = next(folder for folder in config.absolute().parents if os.path.lexists(folder))
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise ConfigurationError(f"{config} can't be written: {above} is no folder that this user may write to.")


def refuse_existing(config: Path) -> None:
    """Raise `ConfigurationError` where a configuration is already."""
    if os.path.lexists(config):
        raise ConfigurationError(
            f"{config} exists already, and init never overwrites a configuration. Write another with --config FILE, or "
            "see whether this one is right with: sync-daemon check"
        )


def write(config: Path, text: str, env: Path, secrets: Mapping[str, str]) -> bool:
    """Write the configuration, and add secrets to `env`; whether others could read `env` before, and now can't.

    Raises `ConfigurationError` where either can't be written; then neither is.
    """
    with _new(config, text):
        return _add(env, secrets) if secrets else False


@contextmanager
def _new(path: Path, text: str) -> Iterator[None]:
    """A new file, that is gone again when what comes with it fails."""
    refuse_existing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            made = os.fstat(file.fileno())
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                yield
            except BaseException:
                _remove(path, made)
                raise
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}. Nothing was written.") from None


def _remove(path: Path, made: os.stat_result) -> None:
    """Remove the file that was made, and no other that stands there meanwhile."""
    if path.exists() and os.path.samestat(path.stat(), made):
        path.unlink()


def _add(path: Path, secrets: Mapping[str, str]) -> bool:
    """Add variables at the end of a `.env` that only its owner may read, new or not; what fails leaves it as it was."""
    try:
        descriptor, made = _open(path)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise ConfigurationError(f"{path} is no plain file, so nothing is added to it. Nothing was written.")
            lines = "".join(f"{name}={_quoted(value)}\n" for name, value in secrets.items())
            os.fchmod(descriptor, _OWNER_ALONE)
            with _as_before(descriptor, before.st_size, path if made else None):
                os.write(descriptor, (_line_end(descriptor, before.st_size) + lines).encode())
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}. Nothing was written.") from None
    return bool(stat.S_IMODE(before.st_mode) & ~_OWNER_ALONE)


def _open(path: Path) -> tuple[int, bool]:
    """A file to add to, and whether it was made."""
    flags = os.O_RDWR | os.O_APPEND
    try:
        return os.open(path, flags), False
    except FileNotFoundError:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, _OWNER_ALONE), True


@contextmanager
def _as_before(descriptor: int, size: int, made: Path | None) -> Iterator[None]:
    """Take back what was added, and the file if it was made, when it can't be added whole."""
    try:
        yield
    except BaseException:
        os.ftruncate(descriptor, size)
        if made is not None:
            made.unlink(missing_ok=True)
        raise


def _line_end(descriptor: int, size: int) -> str:
    """What a file lacks at its end before a line can follow."""
    return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""


def _quoted(value: str) -> str:
    """A value as python-dotenv reads it back."""
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

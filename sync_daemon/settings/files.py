"""Files that are there whole or not at all, and the configuration's among them."""

import os
import secrets
import threading
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sync_daemon.model.errors import ConfigurationError

_ANYBODY_WRITES = 0o222


def put(path: Path, content: bytes, mode: int) -> None:
    """Have a file hold something, whole or not at all; one that is there gives way to it. Raises `OSError`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def stamp_of(path: Path) -> Hashable:
    """What tells that a file was changed, without reading it; None where it isn't there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@dataclass(frozen=True, slots=True)
class Written:
    """A file's text at one time; `digest` tells it from every other."""

    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """The file that a configuration was loaded from. Safe for threads."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def place(self) -> Path:
        """How the configuration calls it."""
        return self.path

    def read(self) -> Written:
        """What it says now, line ends as they are. Raises `ConfigurationError`."""
        try:
            content = self.path.read_bytes()
            return Written(content.decode(), sha256(content).hexdigest())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
            raise ConfigurationError(f"The configuration file {self.path} can't be read: {reason}.") from None

    def obstacle(self) -> str:
        """Why this process can't write it, as far as can be seen; empty where it can."""
        real = self.path.resolve()
        try:
            read_only = not real.stat().st_mode & _ANYBODY_WRITES
        except OSError as error:
            return f"{self.path} can't be reached: {error.strerror}"
        if read_only or not os.access(real, os.W_OK):
            return f"{self.path} may only be read by the service (its rights, or how it is mounted)"
        if not os.access(real.parent, os.W_OK | os.X_OK):
            return f"the service may not write to the folder {real.parent}, where a new {self.path.name} would be made"
        return ""

    def save(self, text: str, instead_of: str) -> None:
        """Write another text, its rights as they were, whole or not at all; `instead_of` is the digest of the one seen.

        Raises `ConfigurationError` where it can't be written, or says something else meanwhile.
        """
        with self._lock:
            if obstacle := self.obstacle():
                raise ConfigurationError(f"Nothing was saved: {obstacle}.")
            if self.read().digest != instead_of:
                raise ConfigurationError(f"Nothing was saved: {CHANGED_MEANWHILE.format(self.path)}")
            real = self.path.resolve()
            before = real.stat()
            try:
                put(real, text.encode(), before.st_mode & 0o7777)
                with suppress(PermissionError):  # whose file it was, where this process may say so
                    os.chown(real, before.st_uid, before.st_gid)
            except OSError as error:
                raise ConfigurationError(
                    f"Nothing was saved: {self.path} can't be written: {error.strerror}."
                ) from None


CHANGED_MEANWHILE = "{} was changed by somebody else since this page was loaded. Load the page anew, and edit again."

"""Values from outside the file: the environment, `.env`, and files that `NAME_FILE` names (container secrets)."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import Document, KeyPath

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_FILE = "_FILE"


class Variables:
    """Named values. The environment wins over `.env`; a value wins over a file that would hold it."""

    def __init__(self, values: Mapping[str, str], dotenv: Path | None = None) -> None:
        self._values = values
        self.dotenv = dotenv
        """The file that completes them, None where no file does."""

    @classmethod
    def of_process(cls, folder: Path) -> "Variables":
        """The process's environment, completed by the `.env` of a folder if there is one."""
        path = folder / ".env"
        return cls({**_dotenv(path), **os.environ}, path)

    def with_values(self, values: Mapping[str, str]) -> "Variables":
        """The same, and some values beside or instead of them."""
        return Variables({**self._values, **values})

    def anew(self) -> "Variables":
        """The same, with what `.env` says now."""
        return Variables.of_process(self.dotenv.parent) if self.dotenv is not None else self

    def get(self, name: str) -> str | None:
        """A variable's value, None when it is unset or empty. Raises `ConfigurationError` for an unreadable file."""
        if value := self._values.get(name):
            return value
        path = self._values.get(name + _FILE)
        if not path:
            return None
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}{_FILE} names {path}, which can't be read: {_reason(error)}.") from None

    def starting_with(self, prefix: str) -> Iterator[tuple[str, str]]:
        """The variables with a prefix that have a value, whether set or in a file named for them."""
        names = {name.removesuffix(_FILE) for name in self._values if name.startswith(prefix)}
        for name in sorted(names):
            if value := self.get(name):
                yield name, value


def expand(document: Document, variables: Variables, literal: Collection[KeyPath] = ()) -> None:
    """Replace `${NAME}` and `${NAME:-default}` in every text of a document, but for those at the `literal` paths.

    Raises `ConfigurationError` naming every variable that is unset or empty and has no default, and every `${`
    that is no reference.
    """
    missing: list[str] = []

    def replaced(text: str, path: KeyPath) -> str:
        if path in literal:
            return text
        if "${" in _REFERENCE.sub(lambda reference: reference[2] or "", text):
            missing.append(
                f"{document.place(path)}: {document.spell(path)}: a reference is written ${{NAME}} or "
                "${NAME:-default}, NAME of letters, digits and _, and no other one in the default."
            )
            return text

        def value(reference: re.Match[str]) -> str:
            name, default = reference.groups()
            found = variables.get(name)
            if found is None and default is None:
                missing.append(
                    f"{document.place(path)}: {document.spell(path)}: the variable {name} is unset or empty. "
                    f"Set {name} in the environment or in .env, or {name}{_FILE} to a file that holds it."
                )
            return found if found is not None else default or ""

        return _REFERENCE.sub(value, text)

    def walk(node: Any, path: KeyPath) -> Any:
        if isinstance(node, dict):
            return {key: walk(child, (*path, key)) for key, child in node.items()}
        if isinstance(node, list):
            return [walk(child, (*path, index)) for index, child in enumerate(node)]
        return replaced(node, path) if isinstance(node, str) else node

    document.data = walk(document.data, ())
    if missing:
        raise ConfigurationError("\n".join(missing))


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - most runs have no such file

    try:
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {_reason(error)}.") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "it isn't UTF-8 text"

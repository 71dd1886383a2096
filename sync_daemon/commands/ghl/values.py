"""The parameters of a call as a command line gives them: words, and a file."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.systems.ghl.catalogue.texts import Written


class _Constructor(SafeConstructor):
    """YAML's types but its dates: those travel as they were written."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of a name, and the key=value pairs after it."""
    first = next((at for at, word in enumerate(words) if "=" in word), len(words))
    return list(words[:first]), list(words[first:])


def values_of(pairs: Sequence[str], body: Path | None) -> dict[str, Any]:
    """Values by their names, those of the command line as `Written`. Raises `ConfigurationError`."""
    values = {} if body is None else _object(body)
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ConfigurationError(f"{pair}: write a parameter as key=value, in quotes if there are blanks in it.")
        if key in values:
            raise ConfigurationError(f"{key} is given twice; a list takes commas: {key}=one,two.")
        values[key] = Written(text)
    return values


def _object(path: Path) -> dict[str, Any]:
    name = "Standard input" if path == Path("-") else str(path)
    text = _text(path, name)
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = _yaml(text, name)
    if not isinstance(found, dict):
        raise ConfigurationError(f"{name} must hold one object with the names of parameters.")
    return {str(key): value for key, value in found.items()}


def _text(path: Path, name: str) -> str:
    try:
        return sys.stdin.read() if path == Path("-") else path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{name} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} can't be read: it isn't UTF-8 text.") from None


def _yaml(text: str, name: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigurationError(f"{name}{where}: this is neither JSON nor YAML.") from None

"""Settings outside the pairs from variables: `SYNC_DAEMON_SERVICE__POLL_EVERY` is `service.poll_every`.

pydantic-settings reads them, from what `Variables` has: the environment, `.env` and files named by `NAME_FILE`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import Document, KeyPath
from sync_daemon.settings.installation import InstallationSection
from sync_daemon.settings.variables import Variables

PREFIX = "SYNC_DAEMON_"


def overlay(document: Document, variables: Variables) -> set[KeyPath]:
    """Let the variables that name a setting outside the pairs replace what the file says; which ones they did."""
    named = {name: value for name, value in variables.starting_with(PREFIX) if _path(name)[0] in _SECTIONS}
    if not named:
        return set()
    found = _read(named)
    _merge(document.data, found)
    document.places.update({_path(name): f"variable {name}" for name in named})
    return set(_leaves(found))


_SECTIONS = InstallationSection.model_fields


def _path(name: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(PREFIX).lower().split("__"))


def _read(named: Mapping[str, str]) -> dict[str, Any]:
    # Imported where a variable asks for it: the import takes a third of the time of `sync-daemon status`.
    from pydantic_settings import (  # noqa: PLC0415
        BaseSettings,
        EnvSettingsSource,
        SettingsConfigDict,
        SettingsError,
    )

    class Environment(InstallationSection, BaseSettings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")

    source = EnvSettingsSource(Environment)
    source.env_vars = {name.lower(): value for name, value in named.items()}
    try:
        return source()
    except SettingsError as error:
        raise ConfigurationError("\n".join(_no_json(named))) from error


_LISTS = (("previous_secret_keys",), ("alerts", "urls"))
_MAPPINGS = (("ghl",), ("emailoctopus",), ("service",), ("service", "http"), ("alerts",), ("retention",))


def _no_json(named: Mapping[str, str]) -> Iterator[str]:
    for name, value in named.items():
        if _path(name) not in _LISTS + _MAPPINGS or _is_json(value):
            continue
        if _path(name) in _LISTS:
            yield f'variable {name}: expected a JSON list such as ["one", "two"].'
        else:
            yield f"variable {name}: expected a JSON object; to set one key of it, name it: {name}__KEY."


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _leaves(found: Mapping[str, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


def _merge(data: dict[str, Any], found: Mapping[str, Any]) -> None:
    for key, value in found.items():
        inner = data.setdefault(key, {}) if isinstance(value, dict) else None
        if isinstance(value, dict) and isinstance(inner, dict):
            _merge(inner, value)
        elif not isinstance(value, dict):
            data[key] = value

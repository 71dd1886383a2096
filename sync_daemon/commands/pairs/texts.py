"""The YAML text of a pair: from options, from a row of a table, and with keys set otherwise."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import parse
from sync_daemon.settings.rewriting.rewrite import rewrite

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "template": ("template",),
    "location_id": ("ghl", "location_id"),
    "token": ("ghl", "token"),
    "list_id": ("emailoctopus", "list_id"),
    "api_key": ("emailoctopus", "api_key"),
}
"""What the columns of a table, and the options, are about."""
SECRETS = {COLUMNS["token"], COLUMNS["api_key"], ("ghl", "oauth", "client_secret"), ("emailoctopus", "webhook_secret")}
_PLAIN = re.compile(r"[A-Za-z0-9][\w-]*", re.ASCII)


def text_of(values: Mapping[str, str]) -> str:
    """The text of a pair with some values, by their columns; empty ones are left out."""
    lines: list[str] = []
    for name, path in COLUMNS.items():
        if not (value := values.get(name)):
            continue
        if len(path) > 1 and f"{path[0]}:" not in lines:
            lines.append(f"{path[0]}:")
        written = value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{'  ' * (len(path) - 1)}{path[-1]}: {written}")
    return "".join(f"{line}\n" for line in lines)


def named(text: str, name: str, called: str) -> str:
    """A pair's text with its name in it. Raises `ConfigurationError` where it has another one."""
    data = parse(text, called).data
    said = data.get("name", name)
    if "pairs" in data:
        raise ConfigurationError(
            f"{called}: expected the keys of one pair, without `pairs:`; `pairs import` takes many."
        )
    if said != name:
        raise ConfigurationError(
            f"{called}: the pair's name is {name}, and here it is {said}. What is known of its people goes by the "
            "name: to rename it, add a pair and remove the other one."
        )
    return text if "name" in data else f"{text_of({'name': name})}{text}"


def with_settings(text: str, called: str, settings: Iterable[tuple[tuple[str, ...], Any]]) -> str:
    """A pair's text with some keys set to other values; None takes one out. Raises `ConfigurationError`."""
    data = parse(text, called).data
    for path, value in settings:
        inner = data
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigurationError(f"{'.'.join(path)}: {part} has no keys below it; set it as a whole.")
        if value is None:
            inner.pop(path[-1], None)
        else:
            inner[path[-1]] = value
    return rewrite(text, called, (), data)[0]


def setting(given: str) -> tuple[tuple[str, ...], Any]:
    """The path and value that `key.key=value` names; the value is YAML. Raises `ConfigurationError`."""
    key, equals, value = given.partition("=")
    path = tuple(key.strip().split("."))
    if not equals or not all(path):
        raise ConfigurationError(f"--set {given}: write it as KEY=VALUE, such as deletes.in_ghl=ignore.")
    if path in SECRETS:
        return path, value or None
    return path, parse(f"value: {value}", f"--set {key}").data.get("value")

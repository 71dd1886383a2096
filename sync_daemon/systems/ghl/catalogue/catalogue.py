"""The catalogue as it is stored in this package, a file for each category; read when it is first asked for."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import msgspec

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.systems.ghl.catalogue.operation import Operation, kebab


class _Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    category: str
    operations: tuple[Operation, ...]


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation, by category and in the vendor's order of names within it."""
    folder = files(__package__) / "operations"
    texts = (file.read_bytes() for file in folder.iterdir() if file.name.endswith(".json"))
    read = sorted((msgspec.json.decode(text, type=_Category) for text in texts), key=lambda one: one.category)
    return tuple(msgspec.structs.replace(row, category=one.category) for one in read for row in one.operations)


def operation(name: str) -> Operation:
    """One operation by its name, in any case or with hyphens.

    Raises `ConfigurationError` that names the nearest ones.
    """
    known = {one.kebab: one for one in operations()}
    wanted = kebab(name)
    if wanted in known:
        return known[wanted]
    near = [known[one].name for one in get_close_matches(wanted, known, n=4, cutoff=0.5)]
    raise ConfigurationError(
        f"GHL has no operation {name!r} here{did_you_mean(near)} `sync-daemon ghl list` shows all of them."
    )


def in_category(name: str) -> tuple[Operation, ...]:
    """The operations of a category, in any case. Raises `ConfigurationError` that names the categories."""
    found = tuple(one for one in operations() if kebab(one.category) == kebab(name))
    if not found:
        known = ", ".join(dict.fromkeys(one.category for one in operations()))
        raise ConfigurationError(f"There is no category {name!r}; there are {known}.")
    return found


def did_you_mean(near: Sequence[str]) -> str:
    """The end of a sentence about a name that nobody knows."""
    return f"; did you mean {' or '.join(near)}?" if near else "."

"""What is to be written: plain data, and what is known of its text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any


@dataclass(frozen=True, slots=True)
class Items:
    """A list as it is to be: each item with the index of the one it was before, None for a new one, in that order."""

    of: Sequence[tuple[int | None, Any]]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """An item as somebody wrote it, in YAML; `value` is what it says."""

    text: str
    value: Any


class CantKeep(Exception):
    """A change would lose something that somebody wrote, or touch another place; the text says what."""


def plain(value: Any) -> Any:
    """A value without what is known of its text."""
    if isinstance(value, Verbatim):
        return value.value
    if isinstance(value, Items):
        return [plain(one) for _, one in value.of]
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def aligned(old: Sequence[Any], new: Sequence[Any] | Items) -> Iterator[tuple[int | None, Any]]:
    """Which item of a new list is which of an old one: equal ones first, then those that stand between the same."""
    if isinstance(new, Items):
        yield from new.of
        return
    matcher = SequenceMatcher(None, _told(old), _told(new), autojunk=False)
    for _, first, last, start, end in matcher.get_opcodes():
        for offset, value in enumerate(new[start:end]):
            yield (first + offset if first + offset < last else None), value


def _told(values: Sequence[Any]) -> list[str]:
    return [json.dumps(plain(one), sort_keys=True) for one in values]

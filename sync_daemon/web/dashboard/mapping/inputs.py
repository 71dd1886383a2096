"""Single inputs: how a value of the configuration stands in one, and how it is read back."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any

from sync_daemon.model.policy import OnLeaveScope
from sync_daemon.settings.pair import PairSection, ScopeSection, TagsSection

_YES = {"1", "true", "t", "yes", "y", "on"}
_NO = {"0", "false", "f", "no", "n", "off"}


class Kind(Enum):
    """What an input holds."""

    YES_NO = auto()
    TEXT = auto()
    LINES = auto()
    """A list of texts, one a line."""
    CONDITIONS = auto()
    """Fields with the values that qualify, each a line `field = value`."""


SINGLE: Mapping[str, Kind] = {
    "create_missing_fields": Kind.YES_NO,
    "tags.sync": Kind.YES_NO,
    "tags.include": Kind.LINES,
    "tags.exclude": Kind.LINES,
    "tags.prefix_from_emailoctopus": Kind.TEXT,
    "scope.tags_any": Kind.LINES,
    "scope.tags_all": Kind.LINES,
    "scope.tags_none": Kind.LINES,
    "scope.field": Kind.CONDITIONS,
    "scope.types": Kind.LINES,
    "scope.add_tags": Kind.LINES,
    "on_leave_scope": Kind.TEXT,
}
"""The inputs outside rows and rules, by the path of their key within the pair."""


def _defaults() -> dict[str, Any]:
    tags, scope = TagsSection(), ScopeSection()
    return {
        "create_missing_fields": str(PairSection.model_fields["create_missing_fields"].default).lower(),
        "on_leave_scope": str(OnLeaveScope.KEEP),
        **{f"tags.{key}": _raw(value) for key, value in tags},
        **{f"scope.{key}": _raw(value) for key, value in scope},
    }


def _raw(value: Any) -> Any:
    """A default as the file would say it."""
    if isinstance(value, bool):
        return str(value).lower()
    return list(value) if isinstance(value, tuple) else value


DEFAULTS: Mapping[str, Any] = _defaults()
"""What counts when a key is left out, as the file would say it."""


def shown(kind: Kind, value: Any) -> str:
    """What stands in an input."""
    if kind is Kind.LINES:
        return "\n".join(value)
    if kind is Kind.CONDITIONS:
        return "\n".join(line for name, values in value.items() for line in _lines(name, values))
    text = str(value)
    if kind is Kind.YES_NO and text.lower() in _YES | _NO:
        return "true" if text.lower() in _YES else "false"
    return text


def meant(kind: Kind, text: str) -> Any:
    """What somebody who leaves an input so wants the file to say."""
    if kind is Kind.LINES:
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind is Kind.CONDITIONS:
        found: dict[str, list[str]] = {}
        for line in meant(Kind.LINES, text):
            name, _, value = line.partition("=")
            found.setdefault(name.strip(), []).extend([value.strip()] if value.strip() else [])
        return found
    return text


def same(kind: Kind, one: str, other: str) -> bool:
    """Whether two texts in an input mean the same."""
    return bool(meant(kind, one) == meant(kind, other))


def _lines(name: str, values: Sequence[str]) -> list[str]:
    return [f"{name} = {value}" for value in values] or [f"{name} ="]

"""The whole form: rows, rules and single inputs, as the file has them and as a browser sends them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any

from sync_daemon.model.policy import Blanks, ConflictRule, Direction
from sync_daemon.settings.editing import Original
from sync_daemon.web.dashboard.mapping.inputs import DEFAULTS, SINGLE, shown
from sync_daemon.web.dashboard.mapping.rule_form import CONDITIONS, ActionForm, RuleForm

Sent = Mapping[str, Sequence[str]]
"""What a browser sends: values by the names of inputs."""
ROW_DEFAULTS: Mapping[str, str] = {
    "direction": Direction.BOTH.value,
    "conflict": ConflictRule.GHL.value,
    "blanks": Blanks.KEEP.value,
}
"""What counts where a row leaves a key out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the mapping; `origin` is its place in the file, None for a new one."""

    origin: int | None = None
    ghl: str = ""
    emailoctopus: str = ""
    direction: str = ROW_DEFAULTS["direction"]
    conflict: str = ROW_DEFAULTS["conflict"]
    blanks: str = ROW_DEFAULTS["blanks"]


ROW_KEYS = tuple(one.name for one in fields(Row) if one.name != "origin")


@dataclass(frozen=True, slots=True)
class MappingForm:
    """Everything that can be edited of a pair. `single` are the inputs outside rows and rules, by their names."""

    rows: tuple[Row, ...]
    rules: tuple[RuleForm, ...]
    single: Mapping[str, str]


def of_file(original: Original) -> MappingForm:
    """The form as the file fills it."""
    value = original.value
    rows = (Row(number, **{**ROW_DEFAULTS, **row}) for number, row in enumerate(value.get("fields", [])))
    rules = zip(value.get("rules", []), original.rules, strict=True)
    return MappingForm(
        tuple(rows),
        tuple(RuleForm.of(number, rule, text) for number, (rule, text) in enumerate(rules)),
        {name: shown(kind, _at(value, name)) for name, kind in SINGLE.items()},
    )


def _at(value: Mapping[str, Any], name: str) -> Any:
    for key in name.split("."):
        value = value.get(key, {})
    return value if value != {} else DEFAULTS[name]


def of_browser(sent: Sent) -> MappingForm:
    """The form as it was sent; what isn't in it is empty."""

    def text(name: str) -> str:
        return next(iter(sent.get(name, ())), "").replace("\r\n", "\n")

    return MappingForm(
        tuple(
            Row(_origin(text(f"{at}.origin")), **{key: text(f"{at}.{key}") for key in ROW_KEYS})
            for at in _numbered("fields", "ghl", sent)
        ),
        tuple(_rule(at, text, sent) for at in _numbered("rules", "origin", sent)),
        {name: text(name) for name in SINGLE},
    )


def _rule(at: str, text: Callable[[str], str], sent: Sent) -> RuleForm:
    origin = _origin(text(f"{at}.origin"))
    if f"{at}.yaml" in sent:
        return RuleForm(origin, yaml=text(f"{at}.yaml"))
    actions = (
        ActionForm(*(text(f"{one}.{key}") for key in ("does", "text", "due_in", "body")))
        for one in _numbered(f"{at}.then", "does", sent)
    )
    when = {key: text(f"{at}.{key}") for key in CONDITIONS}
    return RuleForm(origin, text(f"{at}.event"), text(f"{at}.subject"), when, tuple(actions))


def _numbered(name: str, key: str, sent: Sent) -> Iterator[str]:
    """The names of parts of the form that there are several of: `fields.0`, `fields.1`, …"""
    for number in count():
        if f"{name}.{number}.{key}" not in sent:
            return
        yield f"{name}.{number}"


def _origin(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def fits(form: MappingForm, original: Original) -> bool:
    """Whether a form's rows and rules can be those of a file: each at most once, in the file's order."""
    rows, rules = [row.origin for row in form.rows], [rule.origin for rule in form.rules]
    return _fit(rows, len(original.value.get("fields", []))) and _fit(rules, len(original.rules))


def _fit(origins: Sequence[int | None], size: int) -> bool:
    known = [one for one in origins if one is not None]
    return known == sorted(set(known)) and all(one < size for one in known)


def without_row(form: MappingForm, number: int) -> MappingForm:
    """The form without a row."""
    return replace(form, rows=(*form.rows[:number], *form.rows[number + 1 :]))


def without_rule(form: MappingForm, number: int) -> MappingForm:
    """The form without a rule."""
    return replace(form, rules=(*form.rules[:number], *form.rules[number + 1 :]))


def with_rule(form: MappingForm, number: int, rule: RuleForm) -> MappingForm:
    """The form with another rule in the place of one."""
    return replace(form, rules=(*form.rules[:number], rule, *form.rules[number + 1 :]))

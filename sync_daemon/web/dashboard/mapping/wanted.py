"""What a form says that the file is to say: only what somebody changed in it, all else as it stands."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import Complaint
from sync_daemon.settings.document import parse
from sync_daemon.settings.editing import Original
from sync_daemon.settings.rewriting.wanted import Items, Verbatim
from sync_daemon.web.dashboard.mapping.form import ROW_DEFAULTS, ROW_KEYS, MappingForm, Row, of_file
from sync_daemon.web.dashboard.mapping.inputs import SINGLE, Kind, meant, same
from sync_daemon.web.dashboard.mapping.naming import LABELS
from sync_daemon.web.dashboard.mapping.rule_form import RuleForm


def wanted(original: Original, form: MappingForm) -> tuple[dict[str, Any], list[Complaint]]:
    """The pair's section as `rewrite` takes it, and what can't be read of the form (paths within the pair)."""
    before, value, problems = of_file(original), deepcopy(dict(original.value)), list[Complaint]()
    for name, kind in SINGLE.items():
        if not same(kind, before.single[name], form.single[name]):
            _put(value, name, meant(kind, form.single[name]))
    if form.rows != before.rows:
        value["fields"] = Items([(row.origin, _row(row, before, original)) for row in form.rows])
    if form.rules != before.rules:
        rules = []
        for number, rule in enumerate(form.rules):
            try:
                rules.append((rule.origin, _rule(rule, original)))
            except ConfigurationError as error:
                problems.append(Complaint(("rules", number), str(error).rstrip(".")))
        value["rules"] = Items(rules)
    return value, problems


def _put(value: dict[str, Any], name: str, new: Any) -> None:
    *above, last = name.split(".")
    for key in above:
        value = value.setdefault(key, {})
    value[last] = new


def _row(row: Row, before: MappingForm, original: Original) -> dict[str, Any]:
    if row.origin is None:
        return {key: text for key in ROW_KEYS if (text := getattr(row, key)) != ROW_DEFAULTS.get(key)}
    old, value = before.rows[row.origin], dict(original.value["fields"][row.origin])
    changed = {key: getattr(row, key) for key in ROW_KEYS if getattr(row, key) != getattr(old, key)}
    return {**value, **changed}


def _rule(rule: RuleForm, original: Original) -> Any:
    old = original.value["rules"][rule.origin] if rule.origin is not None else None
    if rule.yaml is None:
        return rule.value(old)
    if rule.origin is not None and rule.yaml == original.rules[rule.origin]:
        return old
    if not rule.yaml.strip():
        raise ConfigurationError("must not be empty; take the rule out, if it isn't wanted")
    return Verbatim(rule.yaml, parse(f"{rule.yaml.rstrip()}\n", "the rule").data)


def changes(original: Original, form: MappingForm) -> Iterator[str]:
    """What a form changes, in words."""
    before = of_file(original)
    for row in form.rows:
        yield from _about_row(row, before)
    kept = {row.origin for row in form.rows}
    yield from (f"Row {row.ghl} ↔ {row.emailoctopus} is taken out" for row in before.rows if row.origin not in kept)
    for name, kind in SINGLE.items():
        if not same(kind, before.single[name], form.single[name]):
            yield f"{LABELS[name]}: {_said(before.single[name])} → {_said(form.single[name])}"
    kept = {rule.origin for rule in form.rules}
    for number, rule in enumerate(form.rules, 1):
        if rule.origin is None:
            yield f"Rule {number} is new"
        elif rule != before.rules[rule.origin] and rule.yaml != original.rules[rule.origin]:
            yield f"Rule {number} says something else"
    yield from (f"Rule {one + 1} of the file is taken out" for one in range(len(before.rules)) if one not in kept)


def _about_row(row: Row, before: MappingForm) -> Iterator[str]:
    if row.origin is None:
        yield f"Row {row.ghl or '?'} ↔ {row.emailoctopus or '?'} is new"
        return
    old = before.rows[row.origin]
    told = (
        f"{key} {getattr(old, key)} → {getattr(row, key)}" for key in ROW_KEYS if getattr(old, key) != getattr(row, key)
    )
    if words := ", ".join(told):
        yield f"Row {old.ghl} ↔ {old.emailoctopus}: {words}"


def _said(text: str) -> str:
    return ", ".join(meant(Kind.LINES, text)) or "nothing"

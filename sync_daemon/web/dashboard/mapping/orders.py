"""What the form's buttons do with it, before anything is saved."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sync_daemon.settings.editing import Original
from sync_daemon.web.dashboard.mapping.form import MappingForm, Row, with_rule, without_row, without_rule
from sync_daemon.web.dashboard.mapping.rule_form import ActionForm, RuleForm
from sync_daemon.web.dashboard.mapping.sides import proposed
from sync_daemon.wiring.sampling import Sides

PLAN = "plan"
"""The button that asks for a plan; it doesn't change the form."""
_NEW_YAML = "when: {event: clicked}\nthen:\n  - add_tag: clicked"


def obeyed(order: str, form: MappingForm, original: Original, sides: Sides) -> tuple[MappingForm, str]:
    """The form after a button was pressed (a word, and behind a colon what about), and the input to go on at."""
    made = _obeyed(order, form, original, sides)
    return made, _next_input(form, made)


def _next_input(before: MappingForm, after: MappingForm) -> str:
    if len(after.rows) > len(before.rows):
        row = after.rows[at := len(before.rows)]
        return f"fields.{at}.emailoctopus" if row.ghl else f"fields.{at}.ghl"
    for at, rule in enumerate(after.rules):
        if at >= len(before.rules) or (rule.yaml is None) != (before.rules[at].yaml is None):
            return f"rules.{at}.yaml" if rule.yaml is not None else f"rules.{at}.event"
        if len(rule.actions) > len(before.rules[at].actions):
            return f"rules.{at}.then.{len(rule.actions) - 1}.does"
    return ""


def _obeyed(order: str, form: MappingForm, original: Original, sides: Sides) -> MappingForm:
    word, _, about = order.partition(":")
    if word == "propose":
        return replace(form, rows=(*form.rows, *proposed(sides, form)))
    if word in _ADDS:
        return _ADDS[word](form, about)
    number, _, inner = about.partition(".")
    if word in _OF_RULE and _index(number, len(form.rules)) is not None:
        return _OF_RULE[word](form, int(number), inner, original)
    if word == "remove-row" and _index(number, len(form.rows)) is not None:
        return without_row(form, int(number))
    return form


def _index(text: str, size: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < size else None


_ADDS: Mapping[str, Callable[[MappingForm, str], MappingForm]] = {
    "add-row": lambda form, _: replace(form, rows=(*form.rows, Row())),
    "add-ghl": lambda form, name: replace(form, rows=(*form.rows, Row(ghl=name))),
    "add-emailoctopus": lambda form, name: replace(form, rows=(*form.rows, Row(emailoctopus=name))),
    "add-rule": lambda form, _: replace(form, rules=(*form.rules, RuleForm())),
    "add-yaml": lambda form, _: replace(form, rules=(*form.rules, RuleForm(yaml=_NEW_YAML))),
}


def _without(form: MappingForm, number: int, _inner: str, _original: Original) -> MappingForm:
    return without_rule(form, number)


def _as_yaml(form: MappingForm, number: int, _inner: str, original: Original) -> MappingForm:
    rule = form.rules[number]
    if rule.yaml is not None:
        return form
    if rule.origin is None:
        return with_rule(form, number, rule.as_yaml(None, ""))
    before = original.value["rules"][rule.origin]
    return with_rule(form, number, rule.as_yaml(before, original.rules[rule.origin]))


def _more(form: MappingForm, number: int, _inner: str, _original: Original) -> MappingForm:
    rule = form.rules[number]
    return with_rule(form, number, replace(rule, actions=(*rule.actions, ActionForm())))


def _less(form: MappingForm, number: int, inner: str, _original: Original) -> MappingForm:
    rule = form.rules[number]
    if (at := _index(inner, len(rule.actions))) is None:
        return form
    return with_rule(form, number, replace(rule, actions=(*rule.actions[:at], *rule.actions[at + 1 :])))


_OF_RULE: Mapping[str, Callable[[MappingForm, int, str, Original], MappingForm]] = {
    "remove-rule": _without,
    "yaml": _as_yaml,
    "add-action": _more,
    "remove-action": _less,
}

"""Rules as the rest of the program knows them, and what no single key of them shows."""

import hashlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sync_daemon.model.engagement import OF_MAIL, Kind
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.rules import Action, CallOperation, Rule, When
from sync_daemon.reconcile.rule_calls import CONTACT, templates_of
from sync_daemon.reconcile.templates import CAMPAIGN_NAMES, Named, Values, named_in, render
from sync_daemon.settings.complaints import Complaint, nearest
from sync_daemon.settings.document import KeyPath
from sync_daemon.settings.rules import ActionSection, CallAction, RuleSection
from sync_daemon.systems.ghl.catalogue.catalogue import operation
from sync_daemon.systems.ghl.catalogue.check import marks_of
from sync_daemon.systems.ghl.catalogue.operation import Mark, Operation
from sync_daemon.systems.ghl.catalogue.prepare import BadParameters, PreparedCall, prepare
from sync_daemon.systems.ghl.catalogue.texts import TO_COME, Written, written
from sync_daemon.systems.ghl.fields import BY_NAME, CUSTOM
from sync_daemon.systems.ghl.settings import Version

_TOUCHES = {
    Mark.EMAIL_DND: "a block for e-mail",
    Mark.ADDRESS: "an e-mail address or phone number",
    Mark.ALL_TAGS: "all tags of a contact",
}


def rules_of(sections: tuple[RuleSection, ...], ghl_names: Mapping[str, str]) -> tuple[Rule, ...]:
    """The rules that sections describe; `ghl_names` tells GHL's name of each mapped EmailOctopus field, by its tag."""
    return tuple(_rule(section, f"rules[{index}]", ghl_names) for index, section in enumerate(sections))


def rule_complaints(
    sections: tuple[RuleSection, ...], path: KeyPath, ghl_names: Mapping[str, str], location_id: str, version: Version
) -> Iterator[Complaint]:
    """Every mistake in a pair's rules that a check of single keys lets through."""
    keys: dict[str, int] = {}
    for index, section in enumerate(sections):
        here = (*path, index)
        rule = _rule(section, "", ghl_names)
        if (other := keys.setdefault(rule.key, index)) != index:
            yield Complaint(here, f"says the same as rules[{other}]; remove one")
        yield from _of_when(section, (*here, "when"), ghl_names)
        for number, (action, known) in enumerate(zip(section.then, rule.then, strict=True)):
            yield from _of_action(section, action, known, (*here, "then", number), ghl_names)
            if action.ghl is not None:
                place = (*here, "then", number, "ghl")
                yield from _of_call(action.ghl, place, location_id, version, allowed=section.allow_destructive)


def _rule(section: RuleSection, place: str, ghl_names: Mapping[str, str]) -> Rule:
    when = section.when
    actions = tuple(map(_action, section.then))
    asked = {named.key for action in actions for named in _places(action) if named.key}
    said = section.model_dump_json(include={"when", "then"}, exclude_defaults=True)
    return Rule(
        key=hashlib.sha256(said.encode()).hexdigest()[:16],
        place=place,
        when=When(
            kind=when.kind,
            subject=when.subject,
            campaign=when.campaign,
            tags_any=when.tags_any,
            tags_none=when.tags_none,
            field={ghl_names.get(name, name): values for name, values in when.field.items()},
            once_every=when.once_every,
        ),
        then=actions,
        resolved={key: ghl_names.get(key, key) for key in asked},
    )


def _action(section: ActionSection) -> Action:
    plain = section.plain()
    if plain is not None or section.ghl is None:
        return plain or CallOperation("")
    call = section.ghl
    try:
        found = operation(call.operation)
    except ConfigurationError:  # told by its complaint
        return CallOperation(call.operation, written(call.values))
    return CallOperation(
        found.name, written(call.values), any(one.name == CONTACT for one in found.parameters), _removes(found, call)
    )


def _removes(found: Operation, call: CallAction) -> bool:
    takes = {one.name: one for one in found.parameters}
    marks = {
        mark for name, value in call.values.items() if name in takes for mark in marks_of(takes[name], _foreseen(value))
    }
    return found.effect == "delete" or Mark.REMOVES in marks


def _places(action: Action) -> Iterator[Named]:
    for text in templates_of(action):
        yield from named_in(text)


def _foreseen(value: Any) -> Any:
    """A value as far as it is known now: a text with names in it is yet to come."""
    if isinstance(value, str):
        return TO_COME if any(True for _ in named_in(value)) else Written(render(value, Values()))
    if isinstance(value, Mapping):
        return {name: _foreseen(one) for name, one in value.items()}
    return [_foreseen(one) for one in value] if isinstance(value, list | tuple) else value


def _of_when(section: RuleSection, path: KeyPath, ghl_names: Mapping[str, str]) -> Iterator[Complaint]:
    when = section.when
    if when.campaign is not None and when.kind not in OF_MAIL:
        yield Complaint((*path, "campaign"), f"{when.kind} comes from no campaign; leave this out")
    if when.kind is Kind.FIELD_CHANGED and not any(_fits(tag, when.subject) for tag in ghl_names):
        known = nearest(when.subject, tuple(ghl_names)) if ghl_names else "no field is mapped"
        yield Complaint((*path, "event"), f"no mapped EmailOctopus field is called `{when.subject}`; {known}")
    for name in when.field:
        if not _is_known(name, ghl_names):
            yield Complaint((*path, "field", name), _unknown(name, ghl_names))


def _of_action(
    section: RuleSection, action: ActionSection, known: Action, path: KeyPath, ghl_names: Mapping[str, str]
) -> Iterator[Complaint]:
    (key,) = action.model_fields_set
    for place in _places(known):
        if place.name in CAMPAIGN_NAMES and section.when.kind not in OF_MAIL:
            yield Complaint((*path, key), f"{section.when.kind} comes from no campaign, so {{{place.name}}} is nothing")
        if place.key and not _is_known(place.key, ghl_names):
            yield Complaint((*path, key), f"{{field[{place.key}]}}: {_unknown(place.key, ghl_names)}")


def _of_call(
    call: CallAction, path: KeyPath, location_id: str, version: Version, *, allowed: bool
) -> Iterator[Complaint]:
    try:
        found = operation(call.operation)
    except ConfigurationError as error:
        yield Complaint((*path, "operation"), str(error).rstrip("."))
        return
    if CONTACT in call.values:
        yield Complaint((*path, CONTACT), "is the contact to whom it happened, and filled in; leave it out")
        return
    contact = {CONTACT: TO_COME} if any(one.name == CONTACT for one in found.parameters) else {}
    try:
        prepared = prepare(found, {**contact, **_foreseen(call.values)}, location_id, version)
    except BadParameters as error:
        for name, _, problem in (told.partition(": ") for told in error.problems):
            yield Complaint((*path, name), problem.rstrip(".?"))
    except ConfigurationError as error:
        yield Complaint((*path, "operation"), str(error).rstrip("."))
    else:
        yield from _forbidden(prepared, path, allowed=allowed)


def _forbidden(prepared: PreparedCall, path: KeyPath, *, allowed: bool) -> Iterator[Complaint]:
    """What no rule may do (contract, section 9)."""
    name = prepared.operation.name
    for mark in sorted(prepared.touches):
        yield Complaint(path, f"{name} would change {_TOUCHES[mark]}: no rule may")
    if prepared.operation.effect == "read":
        yield Complaint((*path, "operation"), f"{name} only reads: a rule has no use for it")
    if "sub-account" not in prepared.operation.access:
        yield Complaint((*path, "operation"), f"{name} takes an agency's token, and a pair has a sub-account's")
    if prepared.destructive and not allowed:
        yield Complaint(
            path, f"{name} takes something away; say `allow_destructive: true` beside `when` if you want it"
        )


def _is_known(name: str, ghl_names: Mapping[str, str]) -> bool:
    return name in ghl_names or name in BY_NAME or (name.startswith(CUSTOM) and name != CUSTOM)


def _unknown(name: str, ghl_names: Mapping[str, str]) -> str:
    hint = nearest(name, (*ghl_names, *BY_NAME))
    return (
        f"`{name}` is neither a mapped EmailOctopus field nor a GHL one; write custom.<key> for a custom field; {hint}"
    )


def _fits(tag: str, pattern: str) -> bool:
    return fnmatchcase(tag.lower(), pattern.lower())

"""Which input a complaint is about, and what people call it."""

from collections.abc import Iterable, Mapping

from sync_daemon.settings.complaints import Complaint
from sync_daemon.settings.document import KeyPath
from sync_daemon.web.dashboard.mapping.form import ROW_KEYS, MappingForm
from sync_daemon.web.dashboard.mapping.inputs import SINGLE

LABELS: Mapping[str, str] = {
    "ghl": "GoHighLevel's field",
    "emailoctopus": "EmailOctopus's field",
    "direction": "Direction",
    "conflict": "When both sides changed it",
    "blanks": "When EmailOctopus's is emptied",
    "create_missing_fields": "Make fields that one side lacks",
    "tags.sync": "Keep tags equal",
    "tags.include": "Tags that travel",
    "tags.exclude": "Tags that stay",
    "tags.prefix_from_emailoctopus": "What EmailOctopus's tags are called in GoHighLevel",
    "scope.tags_any": "With any of the tags",
    "scope.tags_all": "With all of the tags",
    "scope.tags_none": "With none of the tags",
    "scope.field": "With one of the values in a field",
    "scope.types": "Of the contact types",
    "scope.add_tags": "Tags put on those who come from EmailOctopus",
    "on_leave_scope": "When somebody no longer takes part",
    "event": "Event",
    "subject": "Which tag or field",
    "campaign": "Campaign",
    "tags_any": "Only with any of the tags",
    "tags_none": "Only with none of the tags",
    "field": "Only with one of the values in a field",
    "once_every": "At most once in",
}
"""What inputs are called, by the last part of their names where there are several."""
_OF_TASK = ("due_in", "body")
_OF_RULE = ("event", "subject", "campaign", "tags_any", "tags_none", "field", "once_every")


def said_of(complaints: Iterable[Complaint], form: MappingForm) -> list[tuple[str, str, str]]:
    """Each complaint: the name of its input (empty: none), what people call that, and the words."""
    found = []
    for path, text in dict.fromkeys(complaints):
        name = input_of(path, form)
        elsewhere = ".".join(map(str, path)) if not name else ""
        found.append((name, called(name, form), f"`{elsewhere}`: {text}" if elsewhere else text))
    return found


def input_of(path: KeyPath, form: MappingForm) -> str:
    """The name of the input that a key of the pair stands in."""
    parts = list(map(str, path))
    if parts[:1] == ["fields"] and len(parts) > 1:
        return ".".join(parts[:3] if parts[2:3] and parts[2] in ROW_KEYS else parts[:2])
    if parts[:1] == ["rules"] and len(parts) > 1:
        return _of_rule(parts, form)
    names = (".".join(parts[:length]) for length in (2, 1))
    return next((name for name in names if name in SINGLE), "")


def _of_rule(parts: list[str], form: MappingForm) -> str:
    rule = form.rules[int(parts[1])] if int(parts[1]) < len(form.rules) else None
    if rule is None or rule.yaml is not None:
        return ".".join(parts[:2])
    if parts[2:3] == ["then"] and len(parts) > 3:
        return ".".join([*parts[:4], parts[5] if parts[5:6] and parts[5] in _OF_TASK else "text"])
    return ".".join([*parts[:2], parts[3]]) if parts[2:3] == ["when"] and parts[3:4] else ".".join(parts[:2])


def called(name: str, form: MappingForm) -> str:
    """What people call an input, and where it is."""
    parts = name.split(".")
    if parts[0] == "fields" and len(parts) > 1:
        row = form.rows[int(parts[1])]
        whole = f"Row {int(parts[1]) + 1} ({row.ghl or '?'} ↔ {row.emailoctopus or '?'})"
        return f"{whole}, {_lowered(LABELS[parts[2]])}" if parts[2:] else whole
    if parts[0] == "rules" and len(parts) > 1:
        whole = f"Rule {int(parts[1]) + 1}"
        if parts[2:3] == ["then"]:
            return f"{whole}, action {int(parts[3]) + 1}"
        return f"{whole}, {_lowered(LABELS[parts[2]])}" if parts[2:] and parts[2] in _OF_RULE else whole
    return LABELS.get(name, "")


def _lowered(label: str) -> str:
    """A label within a sentence; the systems keep their names."""
    return label if label.startswith(("GoHighLevel", "EmailOctopus")) else label[:1].lower() + label[1:]

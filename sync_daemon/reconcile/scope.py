"""Which GHL contacts take part in the sync (contract, section 3)."""

from collections.abc import Iterable, Mapping

from sync_daemon.changes.digests import canonical
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Snapshot, Value
from sync_daemon.model.policy import ScopeRule


def in_scope(rule: ScopeRule, contact: Snapshot) -> bool:
    """Whether a GHL contact satisfies the scope."""
    return satisfies(rule, contact.tags, contact.fields, contact.contact_type)


def why_outside(rule: ScopeRule, contact: Snapshot) -> str | None:
    """Which condition of the scope a GHL contact doesn't satisfy, in words that hold no value of it; None if all."""
    parts = {
        "tags_any": ScopeRule(tags_any=rule.tags_any),
        "tags_all": ScopeRule(tags_all=rule.tags_all),
        "tags_none": ScopeRule(tags_none=rule.tags_none),
        "types": ScopeRule(types=rule.types),
        **{f"field {name}": ScopeRule(field={name: values}) for name, values in rule.field.items()},
    }
    return next((name for name, part in parts.items() if not in_scope(part, contact)), None)


def satisfies(rule: ScopeRule, tags: Iterable[str], fields: Mapping[str, Value], contact_type: str | None) -> bool:
    """Whether a GHL contact with these tags, fields (configuration names) and type would satisfy the scope."""
    names = {fold(tag) for tag in tags}
    if rule.tags_any and names.isdisjoint(map(fold, rule.tags_any)):
        return False
    if not names.issuperset(map(fold, rule.tags_all)) or not names.isdisjoint(map(fold, rule.tags_none)):
        return False
    if rule.types and (contact_type is None or fold(contact_type) not in map(fold, rule.types)):
        return False
    return all(_qualifies(fields.get(name), values) for name, values in rule.field.items())


def _qualifies(value: Value, wanted: tuple[str, ...]) -> bool:
    held = value if isinstance(value, tuple) else (canonical(value)[1:],)
    return not {item.casefold() for item in held}.isdisjoint(item.casefold() for item in wanted)

"""What a field or part goes by in the audit log: a mapped row has three names, consent is written in several ways."""

from collections.abc import Iterable

from sync_daemon.model.plan import Action, MassChange
from sync_daemon.model.policy import FieldRule

PARTS: dict[str, frozenset[str]] = {
    "tags": frozenset({"tags", Action.ADD_TAGS, Action.REMOVE_TAGS, MassChange.TAG_REMOVAL}),
    "consent": frozenset({"consent", Action.SET_STATUS, Action.SET_DND, Action.LIFT_DND}),
    "address": frozenset({"address", "change_address"}),
    "creation": frozenset({"creation", Action.CREATE, MassChange.CREATE_IN_GHL, MassChange.CREATE_IN_EMAILOCTOPUS}),
    "deletion": frozenset({"deletion", Action.DELETE}),
    "scope": frozenset({"scope", MassChange.LEAVE_SCOPE}),
}
"""The parts of a contact beside its fields, each with every word that the log has for it."""


def logged_words(asked: str, rules: Iterable[FieldRule]) -> frozenset[str]:
    """Every word of the log that a field's name on either side, or a part, stands for; itself at least."""
    names = {
        name
        for rule in rules
        if asked.casefold() in (rule.key.casefold(), rule.ghl.casefold(), rule.emailoctopus.casefold())
        for name in (rule.key, rule.ghl, rule.emailoctopus)
    }
    return frozenset({asked, *names, *PARTS.get(asked.casefold(), ())})

"""What waits, in words: why a change is parked, what a held one would do. Pure."""

from sync_daemon.model.plan import MassChange
from sync_daemon.model.state import Parked
from sync_daemon.reconcile.explained import WHY_PARKED

_ACTIONS = {
    MassChange.DELETION: "carry a deletion over",
    MassChange.LEAVE_SCOPE: "act on a contact that left the scope",
    MassChange.BLANK: "clear fields",
    MassChange.TAG_REMOVAL: "remove tags",
    MassChange.RULE_ACTION: "do what a rule says",
    MassChange.RULE_REMOVAL: "take away what a rule says",
    MassChange.CREATE_IN_GHL: "create a contact in GoHighLevel",
    MassChange.CREATE_IN_EMAILOCTOPUS: "create a contact in EmailOctopus",
    MassChange.UNDO: "take back what a run wrote",
    "change_address": "change an e-mail address",
}


def why(entry: Parked) -> str:
    """Why a change is parked: the API's own words, or what its code means."""
    return entry.message or WHY_PARKED.get(entry.code, entry.code)


def would_do(action: str) -> str:
    """What a held change would do."""
    return _ACTIONS.get(action, action.replace("_", " "))

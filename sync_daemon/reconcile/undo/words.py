"""Why something that a run did isn't undone, in words."""

from sync_daemon.model.undo import Left, Replaced

CONSENT = "nobody is subscribed by an undo, and nobody's word taken back"
ADDRESS = (
    "an address says who somebody is and what he agreed to: change it back in GoHighLevel or EmailOctopus, and the "
    "next cycle carries it over"
)
DELETED = "who was deleted can't be brought back"
CREATED = "created by the run: --delete-created deletes it"
NO_LINK = "the two contacts aren't linked any more"
OUT_OF_SCOPE = "the contact is out of scope now: nothing is written there"
NOT_MAPPED = "the mapping, the tag filter or the account doesn't have it any more"
WAITS = "it is parked or held: see `parked list` and `held list`"
IS_BACK = "it is as it was before the run"
CHANGED = "it has changed since: it isn't what the run wrote any more"
TO_COME = "it has changed since on one side, and the next cycle carries that"
UNREAD = "nobody had read its former value"
GONE = "the contact doesn't exist any more"
TOUCHED = "somebody or something has changed it since it was created: it isn't deleted"


def left(row: Replaced, what: str, why: str) -> Left:
    """One thing that isn't undone."""
    return Left(row.system, row.ghl_id, row.emailoctopus_id, what, why)

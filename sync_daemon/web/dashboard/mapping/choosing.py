"""What can be chosen, by the last part of an input's name: the configuration's word, and what it means."""

from collections.abc import Mapping

from sync_daemon.model.engagement import Kind
from sync_daemon.model.policy import Blanks, ConflictRule, Direction, OnLeaveScope
from sync_daemon.web.dashboard.mapping.rule_form import TASK

_YES_NO = {"true": "yes", "false": "no"}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "direction": {
        Direction.BOTH.value: "↔ both ways",
        Direction.TO_EMAILOCTOPUS.value: "→ EmailOctopus only",
        Direction.TO_GHL.value: "← GoHighLevel only",
    },
    "conflict": {
        ConflictRule.GHL.value: "GoHighLevel wins",
        ConflictRule.EMAILOCTOPUS.value: "EmailOctopus wins",
        ConflictRule.NEWEST.value: "the newest wins",
    },
    "blanks": {
        Blanks.KEEP.value: "GoHighLevel keeps its value",
        Blanks.PROPAGATE.value: "GoHighLevel's is emptied, too",
    },
    "create_missing_fields": _YES_NO,
    "tags.sync": _YES_NO,
    "on_leave_scope": {
        OnLeaveScope.KEEP.value: "leave the EmailOctopus contact as it is",
        OnLeaveScope.UNSUBSCRIBE.value: "unsubscribe in EmailOctopus",
        OnLeaveScope.REMOVE_TAGS.value: "take the tags away in EmailOctopus",
    },
    "event": {
        Kind.OPENED.value: "opened a mail",
        Kind.CLICKED.value: "clicked in a mail",
        Kind.BOUNCED.value: "a mail bounced",
        Kind.COMPLAINED.value: "complained of spam",
        Kind.UNSUBSCRIBED.value: "unsubscribed",
        Kind.SUBSCRIBED.value: "subscribed",
        Kind.TAG_ADDED.value: "got a tag",
        Kind.FIELD_CHANGED.value: "a field changed",
    },
    "does": {
        "add_tag": "add the tag",
        "remove_tag": "take away the tag",
        "create_note": "write the note",
        "add_to_workflow": "add to the workflow (its id)",
        TASK: "create the task",
    },
}

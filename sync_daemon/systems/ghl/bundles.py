"""Which operations share a request. Pure.

GHL writes one contact a request; only the same tags for several contacts fit into one (bulk route).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sync_daemon.model.plan import Action, Bundle, Operation
from sync_daemon.model.system import SystemName

MAX_BULK = 100
"""Contacts in one bulk request: its maximum isn't documented (issue 315)."""

_ROUTES = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.SET_DND: "dnd",
    Action.LIFT_DND: "dnd",
    Action.ADD_TAGS: "add_tags",
    Action.REMOVE_TAGS: "remove_tags",
    Action.DELETE: "delete",
}
_SHARED = (Action.ADD_TAGS, Action.REMOVE_TAGS)
BULK = {"add_tags": "bulk_add_tags", "remove_tags": "bulk_remove_tags"}
"""The route several contacts share, by the route of one."""

_Key = tuple[Action, frozenset[str]]


@dataclass(slots=True)
class _Open:
    """A bundle that may still grow; `position` is its place in the order of sending."""

    position: int
    operations: list[Operation] = field(default_factory=list)


def bundle(operations: Sequence[Operation], batch_size: int) -> list[Bundle]:
    """Group operations into requests to be sent in this order, which keeps each contact's own order."""
    limit = max(1, min(batch_size, MAX_BULK))
    bundles: list[_Open] = []
    growing: dict[_Key, _Open] = {}
    last: dict[str, int] = {}
    for operation in operations:
        key = (operation.action, frozenset(operation.tags))
        contact = operation.target_id or ""
        place = growing.get(key) if operation.action in _SHARED else None
        if place is None or len(place.operations) == limit or place.position <= last.get(contact, -1):
            place = _Open(len(bundles))
            bundles.append(place)
            growing[key] = place
        place.operations.append(operation)
        last[contact] = place.position
    return [_closed(place.operations) for place in bundles]


def _closed(operations: list[Operation]) -> Bundle:
    route = _ROUTES[operations[0].action]
    return Bundle(SystemName.GHL, BULK[route] if len(operations) > 1 else route, tuple(operations))

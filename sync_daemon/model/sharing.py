"""What pairs that share a location or a list have to know of each other."""

from dataclasses import dataclass
from enum import StrEnum


class UnsubscribeMeans(StrEnum):
    """What somebody who unsubscribes from one of a location's several lists wants to hear no more of."""

    THIS_LIST = "this_list"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a link remembers because its location or its list has other pairs, too; nothing where it has none.

    `alone` says that the person unsubscribed from this list while another list of the location has him subscribed, so
    that GHL doesn't block the address; `lifted` that this program lifted GHL's block because he subscribed to this
    list again, which says nothing of the others; `left` that he left the scope, and that what `on_leave_scope` asks
    for waits until no other location has him. `yielded` are the keys of the mapping rows in which the list shows
    another location's value, `given` the digests of the values and tags that the EmailOctopus contact has from this
    location: whatever else changes there is a person's doing.
    """

    alone: bool = False
    lifted: bool = False
    left: bool = False
    yielded: frozenset[str] = frozenset()
    given: frozenset[bytes] = frozenset()


UNSHARED = Sharing()

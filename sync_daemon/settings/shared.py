"""What pairs that share a location or a list can't agree about."""

from collections.abc import Iterator, Sequence

from sync_daemon.model.policy import Direction
from sync_daemon.settings.complaints import Complaint
from sync_daemon.settings.document import KeyPath
from sync_daemon.settings.pair import PairSection


def sharing_complaints(pairs: Sequence[PairSection]) -> Iterator[Complaint]:
    """Rows and fields of one pair that contradict those of a pair before it in the file, or of any with its list."""
    for index, pair in enumerate(pairs):
        path: KeyPath = ("pairs", index)
        for other in pairs[:index]:
            if other.ghl.location_id == pair.ghl.location_id:
                yield from _two_leaders(pair, other, path)
        for other in pairs:
            if other is not pair and other.emailoctopus.list_id == pair.emailoctopus.list_id:
                yield from _shown_and_mapped(pair, other, path)


def _two_leaders(pair: PairSection, other: PairSection, path: KeyPath) -> Iterator[Complaint]:
    """A field of one location that two lists lead: each would overwrite the other's value."""
    led = {row.ghl for row in other.fields if row.direction is Direction.TO_GHL}
    for index, row in enumerate(pair.fields):
        if row.direction is Direction.TO_GHL and row.ghl in led:
            yield Complaint(
                (*path, "fields", index, "direction"),
                f"the list of pair {other.name} leads {row.ghl} of this location already (to_ghl): only one list can; "
                "write `direction: to_emailoctopus` here, or there",
            )


def _shown_and_mapped(pair: PairSection, other: PairSection, path: KeyPath) -> Iterator[Complaint]:
    """A field of one list that shows activity for one pair and is in the mapping of another."""
    mapped = {row.emailoctopus for row in other.fields}
    for (part, key), name in pair.activity.named().items():
        if name in mapped:
            yield Complaint(
                (*path, "activity", part, key),
                f"the field {name} is in the mapping of pair {other.name}, which has the same list: name another one, "
                "for what is shown of activity",
            )

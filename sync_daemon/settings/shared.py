"""What pairs that share a location or a list can't agree about."""

from collections.abc import Callable, Iterator, Sequence

from sync_daemon.model.policy import Direction
from sync_daemon.settings.complaints import Complaint
from sync_daemon.settings.pair import PairSection

OfPair = tuple[PairSection, Complaint]


def sharing_complaints(pairs: Sequence[PairSection]) -> Iterator[OfPair]:
    """Rows and fields of one pair that contradict those of a pair before it in the file, or of any with its list."""
    for together in _by(pairs, lambda pair: pair.ghl.location_id):
        for index, pair in enumerate(together):
            for other in together[:index]:
                yield from _two_leaders(pair, other)
    for together in _by(pairs, lambda pair: pair.emailoctopus.list_id):
        for pair in together:
            for other in together:
                if other is not pair:
                    yield from _shown_and_mapped(pair, other)


def _by(pairs: Sequence[PairSection], shared: Callable[[PairSection], str]) -> list[list[PairSection]]:
    groups: dict[str, list[PairSection]] = {}
    for pair in pairs:
        groups.setdefault(shared(pair), []).append(pair)
    return list(groups.values())


def _two_leaders(pair: PairSection, other: PairSection) -> Iterator[OfPair]:
    """A field of one location that two lists lead: each would overwrite the other's value."""
    led = {row.ghl for row in other.fields if row.direction is Direction.TO_GHL}
    for index, row in enumerate(pair.fields):
        if row.direction is Direction.TO_GHL and row.ghl in led:
            text = (
                f"the list of pair {other.name} leads {row.ghl} of this location already (to_ghl): only one list can; "
                "write `direction: to_emailoctopus` here, or there"
            )
            yield pair, Complaint(("fields", index, "direction"), text)


def _shown_and_mapped(pair: PairSection, other: PairSection) -> Iterator[OfPair]:
    """A field of one list that shows activity for one pair and is in the mapping of another."""
    mapped = {row.emailoctopus for row in other.fields}
    for (part, key), name in pair.activity.named().items():
        if name in mapped:
            text = (
                f"the field {name} is in the mapping of pair {other.name}, which has the same list: name another one, "
                "for what is shown of activity"
            )
            yield pair, Complaint(("activity", part, key), text)

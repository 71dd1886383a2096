"""What a full scan proves about those it lacks: nothing, unless it is complete (contract, sections 6 and 7). Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sync_daemon.model.contact import Page
from sync_daemon.ports import Seen


@dataclass(slots=True)
class Tally:
    """What one listing came to, page by page: the API's own total as last told, and rows that aren't stored.

    `ended` says that it came to its end without an error.
    """

    total: int | None = None
    malformed: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    dropped: int = 0
    ended: bool = False

    def add(self, page: Page, forgotten: Collection[str] = ()) -> None:
        """Count a page; `forgotten` are the contacts of it that are skipped as such."""
        self.forgotten.update(forgotten)
        self.total = page.total if page.total is not None else self.total
        self.malformed.update(one.contact_id for one in page.malformed)
        self.dropped += page.dropped


def counted(tallies: Iterable[Tally], seen: Seen) -> int:
    """How many contacts a scan was shown: those the store has met in it, and those it can't keep."""
    listed = list(tallies)
    unknown = {one for tally in listed for one in (*tally.malformed, *tally.forgotten)}
    return seen.listed + len(unknown) + sum(one.dropped for one in listed)


def told_in_listings(tallies: Iterable[Tally]) -> int | None:
    """The total that the listings themselves told, None when none did."""
    totals = [tally.total for tally in tallies if tally.total is not None]
    return sum(totals) if totals else None


def told_in_counts(before: Mapping[str, int], after: Mapping[str, int]) -> int | None:
    """The least that counts by status, read before and after a scan, say there were; None when they weren't told.

    Whoever went from one status to another meanwhile may have been in neither listing: as many may be missing.
    """
    if not before or not after:
        return None
    moved = sum(abs(after.get(status, 0) - before.get(status, 0)) for status in {*before, *after})
    return min(sum(before.values()), sum(after.values())) - moved


def shortfall(shown: int, total: int | None, seen: Seen) -> str | None:
    """Why a scan that ended well came back short, None when it is complete."""
    if total is not None and shown < total:
        return f"it showed {shown} contacts of the {total} that the API counts"
    if 2 * seen.old_listed < seen.old:
        return f"it showed {seen.old_listed} of the {seen.old} contacts known before, which is less than half"
    return None

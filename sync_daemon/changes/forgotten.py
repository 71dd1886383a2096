"""Who was forgotten: known again by keyed digests alone, so that nothing of a person is taken in anew. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sync_daemon.changes.digests import Digester
from sync_daemon.changes.staging import outdated
from sync_daemon.model.contact import Snapshot, Source
from sync_daemon.model.state import KnownContact
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit


class Sight(Enum):
    """What the sight of a contact means."""

    NOBODY = auto()
    """It is nobody's who was forgotten."""
    UNDER_ITS_ID = auto()
    """It was forgotten, under its id."""
    BY_ADDRESS = auto()
    """It has the address of somebody who was forgotten, and isn't forgotten itself yet."""
    PERHAPS = auto()
    """An index that runs behind says so of a contact that is known: it is to be read by id."""
    UNPROVEN = auto()
    """An index that runs behind says so of a contact that nobody knows."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The people that one pair has forgotten: `digests` of their addresses and of their contacts' ids."""

    digester: Digester
    digests: set[bytes]

    def contact(self, system: SystemName, contact_id: str) -> bool:
        """Whether a contact was forgotten under its id."""
        return bool(self.digests) and self.digester.contact(system, contact_id) in self.digests

    def person(self, snapshot: Snapshot) -> bytes | None:
        """The digest of the address that a contact shows, if whoever has it was forgotten."""
        if not self.digests or snapshot.address is None:
            return None
        digest = self.digester.address(snapshot.address)
        return digest if digest in self.digests else None

    def sight(self, snapshot: Snapshot, known: KnownContact | None) -> Sight:
        """What a snapshot means; `known` is the contact as the store has it."""
        if self.contact(snapshot.system, snapshot.contact_id):
            return Sight.UNDER_ITS_ID
        if self.person(snapshot) is None or (known is not None and outdated(snapshot, known)):
            return Sight.NOBODY
        if snapshot.source is not Source.HINT:
            return Sight.BY_ADDRESS
        return Sight.UNPROVEN if known is None else Sight.PERHAPS

    def leave_out(self, commit: Commit) -> None:
        """Take out of a transaction whatever it would write down about a contact that was forgotten."""
        if not self.digests:
            return
        for rows in _written(commit):
            rows[:] = [row for row in rows if not any(self.contact(*key) for key in _keys(row))]
        for ghl_id in [one for one in commit.additional_addresses if self.contact(SystemName.GHL, one)]:
            del commit.additional_addresses[ghl_id]


def _written(commit: Commit) -> tuple[list[Any], ...]:
    """The lists of a transaction whose rows are stored and tell of contacts."""
    return (
        commit.contacts,
        commit.links,
        commit.staged,
        commit.parked,
        commit.held,
        commit.tombstones,
        commit.activity,
        commit.deeds,
        commit.changes,
    )


def _keys(row: Any) -> Iterator[tuple[SystemName, str]]:
    """The contacts that a row is about."""
    if hasattr(row, "contact_id"):
        yield row.system, row.contact_id
        return
    ends = ((SystemName.GHL, row.ghl_id), (SystemName.EMAILOCTOPUS, row.emailoctopus_id))
    yield from ((system, contact_id) for system, contact_id in ends if contact_id)

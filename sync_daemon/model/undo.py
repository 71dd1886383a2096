"""What a write replaced, as the undo journal keeps it (contract, section 2, "What is stored")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sync_daemon.model.contact import Value
from sync_daemon.model.plan import Action
from sync_daemon.model.system import SystemName


@dataclass(frozen=True, slots=True)
class Swap:
    """A value and the one that took its place, both as the system that was written to holds them; None is blank."""

    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Replaced:
    """One write that a run made, and what it replaced.

    `system` is the one written to; the id there is that of the contact that was created, or deleted. `fields` are by
    the mapping row's key, `unread` the keys of those whose former value nobody had read, `address` the primary
    addresses; `tags` the names that were added or removed, as that system spells them. `conflicts` are the keys (or
    "address") whose former value lost against the other side's. Of what was created `digest` tells what it was then,
    `updated_at` is its own timestamp. `run_id`, `at` and `id`, which orders rows, are the journal's.
    """

    system: SystemName
    action: Action
    ghl_id: str | None
    emailoctopus_id: str | None
    fields: Mapping[str, Swap] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    address: Swap | None = None
    tags: tuple[str, ...] = ()
    conflicts: frozenset[str] = frozenset()
    digest: bytes | None = None
    updated_at: datetime | None = None
    run_id: str = ""
    at: datetime | None = None
    id: int = 0

    @property
    def target_id(self) -> str | None:
        """The id of the contact that was written to."""
        return self.ghl_id if self.system is SystemName.GHL else self.emailoctopus_id


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a run did and that isn't undone: in which system, of whom, what, and why."""

    system: SystemName
    ghl_id: str | None
    emailoctopus_id: str | None
    what: str
    why: str

"""An independent memory of what people did, as far as laws speak of it, which the program is held against."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sync_daemon.model.system import SystemName

GHL = SystemName.GHL
Key = tuple[SystemName, str]
"""A contact: its system and its id there."""


class Edit(NamedTuple):
    """Somebody wrote a value, or a tag on or off, between the cycles `cycle` and the next one."""

    value: Any
    cycle: int
    at: datetime


class Revocation(NamedTuple):
    """A person revoked, and the contact that shows it; whether nobody had ever revoked the address before.

    `again` says that the contact may have been seen revoked already: freed meanwhile or not, nothing new shows.
    """

    contact: Key
    at: datetime
    first: bool
    again: bool


@dataclass(slots=True)
class Memory:
    """What the outside did, as far as laws speak of it. Addresses are in lower case."""

    secrets: set[str] = field(default_factory=set)
    """Every name that was ever typed in."""
    typed: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    """Field -> every value that was ever typed into it, of whomever."""
    edits: dict[tuple[SystemName, str, str], list[Edit]] = field(default_factory=lambda: defaultdict(list))
    """(system, id, field or tag) -> what was written there since both sides were last found equal."""
    disturbed: set[Key] = field(default_factory=set)
    """Contacts whose address, scope or existence changed since then: merges may follow other rules."""
    agreed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(GHL id, EmailOctopus id) -> what both held when they were last found equal."""
    unheard: dict[str, Revocation] = field(default_factory=dict)
    """Address -> its newest revocation, until a cycle has read it."""
    freed: set[str] = field(default_factory=set)
    """Addresses that were freed since a cycle read everything: who revokes again before the next changes nothing."""
    seen_revoked: set[Key] = field(default_factory=set)
    """Contacts that were revoked when a cycle last read everything, or that the program revoked since."""
    maybe_seen: set[Key] = field(default_factory=set)
    """Those, and contacts that were revoked after a cycle since that may have read them."""
    revoked: set[str] = field(default_factory=set)
    """Addresses that are revoked as far as the program must know."""
    carried: set[Key] = field(default_factory=set)
    """GHL contacts that were blocked when the program unsubscribed their address: it had seen it."""
    unseen: set[str] = field(default_factory=set)
    """Revoked addresses whose newest revocation showed nothing new: who revokes it was revoked when last looked at."""
    ever_revoked: set[str] = field(default_factory=set)
    """Addresses that a person ever revoked."""
    revocations: dict[Key, datetime] = field(default_factory=dict)
    """When a person last revoked in a contact."""
    lifted: dict[str, datetime] = field(default_factory=dict)
    """When somebody last lifted the block of a GHL contact."""
    opted_in: dict[str, datetime] = field(default_factory=dict)
    """When an EmailOctopus contact last subscribed by itself."""
    blocked_by: dict[str, str] = field(default_factory=dict)
    """GHL id -> whose its e-mail DND is: "person", "program", or "either" where nobody can tell."""
    blocked_by_program: set[str] = field(default_factory=set)
    """GHL contacts that the program blocked, and saw blocked since: who blocks them again changes nothing to see."""
    blocked_at: dict[str, datetime] = field(default_factory=dict)
    """When a person last set the block of a GHL contact."""
    reasons: set[str] = field(default_factory=set)
    """Contacts that somebody revoked, deleted, merged, moved to another address or took out of the scope."""
    moved: set[Key] = field(default_factory=set)
    """Contacts whose address was ever another one, or that were merged with others."""
    strangers: set[Key] = field(default_factory=set)
    """Contacts that somebody ever took out of the scope, or back into it."""
    deleted: set[Key] = field(default_factory=set)
    """Contacts that somebody deleted, or that went into others."""
    ended: set[tuple[str, str]] = field(default_factory=set)
    """(GHL id, EmailOctopus id) of links of which somebody deleted a contact."""
    given_up: set[tuple[str, str]] = field(default_factory=set)
    """(GHL id, address) of whom somebody deleted in EmailOctopus while the two were linked."""
    store_was_lost: bool = False
    """Since then nobody can tell whose a name with the prefix was in the beginning."""
    let_be: set[str] = field(default_factory=set)
    """Contacts of which a person said that they are to be left as they are."""
    kin: dict[str, str] = field(default_factory=dict)
    """A forest: contacts and addresses that ever belonged together have the same root."""

    def root(self, one: str) -> str:
        """The name of everything that ever had to do with a contact or an address."""
        while (parent := self.kin.get(one, one)) != one:
            one = parent
        return one

    def meet(self, *names: str) -> None:
        """These belong together from here on."""
        first = self.root(names[0])
        for name in names[1:]:
            self.kin[self.root(name)] = first

    def returns(self, address: str) -> None:
        """EmailOctopus has an address again: whoever was given up with it isn't any more."""
        self.given_up = {one for one in self.given_up if one[1] != address}

    def program_blocks(self, ghl_id: str) -> None:
        """The program set e-mail DND: it may lift it again."""
        self.blocked_by[ghl_id] = "program"
        self.blocked_by_program.add(ghl_id)
        self.seen_revoked.add((GHL, ghl_id))

    def has_reason(self, one: str) -> bool:
        """Whether anything of this kin gave a reason to revoke."""
        root = self.root(one)
        return any(self.root(reason) == root for reason in self.reasons)


def is_blocked(person: Any) -> bool:
    """Whether a GHL contact may not get e-mail."""
    return bool(person.dnd) or person.dnd_settings.get("Email", {}).get("status") in ("active", "permanent")


def is_permanent(person: Any) -> bool:
    """Whether the block is one that the e-mail channel alone can't lift."""
    return bool(person.dnd) or person.dnd_settings.get("Email", {}).get("status") == "permanent"


def is_revoked(subscriber: Any) -> bool:
    """Whether an EmailOctopus contact may not get e-mail, pending ones apart."""
    return subscriber.status not in ("subscribed", "pending")

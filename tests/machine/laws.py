"""The laws of the contract, held against both sandboxes and the store after the outside has fallen quiet."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sync_daemon.model.state import Link
from sync_daemon.model.system import SystemName
from tests.worlds import World

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


@dataclass
class Outside:
    """What the outside did, as far as laws speak of it."""

    untouchable: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """GHL contact id -> its city (not mapped) and its tags outside the filter."""
    secrets: set[str] = field(default_factory=set)
    """Every name and address that was ever typed in."""
    unheard: dict[str, tuple[SystemName, str]] = field(default_factory=dict)
    """Addresses that a person revoked, with the contact that shows it, until a cycle has read it."""
    revoked: set[str] = field(default_factory=set)
    """Addresses that are revoked as far as the program must know."""

    def revokes(self, system: SystemName, contact_id: str, address: str) -> None:
        """A person revokes."""
        self.unheard[address.lower()] = system, contact_id

    def frees(self, address: str) -> None:
        """A person subscribes again, or somebody lifts the block in GHL."""
        self.unheard.pop(address.lower(), None)
        self.revoked.discard(address.lower())

    def was_read(self, world: World) -> None:
        """A cycle read everything: whoever is revoked still, under the same address, is known to be."""
        people, subscribers = world.people(), world.subscribers()
        for address, (system, contact_id) in self.unheard.items():
            row = people[contact_id] if system is GHL else subscribers[contact_id]
            shows = blocked(row) if system is GHL else row["status"] == "unsubscribed"
            if shows and (row.get("email") or row.get("email_address") or "").lower() == address:
                self.revoked.add(address)
        self.unheard.clear()


def check_all(world: World, outside: Outside, excluded: str) -> None:
    """Every law that a quiet world must keep."""
    links = links_of(world)
    check_no_duplicates(world, links)
    check_convergence(world, links, excluded)
    check_consent(world)
    check_nobody_subscribed_again(world, outside)
    check_nothing_else(world, outside, excluded)
    check_nobody_forgotten(world, links)


def links_of(world: World) -> list[Link]:
    return world.pair_store.links(ghl=list(world.people()))


def check_no_duplicates(world: World, links: list[Link]) -> None:
    """L5: two links never share a contact; no contact is created twice for one address."""
    partners = Counter(link.emailoctopus_id for link in links)
    assert max(partners.values(), default=1) == 1
    people = world.people()
    ours = {
        exchange.response["contact"]["id"]
        for exchange in world.sandbox.ghl.log.exchanges()
        if (exchange.method, exchange.path, exchange.status) == ("POST", "/contacts/", 201)
        and isinstance(exchange.response, dict)
    }
    created = Counter(people[ghl_id]["email"] for ghl_id in ours if ghl_id in people and people[ghl_id].get("email"))
    assert max(created.values(), default=1) == 1, created


def check_convergence(world: World, links: list[Link], excluded: str) -> None:
    """L1: both sides are equal under the mapping, except for what is counted and explained."""
    people, subscribers = world.people(), world.subscribers()
    for link in links:
        ghl, emailoctopus = people.get(link.ghl_id), subscribers.get(link.emailoctopus_id)
        if ghl is None or emailoctopus is None or not link.in_scope:
            continue
        waiting = {entry.what for entry in world.pair_store.parked(ghl=[link.ghl_id])}
        assert "creation" not in waiting or ghl is None, waiting
        for rule in world.pair.policy.fields:
            if rule.key in link.diverged or rule.key in waiting:
                continue
            here, there = ghl.get(rule.ghl) or None, emailoctopus["fields"].get(rule.emailoctopus) or None
            assert here == there, f"{rule.key} of {link}: {here!r} and {there!r}"
        if "tags" not in waiting:
            here, there = tags_of(ghl["tags"], excluded), tags_of(emailoctopus["tags"], excluded)
            assert here == there, f"tags of {link}: {here} and {there}"
        if ghl.get("email") and not world.pair_store.held(ghl=[link.ghl_id]):
            assert ghl["email"].lower() == emailoctopus["email_address"].lower() or "address" in waiting
        # Revoked, then pending: GHL stays blocked until the person has confirmed (section 4).
        asked = emailoctopus["status"] == "pending"
        if not link.consent_held and "consent" not in waiting and not asked:
            assert blocked(ghl) == (emailoctopus["status"] == "unsubscribed"), f"consent of {link}"


def check_consent(world: World) -> None:
    """L4: no request to an existing EmailOctopus contact carries a status but `unsubscribed` (policy: never)."""
    for exchange in world.sandbox.emailoctopus.log.exchanges():
        if exchange.method == "PUT" and isinstance(exchange.request, dict):
            for item in exchange.request.get("contacts", [exchange.request]):
                assert item.get("status", "unsubscribed") == "unsubscribed", item


def check_nobody_subscribed_again(world: World, outside: Outside) -> None:
    """L4: an address that a person revoked isn't subscribed, whoever has it by now."""
    for row in world.subscribers().values():
        if row["status"] == "subscribed":
            assert row["email_address"].lower() not in outside.revoked, row["id"]


def check_nothing_else(world: World, outside: Outside, excluded: str) -> None:
    """L6: no write touches a field or a tag outside mapping and filter."""
    for ghl_id, row in world.people().items():
        if ghl_id in outside.untouchable:
            outside_filter = frozenset(tag for tag in row["tags"] if fnmatchcase(tag, excluded))
            assert (row.get("city") or "", outside_filter) == outside.untouchable[ghl_id]


def check_nobody_forgotten(world: World, links: list[Link]) -> None:
    """L1: whoever has no link has a reason."""
    linked = {link.ghl_id for link in links} | {link.emailoctopus_id for link in links}
    for system, rows in ((GHL, world.people()), (EMAILOCTOPUS, world.subscribers())):
        known = world.pair_store.contacts(system, list(rows))
        for contact_id in rows:
            assert contact_id in known, f"{system} contact {contact_id} was never seen"
            assert contact_id in linked or known[contact_id].unlinked is not None, known[contact_id]


def writes_of(world: World) -> list[tuple[str, str]]:
    """The write requests since the logs were cleared."""
    return [
        (exchange.method, exchange.path)
        for context in (world.sandbox.ghl, world.sandbox.emailoctopus)
        for exchange in context.log.exchanges()
        if exchange.method != "GET" and exchange.path != "/contacts/search"
    ]


def reads_of(world: World) -> Iterator[tuple[SystemName, str]]:
    """The reads since the logs were cleared, as (system, method and path)."""
    for system, context in ((GHL, world.sandbox.ghl), (EMAILOCTOPUS, world.sandbox.emailoctopus)):
        for exchange in context.log.exchanges():
            yield system, f"{exchange.method} {exchange.path}"


def tags_of(names: list[str], excluded: str) -> set[str]:
    return {name.lower() for name in names if not fnmatchcase(name.lower(), excluded)}


def blocked(ghl: dict[str, Any]) -> bool:
    email = (ghl.get("dndSettings") or {}).get("Email") or {}
    return bool(ghl.get("dnd")) or email.get("status") in ("active", "permanent")

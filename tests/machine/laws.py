"""What scenarios ask of a world that has settled; the rule machine has laws of its own (`quiet.py`, `watch.py`)."""

from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

from sync_daemon.model.state import Link
from tests.worlds import World


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


def writes_of(world: World) -> list[tuple[str, str]]:
    """The write requests since the logs were cleared."""
    return [
        (exchange.method, exchange.path)
        for context in (world.sandbox.ghl, world.sandbox.emailoctopus)
        for exchange in context.log.exchanges()
        if exchange.method != "GET" and exchange.path != "/contacts/search"
    ]


def tags_of(names: list[str], excluded: str) -> set[str]:
    return {name.lower() for name in names if not fnmatchcase(name.lower(), excluded)}


def blocked(ghl: dict[str, Any]) -> bool:
    email = (ghl.get("dndSettings") or {}).get("Email") or {}
    return bool(ghl.get("dnd")) or email.get("status") in ("active", "permanent")

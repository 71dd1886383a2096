"""What must hold of deletions when the outside has fallen quiet: every link that ended has its one tombstone."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from sync_daemon.model.plan import MassChange
from sync_daemon.model.system import SystemName
from sync_daemon.store.tables import metadata
from tests.machine.house import House
from tests.machine.memory import Memory
from tests.machine.vault import engine

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def broken_graves(house: House, memory: Memory, unproven: set[SystemName]) -> Iterator[str]:
    """Every law about deletions that is broken; in `unproven` the last full scan proved nothing."""
    with engine().connect() as connection:
        stones = connection.execute(select(metadata.tables["tombstones"])).all()
    yield from _of_the_living(stones, memory)
    yield from _twice(stones, memory)
    yield from _unburied(house, stones, memory, unproven)


def _of_the_living(stones: Any, memory: Memory) -> Iterator[str]:
    for stone in stones:
        ends = {(GHL, stone.ghl_id), (EMAILOCTOPUS, stone.emailoctopus_id)}
        # Of whom an address was taken away a tombstone tells too.
        by_orders = not stone.ghl_id  # of whom a link had left behind, and a guard had held it
        if memory.deleted.isdisjoint(ends) and memory.moved.isdisjoint(ends) and not by_orders:
            yield f"L6 a tombstone for {stone.ghl_id} and {stone.emailoctopus_id}, of whom nobody deleted any"


def _twice(stones: Any, memory: Memory) -> Iterator[str]:
    for ids, count in Counter((stone.ghl_id, stone.emailoctopus_id) for stone in stones).items():
        if count > 1 and memory.moved.isdisjoint(zip(SystemName, ids, strict=True)):
            yield f"L7 {count} tombstones for {ids}"


def _unburied(house: House, stones: Any, memory: Memory, unproven: set[SystemName]) -> Iterator[str]:
    """Links that were to end, and didn't, though nothing of them waits and a scan could prove it."""
    store = house.process.pair.store
    held = {entry.ghl_id for entry in store.held(everything=True) if entry.action == MassChange.DELETION}
    waiting = held | {entry.ghl_id for entry in store.parked(everything=True)}
    known = {(stone.ghl_id, stone.emailoctopus_id) for stone in stones}
    linked = {(one.ghl_id, one.emailoctopus_id) for one in store.links(ghl=[ghl for ghl, _ in memory.ended])}
    for ids in memory.ended:
        gone_in = {end[0] for end in zip(SystemName, ids, strict=True) if end in memory.deleted}
        if ids in linked and ids[0] not in waiting and not gone_in <= unproven:
            yield f"L1 {ids} are linked although one was deleted"
        elif ids not in linked | known and memory.moved.isdisjoint(zip(SystemName, ids, strict=True)):
            yield f"L1 no tombstone for {ids}"

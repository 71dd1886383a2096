"""Whatever the outside does between a plan and its execution: nothing is written that the plan didn't hold."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import DeletedInGhl, DeleteRule, Resubscribe
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.ghl.errors import ApiError
from tests.machine.laws import blocked
from tests.worlds import World, world

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
OPT_OUTS = {"block", "unsubscribe"}
ACTS = [
    "first", "last", "first there", "last there", "tag", "tag there", "untag", "untag there", "address",
    "address there", "delete", "delete there", "free", "resubscribe", "person", "subscriber", "cycle", *OPT_OUTS,
]  # fmt: skip
Act = tuple[str, int, int]
acts = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 4), st.integers(0, 3)), max_size=5)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(before=acts, since=acts, mode=st.sampled_from([Mode.INCREMENTAL, Mode.FULL]))
def test_nothing_is_written_that_the_plan_did_not_hold(
    sqlite_template: Path, tmp_path: Path, before: list[Act], since: list[Act], mode: Mode
) -> None:
    path = tmp_path / "sync.db"
    shutil.copyfile(sqlite_template, path)
    deletes = DeleteRule(in_ghl=DeletedInGhl.DELETE)
    with world(f"sqlite:///{path}", deletes=deletes, resubscribe=Resubscribe.ALLOW) as w:
        populate(w)
        for act in before:
            perform(w, act)
        w.later(minutes=11)
        plan, values = w.looked_ahead(mode)
        for act in since:
            perform(w, act)
        w.later(minutes=11)
        people, subscribers = seen_of_people(w), seen_of_subscribers(w)

        _, followed = w.follow(plan)

        opted_out = any(kind in OPT_OUTS for kind, *_ in (*before, *since))
        operations = (*values.operations, *values.held)
        changed = [
            *differences(GHL, people, seen_of_people(w)),
            *differences(EMAILOCTOPUS, subscribers, seen_of_subscribers(w)),
        ]
        surprises = [one for one in changed if not is_planned(one, operations, opted_out=opted_out)]
        assert surprises == []
        assert followed.done + followed.held + followed.parked + len(followed.refused) == len(plan.operations)
        if not since:
            assert followed.refused == ()
            assert followed.left == 0

        w.settle(12)  # nothing that was left is lost
        if w.pair_store.totals().parked == 0:
            assert unequal(w) == []


def populate(w: World) -> None:
    for name in ("ada", "alan", "grace", "kurt", "emmy"):
        w.linked(f"{name}@example.com", name.title(), tags=["customer"])
    w.settle()
    w.person("only.ghl@example.com", "Only")
    w.subscriber("only.eo@example.com", "Only")


def perform(w: World, act: Act) -> None:
    """One thing that somebody does in one of the systems; what the system refuses doesn't happen."""
    kind, who, word = act
    people, subscribers = sorted(w.people()), sorted(w.subscribers())
    person, there = people[who % len(people)], subscribers[who % len(subscribers)]
    names = ["Countess", "Augusta", "", "Addie"]
    address, new = f"moved{word}@example.com", f"new{word}@example.com"
    tag = ["vip", "blog", "customer", "news"][word]
    w.clock.advance(1)
    deeds: dict[str, Callable[[], object]] = {
        "first": lambda: w.ghl.edit(person, firstName=names[word]),
        "last": lambda: w.ghl.edit(person, lastName=names[word]),
        "first there": lambda: w.emailoctopus.edit(there, {"FirstName": names[word]}),
        "last there": lambda: w.emailoctopus.edit(there, {"LastName": names[word]}),
        "tag": lambda: w.ghl.add_tags(person, [tag]),
        "tag there": lambda: w.emailoctopus.add_tags(there, [tag]),
        "untag": lambda: w.ghl.remove_tags(person, ["customer"]),
        "untag there": lambda: w.emailoctopus.remove_tags(there, ["customer"]),
        "address": lambda: w.ghl.edit(person, email=address),
        "address there": lambda: w.has(EMAILOCTOPUS, address) or w.emailoctopus.change_address(there, address),
        "delete": lambda: w.ghl.delete(person),
        "delete there": lambda: w.emailoctopus.delete(there),
        "block": lambda: w.ghl.unsubscribe(person),
        "free": lambda: w.ghl.set_dnd(person, "inactive"),
        "unsubscribe": lambda: w.emailoctopus.unsubscribe(there),
        "resubscribe": lambda: w.emailoctopus.set_status(there, "subscribed"),
        "person": lambda: w.ghl.create(firstName="New", email=new),
        "subscriber": lambda: w.has(EMAILOCTOPUS, new) or w.subscriber(new, "Newer"),
        "cycle": lambda: later_cycle(w),
    }
    with suppress(ProblemError, ApiError):
        deeds[kind]()


def later_cycle(w: World) -> None:
    w.later(minutes=11)
    w.reconcile()


Seen = dict[str, dict[str, Any]]
Difference = tuple[SystemName, str, str, Any, Any]


def seen_of_people(w: World) -> Seen:
    return {
        ghl_id: {
            "firstName": row.get("firstName") or None,
            "lastName": row.get("lastName") or None,
            "address": (row.get("email") or "").lower(),
            "tags": {tag.lower() for tag in row.get("tags") or ()},
            "revoked": blocked(row),
        }
        for ghl_id, row in w.people().items()
    }


def seen_of_subscribers(w: World) -> Seen:
    return {
        there: {
            "FirstName": row["fields"].get("FirstName") or None,
            "LastName": row["fields"].get("LastName") or None,
            "address": row["email_address"].lower(),
            "tags": {tag.lower() for tag in row["tags"]},
            "revoked": row["status"] == "unsubscribed",
        }
        for there, row in w.subscribers().items()
    }


def differences(system: SystemName, before: Seen, after: Seen) -> Iterator[Difference]:
    for contact_id in before.keys() | after.keys():
        old, new = before.get(contact_id), after.get(contact_id)
        if old is None or new is None:
            yield system, contact_id, "exists", old, new
            continue
        yield from ((system, contact_id, what, old[what], new[what]) for what in old if old[what] != new[what])


def is_planned(difference: Difference, operations: tuple[Operation, ...], *, opted_out: bool) -> bool:
    """Whether a planned operation explains a difference; where somebody opted out, a revocation needs none."""
    system, contact_id, what, old, new = difference
    mine = [one for one in operations if one.system is system and one.target_id == contact_id]
    match what:
        case "exists" if new is not None:
            made = [one for one in operations if one.system is system and one.action is Action.CREATE]
            return any((one.address or "").lower() == new["address"] for one in made)
        case "exists":
            return any(one.action is Action.DELETE for one in mine)
        case "address":
            return any((one.address or "").lower() == new for one in mine)
        case "tags":
            added = {tag.lower() for one in mine if one.action is Action.ADD_TAGS for tag in one.tags}
            removed = {tag.lower() for one in mine if one.action is Action.REMOVE_TAGS for tag in one.tags}
            return bool(new - old <= added and old - new <= removed)
        case "revoked" if new:
            return opted_out or any(one.revokes for one in mine)
        case "revoked":
            return any(one.steps_up for one in mine)
        case _:
            return any(what in one.fields and (one.fields[what] or None) == new for one in mine)


def unequal(w: World) -> list[tuple[str, str]]:
    """The links whose names differ."""
    people, subscribers = seen_of_people(w), seen_of_subscribers(w)
    links = [one for one in w.pair_store.links(ghl=list(people)) if one.emailoctopus_id in subscribers]
    pairs = [(one, people[one.ghl_id], subscribers[one.emailoctopus_id]) for one in links if not one.diverged]
    return [
        (one.ghl_id, one.emailoctopus_id)
        for one, ghl, there in pairs
        if (ghl["firstName"], ghl["lastName"]) != (there["FirstName"], there["LastName"])
    ]

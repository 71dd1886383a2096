"""What of a decision is sent ahead, and by what a part that was refused is known again."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.digests import canonical
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.state import NEVER, Cause, Link, Parked, Tombstone
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.decision import (
    NOT_DROPPED,
    Decision,
    Notice,
    left_as_it_is,
    operations_digest,
    ordered_drop,
    part_waits,
    revocations_of,
)
from tests.unit.changes.values import DIGESTER, EMAILOCTOPUS, GHL, GRANTED, REVOKED, at
from tests.unit.reconcile.cases import LINK, context, ghl, linked, there

CASE = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), replace(LINK, diverged=frozenset({"tags"})))
UPDATE = Operation(GHL, Action.UPDATE, "g1", "e1", "why", fields={"firstName": "Ada"}, parts=("firstName=FirstName",))
REVOKE = unsubscribe("g1", "e1", "why")
AFTER = Link(
    "g1",
    "e1",
    cause=Cause.PERSON_GHL,
    dnd_by_us=True,
    consent_held=True,
    diverged=frozenset({"city=City"}),
    bounces={"city=City": (at(0),)},
)
WHOLE = Decision(
    CASE,
    (UPDATE, REVOKE, replace(REVOKE, policy=MassChange.LEAVE_SCOPE)),
    settles=frozenset({"consent", "tags"}),
    link=AFTER,
    remember=Cause.PERSON_GHL,
    digests={"consent": b"x"},
    notices=(Notice("address", "another"), NOT_DROPPED),
    unparks=(Parked("g1", "e1", "tags", "refused", "", 1, at(0)),),
)
AHEAD = Decision(
    CASE,
    (REVOKE,),
    settles=frozenset({"consent"}),
    link=replace(LINK, cause=Cause.PERSON_GHL, dnd_by_us=True, consent_held=True, diverged=frozenset({"tags"})),
    remember=Cause.PERSON_GHL,
    digests={"consent": b"x"},
    notices=(NOT_DROPPED,),
    partial=True,
)


def test_a_persons_revocations_are_sent_ahead_with_nothing_else() -> None:
    assert revocations_of(WHOLE) == AHEAD


def test_two_that_meet_get_a_link_through_which_nothing_else_has_travelled() -> None:
    unlinked = replace(CASE, link=None)
    link = replace(AFTER, in_scope=False, diverged=frozenset(), bounces={})
    assert revocations_of(replace(WHOLE, case=unlinked)) == replace(AHEAD, case=unlinked, link=link)


@pytest.mark.parametrize("changes", [{"link": None}, {"dissolves": LINK}])
def test_without_a_link_or_with_one_that_replaces_another_none_is_made_ahead(changes: dict[str, Any]) -> None:
    assert revocations_of(replace(WHOLE, **changes)) == replace(AHEAD, link=None)


def test_what_is_not_about_consent_settles_nothing_ahead() -> None:
    assert revocations_of(replace(WHOLE, settles=frozenset({"tags"}))) == replace(AHEAD, settles=frozenset())


@pytest.mark.parametrize(
    "changes", [{"operations": (UPDATE,)}, {"tombstone": Tombstone("g1", "e1", GHL, at(0), "nothing", None, None)}]
)
def test_without_a_revocation_and_of_a_deletion_nothing_is_sent_ahead(changes: dict[str, Any]) -> None:
    assert revocations_of(replace(WHOLE, **changes)) is None


# Parked parts


def parked(**changes: Any) -> Parked:
    return replace(Parked("g1", "e1", "tags", "refused", "", 1, at(10), value=b"x"), **changes)


@pytest.mark.parametrize(
    ("entry", "part", "digest", "minutes", "waits"),
    [
        (parked(), "tags", b"x", 9, True),
        (parked(), "tags", b"x", 10, False),
        (parked(), "tags", b"y", 9, False),
        (parked(), "consent", b"x", 9, False),
        (parked(value=None), "tags", None, 9, True),
    ],
)
def test_the_same_value_waits_until_its_time_has_come(
    entry: Parked, part: str, digest: bytes | None, minutes: int, waits: bool
) -> None:
    assert part_waits(replace(CASE, parked={"tags": entry}), part, digest, at(minutes)) is waits


@pytest.mark.parametrize(
    ("entry", "ordered"),
    [(parked(dropped=True), True), (parked(), False), (parked(dropped=True, next_try=NEVER), False)],
)
def test_an_order_to_drop_is_obeyed_once(entry: Parked, ordered: bool) -> None:
    case = replace(CASE, parked={"tags": entry})
    assert ordered_drop(case, "tags") == (entry if ordered else None)
    assert ordered_drop(case, "consent") is None


def test_what_is_told_of_a_dropped_part() -> None:
    why = "dropped by a person's order: both sides stay as they are, a later change travels again"
    assert left_as_it_is("tags") == Notice("tags", why)


def digest(*operations: Operation, part: str = "consent") -> bytes:
    return operations_digest(operations, part, context())


def test_a_part_is_known_by_all_that_is_asked_for_and_by_nothing_else() -> None:
    block = set_dnd("g1", "e1", "why")
    tags = Operation(GHL, Action.ADD_TAGS, "g1", "e1", "why", tags=("vip",), parts=("consent",))
    fields = Operation(GHL, Action.UPDATE, "g1", "e1", "why", fields={"a": "x"}, address="a@b.c", parts=("consent",))
    each: list[tuple[Operation, ...]] = [
        (),
        (REVOKE,),
        (replace(REVOKE, emailoctopus_id="e2"),),
        (block,),
        (REVOKE, block),
        (tags,),
        (replace(tags, action=Action.REMOVE_TAGS),),
        (replace(tags, system=EMAILOCTOPUS),),
        (replace(tags, tags=("beta",)),),
        (fields,),
        (replace(fields, fields={"a": "y"}),),
        (replace(fields, fields={"a": None}),),
        (replace(fields, address="b@b.c"),),
    ]
    assert len({digest(*operations) for operations in each}) == len(each)
    assert digest(REVOKE, UPDATE) == digest(replace(REVOKE, reason="another", ghl_id="g2"))
    assert digest(REVOKE, part="tags") == digest(part="tags") != digest()


def test_a_digest_that_is_stored_means_the_same_after_an_upgrade() -> None:
    said = (EMAILOCTOPUS, Action.SET_STATUS, "e1", None, REVOKED, ())
    assert digest(REVOKE) == DIGESTER.field(GHL, "", "consent", "\x1e".join(map(canonical, said)))

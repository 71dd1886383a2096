"""A list that several locations feed: fields, tags, deletions, scope and revocations (issue: pairs in numbers)."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.model.policy import (
    ConflictRule,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    OnLeaveScope,
    Resubscribe,
    ScopeRule,
)
from sync_daemon.model.report import Mode
from tests.neighbourhood import ADA, Neighbourhood, Spec, neighbourhood

X, Y = Spec("X", "L"), Spec("Y", "L")
ORDERS = [("X-L", "Y-L"), ("Y-L", "X-L")]
in_both_orders = pytest.mark.parametrize("order", ORDERS)


def names(hood: Neighbourhood) -> tuple[Any, Any, Any]:
    """The first name in both locations, and in the list."""
    return (
        hood.contact("X").get("firstName") or None,
        hood.contact("Y").get("firstName") or None,
        hood.subscriber("L")["fields"].get("FirstName"),
    )


def both(hood: Neighbourhood, *order: str, first: tuple[str | None, str | None] = ("Ada", "Augusta")) -> list[str]:
    """The same address in both locations, and linked by both pairs."""
    ids = [hood.person(place, firstName=name) for place, name in zip("XY", first, strict=True)]
    for place in "XY":
        for number in range(3):
            hood.person(place, f"{place}{number}@example.com".lower())
    hood.settle(*order)
    return ids


# fields


@in_both_orders
def test_the_list_shows_the_value_of_the_first_pair_in_the_file(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, *order)
        assert names(hood) == ("Ada", "Augusta", "Ada")
        hood.assert_quiet()
        assert names(hood) == ("Ada", "Augusta", "Ada")


@in_both_orders
def test_another_location_fills_a_blank(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, *order, first=(None, "Augusta"))
        assert names(hood) == (None, "Augusta", "Augusta")
        hood.assert_quiet()


@in_both_orders
def test_a_change_goes_to_the_list_from_the_first_location_alone(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        ada, augusta = both(hood, *order)
        hood.edit("X", ada, firstName="Adele")
        hood.settle(*order)
        assert names(hood) == ("Adele", "Augusta", "Adele")
        hood.edit("Y", augusta, firstName="Gusti")
        hood.settle(*order)
        assert names(hood) == ("Adele", "Gusti", "Adele")
        hood.assert_quiet()


@in_both_orders
def test_a_change_in_the_list_goes_to_every_location(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, *order)
        hood.edit_subscriber("L", FirstName="Countess")
        hood.settle(*order)
        assert names(hood) == ("Countess", "Countess", "Countess")
        hood.assert_quiet()


@in_both_orders
def test_a_value_that_the_first_location_clears_is_the_next_ones(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        ada, _ = both(hood, *order)
        hood.edit("X", ada, firstName="")
        hood.settle(*order)
        assert names(hood) == (None, "Augusta", "Augusta")
        hood.assert_quiet()
        hood.edit("X", ada, firstName="Ada")
        hood.settle(*order)
        assert names(hood) == ("Ada", "Augusta", "Ada")
        hood.assert_quiet()


@in_both_orders
def test_a_value_of_nobody_is_cleared(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        ada, augusta = both(hood, *order)
        hood.edit("X", ada, firstName="")
        hood.edit("Y", augusta, firstName="")
        hood.settle(*order)
        assert names(hood) == (None, None, None)
        hood.assert_quiet()


@in_both_orders
def test_each_location_keeps_its_rows_of_the_mapping(database_url: str, order: tuple[str, ...]) -> None:
    """The field of the list is what counts: another one of GHL may feed it, or none, or it may lead the other way."""
    other = FieldRule("lastName", "FirstName")
    back = FieldRule("firstName", "FirstName", Direction.TO_GHL)
    with neighbourhood(database_url, replace(X, fields=(back,)), replace(Y, fields=(other,))) as hood:
        hood.person("X", firstName="Ada")
        hood.person("Y", firstName="Augusta", lastName="Byron")
        hood.settle(*order)
        assert hood.subscriber("L")["fields"]["FirstName"] == "Byron"
        assert hood.contact("Y")["lastName"] == "Byron"
        hood.assert_quiet()


@in_both_orders
@pytest.mark.parametrize("rule", [ConflictRule.EMAILOCTOPUS, ConflictRule.NEWEST])
def test_values_of_locations_are_no_conflict_with_the_list(
    database_url: str, order: tuple[str, ...], rule: ConflictRule
) -> None:
    fields = (FieldRule("firstName", "FirstName", conflict=rule),)
    with neighbourhood(database_url, replace(X, fields=fields), replace(Y, fields=fields)) as hood:
        both(hood, *order)
        assert names(hood) == ("Ada", "Augusta", "Ada")
        hood.assert_quiet()


# who is where


@in_both_orders
def test_whom_one_location_gives_the_list_isnt_created_in_the_other(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        hood.person("X")
        hood.person("Y", "bob@example.com")
        hood.settle(*order)
        hood.assert_quiet()
        assert [len(hood.people(place)) for place in "XY"] == [1, 1]
        assert len(hood.subscribers("L")) == 2


# tags


def tags(hood: Neighbourhood) -> tuple[set[str], set[str], set[str]]:
    return set(hood.contact("X")["tags"]), set(hood.contact("Y")["tags"]), set(hood.subscriber("L")["tags"])


@in_both_orders
def test_the_list_has_the_tags_of_all_its_locations(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        hood.person("X", tags=["red", "both"])
        hood.person("Y", tags=["blue", "both"])
        hood.settle(*order)
        assert tags(hood) == ({"red", "both"}, {"blue", "both"}, {"red", "blue", "both"})
        hood.assert_quiet()


@in_both_orders
@pytest.mark.parametrize("at_once", [True, False])
def test_a_tag_goes_when_no_location_has_it(database_url: str, order: tuple[str, ...], *, at_once: bool) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        ada, augusta = hood.person("X", tags=["both"]), hood.person("Y", tags=["both"])
        hood.settle(*order)
        hood.places["X"].ghl.world.remove_tags(ada, ["both"])
        if not at_once:
            hood.settle(*order)
            assert tags(hood) == (set(), {"both"}, {"both"})
            hood.assert_quiet()
        hood.places["Y"].ghl.world.remove_tags(augusta, ["both"])
        hood.settle(*order)
        assert tags(hood) == (set(), set(), set())
        hood.assert_quiet()


@in_both_orders
def test_a_tag_that_a_person_adds_in_the_list_goes_to_every_location(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, *order)
        subscriber = str(hood.subscriber("L")["id"])
        hood.clock.advance(1)
        hood.mail.emailoctopus.world.add_tags(subscriber, ["vip"])
        hood.settle(*order)
        assert tags(hood) == ({"vip"}, {"vip"}, {"vip"})
        hood.clock.advance(1)
        hood.mail.emailoctopus.world.remove_tags(subscriber, ["vip"])
        hood.settle(*order)
        assert tags(hood) == (set(), set(), set())
        hood.assert_quiet()


# deletions and scope


@in_both_orders
@pytest.mark.parametrize("rule", [DeletedInGhl.UNSUBSCRIBE, DeletedInGhl.DELETE])
def test_the_delete_policy_applies_when_no_location_has_the_address(
    database_url: str, order: tuple[str, ...], rule: DeletedInGhl
) -> None:
    policy = {"deletes": DeleteRule(in_ghl=rule)}
    with neighbourhood(database_url, replace(X, policy=policy), replace(Y, policy=policy)) as hood:
        ada, augusta = both(hood, *order)
        hood.delete("X", ada)
        hood.round(*order, mode=Mode.FULL)
        hood.settle(*order)
        assert hood.status("L") == "subscribed"
        assert hood.subscriber("L")["fields"]["FirstName"] == "Augusta"  # it is the first location now
        assert not hood.pairs["X-L"].store.links(ghl=[ada])
        hood.assert_quiet()
        hood.delete("Y", augusta)
        hood.round(*order, mode=Mode.FULL)
        hood.settle(*order)
        gone = not any(row["email_address"] == ADA for row in hood.subscribers("L"))
        assert gone if rule is DeletedInGhl.DELETE else hood.status("L") == "unsubscribed"
        hood.assert_quiet()


@in_both_orders
def test_who_is_deleted_in_all_locations_at_once_is_unsubscribed(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        ada, augusta = both(hood, *order)
        hood.delete("X", ada)
        hood.delete("Y", augusta)
        hood.round(*order, mode=Mode.FULL)
        hood.settle(*order)
        assert hood.status("L") == "unsubscribed"
        hood.assert_quiet()


@in_both_orders
@pytest.mark.parametrize("at_once", [True, False])
def test_leaving_the_scope_counts_when_no_location_has_him_in_scope(
    database_url: str, order: tuple[str, ...], *, at_once: bool
) -> None:
    policy = {"scope": ScopeRule(tags_none=("left",)), "on_leave_scope": OnLeaveScope.UNSUBSCRIBE}
    with neighbourhood(database_url, replace(X, policy=policy), replace(Y, policy=policy)) as hood:
        ada, augusta = both(hood, *order)
        hood.places["X"].ghl.world.add_tags(ada, ["left"])
        if not at_once:
            hood.settle(*order)
            assert hood.status("L") == "subscribed"
            hood.assert_quiet()
        hood.places["Y"].ghl.world.add_tags(augusta, ["left"])
        hood.settle(*order)
        assert hood.status("L") == "unsubscribed"
        assert not hood.blocked("X")
        assert not hood.blocked("Y")  # a policy's revocation isn't carried
        hood.assert_quiet()


# consent


@in_both_orders
def test_who_unsubscribes_is_blocked_in_every_location(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, *order)
        hood.unsubscribe("L")
        hood.settle(*order)
        assert (hood.blocked("X"), hood.blocked("Y")) == (True, True)
        hood.assert_quiet()


@in_both_orders
def test_who_is_blocked_in_one_location_is_blocked_in_the_others(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        ada, _ = both(hood, *order)
        hood.dnd("X", ada, "active")
        hood.settle(*order)
        assert (hood.blocked("Y"), hood.status("L")) == (True, "unsubscribed")
        hood.assert_quiet()


@in_both_orders
def test_who_comes_to_another_location_is_revoked_there(database_url: str, order: tuple[str, ...]) -> None:
    """Blocked in X before the list had the address: Y's new contact isn't subscribed, and is blocked."""
    with neighbourhood(database_url, X, Y) as hood:
        ada = hood.person("X")
        hood.dnd("X", ada, "active")
        hood.settle("X-L")
        hood.person("Y", firstName="Augusta")
        hood.settle(*order)
        assert hood.subscribers("L") == []
        assert hood.blocked("Y")
        hood.assert_quiet()


@in_both_orders
def test_nobody_is_subscribed_while_another_location_blocks_him(database_url: str, order: tuple[str, ...]) -> None:
    policy = {"resubscribe": Resubscribe.ALLOW}
    with neighbourhood(database_url, replace(X, policy=policy), replace(Y, policy=policy)) as hood:
        ada, augusta = both(hood, *order)
        hood.dnd("X", ada, "active")
        hood.settle(*order)
        hood.dnd("Y", augusta, "inactive")
        hood.settle(*order)
        assert (hood.blocked("X"), hood.status("L")) == (True, "unsubscribed")
        hood.assert_quiet()


@in_both_orders
def test_who_subscribes_again_is_free_where_this_program_had_blocked_him(
    database_url: str, order: tuple[str, ...]
) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, *order)
        hood.unsubscribe("L")
        hood.settle(*order)
        hood.sign_up("L")
        hood.settle(*order)
        assert (hood.blocked("X"), hood.blocked("Y"), hood.status("L")) == (False, False, "subscribed")
        hood.assert_quiet()

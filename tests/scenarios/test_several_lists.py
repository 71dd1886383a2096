"""A location with several lists: consent joins at the location (contract, section 4; issue: pairs in numbers)."""

import itertools
from dataclasses import replace

import pytest

from sync_daemon.model.policy import DeletedInEmailOctopus, DeleteRule, OnLeaveScope, Resubscribe, ScopeRule
from sync_daemon.model.report import Mode
from sync_daemon.model.sharing import UnsubscribeMeans
from tests.neighbourhood import ADA, Neighbourhood, Spec, neighbourhood, with_policy

A, B = Spec("X", "A"), Spec("X", "B")
ORDERS = [("X-A", "X-B"), ("X-B", "X-A")]


def consent(hood: Neighbourhood) -> tuple[bool, str, str]:
    """Whether GHL blocks the address, and the status in both lists."""
    return hood.blocked("X"), hood.status("A"), hood.status("B")


ON_BOTH = (False, "subscribed", "subscribed")
ON_B = (False, "unsubscribed", "subscribed")
ON_NONE = (True, "unsubscribed", "unsubscribed")


@pytest.mark.parametrize("order", ORDERS)
def test_who_leaves_one_list_stays_on_the_other_and_isnt_blocked(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        hood.settle()
        assert consent(hood) == ON_BOTH
        hood.unsubscribe("A")
        hood.settle(*order)
        assert consent(hood) == ON_B
        hood.assert_quiet()
        assert consent(hood) == ON_B


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("at_once", [True, False])
def test_who_leaves_the_last_list_is_blocked(database_url: str, order: tuple[str, ...], *, at_once: bool) -> None:
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        if not at_once:
            hood.settle(*order)
        hood.unsubscribe("B")
        hood.settle(*order)
        assert consent(hood) == ON_NONE
        hood.assert_quiet()


@pytest.mark.parametrize("order", ORDERS)
def test_who_is_blocked_in_ghl_is_unsubscribed_everywhere(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, A, B) as hood:
        ada = hood.person("X")
        hood.settle()
        hood.dnd("X", ada, "active")
        hood.settle(*order)
        assert consent(hood) == ON_NONE
        hood.assert_quiet()


@pytest.mark.parametrize("order", ORDERS)
def test_unsubscribing_can_mean_everything(database_url: str, order: tuple[str, ...]) -> None:
    means = UnsubscribeMeans.EVERYTHING
    with neighbourhood(database_url, replace(A, means=means), B) as hood:
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.settle(*order)
        assert consent(hood) == ON_NONE
        hood.assert_quiet()


def test_who_was_never_on_the_other_list_is_blocked(database_url: str) -> None:
    only_vip = replace(B, policy={"scope": ScopeRule(tags_any=("vip",)), "create_in_ghl": False})
    with neighbourhood(database_url, A, only_vip) as hood:
        hood.person("X")
        hood.settle()
        assert hood.subscribers("B") == []
        hood.unsubscribe("A")
        hood.settle()
        assert (hood.blocked("X"), hood.status("A")) == (True, "unsubscribed")
        hood.assert_quiet()


@pytest.mark.parametrize("order", ORDERS)
def test_who_leaves_the_other_lists_scope_is_blocked(database_url: str, order: tuple[str, ...]) -> None:
    not_left = replace(B, policy={"scope": ScopeRule(tags_none=("left",)), "on_leave_scope": OnLeaveScope.UNSUBSCRIBE})
    with neighbourhood(database_url, A, not_left) as hood:
        ada = hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.settle(*order)
        assert consent(hood) == ON_B
        hood.places["X"].ghl.world.add_tags(ada, ["left"])
        hood.settle(*order)
        assert consent(hood) == ON_NONE
        hood.assert_quiet()


@pytest.mark.parametrize("order", ORDERS)
def test_whom_the_other_list_deletes_is_blocked(database_url: str, order: tuple[str, ...]) -> None:
    ignores = replace(B, policy={"deletes": DeleteRule(in_emailoctopus=DeletedInEmailOctopus.IGNORE)})
    with neighbourhood(database_url, A, ignores) as hood:
        for number in range(3):
            hood.person("X", f"neighbour{number}@example.com")
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.settle(*order)
        hood.mail.emailoctopus.world.delete(str(hood.subscriber("B")["id"]))
        hood.round(*order, mode=Mode.FULL)
        hood.settle(*order)
        assert (hood.blocked("X"), hood.status("A")) == (True, "unsubscribed")
        hood.assert_quiet()


def test_whom_a_list_deletes_isnt_blocked_while_another_one_has_him(database_url: str) -> None:
    with neighbourhood(database_url, A, B) as hood:
        for number in range(3):
            hood.person("X", f"neighbour{number}@example.com")
        hood.person("X")
        hood.settle()
        hood.mail.emailoctopus.world.delete(str(hood.subscriber("A")["id"]))
        hood.round(mode=Mode.FULL)
        hood.settle()
        assert (hood.blocked("X"), hood.status("B")) == (False, "subscribed")
        assert "deleted-in-emailoctopus" in hood.contact("X")["tags"]
        hood.assert_quiet()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("resubscribe", [Resubscribe.NEVER, Resubscribe.ALLOW])
def test_who_comes_back_to_one_list_comes_back_to_no_other(
    database_url: str, order: tuple[str, ...], resubscribe: Resubscribe
) -> None:
    policy = {"resubscribe": resubscribe}
    with neighbourhood(database_url, replace(A, policy=policy), replace(B, policy=policy)) as hood:
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.settle()
        hood.unsubscribe("B")
        hood.settle()
        assert consent(hood) == ON_NONE
        hood.sign_up("B")
        hood.settle(*order)
        assert consent(hood) == ON_B
        hood.assert_quiet()
        hood.unsubscribe("B")
        hood.settle(*order)
        assert consent(hood) == ON_NONE
        hood.assert_quiet()


@pytest.mark.parametrize("order", ORDERS)
def test_a_block_lifted_by_hand_follows_each_pairs_policy(database_url: str, order: tuple[str, ...]) -> None:
    with neighbourhood(database_url, replace(A, policy={"resubscribe": Resubscribe.ALLOW}), B) as hood:
        ada = hood.person("X")
        hood.settle()
        hood.dnd("X", ada, "active")
        hood.settle()
        hood.dnd("X", ada, "inactive")
        hood.settle(*order)
        assert consent(hood) == (False, "subscribed", "unsubscribed")
        hood.assert_quiet()


def test_a_list_that_nobody_has_read_yet_counts_as_one_that_has_him(database_url: str) -> None:
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        for name in "AB":
            hood.mail.emailoctopus.world.add(hood.lists[name], ADA, {"FirstName": "Ada"})
        hood.unsubscribe("A")
        hood.round("X-A")
        assert consent(hood) == ON_B
        hood.settle()
        assert consent(hood) == ON_B
        hood.assert_quiet()


def test_a_location_whose_other_list_is_no_pair_any_more_blocks(database_url: str) -> None:
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.settle()
        assert not hood.blocked("X")
        alone = replace(hood.pairs["X-A"], neighbours=replace(hood.pairs["X-A"].neighbours, lists=()))
        hood.pairs = {"X-A": alone}
        hood.settle()
        assert hood.blocked("X")
        hood.assert_quiet()


@pytest.mark.parametrize("first", ["X-A", "X-B"])
def test_two_pairs_that_decide_at_once_come_to_block_in_their_next_cycles(database_url: str, first: str) -> None:
    """Each decides by what it knew before the other wrote anything down."""
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.unsubscribe("B")
        for names in itertools.repeat((first, next(name for name in hood.pairs if name != first)), 2):
            hood.round(*names)
        assert consent(hood) == ON_NONE
        hood.assert_quiet()


def test_another_policy_for_one_pair_leaves_the_other_alone(database_url: str) -> None:
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        hood.settle()
        hood.unsubscribe("A")
        hood.settle()
        with_policy(hood, "X-B", scope=ScopeRule(tags_none=("gone",)))
        hood.round(mode=Mode.FULL)
        assert consent(hood) == ON_B
        hood.assert_quiet()

"""Contract, section 3: who is in scope, and what of a newcomer is decided by it."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.model.policy import FieldRule, ScopeRule
from sync_daemon.sandbox.server import Sandbox
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world

ADA = "ada@example.com"
VIP = ScopeRule(tags_any=("vip",))
PLAN = (*NAMES, FieldRule("custom.plan", "Plan"))
GOLD = ScopeRule(field={"custom.plan": ("gold", "platinum")})


def with_plan(sandbox: Sandbox) -> None:
    sandbox.ghl.world.add_field("Plan", "TEXT")
    add_field(sandbox, "Plan", "text")


def retype(here: World, ghl_id: str, type_: str) -> None:
    """Somebody changes a contact's type in the app."""
    here.clock.advance(1)
    contact = here.ghl.contacts.get(ghl_id)
    here.ghl.contacts.save(contact, replace(contact, type=type_))


def created(here: World) -> bool:
    here.reconcile()
    return here.has(EMAILOCTOPUS, ADA)


@pytest.mark.parametrize(
    ("scope", "tags", "inside"),
    [
        (ScopeRule(tags_any=("vip", "news")), [], False),
        (ScopeRule(tags_any=("vip", "news")), ["news"], True),
        (ScopeRule(tags_any=("VIP",)), ["vip"], True),
        (ScopeRule(tags_all=("vip", "news")), ["vip"], False),
        (ScopeRule(tags_all=("vip", "news")), ["vip", "news", "more"], True),
        (ScopeRule(tags_none=("banned",)), ["vip", "banned"], False),
        (ScopeRule(tags_none=("banned",)), ["vip"], True),
        (ScopeRule(tags_any=("vip",), tags_none=("banned",)), ["vip", "banned"], False),
    ],
)
def test_scope_by_tags_any_all_and_none_of(database_url: str, scope: ScopeRule, tags: list[str], inside: bool) -> None:
    with world(database_url, scope=scope) as here:
        here.person(ADA, tags=tags)
        assert created(here) is inside
        here.assert_quiet()


@pytest.mark.parametrize(("value", "inside"), [("gold", True), ("platinum", True), ("silver", False), (None, False)])
@pytest.mark.parametrize("mapped", [True, False])
def test_scope_by_the_values_of_a_custom_field_mapped_or_not(
    database_url: str, value: str | None, inside: bool, mapped: bool
) -> None:
    with world(database_url, scope=GOLD, fields=PLAN if mapped else NAMES, prepare=with_plan) as here:
        here.person(ADA, custom={"plan": value})
        assert created(here) is inside
        here.assert_quiet()


def test_scope_by_contact_types(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(types=("customer",))) as here:
        ghl_id = here.person(ADA)
        assert not created(here)
        retype(here, ghl_id, "customer")
        assert created(here)
        retype(here, ghl_id, "lead")
        here.edit_person(ghl_id, firstName="Augusta")
        assert not here.reconcile().written
        here.assert_quiet()


def test_who_is_out_of_scope_is_skipped_and_counted(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        here.person(ADA)
        here.person("bob@example.com", first="Bob", tags=["vip"])
        report = here.reconcile()
        assert dict(report.skipped) == {"out_of_scope": 1}
        assert dict(here.pair_store.totals().unlinked) == {"out_of_scope": 1}
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        here.assert_quiet()


def test_who_comes_into_scope_by_a_change_is_created(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id = here.person(ADA)
        assert not created(here)
        here.clock.advance(1)
        here.ghl.add_tags(ghl_id, ["vip"])
        assert created(here)
        assert here.in_emailoctopus(ADA)["tags"] == ["vip"]
        assert dict(here.pair_store.totals().unlinked) == {}
        here.assert_quiet()


def test_an_emailoctopus_contact_is_not_created_twice_while_its_ghl_contact_is_out_of_scope(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        here.person(ADA, first="Ghl")
        here.subscriber(ADA, first="Octopus", tags=["vip"])
        assert not here.reconcile().written
        assert len(here.people()) == 1
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Octopus"
        assert here.in_ghl(ADA)["tags"] == []
        here.assert_quiet()
        here.later(minutes=11)
        assert not here.full().written


# a contact that only EmailOctopus has


@pytest.mark.parametrize(
    ("scope", "tags", "plan", "inside"),
    [
        (VIP, ["VIP"], None, True),
        (VIP, ["news"], None, False),
        (ScopeRule(tags_none=("banned",)), ["banned"], None, False),
        (GOLD, [], "gold", True),
        (GOLD, [], "silver", False),
        (GOLD, [], None, False),
        (ScopeRule(types=("Lead",)), [], None, True),
        (ScopeRule(types=("customer",)), [], None, False),
    ],
)
def test_a_contact_that_only_emailoctopus_has_is_in_scope_when_the_ghl_contact_it_would_become_is(
    database_url: str, scope: ScopeRule, tags: list[str], plan: str | None, inside: bool
) -> None:
    with world(database_url, scope=scope, fields=PLAN, prepare=with_plan) as here:
        here.subscriber(ADA, tags=tags, fields={"Plan": plan})
        report = here.reconcile()
        assert here.has(GHL, ADA) is inside
        assert dict(report.skipped) == ({} if inside else {"out_of_scope": 1})
        here.assert_quiet()


@pytest.mark.parametrize("add_tags", [("VIP",), ("vip", "from-emailoctopus")])
def test_creation_adds_the_tags_that_bring_a_contact_into_scope(database_url: str, add_tags: tuple[str, ...]) -> None:
    with world(database_url, scope=ScopeRule(tags_any=("vip",), add_tags=add_tags)) as here:
        subscriber_id = here.subscriber(ADA, tags=["news"])
        here.reconcile()
        wanted = sorted({"news", *(tag.lower() for tag in add_tags)})
        assert sorted(here.in_ghl(ADA)["tags"]) == wanted
        here.settle()
        # L1: the added tags are under the filter too, so both sides end up with them.
        assert sorted(tag.lower() for tag in here.in_emailoctopus(ADA)["tags"]) == wanted
        here.edit_subscriber(subscriber_id, FirstName="Augusta")  # it is in scope from here on
        here.reconcile()
        assert here.in_ghl(ADA)["firstName"] == "Augusta"
        here.assert_quiet()


def test_add_tags_are_added_at_creation_only(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(add_tags=("welcome",))) as here:
        here.person("bob@example.com", first="Bob")
        here.subscriber("bob@example.com", first="Bob")
        here.person("eve@example.com", first="Eve")
        here.reconcile()
        here.settle()
        rows: list[dict[str, Any]] = [*here.people().values(), *here.subscribers().values()]
        assert all(row["tags"] == [] for row in rows)
        here.assert_quiet()


# revocations know no scope


def test_a_dnd_of_a_contact_out_of_scope_revokes_the_emailoctopus_contact_with_its_address(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id = here.person(ADA)
        here.subscriber(ADA, first="Octopus")
        here.reconcile()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Octopus"
        here.assert_quiet()


def test_a_dnd_that_was_there_before_revokes_out_of_scope_too(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        here.person(ADA, dndSettings={"Email": {"status": "active"}})
        here.subscriber(ADA, first="Octopus")
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        here.assert_quiet()


def test_an_unsubscription_sets_dnd_on_a_contact_out_of_scope(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        here.person(ADA)
        subscriber_id = here.subscriber(ADA, first="Octopus")
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        report = here.reconcile()
        assert report.written == {(GHL, "dnd_set"): 1}
        assert here.in_ghl(ADA)["firstName"] == "Ada"
        here.assert_quiet()

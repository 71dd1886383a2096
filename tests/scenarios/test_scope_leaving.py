"""Contract, section 3: leaving the scope by a change or by the configuration, and coming back."""

import pytest

from sync_daemon.model.policy import OnLeaveScope, Resubscribe, ScopeRule, TagRule
from sync_daemon.model.report import Mode
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
VIP = ScopeRule(tags_any=("vip",))
EVERYBODY = ScopeRule()


def inside(here: World) -> tuple[str, str]:
    """A link in scope, with a further tag."""
    return here.linked(tags=["vip", "news"])


def leave(here: World, ghl_id: str) -> None:
    here.clock.advance(1)
    here.ghl.remove_tags(ghl_id, ["vip"])


def come_back(here: World, ghl_id: str) -> None:
    here.clock.advance(1)
    here.ghl.add_tags(ghl_id, ["vip"])


def tags(here: World) -> list[str]:
    return sorted(here.in_emailoctopus(ADA)["tags"])


def assert_quiet_after_a_full_scan(here: World) -> None:
    here.later(minutes=11)
    assert not here.full().written
    here.assert_quiet()


# keep


def test_the_change_that_made_it_leave_does_not_travel(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id, _ = inside(here)
        here.clock.advance(1)
        here.ghl.edit(ghl_id, firstName="Augusta", tags=["news", "more"])
        report = here.reconcile()
        assert (dict(report.written), dict(report.skipped)) == ({}, {"out_of_scope": 1})
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        assert tags(here) == ["news", "vip"]
        assert_quiet_after_a_full_scan(here)


def test_nothing_but_revocations_travels_until_it_comes_back(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta", tags=["more"])
        here.edit_subscriber(subscriber_id, LastName="King")
        here.emailoctopus.add_tags(subscriber_id, ["octopus"])
        assert not here.reconcile().written
        assert_quiet_after_a_full_scan(here)
        assert here.in_ghl(ADA)["lastName"] == "Lovelace"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"


@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_a_revocation_travels_out_of_scope_alone(database_url: str, revoked_in: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta")
        if revoked_in == GHL:
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
        report = here.reconcile()
        assert sum(report.written.values()) == 1
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        assert_quiet_after_a_full_scan(here)


def test_a_changed_address_does_not_travel_out_of_scope(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.edit_person(ghl_id, email="ada@example.org")
        assert not here.reconcile().written
        assert_quiet_after_a_full_scan(here)
        come_back(here, ghl_id)
        here.reconcile()
        here.settle()
        assert here.in_emailoctopus("ada@example.org")["id"] == subscriber_id
        assert len(here.subscribers()) == 1
        here.assert_quiet()


def test_a_contact_that_leaves_with_another_address_is_left_alone(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id, _ = inside(here)
        here.clock.advance(1)
        here.ghl.edit(ghl_id, email="ada@example.org", tags=[])
        assert not here.reconcile().written
        assert [row["email_address"] for row in here.subscribers().values()] == [ADA]
        assert_quiet_after_a_full_scan(here)


# unsubscribe, remove_tags


def test_unsubscribe_revokes_who_leaves_by_a_change_and_sets_no_dnd(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, _ = inside(here)
        leave(here, ghl_id)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert here.bodies(EMAILOCTOPUS) == [{"status": "unsubscribed"}]
        assert (here.status(ADA), tags(here)) == ("unsubscribed", ["news", "vip"])
        assert not here.blocked(ADA)  # only a person's revocation is carried to the other side
        here.settle()
        assert not here.blocked(ADA)
        assert_quiet_after_a_full_scan(here)


def test_unsubscribe_leaves_who_is_unsubscribed_already_to_the_person(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, subscriber_id = inside(here)
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        leave(here, ghl_id)
        here.forget_requests()
        here.reconcile()
        assert here.writes(EMAILOCTOPUS) == []
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        assert_quiet_after_a_full_scan(here)


def test_remove_tags_takes_the_synced_tags_and_nothing_else(database_url: str) -> None:
    rule = TagRule(exclude=("private-*",))
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.REMOVE_TAGS, tags=rule) as here:
        ghl_id, subscriber_id = inside(here)
        here.clock.advance(1)
        here.emailoctopus.add_tags(subscriber_id, ["private-x", "Octopus"])
        here.reconcile()
        leave(here, ghl_id)
        here.forget_requests()
        here.reconcile()
        assert tags(here) == ["private-x"]
        row = here.in_emailoctopus(ADA)
        assert (row["status"], row["fields"]) == ("subscribed", {"FirstName": "Ada", "LastName": "Lovelace"})
        assert sorted(here.in_ghl(ADA)["tags"]) == ["news", "octopus"]
        assert here.writes(GHL) == []
        assert_quiet_after_a_full_scan(here)


def test_every_spelling_is_taken_at_the_latest_when_the_contact_is_read(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.REMOVE_TAGS) as here:
        ghl_id, subscriber_id = inside(here)
        here.clock.advance(1)
        here.emailoctopus.add_tags(subscriber_id, ["NEWS"])
        here.reconcile()
        leave(here, ghl_id)
        here.reconcile()
        here.later(minutes=2)
        assert here.reconcile().outcome == "ok"
        assert tags(here) == []
        assert_quiet_after_a_full_scan(here)


@pytest.mark.parametrize("rule", [OnLeaveScope.UNSUBSCRIBE, OnLeaveScope.REMOVE_TAGS])
def test_what_policy_asks_for_is_tried_again_when_it_was_refused(database_url: str, rule: OnLeaveScope) -> None:
    with world(database_url, scope=VIP, on_leave_scope=rule) as here:
        ghl_id, _ = inside(here)
        leave(here, ghl_id)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", status=422, times=2)]
        assert here.reconcile().outcome == "parked"
        assert (here.status(ADA), tags(here)) == ("subscribed", ["news", "vip"])
        here.later(minutes=2)
        assert here.reconcile().outcome == "parked"
        here.later(minutes=6)
        assert here.reconcile().outcome == "ok"
        done = ("unsubscribed", ["news", "vip"]) if rule is OnLeaveScope.UNSUBSCRIBE else ("subscribed", [])
        assert (here.status(ADA), tags(here)) == done
        assert not here.blocked(ADA)
        assert_quiet_after_a_full_scan(here)


def test_what_policy_did_is_done_once(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.set_status(subscriber_id, "subscribed")  # somebody thinks otherwise
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        assert here.status(ADA) == "subscribed"
        assert_quiet_after_a_full_scan(here)


# by the configuration


@pytest.mark.parametrize("rule", list(OnLeaveScope))
def test_leaving_by_a_change_of_the_configuration_is_keep_whatever_the_policy(
    database_url: str, rule: OnLeaveScope
) -> None:
    with world(database_url, on_leave_scope=rule) as here:
        ghl_id, subscriber_id = here.linked(tags=["news"])
        here.with_policy(scope=VIP)
        here.later(minutes=11)
        plan = here.plan(Mode.FULL)
        assert plan.operations == ()
        assert plan.skipped == {"out_of_scope": 1}  # shown
        report = here.full()
        assert not report.written
        assert (here.status(ADA), tags(here)) == ("subscribed", ["news"])
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        assert not here.reconcile().written
        assert_quiet_after_a_full_scan(here)


def test_a_contact_that_the_narrowed_scope_keeps_may_leave_by_a_change_later(database_url: str) -> None:
    with world(database_url, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, _ = inside(here)
        here.with_policy(scope=VIP)
        here.later(minutes=11)
        assert not here.full().written
        leave(here, ghl_id)
        assert here.reconcile().written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert_quiet_after_a_full_scan(here)


def test_a_scope_that_widens_is_a_first_meeting_at_the_next_full_scan(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["news"])
        here.with_policy(scope=VIP)
        here.later(minutes=11)
        here.full()
        here.person("bob@example.com", first="Bob")
        here.reconcile()
        assert not here.has(EMAILOCTOPUS, "bob@example.com")
        here.edit_person(ghl_id, firstName="Augusta", tags=["ghl"])
        here.edit_subscriber(subscriber_id, FirstName="Octopus")
        here.reconcile()
        here.with_policy(scope=EVERYBODY)
        here.later(minutes=11)
        report = here.full()
        assert report.conflicts == 1
        row = here.in_emailoctopus(ADA)
        assert (row["fields"]["FirstName"], tags(here)) == ("Augusta", ["ghl", "news"])
        assert sorted(here.in_ghl(ADA)["tags"]) == ["ghl", "news"]
        assert here.has(EMAILOCTOPUS, "bob@example.com")
        assert_quiet_after_a_full_scan(here)


# coming back


def test_coming_back_is_a_first_meeting(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta", lastName=None, tags=["ghl"])
        here.edit_subscriber(subscriber_id, FirstName="Octopus", LastName="King")
        here.emailoctopus.remove_tags(subscriber_id, ["news", "vip"])
        here.emailoctopus.add_tags(subscriber_id, ["octopus"])
        here.reconcile()
        come_back(here, ghl_id)
        report = here.reconcile()
        assert report.conflicts == 1
        ghl, row = here.in_ghl(ADA), here.in_emailoctopus(ADA)
        assert row["id"] == subscriber_id
        # Conflicts by policy, a blank loses, tags are united.
        assert row["fields"] == {"FirstName": "Augusta", "LastName": "King"}
        assert (ghl["firstName"], ghl["lastName"]) == ("Augusta", "King")
        assert sorted(ghl["tags"]) == tags(here) == ["ghl", "octopus", "vip"]
        here.edit_subscriber(subscriber_id, FirstName="Ada")  # from here on everything travels again
        here.reconcile()
        assert here.in_ghl(ADA)["firstName"] == "Ada"
        here.assert_quiet()


def test_who_was_unsubscribed_for_leaving_stays_so_when_coming_back_and_gets_no_dnd(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        come_back(here, ghl_id)
        report = here.reconcile()
        assert (report.consent_held, here.status(ADA), here.blocked(ADA)) == (1, "unsubscribed", False)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        assert here.in_ghl(ADA)["firstName"] == "Augusta"
        assert_quiet_after_a_full_scan(here)
        assert (here.status(ADA), here.blocked(ADA)) == ("unsubscribed", False)


def test_who_was_unsubscribed_for_leaving_is_subscribed_again_by_allow(database_url: str) -> None:
    unsubscribe, allow = OnLeaveScope.UNSUBSCRIBE, Resubscribe.ALLOW
    with world(database_url, scope=VIP, on_leave_scope=unsubscribe, resubscribe=allow) as here:
        ghl_id, _ = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        come_back(here, ghl_id)
        report = here.reconcile()
        assert (report.consent_held, here.status(ADA), here.blocked(ADA)) == (0, "subscribed", False)
        assert_quiet_after_a_full_scan(here)


def test_who_subscribes_again_after_policy_had_unsubscribed_is_consent_held_no_longer(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, subscriber_id = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        come_back(here, ghl_id)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        report = here.reconcile()
        assert (report.consent_held, here.status(ADA), here.blocked(ADA)) == (0, "subscribed", False)
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)  # and now it is the person who unsubscribes
        here.reconcile()
        assert (here.status(ADA), here.blocked(ADA)) == ("unsubscribed", True)
        assert_quiet_after_a_full_scan(here)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_person_who_revoked_while_out_of_scope_stays_revoked_when_coming_back(
    database_url: str, allowed: bool
) -> None:
    rule = Resubscribe.ALLOW if allowed else Resubscribe.NEVER
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE, resubscribe=rule) as here:
        ghl_id, _ = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        here.reconcile()
        come_back(here, ghl_id)
        here.reconcile()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        assert_quiet_after_a_full_scan(here)


def test_a_person_who_revokes_after_policy_had_done_so_counts_as_a_person(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, _ = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        here.reconcile()
        twin = here.person(ADA, first="Twin")
        here.reconcile()
        assert here.blocks(twin)
        here.settle()
        assert_quiet_after_a_full_scan(here)


def test_what_policy_unsubscribed_blocks_no_other_contact_with_the_address(database_url: str) -> None:
    with world(database_url, scope=VIP, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, _ = inside(here)
        leave(here, ghl_id)
        here.reconcile()
        twin = here.person(ADA, first="Twin")
        here.reconcile()
        here.settle()
        assert not here.blocks(twin)
        assert not here.blocks(ghl_id)
        assert_quiet_after_a_full_scan(here)

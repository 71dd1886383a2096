"""Conditions of rules, what a guard holds of them, what a plan shows; and that no loop can be built of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle import Lease, PairPlan, plan
from sync_daemon.cycle.rehearsal import Rehearsed, rehearse
from sync_daemon.model.engagement import Kind
from sync_daemon.model.plan import MassChange
from sync_daemon.model.policy import GuardLimits
from sync_daemon.model.report import Mode
from tests.rules import TASK, book, campaign, enrolments, hear, notes, poll, rule, tags, tasks, tell, with_rules, wrote
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
NOTE = {"create_note": "Hi"}
FEW = GuardLimits(max_create_percent=0, max_create_count=2, max_destructive_percent=0, max_destructive_count=1)


def click(here: World, subscriber_id: str, name: str = "Spring sale") -> None:
    """Somebody clicks in a new campaign, and a webhook tells it; rules act at once."""
    tell(here, Kind.CLICKED, subscriber_id, campaign(here, name).id)
    hear(here)


# Conditions


def test_a_campaign_by_the_pattern_of_its_name(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}, campaign="Spring*"))
        for name in ("Autumn", "spring sale", "A Spring"):
            click(here, subscriber_id, name)
        assert notes(here, ghl_id) == ["spring sale"]


@pytest.mark.parametrize(
    ("when", "acts"),
    [
        ({"tags_any": ["VIP", "other"]}, True),
        ({"tags_any": ["other"]}, False),
        ({"tags_none": ["other"]}, True),
        ({"tags_none": ["vip"]}, False),
        ({"field": {"LastName": ["Lovelace", "King"]}}, True),
        ({"field": {"lastName": ["lovelace"]}}, True),
        ({"field": {"city": ["Turin"]}}, True),
        ({"field": {"city": ["Rome"]}}, False),
        ({"field": {"city": ["Turin"]}, "tags_none": ["vip"]}, False),
    ],
)
def test_the_contacts_tags_and_fields(database_url: str, when: dict[str, Any], *, acts: bool) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["vip"], city="Turin")
        with_rules(here, rule("clicked", NOTE, **when))
        click(here, subscriber_id)
        assert notes(here, ghl_id) == (["Hi"] if acts else [])


def test_conditions_are_asked_of_the_contact_as_it_is_now(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "{last_name}"}, tags_any=["vip"]))
        here.ghl.add_tags(ghl_id, ["vip"])
        here.ghl.edit(ghl_id, lastName="King")
        click(here, subscriber_id)
        assert notes(here, ghl_id) == ["King"]


def test_what_was_judged_is_not_asked_about_again_when_its_condition_comes_true(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", NOTE, tags_any=["vip"]))
        mail = campaign(here)
        here.emailoctopus.click(subscriber_id, mail.id)
        tell(here, Kind.CLICKED, subscriber_id, mail.id)
        hear(here)
        here.ghl.add_tags(ghl_id, ["vip"])
        poll(here)
        poll(here)
        assert notes(here, ghl_id) == []


def test_at_most_once_in_a_period(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}, once_every="7d"))
        click(here, subscriber_id, "One")
        here.later(days=3)
        click(here, subscriber_id, "Two")
        here.later(days=5)
        click(here, subscriber_id, "Three")
        assert notes(here, ghl_id) == ["Three", "One"]


def test_of_several_in_one_cycle_one_counts_in_a_period(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}, once_every="7d"))
        for name in ("One", "Two"):
            tell(here, Kind.CLICKED, subscriber_id, campaign(here, name).id)
        hear(here)
        assert notes(here, ghl_id) == ["One"]


def test_nothing_is_done_to_who_is_out_of_scope(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["out"])
        with_rules(here, rule("clicked", NOTE))
        here.with_policy(scope=replace(here.pair.policy.scope, tags_none=("out",)))
        here.later(days=1)
        here.full()
        click(here, subscriber_id)
        assert notes(here, ghl_id) == []


# The guard


def crowd(here: World, number: int) -> list[tuple[str, str]]:
    people = [here.person(f"p{each}@example.com", f"P{each}") for each in range(number)]
    here.reconcile()
    return [(one, here.pair_store.links(ghl=[one])[0].emailoctopus_id) for one in people]


def storm(here: World, people: list[tuple[str, str]], name: str = "Spring sale") -> None:
    mail = campaign(here, name)
    for _, subscriber_id in people:
        tell(here, Kind.CLICKED, subscriber_id, mail.id)


def held(here: World) -> dict[str, str]:
    return {str(one.ghl_id): one.action for one in here.pair_store.held(everything=True)}


def order(here: World, *, approve: bool) -> None:
    ids = [one.id for one in here.pair_store.held(everything=True) if one.id is not None]
    here.pair_store.order_held(ids, approve=approve)


@pytest.mark.parametrize(
    ("action", "kind", "room"),
    [(NOTE, MassChange.RULE_ACTION, 2), ({"remove_tag": "old"}, MassChange.RULE_REMOVAL, 1)],
)
def test_more_than_a_day_may_see_is_held_as_a_whole(
    database_url: str, action: dict[str, Any], kind: MassChange, room: int
) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 4)
        with_rules(here, rule("clicked", action))
        here.forget_requests()
        storm(here, people[:room])
        assert hear(here).outcome == "ok"
        assert len(wrote(here)) == room
        here.later(hours=25)
        here.reconcile()
        here.forget_requests()
        storm(here, people[: room + 1], "Autumn")
        with structlog.testing.capture_logs() as logs:
            report = hear(here)
        assert (report.outcome, report.new_held, wrote(here)) == ("held", room + 1, [])
        assert held(here) == {ghl_id: kind for ghl_id, _ in people[: room + 1]}
        assert [entry["kind"] for entry in logs if entry["event"] == "mass_change_held"] == [kind]
        again = poll(here)
        assert (again.outcome, again.new_held, wrote(here)) == ("held", 0, [])
        here.edit_person(people[0][0], firstName="Augusta")
        here.settle()
        assert len(held(here)) == room + 1  # the contact's own changes go on, and free nothing
        assert here.in_emailoctopus("p0@example.com")["fields"]["FirstName"] == "Augusta"


@pytest.mark.parametrize("approve", [True, False])
def test_what_is_held_is_done_when_approved_and_left_when_discarded(database_url: str, *, approve: bool) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 3)
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}))
        storm(here, people)
        hear(here)
        order(here, approve=approve)
        report = here.reconcile()
        assert (report.outcome, held(here)) == ("ok", {})
        assert [notes(here, ghl_id) for ghl_id, _ in people] == [["Spring sale"] if approve else []] * 3
        here.later(hours=25)
        here.reconcile()
        assert [len(notes(here, ghl_id)) for ghl_id, _ in people] == [int(approve)] * 3
        click(here, people[0][1], "Autumn")
        assert notes(here, people[0][0])[:1] == ["Autumn"]  # what comes later is asked about anew


def test_what_happened_to_who_is_held_waits_with_the_rest(database_url: str) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 3)
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}))
        storm(here, people)
        hear(here)
        here.later(hours=25)
        click(here, people[0][1], "Autumn")
        assert notes(here, people[0][0]) == []
        order(here, approve=True)
        here.reconcile()
        assert sorted(notes(here, people[0][0])) == ["Autumn", "Spring sale"]


def test_conditions_that_hold_for_few_are_counted_as_if_for_all_and_asked_once_approved(database_url: str) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 3)
        here.ghl.add_tags(people[0][0], ["vip"])
        with_rules(here, rule("clicked", NOTE, tags_any=["vip"]))
        storm(here, people)
        assert hear(here).held == 1
        order(here, approve=True)
        here.reconcile()
        assert [notes(here, ghl_id) for ghl_id, _ in people] == [["Hi"], [], []]


def test_what_is_held_costs_no_request_while_it_waits(database_url: str) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 3)
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}, campaign="Spring*", tags_none=["other"]))
        storm(here, people)
        assert hear(here).new_held == 3
        here.later(minutes=1)
        here.forget_requests()
        here.reconcile()
        asked = [path for system in (GHL, EMAILOCTOPUS) for _, path in here.requests(system)]
        assert [path for path in asked if path.startswith(("/campaigns", "/contacts/p"))] == []
        assert len(asked) == 4  # one search, three listings
        assert len(held(here)) == 3


def test_what_is_held_leaves_the_queue_when_a_full_scan_finds_that_its_condition_holds_no_more(
    database_url: str,
) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 3)
        with_rules(here, rule("clicked", NOTE, tags_none=["other"]))
        storm(here, people)
        hear(here)
        for ghl_id, _ in people:
            here.ghl.add_tags(ghl_id, ["other"])
        here.later(days=1)
        here.full()
        assert held(here) == {}


# Dry runs


@contextmanager
def copy(here: World) -> Iterator[Any]:
    """The pair on a private copy of its state, as the commands that only look have it."""
    with here.store.private_copy("main") as copied:
        store = copied.open_pair("main", here.sandbox.location_id, here.sandbox.list_id)
        lease = Lease("main", store, "looking", here.pair.clock)
        yield replace(
            here.pair, store=store, lease=lease, systems=here.connect(lease), digester=Digester(*copied.digest_keys)
        )


def planned(here: World) -> PairPlan:
    with copy(here) as looking:
        return plan(looking, Mode.INCREMENTAL)


def rehearsed(here: World, last: int = 20) -> list[Rehearsed]:
    with copy(here) as looking:
        return rehearse(looking, last)


def test_a_plan_shows_what_rules_would_do_and_nothing_counts_as_seen_by_it(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", TASK, NOTE), rule("tag_added:vip", {"add_tag": "welcome"}))
        here.emailoctopus.click(subscriber_id, campaign(here).id)
        here.emailoctopus.add_tags(subscriber_id, ["vip"])
        here.later(minutes=16)
        here.forget_requests()
        for _ in range(2):
            shown = planned(here)
            assert {(one.action, one.ghl_id, one.reason) for one in shown.actions} == {
                ("add_tag", ghl_id, "rules[1]: tag_added"),
                ("create_task", ghl_id, "rules[0]: clicked"),
                ("create_note", ghl_id, "rules[0]: clicked"),
            }
            assert shown.requests[GHL] == 4  # and the tag itself
        assert here.writes(GHL) == []
        here.reconcile()
        assert (tasks(here, ghl_id), notes(here, ghl_id), sorted(tags(here, ghl_id))) == (
            ["Call Ada"],
            ["Hi"],
            ["vip", "welcome"],
        )


def test_a_plan_says_what_would_be_held(database_url: str) -> None:
    with world(database_url, guard=FEW) as here:
        people = crowd(here, 3)
        with_rules(here, rule("clicked", NOTE))
        storm(here, people)
        shown = planned(here)
        assert (len(shown.actions), len(shown.held_actions)) == (0, 3)
        assert shown.held_actions[0].reason.startswith("would be held, actions of rules: 3 in one cycle")


def test_rules_are_tried_out_on_the_last_events(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        before = campaign(here, "Before")
        here.emailoctopus.click(subscriber_id, before.id)
        with_rules(here, rule("clicked", TASK, campaign="*e*"), rule("clicked", NOTE, tags_any=["vip"]))
        click(here, subscriber_id, "Done")
        here.emailoctopus.click(subscriber_id, campaign(here, "Newer").id)
        stranger = here.subscriber("eve@example.com")
        here.emailoctopus.click(stranger, campaign(here, "xxx").id)
        here.forget_requests()
        found = [(one.event, one.ghl_id, one.rule, one.would, one.why_not) for one in rehearsed(here)]
        no_vip = "it has none of the tags vip"
        task = ("create the task 'Call Ada'",)
        assert found == [
            ("clicked in xxx", None, "rules[0]", (), "no GHL contact is linked"),
            ("clicked in xxx", None, "rules[1]", (), "no GHL contact is linked"),
            ("clicked in Newer", ghl_id, "rules[0]", task, None),
            ("clicked in Newer", ghl_id, "rules[1]", (), no_vip),
            ("clicked in Done", ghl_id, "rules[0]", (), "it was acted on already"),
            ("clicked in Done", ghl_id, "rules[1]", (), no_vip),
            ("clicked in Before", ghl_id, "rules[0]", task, "it happened before the rule was active"),
            ("clicked in Before", ghl_id, "rules[1]", (), no_vip),
        ]
        assert len(rehearsed(here, 1)) == 2
        assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
        assert len(here.pair_store.last_occasions(9)) == 1
        assert tasks(here, ghl_id) == ["Call Ada"]


def test_a_rule_that_was_never_active_is_tried_out_too(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.emailoctopus.click(subscriber_id, campaign(here).id)
        here.pair = replace(here.pair, rules=book(rule("clicked", NOTE)))
        [one] = rehearsed(here)
        assert (one.would, one.why_not) == (("create the note 'Hi'",), "it happened before the rule was active")
        assert not [name for name in here.pair_store.state().looked_at if name.startswith("rule ")]


# Loops


def goes_on(here: World, cycles: int = 8) -> int:
    """How much rules do in many cycles, with webhooks that tell of every change."""
    done = 0
    for each in range(cycles):
        here.later(minutes=11)
        report = here.full() if each == cycles - 1 else here.reconcile()
        done += report.written[GHL, "acted"]
    return done


LOOPS = {
    "a rule adds the tag that it listens to": [rule("tag_added:vip", {"add_tag": "vip"})],
    "a rule adds another tag that it listens to": [rule("tag_added:*", {"add_tag": "{event}"})],
    "a rule takes the tag away that it listens to": [rule("tag_added:vip", {"remove_tag": "vip"})],
    "two rules feed each other": [
        rule("tag_added:vip", {"add_tag": "one"}),
        rule("tag_added:one", {"add_tag": "two"}),
        rule("tag_added:two", {"remove_tag": "one"}, {"add_tag": "vip"}),
    ],
    "an operation writes the field that changed": [
        rule("field_changed:FirstName", {"ghl": {"operation": "Update Contact", "firstName": "{first_name}x"}})
    ],
    "a field and a tag feed each other": [
        rule("field_changed:FirstName", {"add_tag": "renamed"}),
        rule("tag_added:*", {"ghl": {"operation": "Update Contact", "firstName": "{first_name}y"}}),
    ],
    "notes and tasks": [rule("tag_added:*", NOTE, TASK), rule("field_changed:*", NOTE, TASK)],
    "an operation tags the contact": [
        rule("tag_added:*", {"ghl": {"operation": "Add Tags to Contact", "tags": ["vip", "more"]}})
    ],
}


@pytest.mark.parametrize("name", LOOPS)
def test_no_loop_can_be_built_of_rules(database_url: str, name: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, *LOOPS[name])
        here.later(seconds=5)
        here.emailoctopus.add_tags(subscriber_id, ["vip"])
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        first = goes_on(here, 1)
        assert 1 <= first <= 8
        assert goes_on(here) == 0
        here.assert_quiet()
        assert len(notes(here, ghl_id)) <= 2


def test_a_workflow_that_tags_the_contact_is_no_loop_either(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        workflow = here.ghl.add_workflow("Tags")["id"]
        with_rules(here, rule("tag_added:*", {"add_to_workflow": workflow}))
        here.later(seconds=5)
        here.emailoctopus.add_tags(subscriber_id, ["vip"])
        here.settle()
        here.ghl.add_tags(ghl_id, ["from-workflow"])
        assert goes_on(here) == 0
        assert enrolments(here, ghl_id) == [workflow]
        assert sorted(here.in_emailoctopus(ADA)["tags"]) == ["from-workflow", "vip"]

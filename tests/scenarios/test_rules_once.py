"""What rules do is done once through refusals, lost answers and kills; what can't be known is `uncertain`."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sync_daemon.cycle.deeds import CONTACT_GONE, RULE_GONE
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.engagement import Kind
from sync_daemon.model.report import CycleOutcome
from tests.rules import TASK, campaign, enrolments, hear, notes, poll, rule, tags, tasks, tell, with_rules
from tests.scenarios.test_bad_luck import try_to_die
from tests.worlds import EMAILOCTOPUS, GHL, VirtualClock, World, world

EVERY = ({"add_tag": "clicked"}, TASK, {"create_note": "Clicked"})


def clicked(here: World, *actions: Any) -> str:
    """Somebody clicked, a webhook told it, and a rule with these actions is active; his GHL id."""
    ghl_id, subscriber_id = here.linked()
    with_rules(here, rule("clicked", *actions))
    tell(here, Kind.CLICKED, subscriber_id, campaign(here).id)
    here.forget_requests()
    return ghl_id


def deeds(here: World, ghl_id: str) -> dict[str, Deed]:
    return {deed.what.split(" by ")[0]: deed for deed in here.pair_store.deeds_of([ghl_id])}


def in_peace(here: World) -> None:
    here.sandbox.ghl.weather.faults.clear()
    for _ in range(3):
        here.later(hours=3)
        here.reconcile()


@pytest.mark.parametrize("kind", ["lost_answer", "truncate", "drop", "error", "throttle"])
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("path", ["/tasks", "/notes", "/tags"])
def test_what_fares_badly_on_the_way_is_done_once(database_url: str, kind: Any, times: int, path: str) -> None:
    with world(database_url) as here:
        ghl_id = clicked(here, *EVERY)
        here.fault(GHL, kind=kind, method="POST", path=path, times=times, status=503)
        hear(here)
        in_peace(here)
        assert (tags(here, ghl_id), tasks(here, ghl_id), notes(here, ghl_id)) == (
            ["clicked"],
            ["Call Ada"],
            ["Clicked"],
        )
        assert {deed.state for deed in deeds(here, ghl_id).values()} == {DeedState.DONE}


def test_a_lost_answer_is_looked_for_before_it_is_sent_again(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = clicked(here, TASK)
        here.fault(GHL, kind="lost_answer", method="POST", path="/tasks")
        hear(here)
        asked = [method for method, path in here.requests(GHL) if path.endswith("/tasks")]
        assert asked == ["POST", "GET"]
        assert deeds(here, ghl_id)["create_task"].state is DeedState.DONE


def test_two_notes_alike_are_two_notes_though_both_answers_are_lost(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "Clicked"}))
        for name in ("One", "Two"):
            tell(here, Kind.CLICKED, subscriber_id, campaign(here, name).id)
        here.fault(GHL, kind="lost_answer", method="POST", path="/notes", times=2)
        hear(here)
        in_peace(here)
        assert notes(here, ghl_id) == ["Clicked", "Clicked"]


def test_a_note_that_is_there_stands_for_one_deed_alone(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "Clicked"}))
        for name in ("One", "Two"):
            tell(here, Kind.CLICKED, subscriber_id, campaign(here, name).id)
        here.fault(GHL, kind="lost_answer", method="POST", path="/notes")
        here.fault(GHL, kind="drop", method="POST", path="/notes")
        hear(here)
        in_peace(here)
        assert notes(here, ghl_id) == ["Clicked", "Clicked"]


class WrongClock(VirtualClock):
    """A program's clock that differs from GHL's."""

    wrong = timedelta()

    def now(self) -> datetime:
        return super().now() + self.wrong


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.parametrize("kind", ["lost_answer", "drop"])
def test_a_wrong_clock_neither_hides_a_note_nor_takes_an_older_one_for_it(
    database_url: str, kind: Any, hours: int
) -> None:
    with world(database_url) as here:
        clock = WrongClock(here.clock)
        clock.wrong = timedelta(hours=hours)
        ghl_id, subscriber_id = here.linked()
        here.pair = replace(here.pair, clock=clock)
        with_rules(here, rule("clicked", {"create_note": "Clicked"}))
        here.later(hours=3)
        tell(here, Kind.CLICKED, subscriber_id, campaign(here, "One").id)
        hear(here)
        here.later(minutes=20)
        tell(here, Kind.CLICKED, subscriber_id, campaign(here, "Two").id)
        here.fault(GHL, kind=kind, method="POST", path="/notes")
        hear(here)
        in_peace(here)
        assert notes(here, ghl_id) == ["Clicked", "Clicked"]


@pytest.mark.parametrize("commits", range(1, 24))
def test_who_was_created_by_a_run_that_was_killed_has_not_subscribed(database_url: str, commits: int) -> None:
    with world(database_url) as here:
        here.linked()
        with_rules(here, rule("subscribed", {"create_note": "Hi"}), rule("tag_added:*", {"create_note": "Hi"}))
        bob = here.person("bob@example.com", "Bob", tags=["vip"])
        here.fault(EMAILOCTOPUS, kind="lost_answer", method="POST", path="/contacts$")
        try_to_die(here, commits)
        in_peace(here)
        assert here.has(EMAILOCTOPUS, "bob@example.com")
        assert notes(here, bob) == []


@pytest.mark.parametrize("commits", [7, 8, 9])
def test_so_he_has_not_while_the_clock_is_behind(database_url: str, commits: int) -> None:
    with world(database_url) as here:
        clock = WrongClock(here.clock)
        clock.wrong = timedelta(hours=-2)
        here.pair = replace(here.pair, clock=clock)
        here.linked()
        with_rules(here, rule("subscribed", {"create_note": "Hi"}), rule("tag_added:*", {"create_note": "Hi"}))
        bob = here.person("bob@example.com", "Bob", tags=["vip"])
        try_to_die(here, commits)
        here.reconcile()  # within those two hours
        in_peace(here)
        assert here.has(EMAILOCTOPUS, "bob@example.com")
        assert notes(here, bob) == []


@pytest.mark.parametrize("commits", range(6, 10))
def test_what_a_run_wrote_that_was_killed_is_nobodys_doing_in_emailoctopus(database_url: str, commits: int) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        with_rules(here, rule("tag_added:*", {"create_note": "Tag"}), rule("field_changed:*", {"create_note": "Field"}))
        here.ghl.add_tags(ghl_id, ["vip"])
        here.edit_person(ghl_id, firstName="Augusta")
        here.later(minutes=1)
        try_to_die(here, commits)
        in_peace(here)
        there = here.in_emailoctopus("ada@example.com")
        assert (there["tags"], there["fields"]["FirstName"]) == (["vip"], "Augusta")
        assert notes(here, ghl_id) == []


@pytest.mark.parametrize("kind", ["lost_answer", "truncate"])
def test_an_enrolment_without_an_answer_is_uncertain_and_not_repeated(database_url: str, kind: Any) -> None:
    with world(database_url) as here:
        workflow = here.ghl.add_workflow("Spring")["id"]
        ghl_id = clicked(here, {"add_to_workflow": workflow}, {"create_note": "Clicked"})
        here.fault(GHL, kind=kind, method="POST", path="/workflow/")
        hear(here)
        in_peace(here)
        assert enrolments(here, ghl_id) == [workflow]
        assert deeds(here, ghl_id)["add_to_workflow"].state is DeedState.UNCERTAIN
        assert deeds(here, ghl_id)["create_note"].state is DeedState.DONE


def test_an_enrolment_that_never_left_is_made_later(database_url: str) -> None:
    with world(database_url) as here:
        workflow = here.ghl.add_workflow("Spring")["id"]
        ghl_id = clicked(here, {"add_to_workflow": workflow})
        here.fault(GHL, kind="throttle", method="POST", path="/workflow/", times=100)
        assert hear(here).outcome is CycleOutcome.QUOTA
        assert enrolments(here, ghl_id) == []
        in_peace(here)
        assert enrolments(here, ghl_id) == [workflow]


def test_an_operation_that_does_more_when_sent_twice_is_uncertain_too(database_url: str) -> None:
    with world(database_url) as here:
        pipeline = {"operation": "Create Appointment", "calendarId": "c1", "startTime": "2027-01-01T10:00:00Z"}
        ghl_id = clicked(here, {"ghl": pipeline})
        here.fault(GHL, kind="lost_answer", method="POST", path="/appointments")
        hear(here)
        in_peace(here)
        assert deeds(here, ghl_id)["Create Appointment"].state is DeedState.UNCERTAIN
        assert [path for _, path in here.writes(GHL) if path.endswith("/appointments")] == [
            "/calendars/events/appointments"
        ]


def test_a_refusal_is_tried_again_in_time_and_listed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = clicked(here, {"add_to_workflow": "nothere"})
        report = hear(here)
        assert report.outcome is CycleOutcome.OK
        refused = deeds(here, ghl_id)["add_to_workflow"]
        assert (refused.state, refused.attempts, refused.message) == (DeedState.REFUSED, 1, "Workflow not found")
        here.forget_requests()
        here.later(seconds=30)
        here.reconcile()
        assert here.writes(GHL) == []
        here.later(minutes=1)
        here.reconcile()
        assert deeds(here, ghl_id)["add_to_workflow"].attempts == 2
        here.sandbox.ghl.world.location_of(None).workflows["nothere"] = {"id": "nothere"}
        in_peace(here)
        assert enrolments(here, ghl_id) == ["nothere"]


def test_who_is_gone_is_waited_for_a_day(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = clicked(here, TASK)
        here.ghl.delete(ghl_id)
        hear(here)
        assert deeds(here, ghl_id)["create_task"].code == CONTACT_GONE
        here.later(hours=25)
        here.reconcile()
        here.later(hours=25)
        here.reconcile()
        assert deeds(here, ghl_id)["create_task"].state is DeedState.GIVEN_UP


def test_what_a_rule_intended_that_is_gone_is_given_up(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = clicked(here, {"add_to_workflow": "nothere"})
        hear(here)
        here.later(minutes=5)
        with_rules(here, rule("clicked", TASK))
        given_up = deeds(here, ghl_id)["add_to_workflow"]
        assert (given_up.state, given_up.code) == (DeedState.GIVEN_UP, RULE_GONE)


@pytest.mark.parametrize("commits", range(1, 27))
@pytest.mark.parametrize("fault", [None, "lost_answer"])
def test_a_kill_before_any_commit_changes_nothing_of_it(database_url: str, commits: int, fault: Any) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", *EVERY), rule("tag_added:vip", {"create_note": "Vip"}))
        mail = campaign(here)
        here.emailoctopus.click(subscriber_id, mail.id)
        here.emailoctopus.add_tags(subscriber_id, ["vip"])
        if fault is not None:
            here.fault(GHL, kind=fault, method="POST", path="/(tasks|notes)")
        here.later(minutes=16)
        try_to_die(here, commits)
        in_peace(here)
        poll(here)
        assert sorted(tags(here, ghl_id)) == ["clicked", "vip"]
        assert (tasks(here, ghl_id), sorted(notes(here, ghl_id))) == (["Call Ada"], ["Clicked", "Vip"])


@pytest.mark.parametrize("commits", range(1, 12))
def test_a_kill_never_enrols_anybody_twice(database_url: str, commits: int) -> None:
    with world(database_url) as here:
        workflow = here.ghl.add_workflow("Spring")["id"]
        ghl_id = clicked(here, {"add_to_workflow": workflow})
        try_to_die(here, commits)
        in_peace(here)
        state = deeds(here, ghl_id)["add_to_workflow"].state
        assert (len(enrolments(here, ghl_id)), state) in ((1, DeedState.DONE), (1, DeedState.UNCERTAIN))

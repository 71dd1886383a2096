"""Plans carried out, beyond contacts: activity and its automations, rules and their guard, fields that are made."""

from dataclasses import replace

from sync_daemon.model.activity import ActivityPolicy, TaskFields
from sync_daemon.model.engagement import Kind
from sync_daemon.model.policy import GuardLimits
from sync_daemon.model.report import Mode
from tests.rules import TASK, campaign, enrolments, poll, rule, tasks, tell, with_rules
from tests.scenarios.test_activity import ADA, ahead, book, look, there
from tests.scenarios.test_automations import starts, studio
from tests.scenarios.test_plan_followed import counts, reasons
from tests.worlds import EMAILOCTOPUS, world

TASKS = ActivityPolicy(tasks=TaskFields(open_count="OpenTasks", next_title="NextTask"))


def test_activity_is_shown_as_planned_and_what_moved_on_is_shown_by_the_next_cycle(database_url: str) -> None:
    with world(database_url, activity=TASKS) as here:
        ada, _ = here.linked()
        alan, _ = here.linked("alan@example.com", "Alan")
        look(here)
        here.ghl.add_task(ada, "Call back", ahead(here, days=3))
        here.ghl.add_task(alan, "Write", ahead(here, days=3))
        here.later(minutes=15)
        plan = here.foresee()
        assert [one.area for one in plan.operations] == ["activity"] * 2
        here.ghl.add_task(alan, "Pay", ahead(here, days=1))

        _, followed = here.follow(plan)

        assert counts(followed) == {"done": 1, "refused": 1, "left": 1}
        assert reasons(followed) == ["something else would be written by now"]
        assert there(here) == {"OpenTasks": 1, "NextTask": "Call back"}
        assert there(here, "alan@example.com") == {}
        here.later(seconds=30)  # not after the whole interval of activity
        here.reconcile()
        assert there(here, "alan@example.com") == {"OpenTasks": 2, "NextTask": "Pay"}


def test_fields_of_activity_are_made_as_planned_and_only_so(database_url: str) -> None:
    with world(database_url, activity=TASKS) as here:
        here.linked()
        look(here)
        here.pair = replace(here.pair, activity=ActivityPolicy(tasks=TaskFields(open_count="OpenTasks")))
        plan = here.foresee(Mode.FULL)
        more = TaskFields(open_count="OpenTasks", next_due="NextDue")
        here.pair = replace(here.pair, activity=ActivityPolicy(tasks=more))
        here.later(minutes=15)

        _, followed = here.follow(plan)

        schema = here.pair.systems[EMAILOCTOPUS].read_schema
        assert schema().field("NextDue") is None
        assert followed.left == 1
        here.reconcile()
        assert schema().field("NextDue") is not None


def test_an_automation_starts_as_planned_and_one_that_the_plan_does_not_hold_by_the_next_cycle(
    database_url: str,
) -> None:
    with studio(database_url) as (here, ada):
        alan, _ = here.linked("alan@example.com", "Alan")
        look(here)
        book(here, ada, ahead(here, days=3))
        here.later(minutes=15)
        plan = here.foresee()
        assert "start_automation" in [one.action for one in plan.operations]
        book(here, alan, ahead(here, days=4))

        _, followed = here.follow(plan)

        assert starts(here) == [("booked", ADA)]
        assert followed.done == len(plan.operations)
        assert followed.left == 1
        here.later(seconds=30)
        assert here.foresee().operations != ()
        here.reconcile()
        assert starts(here) == [("booked", ADA), ("booked", "alan@example.com")]


def test_an_automation_of_who_has_revoked_since_does_not_start(database_url: str) -> None:
    with studio(database_url) as (here, ada):
        book(here, ada, ahead(here, days=3))
        here.later(minutes=15)
        plan = here.foresee()
        here.ghl.unsubscribe(ada)

        _, followed = here.follow(plan)

        assert starts(here) == []
        assert "the person has revoked by now" in reasons(followed)


def test_rules_act_as_planned_and_on_what_is_new_in_the_next_cycle(database_url: str) -> None:
    with world(database_url) as here:
        ada, there_ = here.linked()
        alan, too = here.linked("alan@example.com", "Alan")
        with_rules(here, rule(Kind.CLICKED, TASK))
        mail = campaign(here)
        tell(here, Kind.CLICKED, there_, mail.id, event="e1")
        here.later(minutes=1)
        plan = here.foresee()
        assert [(one.area, one.action) for one in plan.operations] == [("rules", "create_task")]
        tell(here, Kind.CLICKED, too, mail.id, event="e2")
        here.later(minutes=1)

        _, followed = here.follow(plan)

        assert counts(followed) == {"done": 1, "left": 1}
        assert (tasks(here, ada), tasks(here, alan)) == (["Call Ada"], [])
        poll(here)
        assert tasks(here, alan) == ["Call Alan"]


def test_a_changed_rule_is_another_rule(database_url: str) -> None:
    with world(database_url) as here:
        ada, there_ = here.linked()
        flow = here.ghl.add_workflow("Spring")["id"]
        with_rules(here, rule(Kind.CLICKED, TASK))
        with_rules(here, rule(Kind.CLICKED, TASK), rule(Kind.CLICKED, {"add_to_workflow": flow}))
        mail = campaign(here)
        tell(here, Kind.CLICKED, there_, mail.id)
        before = here.pair
        with_rules_again = here.pair.rules
        here.pair = replace(before, rules=replace(with_rules_again, rules=with_rules_again.rules[:1]))
        here.later(minutes=1)
        plan = here.foresee()
        here.pair = before

        _, followed = here.follow(plan)

        assert followed.done == 0
        assert (tasks(here, ada), enrolments(here, ada)) == ([], [])
        poll(here)
        assert (tasks(here, ada), enrolments(here, ada)) == (["Call Ada"], [flow])


def test_what_rules_do_is_held_as_planned_and_done_once_it_was_approved(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(max_create_percent=0, max_create_count=1)) as here:
        ids = [here.person(f"p{each}@example.com", "Ada") for each in range(3)]
        here.reconcile()
        people = [(link.ghl_id, link.emailoctopus_id) for link in here.pair_store.links(ghl=ids)]
        with_rules(here, rule(Kind.CLICKED, TASK))
        mail = campaign(here)
        for number, (_, there_) in enumerate(people):
            tell(here, Kind.CLICKED, there_, mail.id, event=f"e{number}")
        here.later(minutes=1)
        plan = here.foresee()
        assert [one.held for one in plan.operations] == [True] * 3

        _, followed = here.follow(plan)
        assert counts(followed) == {"held": 3}

        here.pair_store.order_held([one.id or 0 for one in here.pair_store.held(everything=True)], approve=True)
        _, followed = here.follow(plan)
        assert counts(followed) == {"done": 3}
        assert [tasks(here, ghl_id) for ghl_id, _ in people] == [["Call Ada"]] * 3


def test_what_waits_of_rules_and_the_plan_does_not_hold_goes_on_waiting(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(max_create_percent=0, max_create_count=0)) as here:
        ada = here.person(ADA, "Ada")
        here.reconcile()
        [link] = here.pair_store.links(ghl=[ada])
        with_rules(here, rule(Kind.CLICKED, TASK))
        empty = here.foresee()
        tell(here, Kind.CLICKED, link.emailoctopus_id, campaign(here).id)
        poll(here)
        [held] = here.pair_store.held(everything=True)
        here.pair_store.order_held([held.id or 0], approve=True)

        _, followed = here.follow(empty)

        assert counts(followed) == {"left": 1}
        assert [one.id for one in here.pair_store.held(everything=True)] == [held.id]
        assert tasks(here, ada) == []
        poll(here)
        assert tasks(here, ada) == ["Call Ada"]


def test_events_that_the_plan_does_not_hold_take_no_room_of_the_guard(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(max_create_percent=0, max_create_count=1)) as here:
        ids = [here.person(f"p{each}@example.com", "Ada") for each in range(3)]
        here.reconcile()
        people = {link.ghl_id: link.emailoctopus_id for link in here.pair_store.links(ghl=ids)}
        with_rules(here, rule(Kind.CLICKED, TASK))
        mail = campaign(here)
        tell(here, Kind.CLICKED, people[ids[0]], mail.id, event="e0")
        here.later(minutes=1)
        plan = here.foresee()
        for each in (1, 2):
            tell(here, Kind.CLICKED, people[ids[each]], mail.id, event=f"e{each}")
        here.later(minutes=1)

        _, followed = here.follow(plan)

        assert counts(followed) == {"done": 1, "left": 2}
        assert here.pair_store.held(everything=True) == []


def test_what_rules_were_shown_as_held_with_is_not_done_because_there_is_room_by_now(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(max_create_percent=0, max_create_count=1)) as here:
        ids = [here.person(f"p{each}@example.com", "Ada") for each in range(2)]
        here.reconcile()
        people = {link.ghl_id: link.emailoctopus_id for link in here.pair_store.links(ghl=ids)}
        with_rules(here, rule(Kind.CLICKED, TASK))
        mail = campaign(here)
        for each, ghl_id in enumerate(ids):
            tell(here, Kind.CLICKED, people[ghl_id], mail.id, event=f"e{each}")
            if each == 0:
                poll(here)
        plan = here.foresee()
        assert [one.held for one in plan.operations] == [True]
        here.later(hours=25)

        _, followed = here.follow(plan)

        assert counts(followed) == {"refused": 1, "left": 1}
        assert tasks(here, ids[1]) == []
        poll(here)
        assert tasks(here, ids[1]) == ["Call Ada"]


def test_a_start_that_was_refused_before_is_planned_when_it_is_due_and_else_not_made(database_url: str) -> None:
    with studio(database_url) as (here, ada):
        book(here, ada, ahead(here, days=3))
        here.fault(EMAILOCTOPUS, kind="error", status=422, path="/queue$")
        look(here)
        empty = here.foresee()
        assert empty.operations == ()
        here.later(minutes=2)
        plan = here.foresee()
        assert [one.action for one in plan.operations] == ["start_automation"]

        _, followed = here.follow(empty)
        assert (counts(followed), starts(here)) == ({"left": 1}, [])
        _, followed = here.follow(plan)
        assert (counts(followed), starts(here)) == ({"done": 1}, [("booked", ADA)])

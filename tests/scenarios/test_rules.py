"""Rules, by webhook and by report: each event once, ever (contract, section 9)."""

from zoneinfo import ZoneInfo

import pytest

from sync_daemon.model.engagement import OF_MAIL, Kind
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.server import Sandbox
from tests.rules import (
    TASK,
    campaign,
    enrolments,
    hear,
    notes,
    poll,
    rule,
    tags,
    tasks,
    tell,
    with_rules,
    wrote,
)
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA, BOB, EVE = (f"{name}@example.com" for name in ("ada", "bob", "eve"))
MAIL = sorted(OF_MAIL)


def happens(here: World, kind: Kind, subscriber_id: str, campaign_id: str) -> Contact:
    """Somebody does it with a campaign's mail; only its report tells."""
    here.later(seconds=5)
    act = {Kind.OPENED: "open_mail", Kind.CLICKED: "click", Kind.BOUNCED: "bounce", Kind.COMPLAINED: "complain"}
    done: Contact = getattr(here.emailoctopus, act.get(kind, "unsubscribe"))(subscriber_id, campaign_id)
    return done


@pytest.mark.parametrize("kind", MAIL)
def test_what_a_webhook_tells_is_acted_on_at_once_and_once(database_url: str, kind: Kind) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule(kind, TASK))
        mail = campaign(here)
        happens(here, kind, subscriber_id, mail.id)
        tell(here, kind, subscriber_id, mail.id)
        report = hear(here)
        assert tasks(here, ghl_id) == ["Call Ada"]
        assert report.written[GHL, "acted"] == 1
        tell(here, kind, subscriber_id, mail.id, event="e2")
        hear(here)
        poll(here)
        assert tasks(here, ghl_id) == ["Call Ada"]


@pytest.mark.parametrize("kind", MAIL)
def test_what_a_report_tells_is_acted_on_once(database_url: str, kind: Kind) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule(kind, TASK))
        mail = campaign(here)
        happens(here, kind, subscriber_id, mail.id)
        poll(here)
        assert tasks(here, ghl_id) == ["Call Ada"]
        tell(here, kind, subscriber_id, mail.id)
        hear(here)
        poll(here)
        here.later(days=1)
        here.full()
        assert tasks(here, ghl_id) == ["Call Ada"]
        here.assert_quiet()


def test_every_action_does_what_it_says(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["sleeping"])
        workflow = here.ghl.add_workflow("Spring")["id"]
        with_rules(
            here,
            rule(
                "clicked",
                {"add_tag": "clicked-spring"},
                {"remove_tag": "sleeping"},
                {"create_task": {"title": "Call {first_name} {last_name}", "due_in": "2d", "body": "{email}"}},
                {"create_note": "Clicked in {campaign_name} ({campaign_subject}) on {occurred_at:%Y-%m-%d}: {event}"},
                {"add_to_workflow": workflow},
                {"ghl": {"operation": "Update Contact", "lastName": "King"}},
            ),
        )
        mail = campaign(here)
        tell(here, Kind.CLICKED, subscriber_id, mail.id)
        day = f"{here.clock.now():%Y-%m-%d}"
        intended = here.clock.now()
        hear(here)
        assert tags(here, ghl_id) == ["clicked-spring"]
        assert notes(here, ghl_id) == [f"Clicked in Spring sale (Look what is new) on {day}: clicked"]
        assert enrolments(here, ghl_id) == [workflow]
        [task] = here.ghl.tasks.of(ghl_id)
        assert (task.title, task.body) == ("Call Ada Lovelace", ADA)
        assert 0 <= task.due / 1000 - intended.timestamp() - 2 * 86_400 < 60
        assert here.people()[ghl_id]["lastName"] == "King"


def test_a_rule_acts_on_nothing_that_happened_before_it_was_active(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        mail = campaign(here)
        happens(here, Kind.CLICKED, subscriber_id, mail.id)
        with_rules(here, rule("clicked", TASK))
        poll(here)
        assert tasks(here, ghl_id) == []
        assert here.pair_store.last_occasions(9) == []  # and nothing of it is stored
        happens(here, Kind.CLICKED, subscriber_id, campaign(here, "Autumn").id)
        poll(here)
        assert tasks(here, ghl_id) == ["Call Ada"]


def test_a_rule_that_says_something_else_is_another_one(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        tell(here, Kind.CLICKED, subscriber_id, mail.id)
        hear(here)
        with_rules(here, rule("clicked", {"create_note": "Hi"}))
        poll(here)
        assert (tasks(here, ghl_id), notes(here, ghl_id)) == (["Call Ada"], [])


def test_a_report_without_times_tells_what_happened_since_it_was_last_read(database_url: str) -> None:
    """The free plan leaves them out: what was there at the first reading of an older campaign counts as before."""
    with world(database_url) as here:
        here.emailoctopus.quirks.report_times = False
        ada, subscriber_id = here.linked()
        bob, other_id = here.linked("bob@example.com", "Bob")
        old = campaign(here)
        happens(here, Kind.CLICKED, subscriber_id, old.id)
        with_rules(here, rule("clicked", TASK))
        assert (tasks(here, ada), tasks(here, bob)) == ([], [])
        happens(here, Kind.CLICKED, other_id, old.id)
        poll(here)
        assert (tasks(here, ada), tasks(here, bob)) == ([], ["Call Bob"])
        happens(here, Kind.CLICKED, subscriber_id, campaign(here, "New").id)  # all of it is after
        poll(here)
        assert (tasks(here, ada), tasks(here, bob)) == (["Call Ada"], ["Call Bob"])


def test_reports_are_read_as_far_as_needed(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        with_rules(here, rule("clicked", TASK))
        first, second = campaign(here, "First"), campaign(here, "Second")
        here.emailoctopus.create_campaign("Elsewhere", [here.emailoctopus.create_list("Other").id])
        happens(here, Kind.OPENED, subscriber_id, second.id)
        happens(here, Kind.CLICKED, subscriber_id, first.id)
        here.forget_requests()
        poll(here)
        asked = [path for _, path in here.requests(EMAILOCTOPUS) if path.startswith("/campaigns")]
        assert asked == [
            "/campaigns",
            f"/campaigns/{second.id}/reports/summary",
            f"/campaigns/{first.id}/reports/summary",
            f"/campaigns/{first.id}/reports",
        ]
        here.later(minutes=1)
        here.reconcile()  # not due
        assert [path for _, path in here.requests(EMAILOCTOPUS) if path.startswith("/campaigns")] == []
        poll(here)
        assert [path for _, path in here.requests(EMAILOCTOPUS) if path.endswith("/reports")] == []  # nothing grew


def test_a_report_that_ends_early_is_read_again_until_two_readings_agree(database_url: str) -> None:
    with world(database_url) as here:
        people = [here.linked(f"{name.lower()}@example.com", name) for name in ("Ada", "Bob", "Eve")]
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        for _, subscriber_id in people:
            happens(here, Kind.CLICKED, subscriber_id, mail.id)
        here.sandbox.emailoctopus.weather.short_listing = 0.4
        poll(here)
        assert sum(len(tasks(here, ghl_id)) for ghl_id, _ in people) == 2
        here.sandbox.emailoctopus.weather.short_listing = 0.0
        poll(here)
        assert [tasks(here, ghl_id) for ghl_id, _ in people] == [["Call Ada"], ["Call Bob"], ["Call Eve"]]


def test_what_a_report_without_times_left_out_did_not_happen_since(database_url: str) -> None:
    """Once the database is lost: what the first reading left out may be as old as the campaign."""
    with world(database_url) as here:
        here.emailoctopus.quirks.report_times = False
        people = [here.linked(f"{name.lower()}@example.com", name) for name in ("Ada", "Bob", "Eve")]
        mail = campaign(here)
        for _, subscriber_id in people:
            happens(here, Kind.CLICKED, subscriber_id, mail.id)
        here.sandbox.emailoctopus.weather.short_listing = 0.4
        with_rules(here, rule("clicked", TASK))
        here.sandbox.emailoctopus.weather.short_listing = 0.0
        poll(here)
        assert [tasks(here, ghl_id) for ghl_id, _ in people] == [[], [], []]


def test_nor_did_what_is_in_a_campaign_that_a_listing_left_out(database_url: str) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.report_times = False
        ghl_id, subscriber_id = here.linked()
        for mail in [campaign(here, name) for name in ("One", "Two", "Three")]:
            happens(here, Kind.CLICKED, subscriber_id, mail.id)
        here.sandbox.emailoctopus.weather.short_listing = 0.4
        with_rules(here, rule("clicked", {"create_note": "{campaign_name}"}))
        here.sandbox.emailoctopus.weather.short_listing = 0.0
        poll(here)
        assert notes(here, ghl_id) == []


def test_a_report_that_told_all_before_is_not_taken_at_its_first_short_word(database_url: str) -> None:
    with world(database_url) as here:
        (ada, one), (bob, two) = here.linked(), here.linked(BOB, first="Bob")
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        happens(here, Kind.CLICKED, one, mail.id)
        poll(here)
        happens(here, Kind.CLICKED, two, mail.id)
        here.sandbox.emailoctopus.weather.short_listing = 0.4
        poll(here)
        assert (tasks(here, ada), tasks(here, bob)) == (["Call Ada"], [])
        here.sandbox.emailoctopus.weather.short_listing = 0.0
        poll(here)
        assert tasks(here, bob) == ["Call Bob"]


def test_a_report_that_never_tells_all_that_its_summary_counts_is_not_read_for_ever(database_url: str) -> None:
    with world(database_url) as here:
        people = [here.linked(f"{name.lower()}@example.com", name) for name in ("Ada", "Bob", "Eve")]
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        for _, subscriber_id in people:
            happens(here, Kind.CLICKED, subscriber_id, mail.id)
        here.sandbox.emailoctopus.weather.short_listing = 0.4
        for _ in range(2):
            poll(here)
        here.forget_requests()
        poll(here)
        assert [path for _, path in here.requests(EMAILOCTOPUS) if path.endswith("/reports")] == []


@pytest.mark.parametrize(("days", "full", "read"), [(29, False, True), (31, False, False), (31, True, True)])
def test_older_campaigns_are_read_by_full_scans(database_url: str, days: int, *, full: bool, read: bool) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        here.later(days=days)
        happens(here, Kind.CLICKED, subscriber_id, mail.id)
        here.full() if full else poll(here)
        assert tasks(here, ghl_id) == (["Call Ada"] if read else [])


def test_without_rules_nothing_more_is_asked(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        mail = campaign(here)
        happens(here, Kind.CLICKED, subscriber_id, mail.id)
        tell(here, Kind.CLICKED, subscriber_id, mail.id)
        here.forget_requests()
        poll(here)
        hear(here)
        assert [path for _, path in here.requests(EMAILOCTOPUS) if path.startswith("/campaigns")] == []


def test_with_rules_on_changes_alone_no_report_is_read(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        with_rules(here, rule("tag_added:vip", TASK), rule("subscribed", TASK), rule("field_changed:FirstName", TASK))
        here.forget_requests()
        poll(here)
        assert [path for _, path in here.requests(EMAILOCTOPUS) if path.startswith("/campaigns")] == []


def test_an_event_waits_for_its_contacts_link(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        with_rules(here, rule("clicked", TASK))
        subscriber_id = here.subscriber("bob@example.com", "Bob")
        mail = campaign(here)
        tell(here, Kind.CLICKED, subscriber_id, mail.id)
        hear(here)  # the contact isn't known yet
        here.reconcile()
        assert tasks(here, str(here.in_ghl("bob@example.com")["id"])) == ["Call Bob"]


def test_while_an_event_waits_for_a_link_its_campaign_is_not_asked_about(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        subscriber_id = here.subscriber("bob@example.com", "Bob")
        here.reconcile()
        with_rules(here, rule("clicked", TASK, campaign="Spring*"))
        tell(here, Kind.CLICKED, subscriber_id, campaign(here).id)
        hear(here)
        assert [path for _, path in here.requests(EMAILOCTOPUS) if path.startswith("/campaigns/")] == []
        assert len(here.pair_store.waiting_occasions(None, 9)) == 1


def test_after_a_day_without_a_link_nothing_comes_of_it_and_that_is_reported(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        subscriber_id = here.subscriber("bob@example.com", "Bob")
        here.reconcile()
        with_rules(here, rule("clicked", TASK))
        tell(here, Kind.CLICKED, subscriber_id, campaign(here).id)
        hear(here)
        assert len(here.pair_store.waiting_occasions(None, 9)) == 1
        here.later(days=1)
        here.reconcile()
        assert here.pair_store.waiting_occasions(None, 9) == []
        assert wrote(here) == []


def test_a_report_that_cannot_be_read_keeps_no_contact_waiting(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        happens(here, Kind.CLICKED, subscriber_id, mail.id)
        here.edit_person(ghl_id, firstName="Augusta")
        here.fault(EMAILOCTOPUS, kind="error", path="/campaigns", status=403, times=50)
        report = poll(here)
        assert report.outcome is CycleOutcome.OK
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        here.later(hours=1)
        report = here.reconcile()
        assert report.outcome is CycleOutcome.INCOMPLETE
        assert "Campaign reports" in report.message
        here.sandbox.emailoctopus.weather.faults.clear()
        assert poll(here).outcome is CycleOutcome.OK
        assert tasks(here, ghl_id) == ["Call Augusta"]


# What changes tell


def test_who_signs_up_has_subscribed_and_who_this_program_adds_has_not(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        with_rules(here, rule("subscribed", {"create_note": "Welcome {first_name}"}))
        bob = here.person("bob@example.com", "Bob")
        here.later(seconds=5)
        here.emailoctopus.sign_up(here.sandbox.list_id, "eve@example.com", {"FirstName": "Eve"})
        here.settle()
        assert notes(here, bob) == []
        assert notes(here, str(here.in_ghl("eve@example.com")["id"])) == ["Welcome Eve"]
        here.later(days=1)
        here.full()
        here.assert_quiet()


def test_a_first_load_is_nobodys_sign_up(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber("eve@example.com", "Eve", tags=["vip"])
        with_rules(here, rule("subscribed", {"create_note": "Hi"}), rule("tag_added:vip", {"create_note": "Hi"}))
        assert here.pair_store.last_occasions(9) == []
        here.settle()
        assert notes(here, str(here.in_ghl("eve@example.com")["id"])) == []


def test_who_confirms_has_subscribed(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        here.linked()
        with_rules(here, rule("subscribed", {"create_note": "Welcome {first_name}"}))
        eve = here.emailoctopus.sign_up(here.sandbox.list_id, "eve@example.com", {"FirstName": "Eve"})
        here.reconcile()
        assert not here.has(GHL, "eve@example.com")
        here.later(minutes=3)
        here.emailoctopus.confirm(eve.id)
        here.settle()
        assert notes(here, str(here.in_ghl("eve@example.com")["id"])) == ["Welcome Eve"]


def test_who_opts_in_again_has_subscribed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("subscribed", {"create_note": "Back"}))
        here.emailoctopus.unsubscribe(subscriber_id)
        here.settle()
        here.later(minutes=3)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.settle()
        assert notes(here, ghl_id) == ["Back"]


@pytest.mark.parametrize("full", [False, True])
def test_a_tag_that_somebody_adds_in_emailoctopus(database_url: str, *, full: bool) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("tag_added:vip*", {"create_note": "Now {event}"}))
        here.later(seconds=5)
        here.emailoctopus.add_tags(subscriber_id, ["VIP gold", "other"])
        here.full() if full else here.reconcile()
        assert notes(here, ghl_id) == ["Now tag_added:VIP gold"]
        here.settle()
        here.later(days=1)
        here.full()
        assert len(notes(here, ghl_id)) == 1
        here.emailoctopus.remove_tags(subscriber_id, ["VIP gold"])
        here.settle()
        here.later(minutes=1)
        here.emailoctopus.add_tags(subscriber_id, ["VIP gold"])
        here.settle()
        assert len(notes(here, ghl_id)) == 2  # it was added again


def test_a_tag_that_is_added_in_ghl_is_none_of_emailoctopus(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        with_rules(here, rule("tag_added:*", {"create_note": "Hi"}), rule("field_changed:*", {"create_note": "Hi"}))
        here.later(seconds=5)
        here.ghl.add_tags(ghl_id, ["vip"])
        here.edit_person(ghl_id, firstName="Augusta")
        here.settle()
        here.later(days=1)
        here.full()
        assert here.in_emailoctopus(ADA)["tags"] == ["vip"]
        assert notes(here, ghl_id) == []


def test_two_writes_within_a_second_are_none_of_emailoctopus_either(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("field_changed:*", {"create_note": "Hi"}))
        here.subscriber(BOB, first="Robert")
        here.emailoctopus.unsubscribe(subscriber_id)
        here.edit_person(ghl_id, email=BOB)
        here.reconcile()  # the link moves: status and fields are written, and EmailOctopus counts whole seconds
        here.later(days=1)
        here.full()
        there = here.in_emailoctopus(BOB)
        assert (there["status"], there["fields"]["FirstName"]) == ("unsubscribed", "Ada")
        assert notes(here, ghl_id) == []


def test_a_field_that_changes_in_emailoctopus(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("field_changed:FirstName", {"create_note": "{event}: {field[FirstName]}"}))
        here.later(seconds=5)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        here.settle()
        assert notes(here, ghl_id) == ["field_changed:FirstName: Augusta"]
        here.later(minutes=1)
        here.edit_subscriber(subscriber_id, FirstName="Ada")
        here.settle()
        assert notes(here, ghl_id)[0] == "field_changed:FirstName: Ada"


# Unsubscribes that only the status shows


def test_an_unsubscribe_without_a_campaign_counts_when_nobody_tells_more_of_it(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("unsubscribed", {"create_note": "Left"}), rule("bounced", {"create_note": "Bounced"}))
        here.later(seconds=5)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        assert notes(here, ghl_id) == []  # a report may tell that it was a bounce
        poll(here)
        poll(here)
        assert notes(here, ghl_id) == ["Left"]


def test_with_a_webhook_it_counts_at_once(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("unsubscribed", {"create_note": "Left"}))
        here.later(seconds=5)
        here.emailoctopus.unsubscribe(subscriber_id)
        tell(here, Kind.UNSUBSCRIBED, subscriber_id)
        here.reconcile()
        assert notes(here, ghl_id) == ["Left"]
        poll(here)
        assert notes(here, ghl_id) == ["Left"]


def test_what_this_program_unsubscribed_is_no_occasion_though_a_webhook_tells_it(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("unsubscribed", {"create_note": "Left"}))
        here.ghl.set_dnd(ghl_id)
        here.settle()
        assert here.status(ADA) == "unsubscribed"
        tell(here, Kind.UNSUBSCRIBED, subscriber_id)
        for _ in range(3):
            poll(here)
        assert notes(here, ghl_id) == []


@pytest.mark.parametrize("kind", [Kind.BOUNCED, Kind.COMPLAINED, Kind.UNSUBSCRIBED])
def test_what_the_status_shows_and_a_report_tells_later_is_one_occasion(database_url: str, kind: Kind) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        rules = [rule(one, {"create_note": f"It {one}"}) for one in (Kind.UNSUBSCRIBED, Kind.BOUNCED, Kind.COMPLAINED)]
        with_rules(here, *rules)
        mail = campaign(here)
        happens(here, kind, subscriber_id, mail.id)
        here.reconcile()  # shows the status, and reads no report
        for _ in range(3):
            poll(here)
        assert notes(here, ghl_id) == [f"It {kind}"]


@pytest.mark.parametrize("kind", [Kind.BOUNCED, Kind.COMPLAINED, Kind.UNSUBSCRIBED])
def test_it_is_one_occasion_though_the_contacts_timestamp_did_not_move(database_url: str, kind: Kind) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.unsubscribe_touches = False
        ghl_id, subscriber_id = here.linked()
        rules = [rule(one, {"create_note": f"It {one}"}) for one in (Kind.UNSUBSCRIBED, Kind.BOUNCED, Kind.COMPLAINED)]
        with_rules(here, *rules)
        here.later(days=2)
        mail = campaign(here)
        happens(here, kind, subscriber_id, mail.id)
        here.later(minutes=11)
        here.reconcile()  # its count shows it
        for _ in range(3):
            poll(here)
        assert notes(here, ghl_id) == [f"It {kind}"]


def test_an_unsubscribe_counts_though_the_contacts_timestamp_did_not_move(database_url: str) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.unsubscribe_touches = False
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("unsubscribed", {"create_note": "Left"}))
        here.later(days=2)
        here.emailoctopus.unsubscribe(subscriber_id)
        for _ in range(3):
            poll(here)
        assert notes(here, ghl_id) == ["Left"]


@pytest.mark.parametrize("seen_first", [True, False])
def test_an_unsubscribe_that_a_webhook_tells_is_one_occasion_though_the_timestamp_did_not_move(
    database_url: str, *, seen_first: bool
) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.unsubscribe_touches = False
        with_rules(here, rule("unsubscribed", {"create_note": "Left {occurred_at:%Y-%m-%d}"}))
        ghl_id, subscriber_id = here.linked()
        here.later(days=2)
        mail = campaign(here)
        here.emailoctopus.unsubscribe(subscriber_id, mail.id)
        today = f"Left {here.clock.now():%Y-%m-%d}"
        if seen_first:
            poll(here)
        tell(here, Kind.UNSUBSCRIBED, subscriber_id, mail.id)
        for _ in range(3):
            poll(here)
        assert notes(here, ghl_id) == [today]


def test_it_is_one_occasion_though_the_report_tells_no_times(database_url: str) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.report_times = False
        ghl_id, subscriber_id = here.linked()
        _, other = here.linked(BOB)
        with_rules(here, rule("unsubscribed", {"create_note": "Left {occurred_at:%Y-%m-%d}"}))
        mail = campaign(here)
        here.emailoctopus.unsubscribe(other, mail.id)
        poll(here)
        here.later(days=3)
        poll(here)  # the report has not grown: what comes now happened since
        here.emailoctopus.unsubscribe(subscriber_id, mail.id)
        today = f"Left {here.clock.now():%Y-%m-%d}"
        for _ in range(3):
            poll(here)
        assert notes(here, ghl_id) == [today]


def test_a_namesake_whom_this_program_unsubscribes_has_not_unsubscribed(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        bob, _ = here.linked(BOB, first="Bob")
        eve, _ = here.linked(EVE, first="Eve")
        for row in list(here.subscribers().values()):
            here.emailoctopus.set_status(row["id"], "subscribed")
        blocked = here.person(BOB, first="Robert")
        here.later(minutes=1)
        with_rules(here, rule("unsubscribed", TASK))
        # Both moves are held on a list with double opt-in: bob's address is eve's in GHL, and bob's in EmailOctopus.
        here.edit_person(bob, email=ADA)
        here.edit_person(eve, email=BOB)
        here.later(seconds=1)
        here.ghl.complain(blocked)
        for _ in range(4):
            poll(here)
        assert here.status(BOB) == "unsubscribed"
        assert [tasks(here, one) for one in (bob, eve, blocked)] == [[], [], []]


def test_an_unsubscribe_that_was_acted_on_isnt_again_when_its_campaign_is_told(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("unsubscribed", {"create_note": "Left"}))
        mail = campaign(here)
        here.later(seconds=5)
        here.emailoctopus.unsubscribe(subscriber_id)
        poll(here)
        poll(here)
        poll(here)
        assert notes(here, ghl_id) == ["Left"]
        tell(here, Kind.UNSUBSCRIBED, subscriber_id, mail.id)
        hear(here)
        assert notes(here, ghl_id) == ["Left"]


@pytest.mark.parametrize("event", ["tag_added:vip", "field_changed:FirstName", "subscribed"])
def test_a_change_that_a_webhook_tells_is_acted_on_at_once(database_url: str, event: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        with_rules(here, rule(event, {"create_note": "Hi"}))
        here.later(seconds=5)
        if event == "subscribed":
            subscriber_id = here.emailoctopus.sign_up(here.sandbox.list_id, "eve@example.com").id
        else:
            here.emailoctopus.add_tags(subscriber_id, ["vip"])
            here.edit_subscriber(subscriber_id, FirstName="Augusta")
        now = here.clock.now()
        here.pair_store.save_events([WebhookEvent(EMAILOCTOPUS, "e1", subscriber_id, EventKind.CHANGED, now)])
        hear(here)
        ghl_id = here.pair_store.links(emailoctopus=[subscriber_id])[0].ghl_id
        assert notes(here, ghl_id) == ["Hi"]
        here.settle()
        here.later(days=1)
        here.full()
        assert notes(here, ghl_id) == ["Hi"]


def test_times_are_the_locations(database_url: str) -> None:
    def in_auckland(sandbox: Sandbox) -> None:
        sandbox.ghl.world.location_of(None).timezone = "Pacific/Auckland"

    with world(database_url, prepare=in_auckland) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", {"create_note": "{occurred_at:%d %H:%M}"}))
        tell(here, Kind.CLICKED, subscriber_id, campaign(here).id)
        there = here.clock.now().astimezone(ZoneInfo("Pacific/Auckland"))
        hear(here)
        assert notes(here, ghl_id) == [f"{there:%d %H:%M}"]

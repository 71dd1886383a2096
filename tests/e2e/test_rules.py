"""Rules as their users meet them: the service, `rules test`, `plan`, `status` and `check`; and wrong input."""

import pytest

from sync_daemon.sandbox.weather import Fault
from tests.e2e.test_service import service, somebody, until
from tests.e2e.trial import Trial, let_refused_deeds_be_due

pytestmark = pytest.mark.usefixtures("with_tables")

RULES = """\
    rules:
      - when: {event: clicked, campaign: "Summer*"}
        then:
          - create_task: {title: "Call {first_name}", due_in: 2d}
          - add_tag: clicked-summer
      - when: {event: complained}
        then:
          - create_note: "Complained about {campaign_name}"
"""


@pytest.fixture
def ruled(trial: Trial, after_first_load: None) -> Trial:
    trial.config += RULES
    assert trial.run("reconcile").status == 0
    return trial


def sent(trial: Trial, name: str = "Summer sale") -> str:
    """A campaign that was just sent; what is done with it is later than the rules."""
    campaign = trial.emailoctopus.create_campaign(name, [trial.sandbox.list_id])
    trial.emailoctopus.send_campaign(campaign.id)
    return str(campaign.id)


def test_the_service_acts_on_what_a_webhook_tells_in_a_moment(trial: Trial) -> None:
    trial.config += RULES
    with service(trial) as here:
        ghl_id, subscriber_id = somebody(trial)
        campaign = sent(trial)
        click_later(trial, subscriber_id, campaign)
        until(lambda: any(one.title.startswith("Call ") for one in trial.ghl.tasks.of(ghl_id)), "a task")
        until(lambda: "clicked-summer" in trial.ghl.contacts.get(ghl_id).tags, "a tag")
        trial.emailoctopus.complain(subscriber_id, campaign)
        told = "Complained about Summer sale"
        until(lambda: told in [one.body for one in trial.ghl.notes.of(ghl_id)], "a note")
        until(lambda: trial.ghl.contacts.get(ghl_id).dnd_settings.get("Email"), "the block")
        assert sum(one.title.startswith("Call ") for one in trial.ghl.tasks.of(ghl_id)) == 1
        until(lambda: here.figure("deeds", state="done") == 3, "the figure of deeds")
        assert here.figure("cycles_total", mode="incremental") == 0  # no poll was needed
        assert here.stop().status == 0


def test_a_plan_shows_it_rules_test_tries_it_and_reconcile_does_it(ruled: Trial) -> None:
    ghl_id, subscriber_id = somebody(ruled)
    campaign = sent(ruled)
    click_later(ruled, subscriber_id, campaign)
    [tried] = ruled.run("rules", "test", "--json", "--last", "1").json["events"]
    event, would, why = tried["event"], tried["would"], tried["why_not"]
    first = ruled.ghl.contacts.get(ghl_id).fields["firstName"]
    assert (event, why) == ("clicked in Summer sale", None)
    assert would == [f"create the task 'Call {first}'", "add the tag clicked-summer"]
    table = ruled.run("rules", "test", "--last", "5")
    assert (table.status, ghl_id in table.out, "add the tag" in table.out) == (0, True, True)

    planned = ruled.run("plan", "--full", "--json").pair["operations"]
    assert [(row["system"], row["action"], row["ghl_id"]) for row in planned] == [
        ("ghl", "create_task", ghl_id),
        ("ghl", "add_tag", ghl_id),
    ]
    shown = ruled.run("plan", "--full")
    assert "create task" in shown.out
    assert first not in shown.out
    assert ruled.ghl.tasks.of(ghl_id) == []

    assert "2 acted" in ruled.run("reconcile", "--full").out
    assert [task.title for task in ruled.ghl.tasks.of(ghl_id)] == [f"Call {first}"]
    [again] = ruled.run("rules", "test", "--json", "--last", "1").json["events"]
    assert again["why_not"] == "it was acted on already"


def click_later(trial: Trial, subscriber_id: str, campaign: str) -> None:
    """Somebody clicks a second after the rules were first active: whole seconds are all that reports tell."""
    began = trial.emailoctopus.seconds()
    until(lambda: trial.emailoctopus.seconds() > began + 1, "a second")
    trial.emailoctopus.click(subscriber_id, campaign)


def test_status_lists_what_was_refused_is_uncertain_and_was_given_up(ruled: Trial) -> None:
    config = ruled.config.replace("- add_tag: clicked-summer", "- add_to_workflow: nothere")
    ruled.run("reconcile", config=config)
    workflow = ruled.ghl.add_workflow("Spring")["id"]
    ghl_id, subscriber_id = somebody(ruled)
    click_later(ruled, subscriber_id, sent(ruled))
    answer = ruled.run("reconcile", "--full", config=config)
    assert answer.status == 0
    [deed] = ruled.run("status", "--json", config=config).pair["deeds"]
    assert (deed["state"], deed["ghl_id"], deed["code"], deed["attempts"]) == ("refused", ghl_id, "not_found", 1)
    assert "add_to_workflow by rules[0], clicked" in ruled.run("status", config=config).out

    config = config.replace("nothere", workflow)
    let_refused_deeds_be_due(f"sqlite:///{ruled.folder / 'sync.db'}")
    ruled.run("reconcile", config=config)
    ruled.sandbox.ghl.weather.faults.append(Fault(kind="lost_answer", method="POST", path="/workflow/"))
    click_later(ruled, subscriber_id, sent(ruled))
    ruled.run("reconcile", "--full", config=config)
    told = ruled.run("status", "--json", config=config).pair
    assert {(one["state"], one["code"]) for one in told["deeds"]} == {("uncertain", ""), ("given_up", "rule_gone")}
    assert (told["uncertain"], told["given_up"]) == (1, 1)
    shown = ruled.run("status", config=config).out
    assert "look whether it was done" in shown
    assert "given up" in shown
    assert "rule_gone" in shown


def test_check_says_what_rules_cost_and_that_they_work(ruled: Trial) -> None:
    bare = ruled.run("check", "--json", config=ruled.config.replace(RULES, "")).json["pairs"][0]
    sent(ruled)  # beside the one that the sandbox is seeded with
    ruled.emailoctopus.create_campaign("Draft", [ruled.sandbox.list_id])
    checked = ruled.run("check", "--json").json["pairs"][0]
    assert checked["ok"]
    [advice] = [line for line in checked["advice"] if "ules" in line]
    assert advice.startswith("Rules read the reports of 2 campaigns of the last 30 days: 288 requests a day")
    costs = [one["requests_a_day"]["emailoctopus"] for one in (bare, checked)]
    assert costs[1] - costs[0] == 288


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("rules", "test", "--last", "0"), "--last"),
        (("rules", "test", "--last", "many"), "--last"),
        (("rules", "test", "--pair", "nobody"), "nobody"),
        (("rules", "tset"), "tset"),
    ],
)
def test_wrong_input_is_told(ruled: Trial, arguments: tuple[str, ...], text: str) -> None:
    answer = ruled.run(*arguments)
    assert answer.status == 2
    assert text in answer.err
    assert "Traceback" not in answer.err


def test_without_rules_it_says_so(trial: Trial) -> None:
    answer = trial.run("rules", "test")
    assert (answer.status, answer.out) == (
        0,
        "There are no rules. `rules` in a pair's configuration tells what they are.\n",
    )
    trial.config += (
        RULES.replace("clicked", "bounced").replace("complained", "subscribed").replace("{campaign_name}", "")
    )
    trial.emailoctopus.campaigns.clear()
    assert trial.run("rules", "test").out == "Nothing that a rule is about has happened lately.\n"


def test_a_system_that_is_down_is_told(ruled: Trial) -> None:
    ruled.sandbox.emailoctopus.weather.faults.append(Fault(kind="error", path="/campaigns", status=403, times=9))
    answer = ruled.run("rules", "test")
    assert (answer.status, answer.out) == (4, "")

"""What buttons do in a real browser, with and without a mouse."""

from collections.abc import Mapping
from typing import Any

from sync_daemon.model.report import Mode
from sync_daemon.sandbox.weather import Weather
from tests.browser.conftest import Window
from tests.browser.stage import Stage, at_ease, cycle


def test_a_cycle_on_demand_shows_its_progress(one_window: Window, stage: Stage) -> None:
    one_window.sign_in()
    one_window.go("/")
    before = stage.store.last_runs(1)[0]["run_id"]
    stage.sides.sandbox.ghl.weather = Weather(latency_s=1.0)
    one_window.press("Full scan")
    one_window.hears("A full scan begins")
    one_window.page.wait_for_selector("progress")
    assert "Full scan, for" in one_window.page.inner_text(".working")
    stage.sides.sandbox.ghl.weather = Weather()
    one_window.page.wait_for_function(
        "old => !document.querySelector('dl.facts a[href$=\"' + old + '\"]')", arg=str(before), timeout=60_000
    )
    assert stage.store.last_runs(1)[0]["mode"] == Mode.FULL
    assert one_window.problems == []


def test_held_changes_are_approved_and_discarded(one_window: Window, stage: Stage) -> None:
    first, second = stage.store.held(everything=True)[:2]
    one_window.sign_in()
    one_window.go("/pairs/sandbox/held")
    one_window.page.get_by_label(f"Choose {first.id}", exact=True).check()
    one_window.press("Approve the chosen")
    one_window.hears("1 change is approved")
    assert one_window.page.evaluate("document.activeElement.id") == "notice"
    one_window.go("/pairs/sandbox/held")
    one_window.page.get_by_label(f"Choose {second.id}", exact=True).check()
    one_window.press("Discard the chosen")
    one_window.hears("1 change is discarded")
    cycle(stage)
    left = {one.id for one in stage.store.held(everything=True)}
    assert not left & {first.id, second.id}
    assert one_window.problems == []


def test_all_are_chosen_at_once(one_window: Window) -> None:
    one_window.sign_in()
    one_window.go("/pairs/sandbox/held")
    one_window.page.get_by_label("Choose all that are shown").check()
    boxes = one_window.page.locator("input[name=id]")
    assert boxes.count() == one_window.page.locator("input[name=id]:checked").count() > 5


def test_a_parked_change_is_tried_again(one_window: Window, stage: Stage) -> None:
    one_window.sign_in()
    one_window.go("/pairs/sandbox/parked")
    one_window.press("Try all again")
    one_window.hears("tried again by the cycle that begins now")
    assert one_window.problems == []


def test_a_plan_on_demand(one_window: Window, stage: Stage) -> None:
    for _ in range(2):  # what other buttons asked for is done
        cycle(stage)
    stage.sides.sandbox.ghl.world.edit(at_ease(stage)[0].id, lastName="Planned-Change")
    one_window.sign_in()
    one_window.go("/pairs/sandbox/plan")
    one_window.press("Plan a full scan")
    one_window.until("text=What a full scan would do")
    one_window.page.wait_for_selector("table.rows")
    one_window.check("plan-made")
    one_window.press("Carry out exactly this")
    one_window.until("text=1 of 1 operation done")
    one_window.check("plan-followed")


def test_a_person_is_looked_up(one_window: Window, stage: Stage) -> None:
    contact, _ = next(stage.sides.meetings())
    one_window.sign_in("rita")
    one_window.go("/pairs/sandbox/people")
    one_window.page.locator("#who").fill(str(contact.email))
    one_window.press("Look up")
    one_window.page.wait_for_selector("article.person")
    assert contact.id in one_window.page.inner_text("article.person")
    assert str(contact.email) not in one_window.page.url
    one_window.check("person")


def test_a_pair_is_paused_and_resumed(one_window: Window, stage: Stage) -> None:
    one_window.sign_in()
    one_window.go("/")
    one_window.press("Pause")
    one_window.hears("Paused")
    one_window.check("paused")
    one_window.press("Resume")
    one_window.hears("Resumed")
    assert not stage.store.state().paused


def updated_subscribers(run: Mapping[str, Any]) -> bool:
    return bool(run["report"]["written"]["emailoctopus"]["updated"])


def test_a_run_is_taken_back(one_window: Window, stage: Stage) -> None:
    contact, subscriber = at_ease(stage)
    before = subscriber.fields.get("LastName")
    stage.sides.sandbox.ghl.world.edit(contact.id, lastName="Taken-Back")
    for _ in range(2):
        cycle(stage)
    assert stage.sides.subscriber(subscriber.id).fields["LastName"] == "Taken-Back"
    run = next(one["run_id"] for one in stage.store.last_runs(9) if updated_subscribers(one))
    one_window.sign_in()
    one_window.go(f"/pairs/sandbox/runs/{run}")
    one_window.page.get_by_text("Take this run back").click()
    one_window.check("run-to-take-back")
    one_window.press("Show what that would do")
    one_window.until("#carry-out")
    one_window.check("undo")
    one_window.press("Do it")
    one_window.until("text=It is a run of its own")
    one_window.check("undone")
    assert stage.sides.subscriber(subscriber.id).fields.get("LastName") == before


def test_a_conflict_is_decided_the_other_way(one_window: Window, stage: Stage) -> None:
    contact, subscriber = at_ease(stage)
    world = stage.sides.sandbox
    world.ghl.world.edit(contact.id, firstName="Gwendolyn")
    world.emailoctopus.world.edit(subscriber.id, {"FirstName": "Gwen"})
    for _ in range(2):
        cycle(stage)
    assert stage.sides.subscriber(subscriber.id).fields["FirstName"] == "Gwendolyn"
    one_window.sign_in()
    one_window.go("/pairs/sandbox/conflicts")
    assert "Gwen\n" in one_window.page.inner_text("table.rows").replace(" in EmailOctopus", "\n")
    one_window.page.locator(f"button[aria-label*='{contact.id}']").first.click()
    one_window.until("#carry-out")
    one_window.check("conflict-other-way")
    one_window.press("Do it")
    one_window.until("text=It is a run of its own")
    for _ in range(2):
        cycle(stage)
    assert (
        stage.sides.contact(contact.id).fields["firstName"]
        == stage.sides.subscriber(subscriber.id).fields["FirstName"]
        == "Gwen"
    )


def test_everything_is_reached_by_keyboard(one_window: Window) -> None:
    one_window.sign_in()
    one_window.go("/")
    one_window.page.keyboard.press("Tab")
    assert one_window.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    one_window.page.keyboard.press("Enter")
    assert one_window.page.evaluate("document.activeElement.id") == "page"
    reached = []
    for _ in range(30):
        one_window.page.keyboard.press("Tab")
        reached.append(one_window.page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Sync now", "Full scan", "24 hours", "7 days", "The figures as a table"} <= set(reached)


def test_a_service_that_is_gone_is_said(one_window: Window) -> None:
    one_window.sign_in()
    one_window.go("/")
    one_window.page.context.set_offline(True)
    one_window.page.wait_for_selector("#offline:not([hidden])")
    one_window.page.context.set_offline(False)
    one_window.page.wait_for_selector("#offline[hidden]", state="attached")


def test_signing_out(one_window: Window) -> None:
    one_window.signed_in.clear()
    one_window.sign_in()
    one_window.press("Sign out")
    one_window.page.wait_for_url("**/login")
    one_window.go("/pairs/sandbox/runs")
    assert "/login" in one_window.page.url
    one_window.signed_in.clear()

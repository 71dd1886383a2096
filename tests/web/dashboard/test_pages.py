"""What each page shows, and what its buttons do."""

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import Change
from sync_daemon.model.system import SystemName
from sync_daemon.model.working import Working
from sync_daemon.ports import Commit
from sync_daemon.web.dashboard import glance
from sync_daemon.web.dashboard.pages import overview
from tests.web.dashboard.house import NASTY, House, Visitor, furnish, http, standing_house

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
PAGES = (
    "/",
    "/pairs/main",
    "/pairs/main/held",
    "/pairs/main/parked",
    "/pairs/main/deeds",
    "/pairs/main/runs",
    "/pairs/main/runs/run-0",
    "/pairs/main/plan",
    "/pairs/main/people",
    "/pairs/main/conflicts",
    "/pairs/main/undo",
)


def text_of(answer: httpx.Response) -> str:
    """A page's words, in one line."""
    body = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_overview_tells_how_the_pair_stands(house: House) -> None:
    with house.visitor("ada") as visitor:
        said = text_of(visitor.get("/"))
    assert "Needs you" in said
    assert "3 contacts wait for your word and 1 action got no answer" in said
    assert "Linked people 2" in said
    assert "3 held 3 parked 1 uncertain 1 refused" in said
    assert "GoHighLevel: 900 of 1,000 requests left today" in said


def test_what_others_wrote_is_never_markup(house: House) -> None:
    shown = 0
    with house.visitor("ada") as visitor:
        for path in PAGES:
            page = visitor.get(path).text
            assert NASTY not in page
            shown += page.count("&lt;script&gt;")
    assert shown >= 9


def test_an_empty_store_says_what_will_be_there(folder: Path) -> None:
    with standing_house(folder) as house, house.visitor("ada") as visitor:
        said = {path: text_of(visitor.get(path)) for path in PAGES if "run-0" not in path}
    assert "Both sides hold the same" in said["/"]
    assert "Nothing is held" in said["/pairs/main/held"]
    assert "Nothing is parked" in said["/pairs/main/parked"]
    assert "Nothing is uncertain" in said["/pairs/main/deeds"]
    assert "No run yet" in said["/pairs/main/runs"]
    assert "No conflicts" in said["/pairs/main/conflicts"]
    assert "Nothing is being taken back" in said["/pairs/main/undo"]
    assert "No plan yet" in said["/pairs/main/plan"]


def test_several_pairs_have_a_card_and_pages_each(folder: Path) -> None:
    names = ["main", "Second / one", "second one"]
    with standing_house(folder, names=names) as house, house.visitor("ada") as visitor:
        home = visitor.get("/")
        for name in names:
            assert name in text_of(home)
        for slug in ("main", "second-one", "second-one--2"):
            assert f'href="/pairs/{slug}"' in home.text
            assert visitor.get(f"/pairs/{slug}/held").status_code == 200
        visitor.post("/pairs/second-one--2/cycle", mode="incremental")
        assert house.wanted == [("second one", Mode.INCREMENTAL)]


def test_of_many_pairs_some_are_on_a_page_and_trouble_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (glance, overview):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    with standing_house(folder, names=["one", "two", "three"]) as house, house.visitor("ada") as visitor:
        house.health["three"] = PairHealth("three", datetime.now(UTC), CycleOutcome.ERROR, "it failed")
        first, second = visitor.get("/").text, visitor.get("/?from=2").text
    assert [f'href="/pairs/{slug}"' in first for slug in ("one", "two", "three")] == [True, False, True]
    assert 'href="/?from=2"' in first
    assert [f'href="/pairs/{slug}"' in second for slug in ("one", "two", "three")] == [False, True, False]
    assert "From the beginning" in second


def test_many_pairs_are_rows_and_who_needs_somebody_comes_first(folder: Path) -> None:
    names = [f"client {number}" for number in range(9)]
    with standing_house(folder, names=names) as house, house.visitor("ada") as visitor:
        house.health["client 7"] = PairHealth("client 7", datetime.now(UTC), CycleOutcome.ERROR, f"it failed {NASTY}")
        home = visitor.get("/")
        said = text_of(home)
        alone = visitor.get("/pairs/client-3").text
    assert "1 to 9 of 9 pairs Equal: 8 In trouble: 1" in said
    assert home.text.count('<tr role="row">') == 1 + 9
    assert "<article" not in home.text
    shown = [home.text.index(f'href="/pairs/client-{number}"') for number in range(9)]
    assert sorted(range(9), key=shown.__getitem__) == [7, 0, 1, 2, 3, 4, 5, 6, 8]
    assert "In trouble The last cycle ended as error: it failed" in said
    assert NASTY not in home.text
    assert "<article" in alone


def test_a_pair_that_cant_run_says_why(folder: Path) -> None:
    with standing_house(folder) as house, house.visitor("ada") as visitor:
        house.health["lost"] = PairHealth("lost", datetime.now(UTC), CycleOutcome.ERROR, f"another account {NASTY}")
        said = text_of(visitor.get("/"))
    assert "lost In trouble" in said
    assert "The last cycle ended as error: another account" in said


@pytest.mark.parametrize("path", ["/pairs/nobody", "/pairs/nobody/held", "/pairs/main/runs/no-such-run"])
def test_what_isnt_there_is_said(house: House, path: str) -> None:
    with house.visitor("ada") as visitor:
        answer = visitor.get(path)
    assert answer.status_code == 404
    assert "There is no" in text_of(answer)


def test_a_database_that_doesnt_answer_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.visitor("ada") as visitor:

        def gone(*_: object) -> None:
            raise StateStoreError("the database is locked by another program")

        monkeypatch.setattr(type(house.pairs["main"]), "totals", gone)
        answer = visitor.get("/")
        assert answer.status_code == 503
        assert "locked by another program" in text_of(answer)


def test_a_cycle_on_demand(house: House) -> None:
    with house.visitor("ada") as visitor:
        for mode in ("incremental", "full"):
            visitor.get("/")
            answer = visitor.post("/pairs/main/cycle", mode=mode)
            assert answer.url.path == "/"
            assert "begins" in text_of(answer)
            assert "begins" not in text_of(visitor.get("/"))  # it is said once
        assert visitor.post("/pairs/main/cycle", mode="hints").status_code == 404
    assert house.wanted == [("main", Mode.INCREMENTAL), ("main", Mode.FULL)]


def test_a_cycle_under_way_shows_how_far_it_is(house: House) -> None:
    since = datetime.now(UTC) - timedelta(minutes=2)
    house.working = Working(
        Mode.FULL, since, {GHL: 1200, EMAILOCTOPUS: 900}, {GHL: 3, EMAILOCTOPUS: 40}, 50, 80, 20, 240.0
    )
    with house.visitor("rita") as visitor:
        page = visitor.get("/")
    assert "read 1,200 in GoHighLevel and 900 in EmailOctopus" in text_of(page)
    assert "wrote 3 to GoHighLevel and 40 to EmailOctopus; 4 min left" in text_of(page)
    assert 'value="20" max="80"' in page.text


@pytest.mark.parametrize(("word", "approved"), [("approve", True), ("discard", False)])
def test_a_word_about_held_changes(house: House, word: str, approved: bool) -> None:
    store = house.pairs["main"]
    ids = [one.id for one in store.held(everything=True)]
    with house.visitor("ada") as visitor:
        visitor.get("/pairs/main/held")
        said = text_of(visitor.post("/pairs/main/held", word=word, id=[str(ids[0]), str(ids[2]), "999", "x"]))
    assert "2 changes are" in said
    ordered = {one.id: (one.approved, one.discarded) for one in store.held(everything=True)}
    assert [ordered[one] for one in ids] == [(approved, not approved), (False, False), (approved, not approved)]
    assert house.wanted == [("main", Mode.INCREMENTAL)]


@pytest.mark.parametrize("word", ["retry", "drop"])
def test_a_word_about_parked_changes(house: House, word: str) -> None:
    store = house.pairs["main"]
    first, *others = store.parked(everything=True)
    with house.visitor("ada") as visitor:
        visitor.get("/pairs/main/parked")
        said = text_of(visitor.post("/pairs/main/parked", word=word, id=str(first.id)))
        assert "1 change is" in said
        assert [one.orders for one in store.parked(everything=True)] == [1, *(0 for _ in others)]
        assert "3 changes are" in text_of(visitor.post("/pairs/main/parked", word=word, all="yes"))
    assert {one.dropped for one in store.parked(everything=True)} == {word == "drop"}


def test_no_choice_does_nothing(house: House) -> None:
    with house.visitor("ada") as visitor:
        visitor.get("/pairs/main/held")
        assert "Nothing was chosen" in text_of(visitor.post("/pairs/main/held", word="approve"))
        assert visitor.post("/pairs/main/held", word="burn", all="yes").status_code == 404
    assert not any(one.approved or one.discarded for one in house.pairs["main"].held(everything=True))


@pytest.mark.parametrize("kind", ["held", "parked", "conflicts"])
def test_long_lists_come_in_pages(folder: Path, kind: str) -> None:
    with standing_house(folder) as house, house.visitor("rita") as visitor:
        furnish(house.pairs["main"], 120)
        seen, path, pages = [], f"/pairs/main/{kind}", 0
        while path:
            page = visitor.get(path).text
            seen += re.findall(r"<code>(g\d+)</code>", page)
            found = re.search(r'href="([^"]+)" rel="next"', page)
            path, pages = unescape(found[1]) if found else "", pages + 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 120


def test_runs_come_in_pages_and_each_has_its_own(folder: Path) -> None:
    with standing_house(folder) as house, house.visitor("rita") as visitor:
        furnish(house.pairs["main"], 120)
        seen: list[str] = []
        path = "/pairs/main/runs"
        while path:
            page = visitor.get(path).text
            seen += re.findall(r'href="/pairs/main/runs/(run-\d+)"', page)
            found = re.search(r'href="([^"]+)" rel="next"', page)
            path = unescape(found[1]) if found else ""
        assert seen == [f"run-{number}" for number in reversed(range(120))]
        said = text_of(visitor.get("/pairs/main/runs/run-7"))
        assert "Updated 7" in said
    assert "ok" in said


def test_nonsense_in_an_address_is_taken_for_nothing(house: House) -> None:
    with house.visitor("rita") as visitor:
        for query in (
            "?after=-1",
            "?after=x",
            "?after=" + "9" * 30,
            "?before=x&id=1",
            "?before=2026-01-01",
            "?span=77",
        ):
            for path in PAGES:
                assert visitor.get(path + query).status_code == 200


def test_charts_show_stored_runs(house: House) -> None:
    with house.visitor("rita") as visitor:
        for path in ("/charts.json", "/pairs/main/charts.json"):
            for span in (0, 1, 2):
                figures = json.loads(visitor.get(f"{path}?span={span}").text)
                assert len({len(values) for values in figures.values()}) == 1
                assert sum(figures["changes_ghl"]) == 3
                assert sum(figures["requests_ghl"]) == 15
                assert [one for one in figures["quota"] if one is not None][-1] == 90.0
                assert max(one or 0 for one in figures["lag"]) > 600 - 1


def test_charts_of_several_pairs_are_added_up(folder: Path) -> None:
    with standing_house(folder, http(), names=["main", "second"]) as house, house.visitor("rita") as visitor:
        for store in house.pairs.values():
            report = CycleReport("x", f"run of {id(store)}", Mode.FULL)
            report.written[EMAILOCTOPUS, "created"] = 4
            now = datetime.now(UTC)
            store.save_run(report, now, now)
        assert sum(json.loads(visitor.get("/charts.json").text)["changes_emailoctopus"]) == 8
        assert sum(json.loads(visitor.get("/pairs/main/charts.json").text)["changes_emailoctopus"]) == 4


def test_pause_and_resume(house: House) -> None:
    store = house.pairs["main"]
    with house.visitor("ada") as visitor:
        visitor.get("/")
        assert "Paused: nothing is read" in text_of(visitor.post("/pairs/main/pause"))
        assert store.state().paused
        house.health["main"] = replace(house.health["main"], paused=True)
        page = visitor.get("/")
        assert "Paused Nothing is read or written until somebody resumes it." in text_of(page)
        assert "Sync now" not in page.text
        visitor.post("/pairs/main/resume")
    assert not store.state().paused
    assert house.wanted == [("main", Mode.INCREMENTAL)]


def test_a_run_tells_what_it_did_line_by_line(folder: Path) -> None:
    with standing_house(folder) as house, house.visitor("rita") as visitor:
        store = house.pairs["main"]
        furnish(store)
        lines = [Change("written", GHL, f"g{n}", "e", "firstName=FirstName", NASTY) for n in range(250)]
        store.commit(Commit(changes=lines[:130]), run_id="run-1")
        store.commit(Commit(changes=lines[130:]), run_id="run-1")
        seen, path, pages = [], "/pairs/main/runs/run-1", 0
        while path:
            page = visitor.get(path).text
            assert NASTY not in page
            seen += re.findall(r"<code>(g\d+)</code>", page)
            found = re.search(r'href="([^"]+)" rel="next"', page)
            path, pages = unescape(found[1]) if found else "", pages + 1
        assert pages == 3
        assert len(seen) == len(set(seen)) == 250
        assert "Nothing had changed" in text_of(visitor.get("/pairs/main/runs/run-0"))
        assert "Take this run back" not in visitor.get("/pairs/main/runs/run-0").text  # a reader looks


def test_a_run_is_taken_back_where_the_journal_has_it(house: House) -> None:
    with house.visitor("ada") as visitor:
        assert "Take this run back" in visitor.get("/pairs/main/runs/run-0").text
        assert "Take this run back" not in visitor.get("/pairs/main/runs/run-1").text
        visitor.post("/pairs/main/runs/run-0/undo")
        assert "no run is known by that id" in until(visitor, "/pairs/main/undo", "no run")
        assert "Another plan was made meanwhile" in visitor.post("/pairs/main/undo", job="1").text


def until(visitor: Visitor, path: str, words: str) -> str:
    """A page, as soon as it says something."""
    for _ in range(200):
        if words in (page := visitor.get(path).text):
            return page
        time.sleep(0.02)
    raise AssertionError(f"{path} never says {words}")


def test_both_values_of_a_conflict_are_shown(house: House) -> None:
    with house.visitor("ada") as visitor:
        said = text_of(visitor.get("/pairs/main/conflicts"))
        assert f"lost {NASTY} in EmailOctopus won {NASTY} from GoHighLevel" in said
        row = house.pairs["main"].conflicts(1)[0]
        visitor.post("/pairs/main/conflicts", row=str(row.id), key="firstName=FirstName")
        assert "Decide the conflict about firstName and FirstName the other way" in until(
            visitor, "/pairs/main/undo", "no run is known"
        )


def test_what_somebody_looked_up_is_his_own(house: House) -> None:
    with house.visitor("ada") as ada, house.visitor("rita") as rita:
        ada.get("/pairs/main/people")
        ada.post("/pairs/main/people", who="secret@example.org")
        assert "nobody is called secret@example.org" in until(ada, "/pairs/main/people", "nobody is called")
        assert "secret@example.org" not in rita.get("/pairs/main/people").text
        assert "Name somebody" in ada.post("/pairs/main/people", who=" ").text

"""The mapping editor: what its form shows, what is wrong in words, and saving what was planned and nothing else."""

import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from sync_daemon.model.system import SystemName
from sync_daemon.wiring.sampling import Sampled
from tests.web.dashboard.desk import Desk, form_of, on_desk, schemas
from tests.web.dashboard.house import NASTY, House, Visitor, standing_house
from tests.web.dashboard.test_pages import text_of, until

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
PAGE, PLAN = "/pairs/main/mapping", "/pairs/main/mapping/plan"


@pytest.fixture
def desk(folder: Path) -> Desk:
    return on_desk(folder)


@pytest.fixture
def house(folder: Path, desk: Desk) -> Iterator[House]:
    with standing_house(folder, editing=desk.editing) as house:
        yield house


@pytest.fixture
def ada(house: House) -> Iterator[Visitor]:
    with house.visitor("ada") as visitor:
        yield visitor


def form(visitor: Visitor) -> dict[str, str]:
    """The form, once both sides are read."""
    until_read(visitor)
    return form_of(visitor.get(PAGE))


def until_read(visitor: Visitor) -> None:
    for _ in range(200):
        if "are being read" not in visitor.get(PAGE).text:
            return
        time.sleep(0.02)
    raise AssertionError("both sides are never read")


def send(visitor: Visitor, filled: dict[str, str], do: str = "plan") -> httpx.Response:
    return visitor.post(PAGE, **filled, do=do)


def planned(visitor: Visitor, filled: dict[str, str]) -> str:
    """Plan a form, and see what it would do; the number of the plan."""
    answer = send(visitor, filled)
    assert answer.url.path == PLAN, text_of(answer)
    page = until(visitor, PLAN, 'id="save"')
    return page.split('name="job" value="')[1].split('"')[0]


def test_the_form_shows_the_file_and_both_sides(ada: Visitor, desk: Desk) -> None:
    filled = form(ada)
    assert filled["fields.0.ghl"] == "firstName"
    assert [filled[f"fields.{n}.direction"] for n in (0, 1)] == ["both", "to_emailoctopus"]
    assert filled["tags.exclude"] == "${HIDDEN}\r\nb"
    assert filled["tags.include"] == "*"
    assert (filled["rules.0.event"], filled["rules.0.then.0.text"]) == ("clicked", "spring")
    assert filled["rules.1.yaml"].startswith("when: {event: opened}\r\nthen:\r\n  - ghl: {operation: Remove")
    page = ada.get(PAGE)
    said = text_of(page)
    assert f"STANDARD firstName {NASTY} Ada {NASTY} · Grace" in said
    assert "GoHighLevel 2 in no row" in said
    assert "EmailOctopus 2 in no row City text Map Score number Map" in said
    assert NASTY not in page.text
    assert "pit-very-secret" not in page.text
    assert desk.sampled == 1


def test_what_isnt_touched_changes_nothing(ada: Visitor, desk: Desk) -> None:
    before = desk.path.read_bytes()
    answer = send(ada, form(ada))
    assert answer.url.path == PAGE
    assert "Nothing is changed yet" in text_of(answer)
    assert not desk.planned
    assert desk.path.read_bytes() == before


def test_an_edit_is_planned_and_then_saved(ada: Visitor, desk: Desk) -> None:
    before = desk.path.read_text(encoding="utf-8")
    filled = {
        **form(ada),
        "fields.0.direction": "to_ghl",
        "tags.exclude": "${HIDDEN}\r\nc\r\n",
        "scope.tags_any": "vip",
    }
    filled["rules.0.then.0.text"] = "summer"
    job = planned(ada, filled)
    assert desk.path.read_text(encoding="utf-8") == before
    said = text_of(ada.get(PLAN))
    assert "Row firstName ↔ FirstName: direction both → to_ghl" in said
    assert "Rule 1 says something else" in said
    assert "Update in EmailOctopus 1" in said
    assert "EmailOctopus would get 7 new contacts" in said
    assert "2 contacts would be unsubscribed in EmailOctopus" in said
    assert f"because {NASTY}" in said
    saved = text_of(ada.post(f"{PAGE}/save", job=job))
    assert "The service works by it from its next cycle on" in saved
    assert "Begin one now" in saved
    after = desk.path.read_text(encoding="utf-8")
    assert after == before.replace(
        "{ghl: firstName,  emailoctopus: FirstName}", "{ghl: firstName,  emailoctopus: FirstName, direction: to_ghl}"
    ).replace('["${HIDDEN}", b]', '["${HIDDEN}", c]').replace("add_tag: spring", "add_tag: summer").replace(
        "        allow_destructive: true\n", "        allow_destructive: true\n    scope: {tags_any: [vip]}\n"
    )
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o640
    assert sorted(one.name for one in desk.path.parent.iterdir() if "yaml" in one.name) == ["sync.yaml"]
    assert desk.taken == desk.planned
    assert desk.taken[0].tags.exclude == ("a", "c")
    again = ada.post(f"{PAGE}/save", job=job)
    assert "Nothing was saved" in text_of(again)
    assert desk.path.read_text(encoding="utf-8") == after


def test_going_on_with_an_edit_keeps_it(ada: Visitor) -> None:
    job = planned(ada, {**form(ada), "fields.0.blanks": "propagate"})
    again = form_of(ada.get(f"{PAGE}?draft={job}"))
    assert again["fields.0.blanks"] == "propagate"
    assert form_of(ada.get(f"{PAGE}?draft=1"))["fields.0.blanks"] == "keep"


WRONG: list[tuple[dict[str, str], str]] = [
    ({"fields.0.emailoctopus": ""}, "Row 1 (firstName ↔ ?), EmailOctopus's field : must not be empty"),
    ({"fields.0.ghl": "fristName"}, "Row 1 (fristName ↔ FirstName), GoHighLevel's field : GHL has no standard"),
    ({"fields.1.ghl": "firstName"}, "Row 2 (firstName ↔ LastName), GoHighLevel's field : another row maps this"),
    ({"fields.0.emailoctopus": "City", "fields.1.emailoctopus": "City"}, "Row 2 (lastName ↔ City)"),
    ({"fields.0.direction": "sideways"}, "Row 1 (firstName ↔ FirstName), direction : expected both, to_ghl or"),
    ({"fields.0.emailoctopus": "Score"}, "Row 1 (firstName ↔ Score) : firstName (GHL's type STANDARD) and Score"),
    ({"fields.0.emailoctopus": "firstname"}, "spelt FirstName; write it so"),
    ({"fields.0.emailoctopus": "New", "create_missing_fields": "false"}, "has no field New; create it there"),
    ({"fields.0.emailoctopus": "Tasks"}, "`activity.tasks.open_count`: the field Tasks is in the mapping"),
    ({"tags.sync": "perhaps"}, "Keep tags equal : expected true or false"),
    ({"scope.field": "plan = gold"}, "With one of the values in a field : GHL has no standard field `plan`"),
    ({"on_leave_scope": "shout"}, "When somebody no longer takes part : expected keep, unsubscribe or"),
    ({"rules.0.event": "tag_added"}, "Rule 1, event : expected one of"),
    ({"rules.0.event": "subscribed"}, "Rule 1, campaign : subscribed comes from no campaign"),
    ({"rules.0.once_every": "often"}, "Rule 1, at most once in : expected a duration"),
    ({"rules.0.then.0.text": "{nobody}"}, "Rule 1, action 1 :"),
    ({"rules.0.then.0.does": "create_task", "rules.0.then.0.due_in": "x"}, "Rule 1, action 1 : expected a"),
    ({"rules.1.yaml": "when: {"}, "Rule 2 : the rule, line 2: this isn't valid YAML"),
    ({"rules.1.yaml": "- a"}, "Rule 2 : the rule, line 1: expected keys"),
    ({"rules.1.yaml": " "}, "Rule 2 : must not be empty"),
    ({"rules.1.yaml": "when: {event: opened}\nthen: []"}, "Rule 2 : must not be empty"),
    ({"rules.1.yaml": "wenn: {event: opened}"}, "Rule 2 : there is no such key"),
    ({"fields.0.ghl": "custom.${TOKEN}"}, "names a variable"),
    ({"rules.1.yaml": "when: {event: opened}\nthen: [{add_tag: '${TOKEN}'}]"}, "Rule 2 : names a variable"),
    ({"scope.field": "custom.${TOKEN} = a"}, "names a variable"),
    ({"rules.0.when": "", "rules.0.event": "field_changed", "rules.0.subject": "Nope", "rules.0.campaign": ""},
     "Rule 1, event : no mapped EmailOctopus field is called `Nope`"),
]  # fmt: skip


def test_what_is_wrong_is_said_with_the_inputs_name(ada: Visitor, desk: Desk) -> None:
    before, filled = desk.path.read_bytes(), form(ada)
    for changes, words in WRONG:
        answer = send(ada, {**filled, **changes})
        assert answer.url.path == PAGE, changes
        assert words in text_of(answer)
        assert "pit-very-secret" not in answer.text
        checked = ada.post(f"{PAGE}/check", **{**filled, **changes})
        assert words in text_of(checked)
        assert "<html" not in checked.text
        assert 'hx-swap-oob="true"' in checked.text
    assert not desk.planned
    assert desk.path.read_bytes() == before


def test_fields_that_would_be_made_are_told(ada: Visitor) -> None:
    answer = send(ada, {**form(ada), "fields.0.ghl": "custom.plan", "fields.0.emailoctopus": "Plan"}, "check")
    assert "EmailOctopus gets the field Plan (text)" in text_of(answer)
    assert "will be made" in text_of(answer)


def test_rows_and_rules_come_and_go(ada: Visitor) -> None:
    filled = form_of(send(ada, form(ada), "add-row"))
    assert (filled["fields.2.ghl"], filled["fields.2.origin"]) == ("", "")
    filled = form_of(send(ada, filled, "remove-row:2"))
    assert "fields.2.ghl" not in filled
    filled = form_of(send(ada, filled, "remove-row:0"))
    assert (filled["fields.0.ghl"], filled["fields.0.origin"]) == ("lastName", "1")
    filled = form_of(send(ada, filled, "add-ghl:city"))
    assert filled["fields.1.ghl"] == "city"
    filled = form_of(send(ada, filled, "add-emailoctopus:Score"))
    assert filled["fields.2.emailoctopus"] == "Score"
    filled = form_of(send(ada, filled, "remove-rule:1"))
    assert "rules.1.origin" not in filled
    filled = form_of(send(ada, filled, "add-action:0"))
    filled = form_of(send(ada, {**filled, "rules.0.then.1.text": "two"}, "remove-action:0.0"))
    assert filled["rules.0.then.0.text"] == "two"
    filled = form_of(send(ada, filled, "yaml:0"))
    assert filled["rules.0.yaml"].replace("\r\n", "\n") == (
        'when: {event: clicked, campaign: "Spring*"}\nthen:\n  - add_tag: two'
    )
    filled = form_of(send(ada, filled, "add-rule"))
    assert filled["rules.1.event"] == "clicked"
    filled = form_of(send(ada, filled, "add-yaml"))
    assert filled["rules.2.yaml"].startswith("when:")
    for nonsense in ("remove-row:9", "remove-row:x", "yaml:", "remove-action:0.7", "burn"):
        assert form_of(send(ada, filled, nonsense)) == filled


def test_a_rule_that_is_looked_at_in_yaml_keeps_its_comments(ada: Visitor, desk: Desk) -> None:
    filled = form_of(send(ada, form(ada), "yaml:0"))
    assert "add_tag: spring  # a tag" in filled["rules.0.yaml"]
    assert "Nothing is changed yet" in text_of(send(ada, filled))
    filled["rules.0.yaml"] = filled["rules.0.yaml"].replace("spring  # a tag", "may  # another")
    ada.post(f"{PAGE}/save", job=planned(ada, filled))
    assert "          - add_tag: may  # another\n      # by hand\n" in desk.path.read_text(encoding="utf-8")


def test_rows_are_proposed_by_name_and_type(ada: Visitor) -> None:
    filled = form_of(send(ada, form(ada), "propose"))
    assert (filled["fields.2.ghl"], filled["fields.2.emailoctopus"]) == ("city", "City")
    assert "fields.3.ghl" not in filled
    assert form_of(send(ada, filled, "propose")) == filled


def test_a_side_that_cant_be_read_says_so(folder: Path) -> None:
    desk = on_desk(folder)
    desk.sides = {**desk.sides, GHL: Sampled(problem="GHL refused the token")}
    with standing_house(folder, editing=desk.editing) as house, house.visitor("ada") as visitor:
        until_read(visitor)
        said = text_of(visitor.get(PAGE))
        assert "GoHighLevel couldn't be read: GHL refused the token Its fields aren't known." in said
        house.pairs["main"].save_schema(schemas()[GHL])
        said = text_of(visitor.get(PAGE))
        assert "Its fields are shown as they were known last, without samples." in said
        assert "STANDARD firstName" in said
        assert desk.sampled == 1
        desk.sides = {**desk.sides, GHL: replace(desk.sides[EMAILOCTOPUS], schema=schemas()[GHL])}
        visitor.post(f"{PAGE}/sides")
        until_read(visitor)
        assert "couldn't be read" not in text_of(visitor.get(PAGE))


def test_a_plan_that_cant_be_made_says_why_and_isnt_saved(ada: Visitor, desk: Desk) -> None:
    desk.problem = "EmailOctopus can't be reached"
    send(ada, {**form(ada), "fields.0.direction": "to_ghl"})
    page = until(ada, PLAN, "EmailOctopus can&#39;t be reached")
    assert 'id="save"' not in page
    assert "look again" in text_of(ada.post(f"{PAGE}/save", job="1"))
    assert not desk.taken


def test_a_file_that_somebody_else_changed_isnt_overwritten(ada: Visitor, desk: Desk) -> None:
    filled = {**form(ada), "fields.0.direction": "to_ghl"}
    job = planned(ada, filled)
    changed = desk.path.read_text(encoding="utf-8") + "# another hand\n"
    desk.path.write_text(changed, encoding="utf-8")
    assert "it can't be saved any more" in text_of(ada.get(PLAN))
    assert "changed by somebody else since" in text_of(ada.post(f"{PAGE}/save", job=job))
    assert "changed by somebody else since" in text_of(send(ada, filled))
    assert "changed by somebody else since" in text_of(ada.post(f"{PAGE}/check", **filled))
    assert desk.path.read_text(encoding="utf-8") == changed
    assert not desk.taken


def test_a_file_that_may_not_be_written_can_be_tried_out(ada: Visitor, desk: Desk) -> None:
    desk.path.chmod(0o444)
    filled = form(ada)
    assert "but not save them" in text_of(ada.get(PAGE))
    send(ada, {**filled, "fields.0.direction": "to_ghl"})
    page = until(ada, PLAN, "may only be read by the service")
    assert 'id="save"' not in page
    desk.path.chmod(0o640)
    job = until(ada, PLAN, 'id="save"').split('name="job" value="')[1].split('"')[0]
    desk.path.chmod(0o444)
    assert "Nothing was saved" in text_of(ada.post(f"{PAGE}/save", job=job))
    assert not desk.taken


def test_a_file_thats_broken_or_lacks_the_pair_is_said(ada: Visitor, desk: Desk) -> None:
    for text, words in (("pairs: [", "isn't valid YAML"), ("pairs: []", "has no pair main any more")):
        desk.path.write_text(text, encoding="utf-8")
        answer = ada.get(PAGE)
        assert answer.status_code == 409
        assert words in text_of(answer)
    on_desk(desk.path.parent)
    desk.path.write_text(desk.path.read_text(encoding="utf-8").replace("name: main", "name: other"), encoding="utf-8")
    assert "has no pair main any more" in text_of(ada.get(PAGE))
    desk.path.unlink()
    assert "can't be read" in text_of(ada.get(PAGE))


def test_a_configuration_without_a_file_cant_be_edited(folder: Path) -> None:
    with standing_house(folder) as house, house.visitor("ada") as visitor:
        assert "isn't in a file that the service could write" in text_of(visitor.get(PAGE))
        assert visitor.post(f"{PAGE}/sides").status_code == 404
        assert "No edit is planned" in text_of(visitor.get(PLAN))


def test_a_reader_sees_everything_and_changes_nothing(house: House, desk: Desk) -> None:
    before = desk.path.read_bytes()
    with house.visitor("rita") as rita:
        filled = form(rita)
        page = rita.get(PAGE)
        assert "<fieldset disabled>" in page.text
        assert "Ada" in text_of(page)
        assert 'id="foresee"' not in page.text
        assert 'value="add-row"' not in page.text
        for path in (PAGE, f"{PAGE}/check", f"{PAGE}/sides", f"{PAGE}/save"):
            assert rita.post(path, **filled, do="plan", job="1").status_code == 403
    assert not desk.planned
    assert desk.path.read_bytes() == before


def test_nobody_elses_form_is_taken(ada: Visitor, desk: Desk) -> None:
    filled = {**form(ada), "fields.0.direction": "to_ghl"}
    ada.token = "stolen"
    for path in (PAGE, f"{PAGE}/check", f"{PAGE}/sides", f"{PAGE}/save"):
        assert ada.client.post(path, data={**filled, "csrf": "stolen", "do": "plan"}).status_code == 403
    assert not desk.planned


def test_a_plan_that_was_made_before_another_one_isnt_saved(ada: Visitor, desk: Desk) -> None:
    filled = form(ada)
    first = planned(ada, {**filled, "fields.0.direction": "to_ghl"})
    second = planned(ada, {**filled, "fields.0.blanks": "propagate"})
    assert first != second
    assert "look again" in text_of(ada.post(f"{PAGE}/save", job=first))
    assert not desk.taken
    ada.post(f"{PAGE}/save", job=second)
    assert [one.fields[0].blanks for one in desk.taken] == ["propagate"]


def test_each_session_saves_what_it_planned_itself(house: House, ada: Visitor, desk: Desk) -> None:
    job = planned(ada, {**form(ada), "fields.0.direction": "to_ghl"})
    with house.visitor("ada") as other:
        assert "No edit is planned" in text_of(other.get(PLAN))
        assert "look again" in text_of(other.post(f"{PAGE}/save", job=job))
    assert not desk.taken


def test_a_form_that_cant_be_of_this_file_is_refused(ada: Visitor, desk: Desk) -> None:
    filled = form(ada)
    for first, second in (("1", "0"), ("0", "0"), ("7", "")):
        answer = send(ada, {**filled, "fields.0.origin": first, "fields.1.origin": second})
        assert "Load the page anew" in text_of(answer)
    assert not desk.planned

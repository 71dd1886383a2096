"""Contract, section 2: our own writes come back, the search index runs behind, and what isn't taken is parked."""

from dataclasses import replace
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import Blanks, ConflictRule, FieldRule
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world

PHONE = (FieldRule("phone", "Phone"),)
NOTE = (FieldRule("custom.note", "Note"),)
LONG = "A very long remark. " * 40


def with_phone(sandbox: Sandbox) -> None:
    add_field(sandbox, "Phone", "text")


def with_note(sandbox: Sandbox) -> None:
    add_field(sandbox, "Note", "text")
    sandbox.ghl.world.add_field("Note", "TEXT")


def parked(here: World) -> list[tuple[str, str]]:
    return [(entry.what, entry.code) for entry in here.pair_store.parked(everything=True)]


def in_emailoctopus(here: World) -> dict[str, Any]:
    fields: dict[str, Any] = here.in_emailoctopus("ada@example.com")["fields"]
    return fields


@pytest.mark.parametrize("touches", [True, False])
def test_our_own_writes_come_back_and_end_there(database_url: str, touches: bool) -> None:
    with world(database_url) as here:
        here.ghl.quirks.noop_touches = here.emailoctopus.quirks.noop_touches = touches
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        here.reconcile()
        for _ in range(3):
            here.assert_quiet()
        here.full()
        here.assert_quiet()


def test_values_that_the_systems_write_differently_do_not_ping_pong(database_url: str) -> None:
    with world(database_url, fields=(*NAMES, *PHONE), prepare=with_phone) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, Phone="(415) 555-0100", FirstName="Augusta ")
        here.reconcile()
        assert here.in_ghl("ada@example.com")["phone"] == "+14155550100"
        here.assert_quiet()
        # The form that each system gave the value is nobody's change.
        assert in_emailoctopus(here)["Phone"] == "(415) 555-0100"
        here.edit_person(ghl_id, phone="+14155550199")
        here.reconcile()
        assert in_emailoctopus(here)["Phone"] == "+14155550199"
        here.assert_quiet()
        here.full()
        here.assert_quiet()


TYPED: list[tuple[str, list[str], str, list[str], Any, Any]] = [
    ("TEXT", [], "text", [], "one ", " two"),
    ("LARGE_TEXT", [], "text", [], "line\nbreak", "x" * 500),
    ("EMAIL", [], "text", [], "Me@Example.com", "you@example.com"),
    ("SINGLE_OPTIONS", ["Red", "Blue"], "choice_single", ["Red", "Blue"], "Red", "Blue"),
    ("RADIO", ["Red", "Blue"], "text", [], "Red", "Blue"),
    ("MULTIPLE_OPTIONS", ["A", "B", "C"], "choice_multiple", ["A", "B", "C"], ["B", "A"], ["C", "B"]),
    ("CHECKBOX", ["A", "B", "C"], "choice_multiple", ["A", "B", "C"], ["C"], ["B", "A", "C"]),
]


@pytest.mark.parametrize(("ghl_type", "options", "there_type", "choices", "first", "second"), TYPED)
def test_typed_values_travel_both_ways_and_fall_quiet(
    database_url: str, ghl_type: str, options: list[str], there_type: str, choices: list[str], first: Any, second: Any
) -> None:
    def with_fields(sandbox: Sandbox) -> None:
        add_field(sandbox, "Thing", there_type, choices)
        sandbox.ghl.world.add_field("Thing", ghl_type, options)

    fields = (FieldRule("custom.thing", "Thing", blanks=Blanks.PROPAGATE),)
    with world(database_url, fields=fields, prepare=with_fields) as here:
        ghl_id, subscriber_id = here.linked(custom={"thing": first})
        assert plain(in_emailoctopus(here)["Thing"]) == plain(first)
        here.assert_quiet()
        here.edit_subscriber(subscriber_id, Thing=second)
        here.reconcile()
        [kept] = here.in_ghl("ada@example.com")["customFields"]
        assert plain(kept["value"]) == plain(second)
        here.assert_quiet()
        here.edit_subscriber(subscriber_id, Thing=None)
        here.reconcile()
        assert [entry["value"] for entry in here.in_ghl("ada@example.com")["customFields"] if entry["value"]] == []
        here.assert_quiet()
        here.edit_person(ghl_id, custom={"thing": first})
        here.reconcile()
        here.edit_person(ghl_id, custom={"thing": None})
        here.reconcile()
        assert not in_emailoctopus(here).get("Thing")
        assert parked(here) == []
        here.assert_quiet()


def plain(value: Any) -> Any:
    """A value without what the systems are known to change: outer blanks, and the order of choices."""
    return sorted(value) if isinstance(value, list) else str(value).strip()


@pytest.mark.parametrize("form", ["integer", "string"])
def test_numbers_travel_whatever_form_they_are_returned_in(
    database_url: str, form: Literal["integer", "string"]
) -> None:
    def with_visits(sandbox: Sandbox) -> None:
        add_field(sandbox, "Visits", "number")
        sandbox.ghl.world.add_field("Visits", "NUMERICAL")
        sandbox.emailoctopus.world.quirks.number_form = form

    fields = (FieldRule("custom.visits", "Visits"),)
    with world(database_url, fields=fields, prepare=with_visits) as here:
        ghl_id, subscriber_id = here.linked(custom={"visits": 12})
        assert int(in_emailoctopus(here)["Visits"]) == 12
        here.assert_quiet()
        here.edit_subscriber(subscriber_id, Visits=13)
        here.reconcile()
        [kept] = here.in_ghl("ada@example.com")["customFields"]
        assert kept["value"] == 13
        here.assert_quiet()
        here.edit_person(ghl_id, custom={"visits": 14})
        here.reconcile()
        assert int(in_emailoctopus(here)["Visits"]) == 14
        here.assert_quiet()


@pytest.mark.parametrize("form", ["date", "instant", "epoch_ms"])
@pytest.mark.parametrize("there", ["date", "datetime"])
def test_dates_travel_whatever_form_they_are_returned_in(
    database_url: str, form: Literal["date", "instant", "epoch_ms"], there: Literal["date", "datetime"]
) -> None:
    def with_birthday(sandbox: Sandbox) -> None:
        add_field(sandbox, "Anniversary", "date")
        sandbox.ghl.world.add_field("Anniversary", "DATE")
        sandbox.ghl.world.quirks.date_field_form = form
        sandbox.emailoctopus.world.quirks.date_form = there

    fields = (FieldRule("custom.anniversary", "Anniversary"),)
    with world(database_url, fields=fields, prepare=with_birthday) as here:
        ghl_id, subscriber_id = here.linked(custom={"anniversary": "1815-12-10"})
        assert in_emailoctopus(here)["Anniversary"].startswith("1815-12-10")
        here.assert_quiet()
        here.edit_subscriber(subscriber_id, Anniversary="1816-01-02")
        here.reconcile()
        here.assert_quiet()
        here.edit_person(ghl_id, custom={"anniversary": "1817-03-04"})
        here.reconcile()
        assert in_emailoctopus(here)["Anniversary"].startswith("1817-03-04")
        assert parked(here) == []
        here.assert_quiet()


def test_a_field_that_never_settles_is_parked_as_unstable(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Ada 0")
        written = {GHL: 0, EMAILOCTOPUS: 0}
        for turn in range(1, 8):
            # Software on both sides rewrites the name in the very instant in which this program wrote it.
            report = here.reconcile()
            for system in written:
                written[system] += report.written[system, "updated"]
            if parked(here):
                break
            if turn % 2:
                here.emailoctopus.edit(subscriber_id, {"FirstName": f"Ada {turn}"})
            else:
                here.ghl.edit(ghl_id, firstName=f"Ada {turn}")
        assert parked(here) == [(NAMES[0].key, "unstable")]
        assert report.outcome == "parked"
        assert max(written.values()) <= 2
        assert min(written.values()) >= 1
        for _ in range(5):
            here.later(hours=3)
            here.forget_requests()
            here.reconcile()
            assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
        here.edit_person(ghl_id, firstName="Augusta")
        assert here.reconcile().outcome == "ok"
        assert (parked(here), in_emailoctopus(here)["FirstName"]) == ([], "Augusta")
        here.assert_quiet()


def test_an_echo_whose_answer_could_not_be_sent_is_no_instability(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        here.emailoctopus.edit(subscriber_id, {"FirstName": "Byron"})  # in the instant of our write
        for turn in range(4):
            here.edit_person(ghl_id, lastName=f"King {turn}")  # which is written, in the same case
            failing = (("PUT", ghl_id), ("GET", "/locations/"))  # the write, and the look whether GHL is there at all
            here.sandbox.ghl.weather.faults = [
                Fault(kind="error", method=method, path=path, times=9) for method, path in failing
            ]
            assert here.reconcile().outcome == "unreachable"
        here.sandbox.ghl.weather.faults = []
        report = here.reconcile()
        assert (report.outcome, report.written) == ("ok", {(GHL, "updated"): 1})
        assert here.in_ghl("ada@example.com")["firstName"] == "Byron"
        here.assert_quiet()


def test_a_field_written_to_and_fro_over_several_days_is_not_unstable(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Ada 0")
        for turn in range(1, 7):
            assert here.reconcile().outcome == "ok"
            if turn % 2:
                here.emailoctopus.edit(subscriber_id, {"FirstName": f"Ada {turn}"})
            else:
                here.ghl.edit(ghl_id, firstName=f"Ada {turn}")
            here.later(hours=13)
        here.reconcile()
        assert here.in_ghl("ada@example.com")["firstName"] == in_emailoctopus(here)["FirstName"] == "Ada 6"
        assert parked(here) == []
        here.assert_quiet()


def test_outside_edits_on_both_sides_again_and_again_are_no_instability(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        for turn in range(4):
            here.edit_person(ghl_id, firstName=f"Ada {turn}")
            here.reconcile()
            here.edit_subscriber(subscriber_id, FirstName=f"Augusta {turn}")
            here.reconcile()
        assert parked(here) == []
        assert here.in_ghl("ada@example.com")["firstName"] == in_emailoctopus(here)["FirstName"] == "Augusta 3"
        here.assert_quiet()


def test_an_outside_edit_that_is_read_twice_before_it_is_decided_is_no_echo(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        for turn in range(4):
            here.edit_person(ghl_id, firstName=f"Ada {turn}")
            here.sandbox.emailoctopus.weather.error_rate = 1.0
            assert here.reconcile().outcome == "unreachable"
            here.sandbox.emailoctopus.weather.error_rate = 0.0
            here.reconcile()
            assert in_emailoctopus(here)["FirstName"] == f"Ada {turn}"
        assert parked(here) == []
        here.assert_quiet()


def test_a_value_cut_by_emailoctopus_is_parked_and_never_overwrites_the_longer_original(database_url: str) -> None:
    with world(database_url, fields=(FieldRule("source", "Note"),), prepare=with_note) as here:
        here.emailoctopus.quirks.over_long_text = "cut"
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, source=LONG.strip())
        assert here.reconcile().outcome == "parked"
        assert parked(here) == [("source=Note", "not_taken")]
        for _ in range(2):
            here.later(hours=1)
            here.reconcile()
        here.full()
        assert here.in_ghl("ada@example.com")["source"] == LONG.strip()


def test_a_value_cut_by_ghl_is_parked_and_never_overwrites_the_longer_original(database_url: str) -> None:
    with world(database_url, fields=NOTE, prepare=with_note) as here:
        text = LONG[:400].strip()
        _, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, Note=text)
        assert here.reconcile().outcome == "parked"
        assert parked(here) == [("custom.note=Note", "not_taken")]
        for _ in range(3):
            here.later(hours=1)
            here.reconcile()
        here.full()
        assert in_emailoctopus(here)["Note"] == text


def test_a_value_cut_in_a_creation_never_overwrites_the_longer_original(database_url: str) -> None:
    with world(database_url, fields=NOTE, prepare=with_note) as here:
        text = LONG[:400].strip()
        here.subscriber("ada@example.com", fields={"Note": text})
        assert here.reconcile().written == {(GHL, "created"): 1}
        assert parked(here) == [("custom.note=Note", "not_taken")]
        for _ in range(3):
            here.later(hours=1)
            here.reconcile()
        here.full()
        assert in_emailoctopus(here)["Note"] == text


def test_a_cut_value_that_meets_its_longer_original_for_the_first_time_does_not_overwrite_it(database_url: str) -> None:
    with world(database_url, fields=NOTE, prepare=with_note) as here:
        text = LONG[:400].strip()
        here.person("ada@example.com", custom={"note": text})  # GHL keeps 256 characters of it
        here.subscriber("ada@example.com", fields={"Note": text})
        here.reconcile()
        assert in_emailoctopus(here)["Note"] == text


def with_basket(sandbox: Sandbox) -> None:
    add_field(sandbox, "Basket", "choice_multiple", ["Apples"])
    sandbox.ghl.world.add_field("Basket", "MULTIPLE_OPTIONS", ["Apples", "Bread"])


def test_a_value_that_came_back_altered_is_no_change_that_overwrites_the_original(database_url: str) -> None:
    fields = (FieldRule("custom.basket", "Basket", conflict=ConflictRule.EMAILOCTOPUS),)
    with world(database_url, fields=fields, prepare=with_basket) as here:
        here.emailoctopus.quirks.wrong_choice = "dropped"
        ghl_id, _ = here.linked()
        here.later(minutes=30)
        here.edit_person(ghl_id, custom={"basket": ["Apples", "Bread"]})
        assert here.reconcile().outcome == "parked"
        assert parked(here) == [("custom.basket=Basket", "not_taken")]
        for pause in ({"seconds": 5}, {"hours": 1}, {"days": 1}):
            here.later(**pause)
            here.reconcile()
        here.full()
        assert in_emailoctopus(here)["Basket"] == ["Apples"]
        [kept] = here.in_ghl("ada@example.com")["customFields"]
        assert sorted(kept["value"]) == ["Apples", "Bread"]


def test_a_field_that_an_update_of_another_emptied_in_emailoctopus_is_no_blank_of_anybodys(database_url: str) -> None:
    fields = tuple(replace(rule, blanks=Blanks.PROPAGATE) for rule in NAMES)
    with world(database_url, fields=fields) as here:
        ghl_id, _ = here.linked()
        here.emailoctopus.quirks.omitted_fields_kept = False
        here.later(minutes=30)
        here.edit_person(ghl_id, firstName="Augusta")
        with capture_logs() as logs:
            assert here.reconcile().diverged == 1
        assert [one["what"] for one in logs if one["event"] == "reported"] == [NAMES[1].key]
        here.later(minutes=1)
        here.reconcile()
        here.full()
        assert in_emailoctopus(here) == {"FirstName": "Augusta"}
        assert here.in_ghl("ada@example.com")["lastName"] == "Lovelace"
        here.assert_quiet()
        here.edit_person(ghl_id, lastName="King")
        here.reconcile()
        assert in_emailoctopus(here)["LastName"] == here.in_ghl("ada@example.com")["lastName"] == "King"
        assert here.in_ghl("ada@example.com")["firstName"] == "Augusta"


def test_a_value_that_was_silently_not_stored_is_parked_as_not_taken(database_url: str) -> None:
    fields = (FieldRule("dateOfBirth", "Born"),)
    with world(database_url, fields=fields, prepare=lambda sandbox: add_field(sandbox, "Born", "date")) as here:
        here.ghl.quirks.date_of_birth_dropped = True
        _, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, Born="1815-12-10")
        assert here.reconcile().outcome == "parked"
        assert parked(here) == [("dateOfBirth=Born", "not_taken")]
        here.later(hours=1)
        here.reconcile()
        here.full()
        # What wasn't taken is no blank that travels back.
        assert in_emailoctopus(here)["Born"] == "1815-12-10"
        here.ghl.quirks.date_of_birth_dropped = False
        here.later(days=1)
        here.reconcile()
        assert here.in_ghl("ada@example.com")["dateOfBirth"].startswith("1815-12-10")
        assert parked(here) == []
        here.assert_quiet()


def test_a_hit_older_than_the_newest_known_state_is_dropped(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=5)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        # For two minutes the index shows the contact as it was before our write.
        here.sandbox.ghl.weather.index_lag_s = 120.0
        here.later(seconds=60)
        here.forget_requests()
        report = here.reconcile()
        assert (report.changed[GHL], dict(report.written)) == (0, {})
        assert ("GET", f"/contacts/{ghl_id}") not in here.requests(GHL)
        here.later(seconds=180)
        here.reconcile()
        assert here.in_ghl("ada@example.com")["firstName"] == in_emailoctopus(here)["FirstName"] == "Augusta"
        here.assert_quiet()


def test_a_hit_that_differs_soon_after_our_write_is_read_by_id_and_only_the_read_counts(database_url: str) -> None:
    with world(database_url) as here:
        # Where a location's search tells DND, nothing else asks for a read by id.
        here.ghl.quirks.hits_carry_dnd = "always"
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=5)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        here.edit_person(ghl_id, lastName="King")
        here.sandbox.ghl.weather.index_lag_s = 30.0
        here.later(seconds=31)
        here.edit_person(ghl_id, lastName="Noel")  # the index still says King
        here.forget_requests()
        here.reconcile()
        assert ("GET", f"/contacts/{ghl_id}") in here.requests(GHL)
        assert in_emailoctopus(here) == {"FirstName": "Augusta", "LastName": "Noel"}
        here.later(minutes=11)
        here.settle()
        here.assert_quiet()


def test_a_hit_that_differs_long_after_our_write_is_believed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.later(minutes=30)
        here.edit_person(ghl_id, lastName="King")
        # Where a location's search tells DND, nothing else asks for a read by id.
        here.ghl.quirks.hits_carry_dnd = "always"
        here.forget_requests()
        here.reconcile()
        assert ("GET", f"/contacts/{ghl_id}") not in here.requests(GHL)
        assert in_emailoctopus(here)["LastName"] == "King"
        here.assert_quiet()


def test_an_edit_that_the_index_hid_while_we_wrote_the_contact_is_not_lost(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=30)
        here.sandbox.ghl.weather.index_lag_s = 60.0
        here.edit_person(ghl_id, lastName="King")
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()  # the answer to this write shows the new last name, which no search has told yet
        assert here.in_ghl("ada@example.com")["firstName"] == "Augusta"
        here.later(minutes=2)
        here.reconcile()
        assert in_emailoctopus(here) == {"FirstName": "Augusta", "LastName": "King"}
        here.settle()
        here.assert_quiet()


def test_an_opt_out_that_the_index_hid_while_we_wrote_the_contact_is_not_lost(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=30)
        here.sandbox.ghl.weather.index_lag_s = 60.0
        here.clock.advance(1)
        here.ghl.unsubscribe(ghl_id)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        here.later(minutes=2)
        here.reconcile()
        assert here.in_emailoctopus("ada@example.com")["status"] == "unsubscribed"
        here.settle()
        here.assert_quiet()


@pytest.mark.parametrize("carry", ["when_set", "never"])
def test_a_block_between_our_reading_and_our_writing_is_not_lost(
    database_url: str, carry: Literal["when_set", "never"]
) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = carry
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=30)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.before_writing(lambda: here.ghl.set_dnd(ghl_id))
        here.reconcile()
        assert here.in_ghl("ada@example.com")["firstName"] == "Augusta"
        here.later(minutes=1)
        here.reconcile()
        assert here.status("ada@example.com") == "unsubscribed"
        here.settle()
        here.assert_quiet()


def test_an_opt_out_between_our_reading_and_our_writing_is_not_lost(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=30)
        here.edit_person(ghl_id, firstName="Augusta")
        here.before_writing(lambda: here.emailoctopus.unsubscribe(subscriber_id))
        here.reconcile()
        assert in_emailoctopus(here)["FirstName"] == "Augusta"
        here.later(minutes=1)
        here.reconcile()
        assert here.in_ghl("ada@example.com")["dndSettings"]["Email"]["status"] == "active"
        here.settle()
        here.assert_quiet()

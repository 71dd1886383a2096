"""Contract, section 8: one record or one field is refused; it is parked, and everything else goes on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import FieldRule, ScopeRule, TagRule
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world

LONG = "x" * 601
IDLE = {GHL: ["POST"], EMAILOCTOPUS: ["GET"] * 3}
"""The methods of an idle cycle: a search, a listing for each status."""


def people(here: World, count: int) -> list[tuple[str, str]]:
    """Linked people p0, p1, …; their ids."""
    ids = [here.person(f"p{number}@example.com", f"P{number}") for number in range(count)]
    here.reconcile()
    here.forget_requests()
    return [(ghl_id, here.in_emailoctopus(f"p{number}@example.com")["id"]) for number, ghl_id in enumerate(ids)]


def parked(here: World) -> list[tuple[str | None, str, str]]:
    return [(entry.ghl_id, entry.what, entry.code) for entry in here.pair_store.parked(everything=True)]


def names_there(here: World) -> list[str]:
    return sorted(row["fields"]["FirstName"] for row in here.subscribers().values())


def batches(here: World) -> list[int]:
    """The sizes of the batches sent, and 1 for each single update."""
    log = here.sandbox.emailoctopus.log.exchanges()
    return [len((one.request or {}).get("contacts", "1")) for one in log if one.method == "PUT"]


def test_one_record_that_ghl_refuses_is_parked_with_its_message_and_the_others_go_on(database_url: str) -> None:
    with world(database_url) as here:
        ids = people(here, 3)
        here.sandbox.ghl.weather.faults = [Fault(kind="error", method="PUT", path=ids[1][0], status=422)]
        for number, (_, subscriber_id) in enumerate(ids):
            here.edit_subscriber(subscriber_id, FirstName=f"New {number}")
        report = here.reconcile()
        assert (report.outcome, report.new_parked, report.parked) == ("parked", 1, 1)
        assert report.written == {(GHL, "updated"): 2}
        [entry] = here.pair_store.parked(everything=True)
        assert (entry.ghl_id, entry.emailoctopus_id, entry.what) == (*ids[1], NAMES[0].key)
        assert entry.message
        assert sorted(row["firstName"] for row in here.people().values()) == ["New 0", "New 2", "P1"]


def test_one_record_that_emailoctopus_refuses_leaves_the_rest_of_its_batch_alone(database_url: str) -> None:
    with world(database_url) as here:
        ids = people(here, 4)
        here.emailoctopus.delete(ids[2][1])  # its update answers 404 within the batch
        for number, (ghl_id, _) in enumerate(ids):
            here.edit_person(ghl_id, firstName=f"New {number}")
        report = here.reconcile()
        assert report.outcome == "parked"
        assert names_there(here) == ["New 0", "New 1", "New 3"]
        assert [entry[0] for entry in parked(here)] == [ids[2][0]]
        assert batches(here) == [4]


def test_a_creation_that_is_refused_is_parked_and_the_others_go_on(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber("bob@example.com", "Bob")
        here.subscriber("ada@example.com", "Ada")
        here.subscriber("eve@example.com", "Eve")
        here.sandbox.ghl.weather.faults = [Fault(kind="error", method="POST", path="/contacts/$", status=422)]
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        assert report.written == {(GHL, "created"): 2}
        assert [what for _, what, _ in parked(here)] == ["creation"]
        here.later(minutes=2)
        assert here.reconcile().outcome == "ok"
        assert len(here.people()) == 3
        here.assert_quiet()


def with_remark(sandbox: Sandbox) -> None:
    add_field(sandbox, "Remark", "text")


REMARK = (*NAMES, FieldRule("source", "Remark"))


def test_a_refused_field_is_parked_and_the_rest_of_the_record_sent_without_it(database_url: str) -> None:
    with world(database_url, fields=REMARK, prepare=with_remark) as here:
        ids = people(here, 3)
        for number, (ghl_id, _) in enumerate(ids):
            here.edit_person(ghl_id, firstName=f"New {number}", source=LONG if number == 1 else "web")
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        assert names_there(here) == ["New 0", "New 1", "New 2"]
        [entry] = here.pair_store.parked(everything=True)
        assert (entry.ghl_id, entry.what) == (ids[1][0], "source=Remark")
        assert "long" in entry.message.lower()
        # A change that the API takes is tried at once.
        here.edit_person(ids[1][0], source="a friend")
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus("p1@example.com")["fields"]["Remark"] == "a friend"
        here.assert_quiet()


def test_a_field_that_ghl_refuses_is_parked_and_the_rest_of_the_record_sent_without_it(database_url: str) -> None:
    fields = (*NAMES, FieldRule("phone", "Phone"))
    with world(database_url, fields=fields, prepare=lambda sandbox: add_field(sandbox, "Phone", "text")) as here:
        [(_, subscriber_id)] = people(here, 1)
        here.edit_subscriber(subscriber_id, FirstName="Augusta", Phone="call me")
        here.subscriber("ada@example.com", fields={"Phone": "call me, too"})
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 2)
        assert here.in_ghl("p0@example.com")["firstName"] == "Augusta"
        assert here.in_ghl("ada@example.com")["firstName"] == "Ada"
        assert {what for _, what, _ in parked(here)} == {"phone=Phone"}
        here.edit_subscriber(subscriber_id, Phone="+14155550100")
        here.reconcile()
        assert here.in_ghl("p0@example.com")["phone"] == "+14155550100"
        assert len(parked(here)) == 1


def test_a_refused_field_in_a_creation_is_parked_and_the_contact_created_without_it(database_url: str) -> None:
    with world(database_url, fields=REMARK, prepare=with_remark) as here:
        here.person("ada@example.com", source=LONG)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        assert [what for _, what, _ in parked(here)] == ["source=Remark"]
        assert here.in_emailoctopus("ada@example.com")["fields"] == {"FirstName": "Ada", "LastName": "Lovelace"}
        # The value that isn't there is no blank that travels back.
        here.later(minutes=2)
        here.full()
        assert here.in_ghl("ada@example.com")["source"] == LONG


def test_a_value_without_a_form_on_the_other_side_parks_that_field_alone(database_url: str) -> None:
    def with_visits(sandbox: Sandbox) -> None:
        add_field(sandbox, "Visits", "number")
        sandbox.ghl.world.add_field("Visits", "TEXT")

    fields = (*NAMES, FieldRule("custom.visits", "Visits"))
    with world(database_url, fields=fields, prepare=with_visits) as here:
        ghl_id, _ = here.linked(custom={"visits": "12"})
        assert here.in_emailoctopus("ada@example.com")["fields"]["Visits"] == 12
        here.edit_person(ghl_id, firstName="Augusta", custom={"visits": "a dozen"})
        assert here.reconcile().outcome == "parked"
        assert parked(here) == [(ghl_id, "custom.visits=Visits", "not_convertible")]
        assert here.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Augusta"
        here.edit_person(ghl_id, custom={"visits": "13"})
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus("ada@example.com")["fields"]["Visits"] == 13
        here.assert_quiet()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_refused_as_a_whole_is_halved_and_its_size_learned(
    database_url: str, status: Literal[400, 413, 422]
) -> None:
    with world(database_url) as here:
        ids = people(here, 12)
        here.emailoctopus.quirks.batch_max = 4
        here.emailoctopus.quirks.batch_over_status = status
        for turn in range(2):
            here.forget_requests()
            for ghl_id, _ in ids:
                here.edit_person(ghl_id, firstName=f"New {turn}")
            assert here.reconcile().outcome == "ok"
            assert names_there(here) == [f"New {turn}"] * 12
            # The second time nothing is refused any more: twelve, six, three, and then threes.
            # Which half comes first is up to the threads.
            assert sorted(batches(here), reverse=True) == ([12, 6, 6, 3, 3, 3, 3] if turn == 0 else [3, 3, 3, 3])
        here.assert_quiet()


def test_the_learned_size_grows_again_daily(database_url: str) -> None:
    with world(database_url) as here:
        ids = people(here, 12)
        here.emailoctopus.quirks.batch_max = 4
        biggest = []
        for day in range(4):
            if day == 2:
                here.emailoctopus.quirks.batch_max = 100
            for cycle in range(2):
                here.forget_requests()
                for ghl_id, _ in ids:
                    here.edit_person(ghl_id, firstName=f"New {day} {cycle}")
                here.reconcile()
                biggest.append(max(batches(here)))
                here.later(minutes=5)
            here.later(days=1)
        # Learned on the first day; tried once on the second, in vain; the limit was lifted before the third.
        assert biggest == [12, 3, 6, 3, 6, 6, 12, 12]


def test_the_size_is_not_learned_from_a_batch_that_has_a_culprit(database_url: str) -> None:
    with world(database_url) as here:
        ids = people(here, 8)
        here.pair = replace(here.pair, workers=1)
        here.sandbox.emailoctopus.weather.faults = [
            # The batch as a whole, its second half, and of that its first half; then the culprit by itself.
            Fault(kind="error", method="PUT", path="/batch$", status=422, times=2),
            Fault(kind="error", method="PUT", path="/batch$", status=422, after=1),
            Fault(kind="error", method="PUT", path=ids[5][1], status=422),
        ]
        for number, (ghl_id, _) in enumerate(ids):
            here.edit_person(ghl_id, firstName=f"New {number}")
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        assert names_there(here) == sorted([*(f"New {number}" for number in range(8) if number != 5), "P5"])
        assert here.pair_store.state().batch_size == 100


def test_a_batch_refused_as_a_whole_is_sent_again_without_the_record_it_points_at(database_url: str) -> None:
    with world(database_url, fields=REMARK, prepare=with_remark) as here:
        here.emailoctopus.quirks.batch_refusal = "whole"
        ids = people(here, 8)
        for number, (ghl_id, _) in enumerate(ids):
            here.edit_person(ghl_id, firstName=f"New {number}", source=LONG if number == 5 else "web")
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        assert names_there(here) == [f"New {number}" for number in range(8)]
        assert [(ghl_id, what) for ghl_id, what, _ in parked(here)] == [(ids[5][0], "source=Remark")]
        # All, then the others; and the culprit alone with and without what was wrong.
        assert sorted(batches(here), reverse=True) == [8, 7, 1, 1]
        assert here.pair_store.state().batch_size == 100


def test_a_parked_change_is_retried_after_1_5_and_30_minutes_2_hours_and_then_daily(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        [(ghl_id, subscriber_id)] = people(here, 1)
        refusal = Fault(kind="error", method="PUT", path=subscriber_id, status=422, times=1000)
        here.sandbox.emailoctopus.weather.faults = [refusal]
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        for minutes in (1, 5, 30, 120, 24 * 60, 24 * 60):
            here.later(minutes=minutes, seconds=-10)
            here.forget_requests()
            here.reconcile()
            assert here.writes(EMAILOCTOPUS) == []
            here.later(seconds=11)
            assert here.reconcile().outcome == "parked"
            assert len(here.writes(EMAILOCTOPUS)) == 1


def test_a_retry_reads_both_records_by_id_and_decides_anew(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        [(ghl_id, subscriber_id)] = people(here, 1)
        here.later(minutes=30)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", path=subscriber_id, status=422)]
        here.edit_person(ghl_id, firstName="Augusta")
        assert here.reconcile().outcome == "parked"
        # By now both sides say something else, of which polls haven't told: nothing stored is replayed.
        here.sandbox.ghl.weather.index_lag_s = 3600.0
        here.edit_person(ghl_id, firstName="Ada Augusta")
        here.later(minutes=2)
        here.forget_requests()
        assert here.reconcile().outcome == "ok"
        assert ("GET", f"/contacts/{ghl_id}") in here.requests(GHL)
        asked = here.requests(EMAILOCTOPUS)
        assert [path.rpartition("/")[2] for method, path in asked if method == "GET"].count(subscriber_id) == 1
        assert here.in_emailoctopus("p0@example.com")["fields"]["FirstName"] == "Ada Augusta"


def test_a_parked_record_that_changes_is_read_by_id_at_once(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        [(ghl_id, subscriber_id)] = people(here, 1)
        here.later(minutes=30)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", path=subscriber_id, status=422)]
        here.edit_person(ghl_id, firstName="Augusta")
        assert here.reconcile().outcome == "parked"
        here.sandbox.ghl.weather.index_lag_s = 20.0
        here.edit_person(ghl_id, firstName="Ada", lastName="King")
        here.later(seconds=20)
        here.edit_person(ghl_id, lastName="Noel")  # the search says King
        here.reconcile()
        assert here.in_emailoctopus("p0@example.com")["fields"] == {"FirstName": "Ada", "LastName": "Noel"}
        assert parked(here) == []


def create_with_a_tag(here: World) -> str:
    here.emailoctopus.quirks.tag_limit = 0
    return here.person("ada@example.com", tags=["vip"])


def rename_and_tag(here: World) -> str:
    ghl_id, _ = here.linked()
    here.later(minutes=30)
    here.emailoctopus.quirks.tag_limit = 0
    here.edit_person(ghl_id, firstName="Augusta")
    here.ghl.add_tags(ghl_id, ["vip"])
    return ghl_id


def rename_and_tag_in_emailoctopus(here: World) -> str:
    ghl_id, subscriber_id = here.linked()
    here.later(minutes=30)
    here.sandbox.ghl.weather.faults = [Fault(kind="error", method="POST", path=f"{ghl_id}/tags", status=422)]
    here.edit_subscriber(subscriber_id, FirstName="Augusta")
    here.emailoctopus.add_tags(subscriber_id, ["vip"])
    return ghl_id


@pytest.mark.parametrize("spoilt", [create_with_a_tag, rename_and_tag, rename_and_tag_in_emailoctopus])
def test_a_parked_record_that_has_not_changed_waits_for_its_time(
    database_url: str, spoilt: Callable[[World], str]
) -> None:
    with world(database_url) as here:
        ghl_id = spoilt(here)
        assert here.reconcile().outcome == "parked"
        for _ in range(3):
            here.later(seconds=5)
            here.forget_requests()
            assert here.reconcile().outcome == "parked"
            assert {name: [method for method, _ in here.requests(name)] for name in SystemName} == IDLE
        here.emailoctopus.quirks.tag_limit, here.sandbox.ghl.weather.faults = None, []
        here.ghl.add_tags(ghl_id, ["club"])
        assert here.reconcile().outcome == "ok"
        assert set(here.in_emailoctopus("ada@example.com")["tags"]) == {"club", "vip"}
        assert set(here.in_ghl("ada@example.com")["tags"]) == {"club", "vip"}
        here.assert_quiet()


def test_a_parked_change_that_heals_by_itself_leaves_the_queue(database_url: str) -> None:
    with world(database_url) as here:
        [(ghl_id, subscriber_id)] = people(here, 1)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", path=subscriber_id, status=422)]
        here.edit_person(ghl_id, firstName="Augusta")
        assert here.reconcile().outcome == "parked"
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        assert here.reconcile().outcome == "ok"
        assert parked(here) == []
        here.assert_quiet()


def lose_the_row(here: World, ghl_id: str, subscriber_id: str) -> None:
    del ghl_id, subscriber_id
    here.with_policy(fields=NAMES)


def lose_the_field(here: World, ghl_id: str, subscriber_id: str) -> None:
    del ghl_id, subscriber_id
    here.emailoctopus.delete_field(here.sandbox.list_id, "Plan")


def leave_the_scope(here: World, ghl_id: str, subscriber_id: str) -> None:
    del subscriber_id
    here.ghl.add_tags(ghl_id, ["gone"])


def disappear(here: World, ghl_id: str, subscriber_id: str) -> None:
    del ghl_id
    here.emailoctopus.delete(subscriber_id)


@pytest.mark.parametrize(
    ("happens", "left"),
    [
        (lose_the_row, []),
        (lose_the_field, []),
        (leave_the_scope, []),
        (disappear, [("creation", "missing_in_emailoctopus")]),
    ],
)
def test_a_parked_field_with_nothing_more_to_write_leaves_the_queue(
    database_url: str, happens: Callable[[World, str, str], None], left: list[tuple[str, str]]
) -> None:
    def with_plan(sandbox: Sandbox) -> None:
        add_field(sandbox, "Plan", "text")
        sandbox.ghl.world.add_field("Plan", "TEXT")

    fields = (*NAMES, FieldRule("custom.plan", "Plan"))
    with world(database_url, fields=fields, prepare=with_plan, scope=ScopeRule(tags_none=("gone",))) as here:
        [(ghl_id, subscriber_id)] = people(here, 1)
        here.edit_subscriber(subscriber_id, Plan=LONG[:400])  # GHL cuts it
        assert here.reconcile().outcome == "parked"
        here.later(minutes=1)
        happens(here, ghl_id, subscriber_id)
        here.full()
        here.later(days=1)
        here.reconcile()
        assert [(what, code) for _, what, code in parked(here)] == left
        # Nobody is read again for it in every cycle from then on.
        here.later(minutes=1)
        here.forget_requests()
        here.reconcile()
        assert f"/contacts/{ghl_id}" not in [path for _, path in here.requests(GHL)]


def test_parked_tags_leave_the_queue_when_tags_are_synced_no_more(database_url: str) -> None:
    with world(database_url) as here:
        [(ghl_id, _)] = people(here, 1)
        here.emailoctopus.quirks.tag_limit = 0
        here.clock.advance(1)
        here.ghl.add_tags(ghl_id, ["vip"])
        assert here.reconcile().outcome == "parked"
        here.with_policy(tags=TagRule(sync=False))
        here.later(days=1)
        assert (here.reconcile().outcome, parked(here)) == ("ok", [])


def test_a_parked_address_leaves_the_queue_when_ghl_has_none_any_more(database_url: str) -> None:
    with world(database_url) as here:
        [(ghl_id, subscriber_id), _] = people(here, 2)
        here.clock.advance(1)
        here.ghl.edit(here.person("other@example.com"), tags=["x"])
        here.with_policy(create_in_emailoctopus=False)
        here.emailoctopus.change_address(subscriber_id, "other@example.com")
        assert here.reconcile().outcome == "parked"
        assert [what for _, what, _ in parked(here)] == ["address"]
        here.edit_person(ghl_id, email=None)
        here.reconcile()
        assert parked(here) == []


# Malformed values from an API


def spoil(here: World, system: SystemName, contact_id: str, value: Any) -> None:
    """A value of a form that no documentation knows, in a mapped field."""
    here.clock.advance(1)
    if system is GHL:
        definition = next(iter(here.ghl.location.custom_fields))
        contact = here.ghl.contacts.get(contact_id)
        contact.custom[definition] = value
        here.ghl.touch(contact_id)
    else:
        here.emailoctopus.edit(contact_id, {"FirstName": f"Touched {here.clock.now().isoformat()}"})
        here.emailoctopus.contact(contact_id).fields["Visits"] = value


def with_number(sandbox: Sandbox) -> None:
    add_field(sandbox, "Visits", "number")
    sandbox.ghl.world.add_field("Visits", "NUMERICAL")


@pytest.mark.parametrize("system", list(SystemName))
def test_a_malformed_record_is_parked_with_what_was_wrong_and_the_others_go_on(
    database_url: str, system: SystemName
) -> None:
    fields = (*NAMES, FieldRule("custom.visits", "Visits"))
    with world(database_url, fields=fields, prepare=with_number) as here, capture_logs() as logs:
        ids = people(here, 2)
        bad = ids[0][0] if system is GHL else ids[0][1]
        spoil(here, system, bad, {"deep": ["down"]})
        here.edit_person(ids[1][0], firstName="Augusta")
        report = here.reconcile()
        assert report.outcome == "parked"
        assert here.in_emailoctopus("p1@example.com")["fields"]["FirstName"] == "Augusta"
        [entry] = here.pair_store.parked(everything=True)
        assert entry.code == "malformed"
        assert (entry.ghl_id if system is GHL else entry.emailoctopus_id) == bad
        assert "visits" in entry.message.lower() or next(iter(here.ghl.location.custom_fields)) in entry.message
        assert "down" not in entry.message
        named = {"ghl_id": entry.ghl_id, "emailoctopus_id": entry.emailoctopus_id}
        assert [log for log in logs if log["event"] == "parked"] == [
            {"event": "parked", "log_level": "warning", "pair": "main", **named, "what": "creation",
             "code": "malformed", "attempts": 1}
        ]  # fmt: skip
        # It is looked at again when its time has come, not at each cycle.
        here.forget_requests()
        for _ in range(10):
            here.later(minutes=3)
            here.reconcile()
        assert report.new_parked == 1
        looks = [path for method, path in here.requests(system) if method == "GET" and path.endswith(bad)]
        assert 1 <= len(looks) <= 4
        spoil(here, system, bad, 3)
        here.later(hours=3)
        assert here.reconcile().outcome == "ok"
        assert parked(here) == []
        here.settle()
        here.assert_quiet()

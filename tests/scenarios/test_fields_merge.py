"""Contract, section 2: two baselines and a three-way merge, row by row; conflicts; what writes carry."""

from typing import Any

from structlog.testing import capture_logs

from sync_daemon.model.policy import ConflictRule, FieldRule
from sync_daemon.model.report import CycleReport
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, world

LAST = NAMES[1]


def names_in_ghl(here: World) -> tuple[str | None, str | None]:
    row = here.in_ghl("ada@example.com")
    return row.get("firstName"), row.get("lastName")


def names_in_emailoctopus(here: World) -> tuple[str | None, str | None]:
    fields = here.in_emailoctopus("ada@example.com")["fields"]
    return fields.get("FirstName"), fields.get("LastName")


def test_no_change_on_either_side_asks_for_no_write(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        report = here.assert_quiet()
        assert (report.outcome, report.conflicts, report.parked) == ("ok", 0, 0)


def test_a_change_in_ghl_is_written_to_emailoctopus(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "updated"): 1}
        assert here.writes(GHL) == []
        assert here.bodies(EMAILOCTOPUS) == [{"fields": {"FirstName": "Augusta"}}]
        assert names_in_emailoctopus(here) == ("Augusta", "Lovelace")
        here.assert_quiet()
        assert here.in_emailoctopus("ada@example.com")["id"] == subscriber_id


def test_a_change_in_emailoctopus_is_written_to_ghl(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        report = here.reconcile()
        assert report.written == {(GHL, "updated"): 1}
        assert here.writes(EMAILOCTOPUS) == []
        assert here.bodies(GHL) == [{"firstName": "Augusta"}]
        assert names_in_ghl(here) == ("Augusta", "Lovelace")
        here.assert_quiet()


def test_the_same_new_value_on_both_sides_is_not_written_and_both_baselines_move(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        report = here.reconcile()
        assert (report.conflicts, dict(report.written)) == (0, {})
        assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
        # A baseline that hadn't moved would take the old name for unchanged and put GHL's back.
        here.edit_subscriber(subscriber_id, FirstName="Ada")
        here.reconcile()
        assert names_in_ghl(here)[0] == names_in_emailoctopus(here)[0] == "Ada"
        here.assert_quiet()


def conflict(here: World, *, newest: str) -> CycleReport:
    """Both sides change the last name to different values, `newest` second; the report of the cycle after."""
    ghl_id, subscriber_id = here.linked()
    if newest == "emailoctopus":
        here.edit_person(ghl_id, lastName="King")
    here.edit_subscriber(subscriber_id, LastName="Byron")
    if newest == "ghl":
        here.edit_person(ghl_id, lastName="King")
    return here.reconcile()


def test_in_a_conflict_ghl_is_the_source_of_truth_by_default(database_url: str) -> None:
    with world(database_url) as here:
        report = conflict(here, newest="emailoctopus")
        assert report.conflicts == 1
        assert names_in_ghl(here)[1] == names_in_emailoctopus(here)[1] == "King"
        assert here.writes(GHL) == []
        here.assert_quiet()


def test_in_a_conflict_emailoctopus_wins_where_the_field_says_so(database_url: str) -> None:
    with world(database_url, fields=(FieldRule("lastName", "LastName", conflict=ConflictRule.EMAILOCTOPUS),)) as here:
        report = conflict(here, newest="ghl")
        assert report.conflicts == 1
        assert names_in_ghl(here)[1] == "Byron"
        assert here.writes(EMAILOCTOPUS) == []
        here.assert_quiet()


NEWEST = (FieldRule("firstName", "FirstName"), FieldRule("lastName", "LastName", conflict=ConflictRule.NEWEST))


def test_in_a_conflict_the_newest_wins_where_the_field_says_so(database_url: str) -> None:
    with world(database_url, fields=NEWEST) as here:
        assert conflict(here, newest="emailoctopus").conflicts == 1
        assert names_in_ghl(here)[1] == names_in_emailoctopus(here)[1] == "Byron"
        here.later(minutes=1)
        [(ghl_id, subscriber_id)] = [(link.ghl_id, link.emailoctopus_id) for link in links(here)]
        here.edit_subscriber(subscriber_id, LastName="Gordon")
        here.edit_person(ghl_id, lastName="Noel")
        assert here.reconcile().conflicts == 1
        assert names_in_ghl(here)[1] == names_in_emailoctopus(here)[1] == "Noel"
        here.assert_quiet()


def test_newest_compares_whole_seconds_and_gives_a_tie_to_ghl(database_url: str) -> None:
    with world(database_url, fields=NEWEST) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, lastName="King")
        here.clock.advance(0.3)
        here.emailoctopus.edit(subscriber_id, {"LastName": "Byron"})
        here.reconcile()
        assert names_in_emailoctopus(here)[1] == "King"
        here.assert_quiet()


def test_newest_counts_from_the_first_snapshot_that_showed_the_change(database_url: str) -> None:
    with world(database_url, fields=NEWEST) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, lastName="King")
        # The change is seen, but the other side can't be read, so that nothing is decided yet.
        here.sandbox.emailoctopus.weather.error_rate = 1.0
        assert here.reconcile().outcome == "unreachable"
        here.sandbox.emailoctopus.weather.error_rate = 0.0
        here.edit_subscriber(subscriber_id, LastName="Byron")
        here.later(seconds=2)
        here.ghl.touch(ghl_id)  # moves GHL's timestamp beyond EmailOctopus's
        here.reconcile()
        assert names_in_ghl(here)[1] == names_in_emailoctopus(here)[1] == "Byron"
        here.assert_quiet()


def test_newest_leaves_our_own_writes_out(database_url: str) -> None:
    with world(database_url, fields=NEWEST) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, lastName="King")
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", status=422)]
        assert here.reconcile().new_parked == 1
        # Another field travels to GHL, which moves GHL's timestamp beyond EmailOctopus's last change.
        here.edit_subscriber(subscriber_id, FirstName="Augusta")

        def meanwhile() -> None:
            here.edit_subscriber(subscriber_id, LastName="Byron")
            here.later(seconds=3)

        here.before_writing(meanwhile)
        here.reconcile()
        assert names_in_ghl(here) == ("Augusta", "King")
        here.later(minutes=2)
        here.reconcile()
        assert names_in_ghl(here) == names_in_emailoctopus(here) == ("Augusta", "Byron")
        here.assert_quiet()


def test_a_conflict_is_logged_with_both_timestamps_and_recorded(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        conflict(here, newest="emailoctopus")
        [line] = [entry for entry in logs if entry["event"] == "conflict"]
        assert (line["field"], line["winner"]) == (LAST.key, "ghl")
        assert line["emailoctopus_at"] - line["ghl_at"] == (here.clock.now() - line["ghl_at"])
        assert line["emailoctopus_at"] > line["ghl_at"]


def test_writes_carry_only_what_must_change_and_nothing_the_mapping_does_not_name(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(city="Turin", phone="+14155550100")
        here.edit_person(ghl_id, lastName="King", city="London")
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS) == [{"fields": {"LastName": "King"}}]
        assert here.bodies(GHL) == [{"firstName": "Augusta"}]
        here.assert_quiet()
        row = here.in_ghl("ada@example.com")
        assert (row["city"], row["phone"]) == ("London", "+14155550100")


def links(here: World) -> list[Any]:
    return here.pair_store.links(ghl=list(here.people()))

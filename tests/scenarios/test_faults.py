"""Contract, section 8, row by row: which test injects each sentence over HTTP; here those that stood nowhere else.

| fault | sentence | test |
|---|---|---|
| 429 | waits as the response says, or the documented refill | unit/http/test_session: it_waits_as_long_as_a_429_says |
| | … over both APIs, counted | test_faults_systems: a_throttled_request_waits_as_the_answer_says_and_is_counted |
| | the rate is halved and climbs back over ten minutes | here: a_429_halves_the_rate_… |
| | the limiter makes it rare | test_faults_systems: with_both_limits_in_force_… |
| daily quota | ends as `quota`, exit 3, staged changes wait | test_faults_systems: a_used_up_…; e2e/test_faults |
| | a command waits at most 60 s | unit/http/test_limits; test_faults_systems: a_used_up_daily_quota_… |
| 5xx, time-outs, loss | retried with backoff | test_faults_systems: a_passing_fault_is_retried_…, tags_survive_… |
| | one record's fault parks it alone | test_faults_systems: a_record_at_which_the_system_fails_… |
| | five in a row: `unreachable`, exit 7 | test_faults_systems: a_system_that_fails_five_…; e2e/test_faults |
| one side unread | revocations alone go on | test_faults_systems: while_ghl_…, while_one_status_… |
| answer lost | the retry converges | test_writes_create, test_writes_echo, test_faults_systems: a_passing_fault_… |
| 401 | stops the pair, names the key | test_faults_systems: a_refused_key_…, a_refused_token_… |
| 403 | the same | here: what_is_forbidden_stops_the_pair_… |
| | other pairs go on | e2e/test_reconcile: the_gravest_outcome_of_several_pairs_… |
| 400/404/409/422 | parked, the others go on | here: every_refusal_of_one_record_…; test_faults_records |
| | a field it points at is parked alone | test_faults_records: a_refused_field_…, a_field_that_ghl_refuses_… |
| | a batch is halved, its size learned | test_faults_records: a_batch_refused_as_a_whole_…, the_learned_size_… |
| parked | 1, 5, 30 min, 2 h, daily; at once when it changes | test_faults_records: a_parked_change_is_retried_after_… |
| | read by id, decided anew; `drop` | test_faults_records: a_retry_reads_both_…; test_parked |
| plan limit | creation stops, revocations go on | test_faults_systems: at_the_plan_limit_… |
| store lost | one run rebuilds it | test_faults_systems: a_lost_state_store_… |
| malformed values | parked with what was wrong | test_faults_records: a_malformed_record_… |
| | unknown keys are ignored | here: what_nobody_knows_is_ignored |
| killed | the next run ends the same | e2e/test_kills |
| clocks, lag | remote timestamps, overlap, baselines | test_reading, test_writes_echo |
| database locked, disk full | clear error, nothing acknowledged unstored | e2e/test_faults; store/test_engine |
"""

import re
from pathlib import Path

import pytest

from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world


def test_the_table_names_tests_that_exist() -> None:
    tests = Path(__file__).parents[1]
    written = "".join(path.read_text() for path in tests.rglob("test_*.py"))
    cells = [line.split("|")[3] for line in (__doc__ or "").splitlines() if line.startswith("| ")][1:]
    assert len(cells) > 25
    for cell in cells:
        for file in re.findall(r"[a-z_/0-9]*test_[a-z_]+", cell):
            assert [*tests.rglob(f"{file.rpartition('/')[2]}.py")], file
        for name in re.findall(r"(?<![\w/])(?!test_|unit|e2e|store|here)([a-z0-9]+_[a-z0-9_]+?)_?(?:…|\b)", cell):
            assert f"def test_{name}" in written, name


def befall(here: World, system: SystemName, *faults: Fault) -> None:
    context = here.sandbox.ghl if system is GHL else here.sandbox.emailoctopus
    context.weather.faults = list(faults)


def rate(here: World, system: SystemName) -> float:
    told = here.pair.systems[system].usage().rate_per_second
    assert told is not None
    return told


@pytest.mark.parametrize("system", list(SystemName))
def test_a_429_halves_the_rate_which_climbs_back_over_ten_minutes(database_url: str, system: SystemName) -> None:
    with world(database_url, sockets=True) as here:
        here.linked()
        allowed = rate(here, system)
        befall(here, system, Fault(kind="throttle"))
        began = here.clock.now()
        assert here.reconcile().throttled[system] == 1
        waited = (here.clock.now() - began).total_seconds()
        assert rate(here, system) == pytest.approx(allowed / 2, rel=0.05)
        here.later(seconds=300 - waited)
        assert rate(here, system) == pytest.approx(allowed * 3 / 4, rel=0.05)
        here.later(minutes=5, seconds=waited)
        assert rate(here, system) == allowed
        # One after the other pulls it down to a tenth and no further.
        for _ in range(6):
            befall(here, system, Fault(kind="throttle"))
            here.reconcile()
        assert allowed / 10 <= rate(here, system) < allowed / 2


@pytest.mark.parametrize(("system", "key"), [(GHL, "pairs.main.ghl"), (EMAILOCTOPUS, "pairs.main.emailoctopus")])
def test_what_is_forbidden_stops_the_pair_with_an_error_that_names_the_key(
    database_url: str, system: SystemName, key: str
) -> None:
    with world(database_url, sockets=True) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        befall(here, system, Fault(kind="error", status=403, times=99))
        report = here.reconcile()
        assert (report.outcome, dict(report.written)) == (CycleOutcome.AUTH, {})
        assert key in report.message
        befall(here, system)
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus("ada@example.com")["fields"] == {"FirstName": "Augusta", "LastName": "King"}
        here.assert_quiet()


@pytest.mark.parametrize("status", [400, 404, 409, 422])
@pytest.mark.parametrize("system", list(SystemName))
def test_every_refusal_of_one_record_parks_it_with_the_apis_message_and_the_others_go_on(
    database_url: str, system: SystemName, status: int
) -> None:
    with world(database_url, sockets=True) as here:
        ids = [here.linked(f"p{number}@example.com", f"P{number}") for number in range(3)]
        if system is EMAILOCTOPUS:
            here.emailoctopus.quirks.batch_max = 1  # each record in a request of its own
        for number, (ghl_id, subscriber_id) in enumerate(ids):
            if system is GHL:
                here.edit_subscriber(subscriber_id, FirstName=f"New {number}")
            else:
                here.edit_person(ghl_id, firstName=f"New {number}")
        culprit = ids[1][0] if system is GHL else ids[1][1]
        echo = (system, status) != (GHL, 404)  # there a foreign text would be taken for a fault in disguise
        befall(here, system, Fault(kind="error", method="PUT", path=f"{culprit}$", status=status, echo=echo))
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        [entry] = here.pair_store.parked(everything=True)
        assert (entry.ghl_id, entry.emailoctopus_id, entry.what) == (*ids[1], NAMES[0].key)
        assert ("New 1" if echo else "Not Found") in entry.message, "the API's own words"
        there = [row["firstName"] for row in here.people().values()]
        there = there if system is GHL else [row["fields"]["FirstName"] for row in here.subscribers().values()]
        assert sorted(there) == ["New 0", "New 2", "P1"]
        assert here.pair_store.totals().staged == 0
        here.later(minutes=2)
        assert here.reconcile().outcome == "ok"
        here.assert_quiet()


def test_what_nobody_knows_is_ignored(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ghl_id, subscriber_id = here.linked()
        # Both accounts get a field that the mapping doesn't know, and values in it.
        here.ghl.add_field("Later", "TEXT")
        add_field(here.sandbox, "Unheard", "text")
        here.edit_person(ghl_id, firstName="Augusta", custom={"later": "x"})
        here.edit_subscriber(subscriber_id, Unheard="of")
        assert here.reconcile().outcome == "ok"
        there = here.in_emailoctopus("ada@example.com")["fields"]
        assert there == {"FirstName": "Augusta", "LastName": "Lovelace", "Unheard": "of"}
        here.full()
        here.assert_quiet()

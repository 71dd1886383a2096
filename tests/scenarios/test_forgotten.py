"""Who was forgotten is skipped wherever he turns up, opt-outs included; nothing of him is stored anew."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle.opening import open_run
from sync_daemon.model.engagement import Kind, told
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import KnownContact, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.ports import Commit
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.tables import metadata
from tests.worlds import EMAILOCTOPUS, GHL, World, neighbours, world

ADA, BOB = "ada@example.com", "bob@example.com"


def forget(here: World, address: str = ADA) -> None:
    """As the command does, without asking anybody."""
    with here.pair.lease.held():
        here.pair_store.forget(here.pair.digester.address(address), holder=here.pair.lease.holds)
    here.forget_requests()


def traces(here: World, *texts: str) -> list[str]:
    """Those of some texts that stand in the database, be it in part of a value."""

    def values() -> Iterator[bytes]:
        with reading(here.engine) as connection:
            for table in metadata.sorted_tables:
                for row in connection.execute(table.select()):
                    yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)

    found = list(values())
    return [text for text in texts if any(text.encode() in value for value in found)]


def tell(here: World, system: SystemName, contact_id: str, kind: EventKind = EventKind.CHANGED) -> None:
    """What a webhook does."""
    number = f"event-{here.clock.now().timestamp()}"
    here.pair_store.save_events([WebhookEvent(system, number, contact_id, kind, here.clock.now(), verified=True)])


@pytest.mark.parametrize("mode", list(Mode))
def test_changes_and_opt_outs_of_his_are_carried_nowhere(database_url: str, mode: Mode) -> None:
    with world(database_url) as here:
        ids = ghl_id, octopus_id = here.linked()
        neighbours(here)
        forget(here)
        here.edit_person(ghl_id, firstName="Augusta")
        here.emailoctopus.unsubscribe(octopus_id)
        here.later(minutes=1)
        tell(here, GHL, ghl_id)
        tell(here, EMAILOCTOPUS, octopus_id, EventKind.REVOKED)

        report = here.reconcile(mode)

        assert (report.outcome, dict(report.written), traces(here, *ids)) == (CycleOutcome.OK, {}, [])
        assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
        assert report.skipped["forgotten"] == (0 if mode is Mode.HINTS else 2)
        assert (here.blocked(ADA), here.in_emailoctopus(ADA)["fields"]["FirstName"]) == (False, "Ada")


def test_a_full_scan_is_complete_with_him(database_url: str) -> None:
    """That he is listed counts for the API's totals; that he isn't any more is no deletion."""
    with world(database_url) as here:
        ghl_id, octopus_id = here.linked()
        [(gone, partner), *_] = neighbours(here)
        forget(here)
        here.later(minutes=11)
        here.ghl.delete(gone)
        here.later(minutes=11)
        report = here.full()
        assert (report.outcome, report.skipped["forgotten"]) == (CycleOutcome.OK, 2)
        assert report.written[EMAILOCTOPUS, "unsubscribed"] == 1, "the scan proved that somebody else is gone"
        assert here.subscribers()[partner]["status"] == "unsubscribed"

        here.ghl.delete(ghl_id)
        here.later(minutes=11)
        here.forget_requests()
        assert (dict(here.full().written), here.status(ADA)) == ({}, "subscribed")
        assert traces(here, ghl_id, octopus_id) == []


def test_the_counts_look_for_him_once_at_most(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        neighbours(here)
        here.settle()
        forget(here)
        for _ in range(2):
            here.later(minutes=11)
            assert not here.reconcile().written
        here.later(minutes=11)
        here.forget_requests()
        here.reconcile()
        swept = [path for _, path in here.requests(EMAILOCTOPUS) if path.endswith("/contacts")]
        assert len(swept) == 3, "one request for each status: nothing is swept for his sake"


def test_who_comes_under_the_address_anew_is_skipped(database_url: str) -> None:
    with world(database_url) as here:
        old_ghl, old_octopus = here.linked()
        forget(here)
        here.ghl.delete(old_ghl)
        here.emailoctopus.delete(old_octopus)
        new = (here.person(ADA), here.subscriber(ADA, tags=["vip"]))
        here.later(minutes=11)
        for mode in (Mode.INCREMENTAL, Mode.FULL):
            report = here.reconcile(mode)
            assert (report.outcome, dict(report.written)) == (CycleOutcome.OK, {})
            assert report.skipped["forgotten"] == 2
        assert (traces(here, *new), len(here.pair_store.links(ghl=[new[0]]))) == ([], 0)


def test_a_webhook_about_a_new_record_of_his_leaves_nothing_behind(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        forget(here)
        new = here.person(ADA)
        tell(here, GHL, new)
        assert traces(here, new) == [new], "who it is isn't known before it is read"

        report = here.reconcile(Mode.HINTS)

        assert (report.outcome, dict(report.written), traces(here, new)) == (CycleOutcome.OK, {}, [])
        assert here.pair_store.is_forgotten(new)
        tell(here, GHL, new, EventKind.DELETED)
        assert traces(here, new) == []


def test_what_another_process_had_just_brought_of_him_is_erased(database_url: str) -> None:
    """What was on its way when he was forgotten: neither row went through the store's own door."""
    with world(database_url) as here:
        ids = ghl_id, octopus_id = here.linked()
        forget(here)
        here.ghl.delete(ghl_id)
        late = {"pair_id": 1, "system": GHL, "event_id": "late", "contact_id": ghl_id, "kind": EventKind.CHANGED}
        with writing(here.engine) as connection:
            connection.execute(insert(metadata.tables["events"]).values(**late, verified=True, received_at=1))
        here.pair_store.commit(Commit(staged=[Staged(EMAILOCTOPUS, octopus_id, None)]))
        assert traces(here, *ids) == list(ids)

        report = here.reconcile(Mode.HINTS)

        assert (report.outcome, dict(report.written), traces(here, *ids)) == (CycleOutcome.OK, {}, [])


def test_nothing_is_decided_about_him_when_he_is_read_by_his_id(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        forget(here)
        here.edit_person(ghl_id, email="", phone="+15550100")
        here.pair_store.commit(Commit(staged=[Staged(GHL, ghl_id, None)]))
        assert dict(here.reconcile(Mode.HINTS).skipped) == {"forgotten": 1}
        assert traces(here, ghl_id) == []


def test_no_transaction_of_a_cycle_writes_of_him(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        forget(here)
        run = open_run(here.pair, CycleReport("main", "run-x", Mode.FULL), here.pair_store.state())
        run.commit(Commit(contacts=[KnownContact(GHL, ghl_id)], staged=[Staged(GHL, ghl_id, None)]))
        assert traces(here, ghl_id) == []


def test_engagement_of_his_is_no_occasion(database_url: str) -> None:
    with world(database_url) as here:
        _, octopus_id = here.linked()
        forget(here)
        here.pair_store.save_occasions([told(Kind.CLICKED, octopus_id, "k1", here.clock.now())])
        assert traces(here, octopus_id) == []


@pytest.mark.parametrize("system", list(SystemName))
def test_whose_address_becomes_a_forgotten_one_is_forgotten_with_whom_he_is_linked_to(
    database_url: str, system: SystemName
) -> None:
    with world(database_url) as here:
        forget(here)
        ids = ghl_id, octopus_id = here.linked(BOB, "Bob")
        neighbours(here)
        if system is GHL:
            here.edit_person(ghl_id, email=ADA)
        else:
            here.emailoctopus.change_address(octopus_id, ADA)
        here.later(minutes=11)

        report = here.reconcile()

        assert (report.outcome, dict(report.written), traces(here, *ids)) == (CycleOutcome.OK, {}, [])
        here.assert_quiet()
        assert not here.full().written
        assert all(map(here.pair_store.is_forgotten, ids))


def test_an_index_that_still_shows_the_forgotten_address_is_not_believed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, octopus_id = here.linked()
        here.sandbox.ghl.weather.index_lag_s = 300
        here.edit_person(ghl_id, email=BOB)
        tell(here, GHL, ghl_id)
        for _ in range(2):  # what was read by id moves the link in the next one
            here.reconcile(Mode.HINTS)
        assert here.in_emailoctopus(BOB)["id"] == octopus_id
        forget(here)

        report = here.reconcile(Mode.FULL)

        assert (report.outcome, len(here.pair_store.links(ghl=[ghl_id]))) == (CycleOutcome.OK, 1)
        assert not here.pair_store.is_forgotten(ghl_id)


def test_a_duplicate_goes_with_the_others_and_an_additional_address_stays_with_its_owner(database_url: str) -> None:
    with world(database_url) as here:
        ids = here.linked()
        other = here.person(BOB, "Bob")
        here.ghl.add_email(other, ADA)
        here.later(minutes=11)
        here.reconcile()
        forget(here)
        here.emailoctopus.unsubscribe(ids[1])
        here.later(minutes=11)
        report = here.reconcile()
        assert (dict(report.written), here.blocks(other)) == ({}, False)
        assert here.pair_store.additional_addresses([other]) == {}
        assert len(here.pair_store.links(ghl=[other])) == 1
        here.assert_quiet()


def test_a_plan_leaves_him_out(database_url: str) -> None:
    with world(database_url) as here:
        forget(here)
        here.person(ADA)
        found = here.plan()
        assert (found.operations, found.skipped["forgotten"]) == ((), 1)


def test_he_comes_back_when_it_is_taken_back(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, octopus_id = here.linked()
        forget(here)
        here.edit_person(ghl_id, firstName="Augusta")
        here.settle()
        assert here.pair_store.recall(Digester(*here.store.digest_keys).address(ADA))

        here.later(minutes=11)
        assert here.full().outcome is CycleOutcome.OK

        [link] = here.pair_store.links(ghl=[ghl_id])
        assert link.emailoctopus_id == octopus_id
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        here.assert_quiet()


def test_who_is_taken_back_meets_anew_in_the_next_cycle_and_was_missed_by_no_poll(database_url: str) -> None:
    with world(database_url) as here:
        link = here.linked()
        neighbours(here)
        forget(here)
        here.reconcile()
        here.later(days=1)
        assert here.pair_store.recall(here.pair.digester.address(ADA))

        report = here.reconcile()

        assert (report.mode, report.missed_by_poll) == (Mode.FULL, 0)
        assert [(one.ghl_id, one.emailoctopus_id) for one in here.pair_store.links(ghl=link[:1])] == [link]
        assert here.reconcile().mode is Mode.INCREMENTAL

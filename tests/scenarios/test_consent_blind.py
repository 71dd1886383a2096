"""Contract, section 4: polls may be blind to opt-outs, so blindness is measured: counts, sweeps, full scans."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import FieldRule
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
ALARM = "consent_change_missed_by_poll"


def blind(here: World) -> tuple[str, str]:
    """A link in systems whose timestamps don't move when somebody opts out; the watermarks are well beyond it."""
    here.emailoctopus.quirks.unsubscribe_touches = False
    here.emailoctopus.quirks.status_change_touches = False
    here.emailoctopus.quirks.tag_change_touches = False
    here.ghl.quirks.dnd_touches = False
    ids = here.linked()
    here.later(minutes=20)
    here.person("bob@example.com", first="Bob")
    here.subscriber("kim@example.com", first="Kim")
    here.subscriber("eve@example.com", first="Eve", status="unsubscribed")
    here.reconcile()
    here.later(minutes=5)
    here.reconcile()
    here.forget_requests()
    return ids


def consent(here: World) -> tuple[bool, str]:
    return here.blocked(ADA), here.status(ADA)


def reads(here: World, system: str) -> list[tuple[str, str]]:
    """What was asked of a system, beyond the listings of an ordinary poll."""
    return [
        (method, path)
        for method, path in here.requests(GHL if system == GHL else EMAILOCTOPUS)
        if not path.endswith("/contacts") and path != "/contacts/search"
    ]


# EmailOctopus: the list's counts


def test_an_unsubscription_that_polls_do_not_show_is_found_by_the_lists_counts(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = blind(here)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        assert consent(here) == (False, "unsubscribed")  # the poll is blind, and the counts aren't due
        here.later(minutes=6)
        assert here.reconcile().written == {(GHL, "dnd_set"): 1}
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


def test_an_unexplained_count_sweeps_its_own_status_and_is_logged(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        _, subscriber_id = blind(here)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.later(minutes=6)
        here.sandbox.emailoctopus.log.clear()
        here.reconcile()
        listings = [
            exchange.query
            for exchange in here.sandbox.emailoctopus.log.exchanges()
            if exchange.path.endswith("/contacts") and "last_updated_at" not in exchange.query
        ]
        assert ["unsubscribed" in query for query in listings] == [True]
        assert [entry["status"] for entry in logs if entry["event"] == "counts_unexplained"] == ["unsubscribed"]


def test_counts_that_the_polls_explain_start_no_sweep(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.later(minutes=20)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.subscriber("bob@example.com", first="Bob")
        here.forget_requests()
        here.reconcile()
        lists = [path for method, path in here.requests(EMAILOCTOPUS) if path.endswith("/contacts")]
        assert len(lists) == 3
        here.assert_quiet()


def test_counts_are_compared_every_ten_minutes_and_not_more_often(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        asked = []
        for _ in range(22):
            here.later(minutes=1)
            here.forget_requests()
            here.reconcile()
            asked.append(len(reads(here, EMAILOCTOPUS)))
        assert sum(asked) == 2
        assert [minute for minute, count in enumerate(asked, start=1) if count] == [10, 20]


@pytest.mark.parametrize("status", ["subscribed", "pending"])
def test_a_subscription_that_polls_do_not_show_is_found_by_the_counts_too(database_url: str, status: Any) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.emailoctopus.quirks.status_change_touches = False
        here.later(minutes=30)
        here.emailoctopus.set_status(subscriber_id, status)
        here.reconcile()
        assert consent(here) == (status == "pending", status)
        here.assert_quiet()


def swept(here: World) -> list[str]:
    """The statuses that were read from beginning to end since the last call."""
    exchanges = here.sandbox.emailoctopus.log.exchanges()
    here.sandbox.emailoctopus.log.clear()
    whole = [one.query for one in exchanges if one.path.endswith("/contacts") and "last_updated_at" not in one.query]
    return [status for query in whole for status in ("unsubscribed", "subscribed", "pending") if f"={status}" in query]


@pytest.mark.parametrize("by_a_duplicate", [False, True])
def test_a_new_block_revokes_who_subscribed_again_without_a_poll_showing_it(
    database_url: str, *, by_a_duplicate: bool
) -> None:
    with world(database_url) as here:
        here.ghl.location.allow_duplicate_contact = True
        ghl_id, subscriber_id = blind(here)
        here.ghl.quirks.dnd_touches = True
        blocked = here.person(ADA, first="Augusta") if by_a_duplicate else ghl_id
        here.reconcile()
        here.later(minutes=1)
        here.ghl.set_dnd(ghl_id)
        here.settle()
        here.later(minutes=1)
        here.ghl.set_dnd(blocked, "inactive")
        here.settle()
        assert here.status(ADA) == "unsubscribed"
        here.emailoctopus.set_status(subscriber_id, "subscribed")
        here.later(minutes=1)
        here.ghl.set_dnd(blocked)
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        assert here.blocks(ghl_id)
        assert here.blocks(blocked)
        here.assert_quiet()


def test_an_unsubscription_that_a_deletion_makes_up_for_in_the_counts_is_found(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = blind(here)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.emailoctopus.delete(here.in_emailoctopus("eve@example.com")["id"])
        here.later(minutes=11)
        here.reconcile()
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


def test_a_deletion_that_stands_unproven_starts_one_sweep_and_hides_no_later_unsubscription(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = blind(here)
        kim = here.in_emailoctopus("kim@example.com")["id"]
        here.emailoctopus.delete(here.in_emailoctopus("eve@example.com")["id"])
        found = []
        for _ in range(4):
            here.later(minutes=11)
            here.reconcile()
            found += swept(here)
        assert found == ["unsubscribed"]
        here.emailoctopus.unsubscribe(subscriber_id)
        here.later(minutes=11)
        here.reconcile()
        assert consent(here) == (True, "unsubscribed")
        here.emailoctopus.unsubscribe(kim)
        here.emailoctopus.delete(subscriber_id)
        here.later(minutes=11)
        here.reconcile()
        assert here.blocked("kim@example.com")
        swept(here)
        here.later(minutes=11)
        here.reconcile()
        assert swept(here) == []


def test_a_sweep_that_broke_off_is_made_again(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = blind(here)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.later(minutes=11)
        fails = Fault(kind="error", method="GET", path="/contacts$", status=422, after=3, times=1)
        here.sandbox.emailoctopus.weather.faults = [fails]
        assert here.reconcile().outcome == "incomplete"
        assert consent(here) == (False, "unsubscribed")
        here.later(minutes=11)
        here.reconcile()
        assert consent(here) == (True, "unsubscribed")


# GHL: those with DND, by filter


@pytest.mark.parametrize("hits", ["when_set", "always", "never"])
@pytest.mark.parametrize("how", ["e-mail", "permanent", "all channels"])
def test_a_dnd_that_polls_do_not_show_is_found_by_the_hourly_sweep(database_url: str, how: str, hits: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = hits
        ghl_id, _ = blind(here)
        if how == "all channels":
            here.ghl.set_dnd_all(ghl_id, dnd=True)
        else:
            here.ghl.set_dnd(ghl_id, "permanent" if how == "permanent" else "active")
        here.reconcile()
        assert consent(here) == (True, "subscribed")
        here.later(minutes=60)
        assert here.reconcile().written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert consent(here) == (True, "unsubscribed")
        here.later(minutes=61)
        here.assert_quiet()


def test_the_sweep_is_made_every_hour_and_not_more_often(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        swept = []
        for _ in range(26):
            here.later(minutes=5)
            here.forget_requests()
            here.reconcile()
            bodies = [exchange.request for exchange in here.sandbox.ghl.log.exchanges()]
            swept.append(any("dnd" in str(body) for body in bodies))
        assert [5 * place for place, found in enumerate(swept, start=1) if found] == [60, 120]


def test_a_sweep_that_finds_only_what_is_known_writes_nothing(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        here.person("eve@example.com", first="Eve", dnd=True)
        here.reconcile()
        here.later(minutes=61)
        here.assert_quiet()


# what only a full scan finds


def test_an_opt_out_that_only_a_full_scan_finds_is_counted_and_alerted(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        ghl_id, _ = blind(here)
        here.ghl.set_dnd(ghl_id)
        report = here.full()
        assert (report.missed_by_poll, dict(report.written)) == (1, {(EMAILOCTOPUS, "unsubscribed"): 1})
        assert [(entry["log_level"], entry["system"]) for entry in logs if entry["event"] == ALARM] == [("error", GHL)]
        here.later(minutes=20)
        assert here.full().missed_by_poll == 0
        here.assert_quiet()


def test_an_unsubscription_that_only_a_full_scan_finds_is_counted_and_alerted(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        _, subscriber_id = blind(here)
        here.emailoctopus.unsubscribe(subscriber_id)
        report = here.full()
        assert (report.missed_by_poll, dict(report.written)) == (1, {(GHL, "dnd_set"): 1})
        assert [entry["system"] for entry in logs if entry["event"] == ALARM] == [EMAILOCTOPUS]
        here.assert_quiet()


def test_a_missed_change_of_something_else_is_counted_and_not_alerted(database_url: str) -> None:
    with world(database_url, fields=(FieldRule("firstName", "FirstName"),)) as here, capture_logs() as logs:
        _, subscriber_id = blind(here)
        here.emailoctopus.add_tags(subscriber_id, ["vip"])
        assert not here.reconcile().written
        report = here.full()
        assert (report.missed_by_poll, here.in_ghl(ADA)["tags"]) == (1, ["vip"])
        assert [entry for entry in logs if entry["event"] == ALARM] == []
        here.assert_quiet()


def test_a_change_that_the_next_poll_would_have_shown_is_not_counted_as_missed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=20)
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta")
        here.emailoctopus.unsubscribe(subscriber_id)
        report = here.full()
        assert report.missed_by_poll == 0
        assert report.written[GHL, "dnd_set"] == 1
        here.assert_quiet()

"""Contract, section 4: what is read as a revocation, and which steps are believed only from a read by id."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, NoProgress, World, world

ADA = "ada@example.com"
HITS = ["when_set", "always", "never"]
BLOCKED = {"Email": {"status": "active"}}


def consent(here: World) -> tuple[bool, str]:
    return here.blocked(ADA), here.status(ADA)


def dnd(here: World, ghl_id: str, status: Literal["active", "inactive"]) -> None:
    here.clock.advance(1)
    here.ghl.set_dnd(ghl_id, status)


class AfterReading(NoProgress):
    """Lets the outside act once, when a cycle has read every page of its polls and decided nothing yet."""

    def __init__(self, pages: int, act: Callable[[], object]) -> None:
        self._left = pages
        self._act = act

    def pages_read(self, system: SystemName, records: int) -> None:
        self._left -= 1
        if self._left == 0:
            self._act()


def after_reading(here: World, act: Callable[[], object]) -> None:
    """One page of GHL's search, one of each of EmailOctopus's three listings."""
    here.pair = replace(here.pair, progress=AfterReading(4, act))


def reads_by_id(requests: list[tuple[str, str]]) -> int:
    """How many of these requests read one contact by its id."""
    return sum(method == "GET" and "/contacts/" in path for method, path in requests)


# hits and their dndSettings


@pytest.mark.parametrize("hits", HITS)
def test_a_dnd_is_seen_whether_or_not_hits_carry_dnd_settings(database_url: str, hits: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = hits
        ghl_id, _ = here.linked()
        dnd(here, ghl_id, "active")
        assert here.reconcile().written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        here.later(minutes=11)
        assert not here.full().written
        here.assert_quiet()


@pytest.mark.parametrize("hits", HITS)
def test_a_newcomer_with_dnd_is_not_subscribed_whether_or_not_hits_carry_dnd_settings(
    database_url: str, hits: str
) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = hits
        here.reconcile()
        here.person(ADA, dndSettings=BLOCKED)
        assert dict(here.reconcile().skipped) == {"suppressed": 1}
        assert here.subscribers() == {}
        here.assert_quiet()


def test_when_no_hit_carries_dnd_settings_contacts_are_read_by_id_before_consent_is_decided(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "never"
        ghl_id, _ = here.linked()
        here.later(minutes=11)
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta")
        here.forget_requests()
        here.reconcile()
        assert reads_by_id(here.requests(GHL)) == 1
        here.assert_quiet()


def test_when_some_hits_carry_dnd_settings_a_missing_one_means_no_restriction(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "when_set"
        here.person("eve@example.com", first="Eve", dndSettings=BLOCKED)
        ghl_id, _ = here.linked()
        here.later(minutes=11)
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta")
        here.forget_requests()
        here.reconcile()
        assert reads_by_id(here.requests(GHL)) == 0
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert here.status(ADA) == "subscribed"
        here.assert_quiet()


def test_a_hit_with_dnd_for_all_channels_alone_does_not_tell_that_hits_carry_dnd_settings(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "never"
        here.person("eve@example.com", first="Eve", dnd=True)
        ghl_id, _ = here.linked()
        dnd(here, ghl_id, "active")
        assert here.reconcile().written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        here.assert_quiet()


# EmailOctopus's statuses


def test_a_soft_bounce_is_no_revocation(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.bounce(subscriber_id, hard=False)
        assert not here.reconcile().written
        assert consent(here) == (False, "subscribed")
        here.assert_quiet()


@pytest.mark.parametrize("how", ["complained", "bounced"])
def test_an_unknown_status_is_a_revocation_and_is_reported(database_url: str, how: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        here.emailoctopus.quirks.suppressed_reads_as = "own"
        subscriber_id = here.subscriber(ADA)
        (here.emailoctopus.complain if how == "complained" else here.emailoctopus.bounce)(subscriber_id)
        here.person(ADA)  # no listing shows the other one: they meet when this one is to be created
        here.reconcile()
        here.settle()
        assert consent(here) == (True, how)
        [line] = [entry for entry in logs if entry["event"] == "reported"]
        assert (line["what"], line["emailoctopus_id"]) == ("consent", subscriber_id)
        assert how in line["reason"]
        here.assert_quiet()


# what is believed only from a read by id


def test_lifting_dnd_rests_on_reads_by_id_of_both_contacts(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.later(minutes=11)
        here.forget_requests()
        here.reconcile()
        in_ghl, in_emailoctopus = here.requests(GHL), here.requests(EMAILOCTOPUS)
        path = f"/contacts/{ghl_id}"
        assert in_ghl.index(("GET", path)) < in_ghl.index(("PUT", path))
        assert reads_by_id(in_emailoctopus) == 1
        assert consent(here) == (False, "subscribed")
        here.assert_quiet()


def test_dnd_is_not_lifted_for_somebody_who_unsubscribed_again_meanwhile(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.forget_requests()
        after_reading(here, lambda: here.emailoctopus.unsubscribe(subscriber_id))
        here.reconcile()
        assert here.writes(GHL) == []
        here.later(minutes=11)
        here.full()
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


@pytest.mark.parametrize("policy", [Resubscribe.ALLOW, Resubscribe.PENDING])
def test_nobody_is_subscribed_whose_dnd_was_set_again_meanwhile(database_url: str, policy: Resubscribe) -> None:
    doi = policy is Resubscribe.PENDING
    with world(database_url, resubscribe=policy, double_opt_in=doi) as here:
        ghl_id = here.person(ADA)
        here.subscriber(ADA)
        here.reconcile()
        dnd(here, ghl_id, "active")
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        here.forget_requests()
        after_reading(here, lambda: dnd(here, ghl_id, "active"))
        here.reconcile()
        assert here.writes(EMAILOCTOPUS) == []
        here.later(minutes=11)
        here.full()
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


def test_a_lifted_dnd_that_only_an_old_document_of_the_index_shows_is_not_believed(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, _ = here.linked()
        dnd(here, ghl_id, "active")
        here.reconcile()
        here.later(minutes=20)
        dnd(here, ghl_id, "inactive")
        here.later(seconds=30)
        dnd(here, ghl_id, "active")
        here.later(seconds=10)
        here.sandbox.ghl.weather.index_lag_s = 20
        here.forget_requests()
        here.reconcile()
        assert here.writes(EMAILOCTOPUS) == []
        assert consent(here) == (True, "unsubscribed")
        here.later(minutes=11)
        here.full()
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


def test_a_read_by_id_of_an_earlier_cycle_is_not_believed(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "never"
        eve = here.person("eve@example.com", first="Eve")
        here.reconcile()
        here.later(minutes=20)
        ghl_id = here.person(ADA)
        for _ in range(2):  # the second cycle moves the watermark on
            # Both sides are polled, the newcomer is read by id, but EmailOctopus fails before anything is written.
            here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", status=503, after=4, times=100)]
            assert here.reconcile().outcome == "unreachable"
            here.later(minutes=30)
            here.edit_person(eve, city="Turin")
        here.sandbox.emailoctopus.weather.faults = []
        dnd(here, ghl_id, "active")
        here.sandbox.ghl.weather.index_lag_s = 60  # so that no hit tells it
        here.reconcile()
        assert not here.has(EMAILOCTOPUS, ADA)
        here.settle()
        here.assert_quiet()


# a returned status that differs from the one sent


@pytest.mark.parametrize(("quirk", "status"), [("ignored", "unsubscribed"), ("pending", "pending")])
def test_a_status_that_comes_back_other_than_it_was_sent_is_reported_as_refused_and_not_retried_for_ever(
    database_url: str, quirk: str, status: str
) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        here.emailoctopus.quirks.resubscribe = quirk
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        here.forget_requests()
        report = here.reconcile()
        assert here.bodies(EMAILOCTOPUS) == [{"status": "subscribed"}]
        assert (report.outcome, report.new_parked) == ("parked", 1)
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.what, parked.code) == ("consent", "status_refused")
        for _ in range(8):
            here.later(days=1, minutes=1)
            last = here.full()
        assert here.writes(EMAILOCTOPUS) == []
        assert consent(here) == (False, status)
        assert last.consent_held == (status == "unsubscribed")  # both differ: that stays listed
        here.assert_quiet()


def test_a_status_that_emailoctopus_refuses_to_set_is_parked_with_its_message(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        here.emailoctopus.quirks.resubscribe = "refused"
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        assert here.reconcile().new_parked == 1
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.what, bool(parked.message)) == ("consent", True)
        assert consent(here) == (False, "unsubscribed")
        assert here.reconcile().new_parked == 0


def test_a_dnd_that_ghl_does_not_lift_is_reported_as_refused(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.before_writing(lambda: here.ghl.bounce(ghl_id))  # permanent from now on
        report = here.reconcile()
        assert report.new_parked == 1
        for _ in range(3):
            here.later(days=1, minutes=1)
            last = here.full()
        assert (consent(here), last.consent_held, last.parked) == ((True, "subscribed"), 1, 0)
        here.assert_quiet()

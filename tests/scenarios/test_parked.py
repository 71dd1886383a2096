"""Contract, section 8: what a person orders about parked changes, and that nothing else is held up by them."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import OnLeaveScope, Resubscribe, ScopeRule
from sync_daemon.model.state import Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"


def parked(here: World) -> list[tuple[str, str]]:
    return [(entry.what, entry.code) for entry in here.pair_store.parked(everything=True)]


def order(here: World, *, drop: bool) -> None:
    ids = {entry.id for entry in here.pair_store.parked(everything=True) if entry.id is not None}
    assert ids
    here.pair_store.order(ids, drop=drop)


def refuse(here: World, system: SystemName, *, method: str, path: str, times: int = 1) -> None:
    context = here.sandbox.ghl if system is GHL else here.sandbox.emailoctopus
    context.weather.faults.append(Fault(kind="error", method=method, path=path, status=422, times=times))


def linked(here: World) -> tuple[str, str]:
    ids = here.linked()
    here.later(minutes=30)
    return ids


def spoil_a_name(here: World) -> tuple[str, str]:
    """A first name that GHL changed and EmailOctopus refuses."""
    ids = linked(here)
    refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1])
    here.edit_person(ids[0], firstName="Augusta")
    assert here.reconcile().outcome == "parked"
    return ids


# retry


def test_retry_is_obeyed_by_the_next_cycle(database_url: str) -> None:
    with world(database_url) as here:
        ids = spoil_a_name(here)
        here.later(seconds=5)
        here.forget_requests()
        assert here.reconcile().outcome == "parked"
        assert here.writes(EMAILOCTOPUS) == [], "its time hasn't come"
        order(here, drop=False)
        here.forget_requests()
        assert here.reconcile().outcome == "ok"
        asked = here.requests(GHL)
        assert ("GET", f"/contacts/{ids[0]}") in asked, "both records are read by id"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert parked(here) == []
        here.assert_quiet()


def test_an_order_given_while_the_change_is_parked_again_is_not_lost(database_url: str) -> None:
    with world(database_url) as here:
        ids = spoil_a_name(here)
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1])
        here.later(minutes=2)
        here.before_writing(lambda: order(here, drop=False))
        assert here.reconcile().outcome == "parked"
        [entry] = here.pair_store.parked(everything=True)
        assert entry.attempts == 2
        here.later(seconds=1)
        assert here.reconcile().outcome == "ok", "tried at once, not five minutes later"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"


def test_a_drop_given_while_the_change_is_parked_again_is_not_lost(database_url: str) -> None:
    with world(database_url) as here:
        ids = spoil_a_name(here)
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1])
        here.later(minutes=2)
        here.before_writing(lambda: order(here, drop=True))
        assert here.reconcile().outcome == "parked"
        here.later(seconds=1)
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"


def test_the_last_order_counts(database_url: str) -> None:
    with world(database_url) as here:
        spoil_a_name(here)
        order(here, drop=True)
        order(here, drop=False)
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"


# drop


def test_a_dropped_field_stays_different_until_it_changes_on_either_side(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        ids = spoil_a_name(here)
        order(here, drop=True)
        report = here.reconcile()
        assert (report.outcome, report.parked, report.diverged) == ("ok", 0, 1)
        assert [log["what"] for log in logs if log["event"] == "reported"] == ["firstName=FirstName"]
        here.assert_quiet()
        here.full()
        here.assert_quiet()
        assert here.in_ghl(ADA)["firstName"] == "Augusta"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        here.edit_subscriber(ids[1], FirstName="Countess")
        assert here.reconcile().diverged == 0
        assert here.in_ghl(ADA)["firstName"] == "Countess"
        here.edit_person(ids[0], firstName="Ada Augusta")
        here.reconcile()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada Augusta"


def test_drop_takes_both_sides_as_they_are_by_then(database_url: str) -> None:
    with world(database_url) as here:
        ids = spoil_a_name(here)
        here.sandbox.ghl.weather.index_lag_s = 3600.0
        here.edit_person(ids[0], firstName="Ada Augusta")  # nobody has told the program
        order(here, drop=True)
        assert here.reconcile().outcome == "ok"
        here.sandbox.ghl.weather.index_lag_s = 0.0
        here.assert_quiet()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"


def test_dropping_one_part_leaves_the_others_alone(database_url: str) -> None:
    with world(database_url) as here:
        ids = linked(here)
        here.emailoctopus.quirks.tag_limit = 0
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1])
        here.edit_person(ids[0], firstName="Augusta")
        here.ghl.add_tags(ids[0], ["vip"])
        here.reconcile()
        rows = {entry.what: entry.id for entry in here.pair_store.parked(everything=True)}
        assert set(rows) == {"firstName=FirstName", "tags"}
        here.pair_store.order({rows["tags"] or 0}, drop=True)
        here.later(minutes=2)
        assert here.reconcile().outcome == "ok"
        there = here.in_emailoctopus(ADA)
        assert (there["fields"]["FirstName"], there["tags"]) == ("Augusta", [])


def test_dropped_tags_stay_different_and_later_ones_travel(database_url: str) -> None:
    with world(database_url) as here:
        ids = linked(here)
        here.emailoctopus.quirks.tag_limit = 0
        here.clock.advance(1)
        here.ghl.add_tags(ids[0], ["vip"])
        assert here.reconcile().outcome == "parked"
        order(here, drop=True)
        report = here.reconcile()
        assert (report.outcome, report.diverged) == ("ok", 1)
        here.emailoctopus.quirks.tag_limit = None
        here.full()
        here.assert_quiet()
        assert (here.in_ghl(ADA)["tags"], here.in_emailoctopus(ADA)["tags"]) == (["vip"], [])
        here.ghl.add_tags(ids[0], ["club"])
        here.reconcile()
        assert here.in_emailoctopus(ADA)["tags"] == ["club"]
        here.clock.advance(1)
        here.ghl.remove_tags(ids[0], ["vip"])
        assert here.reconcile().diverged == 0


def test_a_dropped_creation_is_not_made_until_the_contact_changes(database_url: str) -> None:
    with world(database_url) as here:
        here.linked("bob@example.com", "Bob")
        refuse(here, EMAILOCTOPUS, method="POST", path="/contacts$")
        ghl_id = here.person(ADA)
        assert here.reconcile().outcome == "parked"
        order(here, drop=True)
        report = here.reconcile()
        assert (report.outcome, report.parked, parked(here)) == ("ok", 0, [])
        assert here.pair_store.totals().unlinked == {Unlinked.DROPPED: 1}
        here.later(days=2)
        here.full()
        here.assert_quiet()
        here.with_policy(create_suppressed=True)  # another configuration looks at everybody anew
        here.full()
        assert not here.has(EMAILOCTOPUS, ADA)
        here.edit_person(ghl_id, firstName="Augusta")
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        here.assert_quiet()
        assert here.pair_store.parked_ids() == set()


def test_a_dropped_creation_can_be_retried(database_url: str) -> None:
    with world(database_url) as here:
        refuse(here, EMAILOCTOPUS, method="POST", path="/contacts$")
        here.person(ADA)
        here.reconcile()
        order(here, drop=True)
        here.reconcile()
        here.pair_store.order(here.pair_store.parked_ids(), drop=False)
        assert here.reconcile().outcome == "ok"
        assert here.has(EMAILOCTOPUS, ADA)


@pytest.mark.parametrize("system", list(SystemName))
def test_the_revocation_of_a_dropped_contact_is_carried_all_the_same(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        if system is GHL:
            refuse(here, EMAILOCTOPUS, method="POST", path="/contacts$")
            here.person(ADA)
        else:
            refuse(here, GHL, method="POST", path="/contacts/$")
            subscriber_id = here.subscriber(ADA)
        here.reconcile()
        order(here, drop=True)
        here.reconcile()
        here.clock.advance(1)
        # The other side gets the address by itself, and one of the two is revoked.
        if system is GHL:
            here.emailoctopus.unsubscribe(here.subscriber(ADA))
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
            here.person(ADA)
        here.reconcile()
        assert here.blocked(ADA)
        assert here.status(ADA) == "unsubscribed"


def unsubscribe_there(here: World, ids: tuple[str, str]) -> str:
    here.emailoctopus.unsubscribe(ids[1])
    refuse(here, GHL, method="PUT", path=ids[0], times=2)
    return ids[0]


def block_here(here: World, ids: tuple[str, str]) -> str:
    here.ghl.unsubscribe(ids[0])
    refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1], times=2)
    return ids[1]


@pytest.mark.parametrize("revoke", [unsubscribe_there, block_here])
def test_a_revocation_by_a_person_is_never_dropped(
    database_url: str, revoke: Callable[[World, tuple[str, str]], str]
) -> None:
    with world(database_url) as here, capture_logs() as logs:
        ids = linked(here)
        here.clock.advance(1)
        revoke(here, ids)
        assert here.reconcile().outcome == "parked"
        assert [what for what, _ in parked(here)] == ["consent"]
        order(here, drop=True)
        assert here.reconcile().outcome == "parked", "tried at once, and refused again"
        told = [log["reason"] for log in logs if log["event"] == "reported"]
        assert told == ["a person's revocation can't be dropped: it is tried on"]
        here.later(minutes=6)
        assert here.reconcile().outcome == "ok"
        assert here.blocked(ADA)
        assert here.status(ADA) == "unsubscribed"


def test_a_dropped_step_toward_consent_is_reported_as_held(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ids = linked(here)
        here.clock.advance(1)
        here.ghl.unsubscribe(ids[0])
        here.reconcile()
        here.later(minutes=30)
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1])
        here.ghl.set_dnd(ids[0], "inactive")
        assert here.reconcile().outcome == "parked"
        order(here, drop=True)
        report = here.reconcile()
        assert (report.outcome, report.consent_held) == ("ok", 1)
        here.full()
        here.assert_quiet()
        assert here.status(ADA) == "unsubscribed"
        # Both are changed once more by a person: that travels again.
        here.ghl.unsubscribe(ids[0])
        here.reconcile()
        here.later(minutes=30)
        here.ghl.set_dnd(ids[0], "inactive")
        here.reconcile()
        assert here.status(ADA) == "subscribed"


def test_what_leaving_the_scope_asked_for_can_be_dropped(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_none=("gone",)), on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ids = linked(here)
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1], times=2)  # ahead of everything else, and in its turn
        here.clock.advance(1)
        here.ghl.add_tags(ids[0], ["gone"])
        assert here.reconcile().outcome == "parked"
        order(here, drop=True)
        assert here.reconcile().outcome == "ok"
        assert (here.status(ADA), parked(here)) == ("subscribed", [])
        here.assert_quiet()


def test_a_dropped_address_stays_different_until_it_changes(database_url: str) -> None:
    with world(database_url) as here:
        ids = linked(here)
        here.clock.advance(1)
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1])
        here.edit_person(ids[0], email="king@example.com")
        assert here.reconcile().outcome == "parked"
        assert [what for what, _ in parked(here)] == ["address"]
        order(here, drop=True)
        report = here.reconcile()
        assert (report.outcome, parked(here)) == ("ok", [])
        here.full()
        here.assert_quiet()
        assert here.subscribers()[ids[1]]["email_address"] == ADA
        # A field still travels through the link, and so does a further address.
        here.edit_person(ids[0], firstName="Augusta")
        here.reconcile()
        assert here.subscribers()[ids[1]]["fields"]["FirstName"] == "Augusta"
        here.edit_person(ids[0], email="lovelace@example.com")
        here.reconcile()
        assert here.subscribers()[ids[1]]["email_address"] == "lovelace@example.com"
        here.assert_quiet()


def test_a_dropped_record_that_can_not_be_read_is_left_alone_until_it_can(database_url: str) -> None:
    with world(database_url) as here:
        ids = linked(here)
        here.sandbox.ghl.weather.faults = [
            Fault(kind="error", method="GET", path=f"/contacts/{ids[0]}$", status=422, times=99)
        ]
        here.ghl.quirks.hits_carry_dnd = "never"  # so that it must be read by id
        here.edit_person(ids[0], firstName="Augusta")
        here.full()
        assert [what for what, _ in parked(here)] == ["creation"]
        order(here, drop=True)
        here.later(minutes=40)
        here.reconcile()
        assert parked(here) == []
        here.sandbox.ghl.weather.faults = []
        here.edit_person(ids[0], firstName="Augusta Ada")
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta Ada"
        assert here.pair_store.parked_ids() == set()


# What is parked holds nothing else up


def test_a_parked_record_holds_neither_the_watermark_nor_its_batch(database_url: str) -> None:
    with world(database_url) as here:
        ids = [here.linked(f"p{number}@example.com", f"P{number}") for number in range(3)]
        refuse(here, EMAILOCTOPUS, method="PUT", path=ids[1][1], times=99)
        here.emailoctopus.quirks.batch_max = 1
        before = here.pair_store.state().watermarks["ghl.contacts"]
        for number, (ghl_id, _) in enumerate(ids):
            here.edit_person(ghl_id, firstName=f"New {number}")
        assert here.reconcile().outcome == "parked"
        assert sorted(row["fields"]["FirstName"] for row in here.subscribers().values()) == ["New 0", "New 2", "P1"]
        assert here.pair_store.state().watermarks["ghl.contacts"] > before
        assert here.pair_store.totals().staged == 0

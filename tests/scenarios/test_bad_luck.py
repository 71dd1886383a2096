"""Several rare misfortunes in a row, which random lives seldom line up; each ends as if none had happened."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.cycle import reconcile
from sync_daemon.model.policy import ScopeRule
from sync_daemon.model.report import Mode
from sync_daemon.sandbox.weather import Fault
from tests.machine.laws import check_no_duplicates, links_of
from tests.worlds import World, world

ADA, BOB, EVE, KIM = (f"{name}@example.com" for name in ("ada", "bob", "eve", "kim"))


class Killed(BaseException):
    """The process is no more."""


class Dying:
    """A pair's store in a process that dies before its n-th commit from now; nothing is stored after that."""

    def __init__(self, store: Any, commits: int) -> None:
        self._store, self._left = store, commits

    def __getattr__(self, name: str) -> Any:
        if self._left <= 0:
            raise Killed
        return self._commit if name == "commit" else getattr(self._store, name)

    def _commit(self, *args: Any) -> None:
        self._left -= 1
        if self._left <= 0:
            raise Killed
        self._store.commit(*args)


def killed(here: World, commits: int, mode: Mode = Mode.INCREMENTAL) -> None:
    """A cycle that is killed before its n-th commit; its lease runs out."""
    dying: Any = Dying(here.pair_store, commits)
    lease = replace(here.pair.lease, store=dying, holder="killed")
    with pytest.raises(Killed):
        reconcile(replace(here.pair, store=dying, lease=lease, systems=here.connect(lease)), mode)
    here.later(seconds=31)


def lose_database(here: World) -> None:
    """Nothing is remembered any more of the same location and list."""
    fresh = here.store.open_pair("again", here.sandbox.location_id, here.sandbox.list_id)
    lease = replace(here.pair.lease, store=fresh)
    here.pair = replace(here.pair, store=fresh, lease=lease, systems=here.connect(lease))


def in_peace(here: World) -> None:
    """The weather clears and a day passes."""
    for context in (here.sandbox.ghl, here.sandbox.emailoctopus):
        context.weather.faults.clear()
        context.weather.index_lag_s = context.weather.short_listing = 0.0
    here.later(minutes=15)
    here.full()
    here.later(days=1)
    here.settle(6)
    here.assert_quiet()


def test_a_block_reaches_whom_emailoctopus_still_knows_by_an_address_that_moves_on_both_ends(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        bob, _ = here.linked(BOB, first="Bob")
        eve, _ = here.linked(EVE, first="Eve")
        for row in list(here.subscribers().values()):
            here.emailoctopus.set_status(row["id"], "subscribed")
        namesake = here.person(BOB, first="Robert")
        here.later(minutes=1)
        here.reconcile()
        # Both moves are held on a list with double opt-in, so that EmailOctopus knows each by the old address.
        here.edit_person(bob, email=ADA)
        here.edit_person(eve, email=BOB)
        here.clock.advance(1)
        here.ghl.complain(namesake)
        here.reconcile()
        assert here.status(BOB) == "unsubscribed"


@pytest.mark.parametrize("commits", range(1, 12))
def test_a_lost_creation_then_a_kill_then_a_short_listing_then_a_lost_database(database_url: str, commits: int) -> None:
    with world(database_url) as here:
        here.linked(BOB, first="Bob")
        here.subscriber(ADA, first="Ada")
        here.person(EVE, first="Eve")
        here.sandbox.ghl.weather.faults = [Fault(kind="lost_answer", method="POST", path="/contacts/$", times=2)]
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="lost_answer", method="POST", path="/contacts$")]
        try_to_die(here, commits)
        here.sandbox.ghl.weather.short_listing = 0.5
        here.full()
        lose_database(here)
        here.full()
        in_peace(here)
        assert (len(here.people()), len(here.subscribers()), len(links_of(here))) == (3, 3, 3)
        check_no_duplicates(here, links_of(here))
        assert {row["status"] for row in here.subscribers().values()} == {"subscribed"}
        assert not any(here.blocks(one) for one in here.people())


def try_to_die(here: World, commits: int) -> None:
    """A cycle that is killed before its n-th commit, if it makes so many."""
    try:
        killed(here, commits)
    except pytest.fail.Exception:
        here.later(seconds=31)


@pytest.mark.parametrize("lag", [0.0, 60.0])
@pytest.mark.parametrize("kind", ["lost_answer", "truncate", "drop", "error"])
def test_an_opt_out_while_the_index_lags_and_the_block_fares_badly_and_a_429_follows(
    database_url: str, lag: float, kind: Any
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(ADA)
        twin = here.person(ADA, first="Twin")
        here.later(minutes=2)
        here.reconcile()
        here.sandbox.ghl.weather.index_lag_s = lag
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.sandbox.ghl.weather.faults = [
            Fault(kind=kind, method="PUT", status=503, times=2),
            Fault(kind="throttle", method="PUT", times=3),
        ]
        here.reconcile()
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        in_peace(here)
        assert here.blocks(ghl_id)
        assert here.blocks(twin)
        assert here.status(ADA) == "unsubscribed"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"


@pytest.mark.parametrize("commits", range(1, 16))
def test_an_exchange_of_addresses_that_is_killed_and_whose_answers_are_lost(database_url: str, commits: int) -> None:
    with world(database_url) as here:
        ada, adas = here.linked(ADA, first="Ada")
        bob, bobs = here.linked(BOB, first="Bob")
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(bobs)
        here.reconcile()
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=ADA)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="lost_answer", method="PUT")]
        try_to_die(here, commits)
        in_peace(here)
        assert (len(here.people()), len(here.subscribers())) == (2, 2)
        check_no_duplicates(here, links_of(here))
        # Revoked is the person and the address that he had: nobody whom the exchange touched may be mailed there.
        assert here.status(BOB) == "unsubscribed"
        assert adas in here.subscribers()


@pytest.mark.parametrize("commits", range(1, 14))
def test_a_step_toward_consent_that_is_killed_while_the_person_changes_his_mind(
    database_url: str, commits: int
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(ADA)
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        assert here.blocks(ghl_id)
        here.later(minutes=1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.sandbox.ghl.weather.faults = [Fault(kind="lost_answer", method="PUT")]
        try_to_die(here, commits)
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        in_peace(here)
        assert here.status(ADA) == "unsubscribed"
        assert here.blocks(ghl_id)


def test_a_person_who_blocks_in_ghl_is_not_freed_after_a_lost_database_and_an_opt_in(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(ADA)
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()  # the block is this program's own, but after this nobody can know that
        lose_database(here)
        here.full()
        here.later(minutes=1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        in_peace(here)
        assert here.blocks(ghl_id)
        assert here.status(ADA) == "subscribed"


@pytest.mark.parametrize("act", ["edit", "unsubscribe", "tag"])
def test_what_happens_while_one_process_stands_still_and_another_takes_over_is_not_lost(
    database_url: str, act: str
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(ADA)
        acts: dict[str, Callable[[], object]] = {
            "edit": lambda: here.edit_subscriber(subscriber_id, LastName="King"),
            "unsubscribe": lambda: here.emailoctopus.unsubscribe(subscriber_id),
            "tag": lambda: here.emailoctopus.add_tags(subscriber_id, ["blog"]),
        }

        def meanwhile() -> None:
            here.later(seconds=40)
            acts[act]()
            here.sandbox.ghl.weather.faults = [Fault(kind="lost_answer", method="PUT")]
            reconcile(here.another_process(), Mode.INCREMENTAL)

        here.edit_person(ghl_id, firstName="Augusta")
        here.before_writing(meanwhile)
        here.reconcile()
        in_peace(here)
        row = here.in_ghl(ADA)
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == row["firstName"] == "Augusta"
        assert (row["lastName"] == "King") is (act == "edit")
        assert here.blocks(ghl_id) is (act == "unsubscribe")
        assert ("blog" in row["tags"]) is (act == "tag")


def test_an_exchange_with_somebody_who_leaves_the_scope_at_the_same_time(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_none=("stranger",))) as here:
        here.linked(ADA, first="Ada")
        here.linked(EVE, first="Eve")
        ada, eve = (str(here.in_ghl(one)["id"]) for one in (ADA, EVE))
        here.edit_person(ada, email=EVE)
        here.edit_person(eve, email=ADA)
        here.clock.advance(1)
        here.ghl.add_tags(ada, ["stranger"])
        here.later(minutes=1)
        here.reconcile()
        in_peace(here)
        links = {link.ghl_id: link.emailoctopus_id for link in links_of(here)}
        assert {
            here.people()[one]["email"]: here.subscribers()[other]["email_address"] for one, other in links.items()
        } == {
            ADA: ADA,
            EVE: EVE,
        }
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Eve"


def test_an_exchange_while_a_third_address_appears_that_a_listing_hides(database_url: str) -> None:
    with world(database_url) as here:
        adas, eves = here.subscriber(ADA, first="Ada"), here.subscriber(EVE, first="Eve")
        here.reconcile()
        ada, eve = (str(here.in_ghl(one)["id"]) for one in (ADA, EVE))
        here.later(minutes=1)
        here.edit_person(ada, email=EVE)
        here.edit_person(eve, email=ADA)
        here.clock.advance(1)
        here.emailoctopus.change_address(adas, KIM)
        weather = here.sandbox.emailoctopus.weather
        weather.short_listing, weather.short_total = 1.0, True
        here.later(minutes=1)
        here.reconcile()
        in_peace(here)
        check_no_duplicates(here, links_of(here))
        assert {adas, eves} <= here.subscribers().keys()


@pytest.mark.parametrize("method", ["", "PUT"])
@pytest.mark.parametrize("kind", ["drop", "error", "lost_answer"])
def test_a_namesakes_block_of_which_only_half_arrives_is_not_taken_for_an_opt_in(
    database_url: str, kind: Any, method: str
) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked(ADA)
        namesake = here.person(ADA, first="Namesake")
        here.later(minutes=1)
        here.reconcile()
        here.clock.advance(1)
        here.ghl.complain(namesake)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind=kind, method=method, status=503, times=100)]
        here.reconcile()
        assert here.blocks(ghl_id)
        in_peace(here)
        assert here.blocks(ghl_id)
        assert here.status(ADA) == "unsubscribed"

"""Contract, section 10: convergence, no lost update, no duplicates, nothing else; each in a world of its own."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sync_daemon.model.policy import FieldRule, ScopeRule, TagRule
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault, FaultKind
from tests.machine.laws import blocked, check_no_duplicates, links_of, tags_of
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world

ADA, BOB, EVE, KIM, ZOE = (f"{name}@example.com" for name in ("ada", "bob", "eve", "kim", "zoe"))
FAULTS: list[FaultKind] = ["error", "lost_answer", "truncate", "drop", "throttle"]


def settled(here: World, cycles: int = 5) -> None:
    """A bounded number of cycles, then nothing more is written."""
    here.settle(cycles)
    here.later(minutes=11)
    assert not here.full().written
    here.assert_quiet()


# L1: when the outside stays quiet, both sides become equal, except for what is counted and explained


def differences(here: World) -> Iterator[str]:
    """What differs between linked contacts, though nothing explains it."""
    people, subscribers = here.people(), here.subscribers()
    for link in links_of(here):
        ghl, row = people[link.ghl_id], subscribers[link.emailoctopus_id]
        for rule in here.pair.policy.fields:
            if (ghl.get(rule.ghl) or None) != (row["fields"].get(rule.emailoctopus) or None):
                yield f"{rule.key} of {row['email_address']}"
        if tags_of(ghl["tags"], "") != tags_of(row["tags"], ""):
            yield f"tags of {row['email_address']}"
        if ghl["email"].lower() != row["email_address"].lower():
            yield f"address of {row['email_address']}"
        if blocked(ghl) != (row["status"] == "unsubscribed") and not link.consent_held:
            yield f"consent of {row['email_address']}"


def unexplained(here: World) -> list[str]:
    """Contacts that have no link and no reason."""
    linked = {one for link in links_of(here) for one in (link.ghl_id, link.emailoctopus_id)}
    return [
        contact_id
        for system, rows in ((GHL, here.people()), (EMAILOCTOPUS, here.subscribers()))
        for contact_id in rows
        if contact_id not in linked and here.pair_store.contacts(system, [contact_id])[contact_id].unlinked is None
    ]


def test_two_populations_become_one_but_for_what_is_counted(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.sandbox.populate(Population(ghl=60, emailoctopus=50, shared=35))
        here.reconcile()
        settled(here)
        assert list(differences(here)) == []
        assert unexplained(here) == []
        totals = here.pair_store.totals()
        contacts = len(here.people()) + len(here.subscribers())
        assert 2 * totals.links + sum(totals.unlinked.values()) == contacts
        assert totals.parked == totals.held == totals.diverged == 0
        reasons = dict(totals.unlinked)
        assert set(reasons) <= {"no_email", "invalid_email", "duplicate", "suppressed", "pending"}


def everything_changes(here: World) -> None:
    """Somebody is busy in both systems at once, in different people's records and in the same."""
    ids = {address: (str(here.in_ghl(address)["id"]), str(here.in_emailoctopus(address)["id"])) for address in PEOPLE}
    here.edit_person(ids[ADA][0], firstName="Augusta")
    here.edit_subscriber(ids[ADA][1], LastName="King")
    here.ghl.add_tags(ids[BOB][0], ["vip"])
    here.emailoctopus.add_tags(ids[BOB][1], ["Blog"])
    here.emailoctopus.unsubscribe(ids[EVE][1])
    here.edit_person(ids[EVE][0], lastName="Adams")
    here.ghl.set_dnd(ids[KIM][0])
    here.emailoctopus.change_address(ids[ZOE][1], "zoë@example.org")
    here.edit_person(ids[ZOE][0], firstName="Zora")
    here.person("newcomer@example.com", first="New")
    here.subscriber("signup@example.com", first="Sign")
    here.clock.advance(1)


PEOPLE = (ADA, BOB, EVE, KIM, ZOE)


def busy(here: World) -> None:
    for address in PEOPLE:
        here.person(address, first=address.partition("@")[0].title(), tags=["old"])
    here.reconcile()
    everything_changes(here)


def assert_everything_arrived(here: World) -> None:
    """L3: every change that was made on one side only reached the other one."""
    people = {row["email"]: row for row in here.people().values()}
    rows = {row["email_address"]: row for row in here.subscribers().values()}
    assert (rows[ADA]["fields"]["FirstName"], people[ADA]["lastName"]) == ("Augusta", "King")
    assert sorted(tag.lower() for tag in rows[BOB]["tags"]) == sorted(people[BOB]["tags"]) == ["blog", "old", "vip"]
    assert blocked(people[EVE])
    assert rows[EVE]["fields"]["LastName"] == "Adams"
    assert rows[KIM]["status"] == "unsubscribed"
    assert people["zoë@example.org"]["firstName"] == rows["zoë@example.org"]["fields"]["FirstName"] == "Zora"
    assert rows["newcomer@example.com"]["fields"]["FirstName"] == "New"
    assert people["signup@example.com"]["firstName"] == "Sign"
    assert (len(people), len(rows)) == (7, 7)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_no_change_is_lost_and_both_sides_become_equal_whatever_the_weather(
    database_url: str, system: str, kind: FaultKind
) -> None:
    with world(database_url, sockets=True) as here:
        busy(here)
        weather = (here.sandbox.ghl if system == GHL else here.sandbox.emailoctopus).weather
        weather.faults = [Fault(kind=kind, status=503, after=after, times=1) for after in (1, 2, 3, 5, 8)]
        here.reconcile()
        weather.faults = []
        here.settle(6)
        assert_everything_arrived(here)
        assert list(differences(here)) == []
        check_no_duplicates(here, links_of(here))
        settled(here)


def test_no_change_is_lost_while_the_search_index_lags(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.sandbox.ghl.weather.index_lag_s = 90
        for address in PEOPLE:
            here.person(address, first=address.partition("@")[0].title(), tags=["old"])
        here.later(minutes=3)
        here.reconcile()
        everything_changes(here)
        for _ in range(6):
            here.reconcile()  # most of these see old documents
            here.later(seconds=40)
        settled(here)
        assert_everything_arrived(here)
        assert list(differences(here)) == []


def test_no_change_is_lost_when_a_system_is_down_for_days(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        busy(here)
        here.sandbox.emailoctopus.weather.error_rate = 1.0
        for _ in range(3):
            here.later(days=1)
            assert here.reconcile().outcome == "unreachable"
        here.sandbox.emailoctopus.weather.error_rate = 0.0
        here.reconcile()
        settled(here)
        assert_everything_arrived(here)


def test_a_change_that_can_not_be_written_is_listed(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        busy(here)
        here.sandbox.emailoctopus.weather.faults = [
            Fault(kind="error", method=method, status=422, times=100) for method in ("PUT", "POST")
        ]
        report = here.reconcile()
        assert report.outcome == "parked"
        listed = {entry.ghl_id for entry in here.pair_store.parked(everything=True)}
        expected = {str(here.in_ghl(one)["id"]) for one in (ADA, BOB, EVE, KIM, "newcomer@example.com")}
        assert expected <= listed
        here.sandbox.emailoctopus.weather.faults = []
        here.later(minutes=2)
        here.reconcile()
        settled(here)
        assert_everything_arrived(here)


def test_a_change_made_while_a_cycle_writes_is_not_lost(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ghl_id, subscriber_id = here.linked(tags=["old"])

        def meanwhile() -> None:
            here.edit_subscriber(subscriber_id, LastName="King")
            here.emailoctopus.add_tags(subscriber_id, ["blog"])
            here.ghl.add_tags(ghl_id, ["vip"])

        here.edit_person(ghl_id, firstName="Augusta")
        here.before_writing(meanwhile)
        here.reconcile()
        settled(here)
        assert (here.in_ghl(ADA)["lastName"], here.in_emailoctopus(ADA)["fields"]["FirstName"]) == ("King", "Augusta")
        assert sorted(here.in_ghl(ADA)["tags"]) == ["blog", "old", "vip"]
        assert list(differences(here)) == []


# L5: no duplicates


@pytest.mark.parametrize("kind", [*FAULTS, "html_error"])
@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_nobody_is_created_twice_when_the_answer_to_a_creation_fails(
    database_url: str, system: str, kind: FaultKind
) -> None:
    with world(database_url, sockets=True) as here:
        for address in PEOPLE:
            (here.subscriber if system == GHL else here.person)(address, first="Somebody")
        context = here.sandbox.ghl if system == GHL else here.sandbox.emailoctopus
        creation = "/contacts/$" if system == GHL else "/contacts$"
        context.weather.faults = [Fault(kind=kind, method="POST", path=creation, status=503, times=4)]
        here.reconcile()
        context.weather.faults = []
        here.settle()
        assert (len(here.people()), len(here.subscribers())) == (5, 5)
        check_no_duplicates(here, links_of(here))
        assert len(links_of(here)) == 5
        settled(here)


def test_a_creation_that_ghl_says_failed_though_it_did_not_is_not_repeated(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.ghl.quirks.create_fails_though_created = True
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        here.settle()
        assert len(here.people()) == 1
        assert [link.emailoctopus_id for link in links_of(here)] == [subscriber_id]
        settled(here)


@pytest.mark.parametrize("allowed", [True, False])
def test_one_address_in_both_systems_at_once_is_one_person_even_where_ghl_allows_duplicates(
    database_url: str, allowed: bool
) -> None:
    with world(database_url, sockets=True) as here:
        here.ghl.location.allow_duplicate_contact = allowed
        here.sandbox.ghl.weather.index_lag_s = 60  # the search doesn't know her yet
        here.reconcile()
        here.person(ADA, first="Ghl")
        here.subscriber(ADA, first="Octopus")
        for _ in range(4):
            here.reconcile()
            here.later(seconds=30)
        here.settle()
        here.later(minutes=11)
        here.full()
        assert len(here.subscribers()) == 1
        check_no_duplicates(here, links_of(here))
        if not allowed:
            assert len(here.people()) == 1


def test_two_runs_over_the_same_worlds_with_the_state_lost_between_them_create_nobody_twice(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.sandbox.populate(Population(ghl=30, emailoctopus=25, shared=15))
        here.reconcile()
        here.settle()
        before = (len(here.people()), len(here.subscribers()))
        fresh = here.store.open_pair("again", here.sandbox.location_id, here.sandbox.list_id)
        here.with_store(fresh)
        report = here.reconcile()
        assert {word for _, word in report.written} <= {"updated", "dnd_set"}
        here.settle()
        assert (len(here.people()), len(here.subscribers())) == before
        check_no_duplicates(here, links_of(here))


# L6: nothing else


ALLOWED_IN_GHL = {"locationId", "email", "firstName", "lastName", "tags", "dndSettings"}
ALLOWED_IN_EMAILOCTOPUS = {"id", "email_address", "fields", "tags", "status"}


def with_more(sandbox: Sandbox) -> None:
    """Fields on both sides that nobody maps, and neighbours: another list, another location."""
    add_field(sandbox, "Shoe", "text")
    sandbox.ghl.world.add_field("Plan", "TEXT")
    other = sandbox.emailoctopus.world.create_list("Another list")
    sandbox.emailoctopus.world.add(other.id, ADA, {})


def untouchable(here: World) -> dict[str, Any]:
    """Everything that no cycle may touch."""
    kept = ("city", "phone", "companyName", "source", "customFields", "type", "country")
    people = {
        row["email"]: ({name: row.get(name) for name in kept}, {tag for tag in row["tags"] if tag.startswith("x-")})
        for row in here.people().values()
    }
    mine = [row for row in here.subscribers().values() if row["list_id"] == here.sandbox.list_id]
    subscribers = {
        row["email_address"]: (row["fields"].get("Shoe"), {tag for tag in row["tags"] if tag.startswith("x-")})
        for row in mine
    }
    others = [row for row in here.subscribers().values() if row not in mine]
    return {"people": people, "subscribers": subscribers, "others": others}


def items(bodies: list[Any]) -> Iterator[dict[str, Any]]:
    """Each contact of each body, those of a batch one by one; bodies that define a tag are left out."""
    for body in bodies:
        if "tag" not in body:
            yield from body.get("contacts", [body])


def test_no_write_touches_a_field_a_tag_or_a_contact_outside_mapping_filter_and_scope(database_url: str) -> None:
    rules: dict[str, Any] = {
        "fields": NAMES,
        "tags": TagRule(exclude=("x-*",)),
        "scope": ScopeRule(tags_none=("stranger",)),
    }
    with world(database_url, sockets=True, prepare=with_more, **rules) as here:
        about: dict[str, Any] = {
            "city": "Turin",
            "phone": "+14155550100",
            "companyName": "Ltd",
            "custom": {"plan": "gold"},
        }
        ada = here.person(ADA, tags=["old", "x-secret"], **about)
        bob = here.person(BOB, first="Bob", tags=["stranger", "x-bob"], city="Oslo")
        adas = here.subscriber(ADA, first="Augusta", tags=["blog", "x-eo"], fields={"Shoe": "41"})
        here.subscriber(EVE, first="Eve", tags=["x-eve"], fields={"Shoe": "42"})
        before = untouchable(here)
        here.reconcile()
        here.edit_person(ada, lastName="King")
        here.edit_person(bob, lastName="Builder")
        here.edit_subscriber(adas, FirstName="Ada")
        here.emailoctopus.add_tags(adas, ["vip"])
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(adas)
        here.reconcile()
        here.settle()

        after = untouchable(here)
        assert after["people"].pop(EVE)[1] == set()  # created, without the tag that the filter leaves out
        assert after == before
        ghl, emailoctopus = list(items(here.bodies(GHL))), list(items(here.bodies(EMAILOCTOPUS)))
        assert ghl
        assert emailoctopus
        assert {key for item in ghl for key in item} <= ALLOWED_IN_GHL
        assert {key for item in emailoctopus for key in item} <= ALLOWED_IN_EMAILOCTOPUS
        assert {tag for item in emailoctopus for tag in item.get("fields", {})} <= {"FirstName", "LastName"}
        assert not any(tag.startswith("x-") for item in [*ghl, *emailoctopus] for tag in item.get("tags", ()))
        here.assert_quiet()


def test_no_request_is_about_another_list_or_location(database_url: str) -> None:
    with world(database_url, sockets=True, prepare=with_more) as here:
        here.sandbox.populate(Population(ghl=10, emailoctopus=10, shared=5))
        here.reconcile()
        here.settle()
        mine = f"/lists/{here.sandbox.list_id}"
        assert all(exchange.path.startswith(mine) for exchange in here.sandbox.emailoctopus.log.exchanges())
        bodies = [exchange.request for exchange in here.sandbox.ghl.log.exchanges() if exchange.request]
        assert {body["locationId"] for body in bodies if "locationId" in body} == {here.sandbox.location_id}
        here.assert_quiet()


def test_tags_of_an_existing_ghl_contact_are_never_replaced_as_an_array(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        busy(here)
        here.reconcile()
        here.settle()
        puts = [one for one in here.sandbox.ghl.log.exchanges() if one.method == "PUT"]
        assert puts
        assert not any("tags" in (one.request or {}) for one in puts)


def test_what_a_field_rule_names_is_all_that_is_read_into_the_other_side(database_url: str) -> None:
    with world(database_url, sockets=True, fields=(FieldRule("lastName", "LastName"),)) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, FirstName="Somebody")
        assert not here.reconcile().written
        here.assert_quiet()
        assert Counter(row["fields"].get("FirstName") for row in here.subscribers().values()) == {"Somebody": 1}

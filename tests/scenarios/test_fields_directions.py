"""Contract, section 2: narrowed directions, blanks, fields that a schema lost, and a mapping that gains one."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import Blanks, ConflictRule, Direction, FieldRule
from sync_daemon.sandbox.server import Sandbox
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world

TO_EMAILOCTOPUS = (FieldRule("lastName", "LastName", direction=Direction.TO_EMAILOCTOPUS),)
TO_GHL = (FieldRule("lastName", "LastName", direction=Direction.TO_GHL),)
CITY = FieldRule("city", "City")
PLAN = FieldRule("custom.plan", "Plan")
EMAILOCTOPUS_PLAN = FieldRule("custom.plan", "Plan", conflict=ConflictRule.EMAILOCTOPUS)


def ghl_last(here: World) -> str | None:
    return here.in_ghl("ada@example.com").get("lastName") or None


def emailoctopus_last(here: World) -> str | None:
    name: str | None = here.in_emailoctopus("ada@example.com")["fields"].get("LastName")
    return name


def with_city(sandbox: Sandbox) -> None:
    add_field(sandbox, "City", "text")


def with_plan(sandbox: Sandbox) -> None:
    add_field(sandbox, "Plan", "text")
    sandbox.ghl.world.add_field("Plan", "TEXT")


def test_a_change_against_its_direction_is_left_alone_until_the_leading_side_changes(database_url: str) -> None:
    with world(database_url, fields=TO_EMAILOCTOPUS) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, LastName="Byron")
        report = here.reconcile()
        assert (report.diverged, report.conflicts, dict(report.written)) == (1, 0, {})
        assert here.full().diverged == 1
        assert here.assert_quiet().diverged == 1
        assert (ghl_last(here), emailoctopus_last(here)) == ("Lovelace", "Byron")
        here.edit_person(ghl_id, lastName="King")
        here.emailoctopus.add_tags(subscriber_id, ["seen"])
        # The baseline moved with the divergence, so this isn't a conflict.
        report = here.reconcile()
        assert (report.diverged, report.conflicts) == (0, 0)
        assert emailoctopus_last(here) == "King"
        here.assert_quiet()


def test_a_field_that_only_emailoctopus_leads_ignores_ghl_until_it_changes(database_url: str) -> None:
    with world(database_url, fields=TO_GHL) as here:
        here.subscriber("ada@example.com")
        here.reconcile()
        ghl_id, subscriber_id = ids(here)
        here.edit_person(ghl_id, lastName="King")
        assert here.reconcile().diverged == 1
        assert emailoctopus_last(here) == "Lovelace"
        here.edit_subscriber(subscriber_id, LastName="Byron")
        assert here.reconcile().diverged == 0
        assert ghl_last(here) == "Byron"
        here.assert_quiet()


def test_a_blank_from_emailoctopus_never_erases_ghl(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, LastName=None)
        report = here.reconcile()
        assert (report.diverged, dict(report.written)) == (1, {})
        here.full()
        assert here.assert_quiet().diverged == 1
        assert (ghl_last(here), emailoctopus_last(here)) == ("Lovelace", None)
        here.edit_person(ghl_id, lastName="King")
        assert here.reconcile().diverged == 0
        assert emailoctopus_last(here) == "King"
        here.assert_quiet()


def test_a_blank_from_emailoctopus_erases_ghl_where_the_field_propagates_blanks(database_url: str) -> None:
    with world(database_url, fields=(FieldRule("lastName", "LastName", blanks=Blanks.PROPAGATE),)) as here:
        _, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, LastName=None)
        assert here.reconcile().diverged == 0
        assert (ghl_last(here), emailoctopus_last(here)) == (None, None)
        here.assert_quiet()


@pytest.mark.parametrize("empty_string", ["cleared", "stored", "refused"])
def test_a_blank_from_ghl_clears_emailoctopus(database_url: str, empty_string: str) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.empty_string = empty_string
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, lastName=None)
        here.reconcile()
        assert emailoctopus_last(here) is None
        assert here.in_emailoctopus("ada@example.com")["fields"] == {"FirstName": "Ada"}
        here.assert_quiet()


@pytest.mark.parametrize("wins", list(ConflictRule))
def test_in_a_conflict_a_blank_that_stays_behind_loses(database_url: str, wins: ConflictRule) -> None:
    with world(database_url, fields=(FieldRule("lastName", "LastName", conflict=wins),)) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, lastName="King")
        here.edit_subscriber(subscriber_id, LastName=None)
        here.reconcile()
        assert (ghl_last(here), emailoctopus_last(here)) == ("King", "King")
        here.assert_quiet()


def lose_in_emailoctopus(here: World) -> None:
    here.later(minutes=1)
    here.emailoctopus.delete_field(here.sandbox.list_id, "Plan")


def lose_in_ghl(here: World) -> None:
    here.later(minutes=1)
    here.ghl.delete_field(next(iter(here.ghl.location.custom_fields)))


@pytest.mark.parametrize("lose", [lose_in_emailoctopus, lose_in_ghl])
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_field_that_its_schema_lost_is_suspended_and_the_pair_goes_on(
    database_url: str, lose: Callable[[World], None], mode: str
) -> None:
    rule = FieldRule("custom.plan", "Plan", blanks=Blanks.PROPAGATE)
    with world(database_url, fields=(*NAMES, rule), prepare=with_plan) as here, capture_logs() as logs:
        ghl_id, subscriber_id = here.linked(custom={"plan": "gold"})
        lose(here)
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        report = here.full() if mode == "full" else here.reconcile()
        assert report.parked == 0
        assert [entry["field"] for entry in logs if entry["event"] == "field_suspended"][:1] == [rule.key]
        assert ghl_last(here) == "King"
        assert here.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Augusta"
        plan_in_ghl = [entry["value"] for entry in here.in_ghl("ada@example.com")["customFields"]]
        plan_in_emailoctopus = here.in_emailoctopus("ada@example.com")["fields"].get("Plan")
        # The side that still has the field keeps its value.
        assert (plan_in_ghl if lose is lose_in_emailoctopus else plan_in_emailoctopus) in ("gold", ["gold"])
        here.assert_quiet()


def test_the_baselines_of_a_suspended_field_are_kept(database_url: str) -> None:
    with world(database_url, fields=(*NAMES, PLAN), prepare=with_plan) as here:
        here.emailoctopus.quirks.deleted_field_keeps_values = True
        ghl_id, _ = here.linked(custom={"plan": "gold"})
        lose_in_emailoctopus(here)
        here.edit_person(ghl_id, custom={"plan": "silver"})
        here.full()
        with_field_again(here)
        # Not a first meeting, and so no conflict: only GHL changed since the two last agreed.
        report = here.full()
        assert (report.conflicts, here.in_emailoctopus("ada@example.com")["fields"]["Plan"]) == (0, "silver")
        here.assert_quiet()


def test_a_blank_of_a_field_that_its_schema_lost_is_no_change(database_url: str) -> None:
    with world(database_url, fields=(*NAMES, EMAILOCTOPUS_PLAN), prepare=with_plan) as here:
        here.emailoctopus.quirks.deleted_field_keeps_values = True
        ghl_id, subscriber_id = here.linked(custom={"plan": "gold"})
        lose_in_emailoctopus(here)
        here.edit_subscriber(subscriber_id, LastName="King")  # shows the contact without the field
        report = here.reconcile()
        assert (ghl_last(here), report.diverged) == ("King", 0)
        here.edit_person(ghl_id, custom={"plan": "silver"})
        here.full()
        with_field_again(here)
        # Only GHL changed since the two last agreed, so its value travels although EmailOctopus wins conflicts.
        report = here.full()
        assert (report.conflicts, here.in_emailoctopus("ada@example.com")["fields"]["Plan"]) == (0, "silver")
        here.assert_quiet()


def with_field_again(here: World) -> None:
    here.later(minutes=1)
    add_field(here.sandbox, "Plan", "text")


def test_a_field_that_the_mapping_gained_meets_at_the_next_full_scan(database_url: str) -> None:
    with world(database_url, prepare=with_city) as here:
        ada, ada_there = here.linked("ada@example.com", city="Turin")
        here.linked("bob@example.com", city="Bern")
        eve, eve_there = here.linked("eve@example.com", city="Rome")
        here.edit_subscriber(ada_there, City="London")
        kim = here.in_emailoctopus("bob@example.com")["id"]
        here.reconcile()
        here.with_policy(fields=(*NAMES, CITY))
        here.forget_requests()
        here.edit_person(ada, firstName="Augusta")
        here.edit_person(eve, firstName="Evelyn")
        here.edit_subscriber(eve_there, FirstName="Evelyn")
        assert here.reconcile().conflicts == 0
        assert here.bodies(EMAILOCTOPUS) == [{"fields": {"FirstName": "Augusta"}}]
        report = here.full()
        # Two values meet: GHL's policy decides and the loss is a conflict. A blank always loses, without one.
        assert report.conflicts == 1
        cities = {row["email_address"]: row["fields"].get("City") for row in here.subscribers().values()}
        assert cities == {"ada@example.com": "Turin", "bob@example.com": "Bern", "eve@example.com": "Rome"}
        here.edit_subscriber(kim, City="Basel")
        here.reconcile()
        assert here.in_ghl("bob@example.com")["city"] == "Basel"
        here.assert_quiet()


def test_a_blank_in_ghl_loses_when_a_gained_field_meets(database_url: str) -> None:
    with world(database_url, prepare=with_city) as here:
        _, subscriber_id = here.linked()
        here.edit_subscriber(subscriber_id, City="London")
        here.with_policy(fields=(*NAMES, CITY))
        report = here.full()
        assert (report.conflicts, here.in_ghl("ada@example.com")["city"]) == (0, "London")
        here.assert_quiet()


@pytest.mark.parametrize(("direction", "city"), [(Direction.TO_EMAILOCTOPUS, "Turin"), (Direction.TO_GHL, "London")])
def test_a_gained_field_of_one_direction_follows_its_leading_side(
    database_url: str, direction: Direction, city: str
) -> None:
    with world(database_url, prepare=with_city) as here:
        _, subscriber_id = here.linked(city="Turin")
        here.edit_subscriber(subscriber_id, City="London")
        here.with_policy(fields=(*NAMES, FieldRule("city", "City", direction=direction)))
        assert here.full().conflicts == 1
        assert here.in_ghl("ada@example.com")["city"] == city
        assert here.in_emailoctopus("ada@example.com")["fields"]["City"] == city
        here.assert_quiet()


def test_a_mapping_that_lost_a_field_writes_it_no_more(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.with_policy(fields=NAMES[:1])
        here.edit_person(ghl_id, firstName="Augusta", lastName="King")
        here.full()
        assert here.bodies(EMAILOCTOPUS) == [{"fields": {"FirstName": "Augusta"}}]
        here.assert_quiet()


def ids(here: World) -> tuple[str, str]:
    [link] = here.pair_store.links(ghl=list(here.people()))
    return link.id_in(GHL), link.id_in(EMAILOCTOPUS)

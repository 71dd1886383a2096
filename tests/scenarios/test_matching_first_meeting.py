"""Contract, section 3: two records that both existed before meet for the first time."""

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import ConflictRule, Direction, FieldRule
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
LAST = FieldRule("lastName", "LastName")


def both(here: World, ghl: str, emailoctopus: str) -> None:
    """The same person in both systems with two first names; the blank one is left out."""
    here.person(ADA, first=ghl)
    here.subscriber(ADA, first=emailoctopus)


def first_names(here: World) -> tuple[str | None, str | None]:
    return here.in_ghl(ADA).get("firstName"), here.in_emailoctopus(ADA)["fields"].get("FirstName")


@pytest.mark.parametrize(
    ("direction", "outcome"),
    [(Direction.TO_EMAILOCTOPUS, "Ghl"), (Direction.TO_GHL, "Octopus"), (Direction.BOTH, "Ghl")],
)
def test_a_field_of_one_direction_follows_its_leading_side(
    database_url: str, direction: Direction, outcome: str
) -> None:
    with world(database_url, fields=(FieldRule("firstName", "FirstName", direction=direction),)) as here:
        both(here, "Ghl", "Octopus")
        here.reconcile()
        assert first_names(here) == (outcome, outcome)
        here.assert_quiet()


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [(ConflictRule.GHL, "Ghl"), (ConflictRule.EMAILOCTOPUS, "Octopus"), (ConflictRule.NEWEST, "Ghl")],
)
def test_a_field_with_a_conflict_policy_follows_it_and_newest_is_as_ghl(
    database_url: str, rule: ConflictRule, outcome: str
) -> None:
    with world(database_url, fields=(FieldRule("firstName", "FirstName", conflict=rule),)) as here:
        both(here, "Ghl", "Octopus")  # EmailOctopus's record is the newer one
        here.reconcile()
        assert first_names(here) == (outcome, outcome)
        here.assert_quiet()


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize(("ghl", "emailoctopus"), [("", "Octopus"), ("Ghl", "")])
def test_a_blank_always_loses(database_url: str, rule: ConflictRule, ghl: str, emailoctopus: str) -> None:
    with world(database_url, fields=(FieldRule("firstName", "FirstName", conflict=rule), LAST)) as here:
        both(here, ghl, emailoctopus)
        report = here.reconcile()
        assert first_names(here) == (ghl or emailoctopus, ghl or emailoctopus)
        assert report.conflicts == 0  # nothing was replaced
        here.assert_quiet()


@pytest.mark.parametrize(
    ("direction", "ghl", "emailoctopus"),
    [(Direction.TO_EMAILOCTOPUS, "", "Octopus"), (Direction.TO_GHL, "Ghl", "")],
)
def test_a_blank_loses_on_the_leading_side_too(
    database_url: str, direction: Direction, ghl: str, emailoctopus: str
) -> None:
    rule = FieldRule("firstName", "FirstName", direction=direction)
    with world(database_url, fields=(rule, LAST)) as here:
        both(here, ghl, emailoctopus)
        here.reconcile()
        assert (ghl or emailoctopus) in first_names(here)  # what the follower has isn't erased
        here.assert_quiet()


def test_tags_are_united(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["vip", "both"])
        here.subscriber(ADA, tags=["News", "Both"])
        here.reconcile()
        assert sorted(here.in_ghl(ADA)["tags"]) == ["both", "news", "vip"]
        assert sorted(tag.lower() for tag in here.in_emailoctopus(ADA)["tags"]) == ["both", "news", "vip"]
        here.assert_quiet()


@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_consent_is_the_stricter(database_url: str, revoked_in: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.person(ADA), here.subscriber(ADA)
        if revoked_in == GHL:
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        here.assert_quiet()


def test_each_replaced_value_is_logged_as_a_conflict_counted_in_the_plan_and_recorded(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        here.person(ADA, first="Ghl", last="Ghl")
        here.subscriber(ADA, first="Octopus", last="Octopus")
        assert here.plan().conflicts == 2
        assert here.reconcile().conflicts == 2
        lines = [entry for entry in logs if entry["event"] == "conflict"]
        assert {(line["field"], line["winner"]) for line in lines} == {
            ("firstName=FirstName", GHL),
            ("lastName=LastName", GHL),
        }
        assert all(line["ghl_at"] < line["emailoctopus_at"] for line in lines)
        assert "Ghl" not in str(lines)
        assert here.assert_quiet().conflicts == 0


def test_two_records_that_are_equal_already_meet_without_a_write(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["vip"])
        subscriber_id = here.subscriber(ADA, tags=["VIP"])
        report = here.reconcile()
        assert (dict(report.written), report.conflicts) == ({}, 0)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")  # from here on they have baselines
        assert here.reconcile().conflicts == 0
        assert first_names(here) == ("Augusta", "Augusta")
        here.assert_quiet()


def test_somebody_who_turns_up_in_both_systems_between_two_cycles_meets(database_url: str) -> None:
    with world(database_url) as here:
        here.reconcile()
        both(here, "Ghl", "Octopus")
        report = here.reconcile()
        assert report.conflicts == 1
        assert first_names(here) == ("Ghl", "Ghl")
        assert (len(here.people()), len(here.subscribers())) == (1, 1)
        here.assert_quiet()


def test_somebody_who_turns_up_in_the_second_system_later_meets_and_is_not_created_twice(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        here.person(ADA, first="Ghl")
        here.reconcile()
        here.subscriber(ADA, first="Octopus")
        assert here.reconcile().conflicts == 1
        assert first_names(here) == ("Ghl", "Ghl")
        assert (len(here.people()), len(here.subscribers())) == (1, 1)
        here.assert_quiet()

"""`explain`: what it says of each state somebody can be in, and that the next cycle does exactly what it foretold."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.errors import Unreachable
from sync_daemon.model.explanation import Seen, State
from sync_daemon.model.plan import Action, MassChange
from sync_daemon.model.policy import (
    AddressChange,
    ConflictRule,
    Direction,
    FieldRule,
    GuardLimits,
    OnLeaveScope,
    ScopeRule,
)
from sync_daemon.model.report import Mode
from sync_daemon.model.state import Cause
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.store.engine import reading
from sync_daemon.store.tables import metadata
from tests.explained import (
    comes_true,
    explained,
    foretold_lines,
    ids_of,
    lines_of,
    logged,
    next_of,
    only,
    states,
    words,
)
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, neighbours, world

ADA = "ada@example.com"


def rows(here: World) -> dict[str, list[object]]:
    """Everything the store holds, that nothing may be left in it."""
    with reading(here.engine) as connection:
        return {
            name: [tuple(row) for row in connection.execute(table.select())] for name, table in metadata.tables.items()
        }


def verdict(here: World, key: str = "firstName=FirstName") -> str:
    return next(row.verdict for row in only(here, ADA).fields if row.rule.key == key)


# equal, and what it costs


def test_somebody_equal_on_both_sides_waits_for_nothing(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked(tags=["vip"])
        neighbours(here)
        before = rows(here)

        for asked in (ADA, " ADA@Example.com".strip(), ghl_id, emailoctopus_id):
            person = only(here, asked)
            assert states(person) == {State.EQUAL}
            assert [one.contact_id for one in person.contacts] == [ghl_id, emailoctopus_id]
            assert all(row.verdict == "as agreed on both sides" for row in person.fields)
            assert [set(row.seen.values()) for row in person.fields] == [{Seen.AGREED}] * 2
            assert person.fields[0].values == {GHL: "Ada", EMAILOCTOPUS: "Ada"}
            assert [(tag.name, tag.verdict) for tag in person.tags] == [("vip", "both have it")]
            assert person.full_scan is None
            assert next_of(person).does_nothing
            assert here.requests(GHL) == [("GET", f"/contacts/{ghl_id}"), ("POST", "/contacts/search")]
            assert here.requests(EMAILOCTOPUS) == [("GET", f"/lists/{here.sandbox.list_id}/contacts/{emailoctopus_id}")]

        assert rows(here) == before, "nothing is left in the store"


def test_nobody_is_nobody(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        for asked in ("eve@example.com", "nobody", "00000000-0000-0000-0000-000000000000"):
            assert explained(here, asked).persons == ()


def test_who_was_just_made_is_told_before_any_cycle_saw_him(database_url: str) -> None:
    with world(database_url) as here:
        here.linked("bob@example.com")
        here.later(minutes=1)
        here.person(ADA)

        person = comes_true(here, ADA)

        assert states(person) == {State.NEW, State.WAITING}
        assert [one.action for one in next_of(person).operations] == [Action.CREATE]


# fields


def test_a_change_on_one_side_goes_to_the_other(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(emailoctopus_id, LastName="King")

        person = comes_true(here, ADA)

        first, last = person.fields
        assert first.verdict == "firstName changed in GoHighLevel: its value goes to EmailOctopus"
        assert (first.seen[GHL], first.seen[EMAILOCTOPUS], first.writes) == (Seen.CHANGED, Seen.AGREED, EMAILOCTOPUS)
        assert last.verdict == "LastName changed in EmailOctopus: its value goes to GoHighLevel"
        assert states(person) == {State.WAITING}
        assert states(only(here, ADA)) == {State.EQUAL}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (FieldRule("firstName", "FirstName"), "conflict: ghl"),
        (FieldRule("firstName", "FirstName", conflict=ConflictRule.EMAILOCTOPUS), "conflict: emailoctopus"),
        (FieldRule("firstName", "FirstName", conflict=ConflictRule.NEWEST), "conflict: newest, EmailOctopus's is"),
        (FieldRule("firstName", "FirstName", Direction.TO_EMAILOCTOPUS), "direction to_emailoctopus"),
    ],
)
def test_a_conflict_names_the_rule_that_decides(database_url: str, rule: FieldRule, said: str) -> None:
    with world(database_url, fields=(rule,)) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.edit_person(ghl_id, firstName="Augusta")
        here.later(seconds=5)
        here.edit_subscriber(emailoctopus_id, FirstName="Byron")

        person = comes_true(here, ADA)

        assert states(person) == {State.CONFLICT, State.WAITING}
        assert said in words(person, State.CONFLICT)
        (conflict,) = next_of(person).logged("conflict")
        assert "GoHighLevel at 2026-01-05T" in conflict.reason
        assert "EmailOctopus at 2026-01-05T" in conflict.reason


def test_what_is_left_different_on_purpose_says_why(database_url: str) -> None:
    fields = (FieldRule("firstName", "FirstName", Direction.TO_EMAILOCTOPUS), FieldRule("lastName", "LastName"))
    with world(database_url, fields=fields) as here:
        _, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.edit_subscriber(emailoctopus_id, FirstName="Byron", LastName="")
        assert "left different on purpose: direction to_emailoctopus" in verdict(here)
        comes_true(here, ADA)

        person = only(here, ADA)

        assert states(person) == {State.DIVERGED}
        assert "firstName=FirstName, lastName=LastName" in words(person, State.DIVERGED)
        assert "overwritten when GoHighLevel changes it" in verdict(here)
        assert "erases nothing (blanks: keep)" in verdict(here, "lastName=LastName")
        assert next_of(person).does_nothing


def test_a_field_that_an_account_lost_is_suspended(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        here.emailoctopus.delete_field(here.sandbox.list_id, "LastName")
        here.later(minutes=11)
        here.full()

        person = comes_true(here, ADA)

        assert states(person) == {State.SUSPENDED}
        assert "lastName=LastName" in words(person, State.SUSPENDED)


def test_a_field_that_the_mapping_gained_meets_in_the_next_full_scan(database_url: str) -> None:
    with world(database_url, fields=NAMES[:1]) as here:
        here.linked(last="Lovelace")
        here.with_policy(fields=NAMES)
        here.later(minutes=11)

        person = comes_true(here, ADA)

        assert "next full scan" in person.fields[1].verdict
        assert next_of(person).does_nothing
        assert person.full_scan is not None
        assert lines_of(person.full_scan.operations) == {("emailoctopus", "LastName", "only GoHighLevel has lastName")}
        comes_true(here, ADA, Mode.FULL)


def test_tags_say_who_gets_and_who_loses_them(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked(tags=["old", "stays"])
        here.later(minutes=11)
        here.edit_person(ghl_id, tags=["stays", "new"])
        here.emailoctopus.add_tags(emailoctopus_id, ["there"])

        person = comes_true(here, ADA)

        assert {tag.name: tag.verdict for tag in person.tags} == {
            "new": "added in GoHighLevel: EmailOctopus gets it",
            "old": "removed in GoHighLevel: EmailOctopus loses it",
            "stays": "both have it",
            "there": "added in EmailOctopus: GoHighLevel gets it",
        }


# who has no partner


@pytest.mark.parametrize(("email", "state"), [(None, State.NO_EMAIL), ("not an address", State.INVALID_EMAIL)])
def test_without_an_address_that_could_be_one(database_url: str, email: str | None, state: State) -> None:
    with world(database_url) as here:
        here.linked()
        here.later(minutes=11)
        ghl_id = here.person(email)
        person = comes_true(here, ghl_id)
        assert [one.reason.split(":")[0] for one in next_of(person).logged("skipped")] == [str(state)]

        person = comes_true(here, ghl_id)

        assert states(person) == {state}
        assert "it is taken up when" in words(person, state)
        here.edit_person(ghl_id, lastName="Byron")
        here.reconcile()
        assert [one.change.reason.split(":")[0] for one in only(here, ghl_id).history] == [str(state)], "said once"


def test_a_duplicate_belongs_to_the_case_of_who_has_the_link(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        other = here.person(ADA, "Ada", "Again")
        assert State.NEW in states(only(here, other))
        comes_true(here, other)

        person = comes_true(here, ADA)

        assert states(person) == {State.DUPLICATE}
        assert ghl_id in words(person, State.DUPLICATE)
        assert ids_of(person) == {ghl_id, emailoctopus_id, other}
        assert [one.role for one in person.contacts if one.contact_id == other] == ["duplicate"]
        assert only(here, other) == replace(person)


def test_out_of_scope(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_any=("customer",))) as here:
        here.linked("bob@example.com", tags=["customer"])
        here.later(minutes=11)
        ghl_id = here.person(ADA)
        comes_true(here, ADA)

        person = comes_true(here, ghl_id)

        assert states(person) == {State.OUT_OF_SCOPE}
        assert person.scope is not None
        assert (person.scope.inside, person.scope.verdict) == (False, "it doesn't satisfy scope.tags_any")


def test_leaving_the_scope_says_what_the_policy_does(database_url: str) -> None:
    scope = ScopeRule(tags_any=("customer",))
    with world(database_url, scope=scope, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id, _ = here.linked(tags=["customer"])
        here.later(minutes=11)
        here.edit_person(ghl_id, tags=[])

        person = comes_true(here, ADA)

        assert person.scope is not None
        assert person.scope.verdict.endswith("it leaves now: on_leave_scope: unsubscribe")
        assert all("out of scope" in row.verdict for row in person.fields)
        later = only(here, ADA)
        assert State.OUT_OF_SCOPE in states(later)
        assert later.consent is not None
        assert later.consent.cause is Cause.POLICY
        assert ("None", "reported scope", "left the scope") in logged(here, here.reports[-1].run_id, ids_of(later))


def test_suppressed_and_pending(database_url: str) -> None:
    with world(database_url) as here:
        here.linked("bob@example.com")
        here.later(minutes=11)
        here.subscriber(ADA, status="unsubscribed")
        here.subscriber("eve@example.com", status="pending")
        assert [one.reason.split(":")[0] for one in next_of(comes_true(here, ADA)).logged("skipped")] == ["suppressed"]

        assert states(comes_true(here, ADA)) == {State.SUPPRESSED, State.REVOKED}
        assert states(comes_true(here, "eve@example.com")) == {State.PENDING}


def test_who_was_forgotten_is_said_to_be_and_takes_no_part(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.linked("bob@example.com")
        with here.pair.lease.held():
            here.pair_store.forget(here.pair.digester.address(ADA), holder=here.pair.lease.holds)
        here.later(minutes=11)
        here.edit_person(ghl_id, firstName="Augusta")

        for asked in (ADA, ghl_id, emailoctopus_id):
            persons = explained(here, asked).persons
            assert {state for one in persons for state in states(one)} == {State.FORGOTTEN}
            assert {one.contact_id for person in persons for one in person.contacts} <= {ghl_id, emailoctopus_id}
        assert not here.reconcile().written
        here.ghl.delete(ghl_id)
        assert [states(one) for one in explained(here, ghl_id).persons] == [{State.FORGOTTEN}]


def test_creation_that_is_off(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        here.person("bob@example.com")
        here.reconcile()
        here.later(minutes=11)
        here.person(ADA)
        comes_true(here, ADA)

        assert states(comes_true(here, ADA)) == {State.CREATION_OFF}


def test_an_additional_address_is_nobodys(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person("bob@example.com")
        here.ghl.add_email(ghl_id, ADA)
        here.reconcile()
        here.later(minutes=11)
        emailoctopus_id = here.subscriber(ADA)
        comes_true(here, emailoctopus_id)

        bob, ada = explained(here, ADA).persons

        assert states(bob) == {State.EQUAL}
        assert ghl_id in ids_of(bob)
        assert states(ada) == {State.ADDITIONAL_ADDRESS}
        assert ids_of(ada) == {emailoctopus_id}


# parked and held


def test_a_parked_field_says_why_and_when_it_is_tried_again(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.later(minutes=11)
        here.edit_person(ghl_id, firstName="Augusta")
        here.fault(EMAILOCTOPUS, kind="error", method="PUT", status=422)
        here.reconcile()

        person = comes_true(here, ADA)

        assert State.PARKED in states(person)
        (entry,) = person.parked
        assert f"`parked retry {entry.id}`" in words(person, State.PARKED)
        assert person.fields[0].verdict.startswith("parked: ")
        assert next_of(person).operations == ()
        here.later(minutes=2)
        assert lines_of(next_of(comes_true(here, ADA)).operations) == {
            ("emailoctopus", "FirstName", "firstName changed in GoHighLevel")
        }
        settled = only(here, ADA)
        assert states(settled) == {State.EQUAL}
        assert "settled" in {one.change.kind for one in settled.history}


def test_a_parked_creation(database_url: str) -> None:
    with world(database_url) as here:
        here.linked("bob@example.com")
        here.later(minutes=11)
        here.person(ADA)
        here.fault(EMAILOCTOPUS, kind="error", method="POST", path="/contacts$", status=422)
        here.reconcile()

        person = comes_true(here, ADA)

        assert states(person) == {State.PARKED}
        assert words(person, State.PARKED).startswith("creation: ")
        assert next_of(person).does_nothing
        here.later(minutes=2)
        assert [one.action for one in next_of(comes_true(here, ADA)).operations] == [Action.CREATE]


def test_a_held_deletion_says_what_is_to_be_said(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(0, 1)) as here:
        ghl_id, emailoctopus_id = here.linked()
        others = neighbours(here, 8)
        here.later(minutes=11)
        for one, _ in [(ghl_id, ""), *others[:2]]:
            here.ghl.delete(one)
        here.full()

        person = comes_true(here, emailoctopus_id)

        assert {State.HELD, State.MISSING} <= states(person)
        (entry,) = person.held
        assert entry.action == MassChange.DELETION
        assert f"`held approve {entry.id}`" in words(person, State.HELD)
        assert next_of(person).operations == ()
        assert entry.id is not None
        here.pair_store.order_held([entry.id], approve=True)
        person = comes_true(here, emailoctopus_id)
        assert "approved by a person" in words(person, State.HELD)
        assert [(one.action, one.consent) for one in next_of(person).operations] == [
            (Action.SET_STATUS, Consent.REVOKED)
        ]


def test_a_deletion_is_foretold_for_the_next_full_scan_and_leaves_a_tombstone(database_url: str) -> None:
    # A fifth of all links, which the copy of one person's rows doesn't have.
    with world(database_url, guard=GuardLimits(20, 0)) as here:
        ghl_id, emailoctopus_id = here.linked()
        neighbours(here, 5)
        here.later(minutes=11)
        here.ghl.delete(ghl_id)

        person = comes_true(here, ADA)

        assert State.MISSING in states(person)
        assert next_of(person).does_nothing
        assert person.full_scan is not None
        assert [one.action for one in person.full_scan.operations] == [Action.SET_STATUS]
        comes_true(here, ADA, Mode.FULL)
        persons = explained(here, ADA).persons
        assert {State.TOMBSTONE, State.ORPHAN} <= {one for person in persons for one in states(person)}
        assert any(ids_of(person) == {emailoctopus_id} for person in persons)
        (gone,) = [one for one in explained(here, ghl_id).persons if ghl_id in ids_of(one)]
        assert {State.DELETED, State.TOMBSTONE} <= states(gone)
        assert "deleted in GoHighLevel: unsubscribe" in words(gone, State.TOMBSTONE)


@pytest.mark.parametrize("system", list(SystemName))
def test_a_change_for_a_contact_that_doesn_t_exist_any_more_is_parked(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        if system is GHL:
            here.edit_subscriber(emailoctopus_id, FirstName="Augusta")
            here.ghl.delete(ghl_id)
        else:
            here.edit_person(ghl_id, firstName="Augusta")
            here.emailoctopus.delete(emailoctopus_id)

        person = comes_true(here, emailoctopus_id)

        assert next_of(person).operations == ()
        assert [one.what for one in next_of(person).logged("parked")] == ["firstName=FirstName"]


def test_a_held_address(database_url: str) -> None:
    with world(database_url, double_opt_in=True, address_change=AddressChange.HOLD) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.emailoctopus.confirm(emailoctopus_id)
        here.later(minutes=11)
        here.reconcile()
        here.later(minutes=11)
        here.edit_person(ghl_id, email="ada@lovelace.example")
        comes_true(here, ghl_id)

        person = comes_true(here, "ada@lovelace.example")

        assert State.HELD in states(person)
        assert person.address is not None
        assert person.address.seen[GHL] is Seen.CHANGED
        assert person.address.values == {GHL: "ada@lovelace.example", EMAILOCTOPUS: ADA}
        assert next_of(person).operations == ()


def test_a_changed_address_is_found_by_both(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.edit_person(ghl_id, email="ada@lovelace.example")

        for asked in (ADA, "ada@lovelace.example", ghl_id):
            person = only(here, asked)
            assert ids_of(person) == {ghl_id, emailoctopus_id}
            assert lines_of(next_of(person).operations) == {
                ("emailoctopus", "address", "address changed in GoHighLevel")
            }
        comes_true(here, ADA)


# consent


def test_a_revocation_is_foretold_with_its_reason_and_remembered_with_its_cause(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.emailoctopus.unsubscribe(emailoctopus_id)
        person = comes_true(here, ADA)
        assert person.consent is not None
        assert person.consent.verdict == "unsubscribed in EmailOctopus: revoked wins"
        assert lines_of(next_of(person).operations) == {
            ("ghl", "set_dnd", "unsubscribed in EmailOctopus: revoked wins")
        }

        person = comes_true(here, ghl_id)

        assert states(person) == {State.REVOKED}
        consent = person.consent
        assert consent is not None
        assert (consent.cause, consent.remembered) == (Cause.PERSON_EMAILOCTOPUS,) * 2
        assert consent.dnd_by_us
        assert {one.change.reason.split(":")[0] for one in person.history if one.change.kind == "consent"} == {
            "person_emailoctopus"
        }


def test_who_gets_a_revoked_address_is_blocked_before_he_meets_its_subscriber(database_url: str) -> None:
    """GHL's search tells no DND of who has none, so that a poll sends his revocation before anything is linked."""
    with world(database_url) as here:
        here.linked("bob@example.com", "Bob")
        ghl_id, emailoctopus_id = here.linked()
        neighbours(here)
        here.emailoctopus.set_status(emailoctopus_id, "unsubscribed")
        here.reconcile()
        here.later(minutes=11)
        here.edit_person(ghl_id, email="bob@example.com")
        newcomer = here.person(ADA, "Augusta")
        here.later(minutes=5)

        person = comes_true(here, newcomer)

        blocked = [one.reason for one in next_of(person).operations if one.action is Action.SET_DND]
        assert blocked == ["the address is revoked"]


def test_a_duplicate_that_is_blocked_finds_it_in_his_own_history(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        other = here.person(ADA, "Ada", "Again")
        here.reconcile()
        here.later(minutes=11)
        here.emailoctopus.unsubscribe(emailoctopus_id)

        run = here.reconcile().run_id

        assert ("ghl", "set_dnd", "the address is revoked") in logged(here, run, frozenset({other}))
        assert ("ghl", "set_dnd", "the address is revoked") not in logged(here, run, frozenset({ghl_id}))


def test_a_subscriber_who_is_left_behind_finds_what_was_done_in_his_own_history(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, left = here.linked()
        neighbours(here)
        here.later(minutes=11)
        taken = here.subscriber("augusta@example.com")
        here.edit_person(ghl_id, email="augusta@example.com")

        run = here.reconcile().run_id

        reason = "its GoHighLevel contact has another address now; deletes.in_ghl: unsubscribe"
        assert ("emailoctopus", "set_status", reason) in logged(here, run, frozenset({left}))
        assert ("emailoctopus", "set_status", reason) not in logged(here, run, frozenset({ghl_id, taken}))


def test_an_opt_out_that_no_poll_shows_waits_for_the_full_scan(database_url: str) -> None:
    with world(database_url) as here:
        _, emailoctopus_id = here.linked()
        here.later(minutes=30)
        here.subscriber("bob@example.com", status="unsubscribed")
        here.reconcile()
        here.emailoctopus.quirks.unsubscribe_touches = False
        here.emailoctopus.unsubscribe(emailoctopus_id)

        person = comes_true(here, ADA)

        assert next_of(person).does_nothing
        assert person.full_scan is not None
        assert [one.action for one in person.full_scan.operations] == [Action.SET_DND]
        comes_true(here, ADA, Mode.FULL)


def test_consent_that_is_held_back(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.emailoctopus.unsubscribe(emailoctopus_id)
        here.reconcile()
        here.later(minutes=11)
        here.ghl.edit(ghl_id, dndSettings={"Email": {"status": "inactive"}})
        comes_true(here, ADA)

        person = comes_true(here, ADA)

        assert State.CONSENT_HELD in states(person)
        assert person.consent is not None
        assert person.consent.held
        assert next_of(person).does_nothing


# what waits


def test_a_change_that_waits_in_the_inbox(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.later(minutes=11)
        here.edit_person(ghl_id, firstName="Augusta")
        here.cut_off()
        here.later(minutes=1)

        person = comes_true(replace_progress(here), ADA)

        assert {State.WAITING, State.UNFINISHED} <= states(person)
        assert "waits in the inbox" in words(person, State.WAITING)


def replace_progress(here: World) -> World:
    """The world after the process that was cut off: another one."""
    here.pair = here.another_process()
    here.later(minutes=1)
    return here


def test_a_webhook_that_no_cycle_has_heeded(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.pair_store.save_events(
            [WebhookEvent(GHL, "one", ghl_id, EventKind.CHANGED, datetime(2026, 1, 5, 10, tzinfo=UTC))]
        )

        person = only(here, ADA)

        assert [one.event_id for one in person.events] == ["one"]
        assert here.pair_store.count_waiting_events() == 1


# what can't be read


def test_offline_tells_what_the_store_knows(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked()
        here.later(minutes=11)
        here.emailoctopus.unsubscribe(emailoctopus_id)
        here.reconcile()
        here.forget_requests()
        nothing = {name: Unreachable(name, "not asked (--offline)") for name in SystemName}

        (person,) = explained(here, ADA, nothing).persons

        assert (here.requests(GHL), here.requests(EMAILOCTOPUS)) == ([], [])
        assert ids_of(person) == {ghl_id, emailoctopus_id}
        assert [one.exists for one in person.contacts] == [None, None]
        assert {one.unread for one in person.contacts} == {"not asked (--offline)"}
        assert states(person) == {State.REVOKED}
        assert person.next_cycle is None
        assert all(set(row.seen.values()) == {Seen.UNREAD} for row in person.fields)
        assert {one.change.kind for one in person.history} == {"written", "consent"}


def test_who_wasn_t_asked_isn_t_called_equal_without_saying_so(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        nothing = {name: Unreachable(name, "not asked (--offline)") for name in SystemName}

        (person,) = explained(here, ADA, nothing).persons

        (finding,) = person.findings
        assert finding.state is State.EQUAL
        assert "GoHighLevel and EmailOctopus may differ by now" in finding.words


def test_a_system_that_fails_is_named_and_the_other_is_told(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        here.fault(EMAILOCTOPUS, kind="error", status=401, times=99)

        answer = explained(here, ADA)

        (person,) = answer.persons
        assert set(answer.unread) == {EMAILOCTOPUS}
        assert person.next_cycle is None
        assert person.fields[0].values[GHL] == "Ada"
        assert person.fields[0].seen[EMAILOCTOPUS] is Seen.UNREAD


# many


def test_hundreds_of_duplicates_cost_a_handful_of_requests(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        here.later(minutes=11)
        for _ in range(40):
            here.person(ADA)
        here.reconcile()
        here.later(minutes=15)
        here.forget_requests()

        person = only(here, ADA)

        assert len(person.contacts) == 42
        assert len(here.requests(GHL)) <= 13
        assert [one.unread for one in person.contacts if one.role == "linked"] == [None, None]
        assert {one.unread for one in person.contacts} == {None, "not read: it is one of too many"}
        assert not here.reconcile().written
        assert next_of(person).does_nothing
        assert person.full_scan is None, "who wasn't read isn't missing"


def test_two_links_that_exchange_their_addresses_are_told_together(database_url: str) -> None:
    with world(database_url) as here:
        ada, _ = here.linked()
        bob, _ = here.linked("bob@example.com", "Bob")
        here.later(minutes=11)
        here.edit_person(ada, email="third@example.com")
        here.edit_person(bob, email=ADA)
        here.edit_person(ada, email="bob@example.com")

        foretold = {line for asked in (ada, bob) for line in foretold_lines(next_of(only(here, asked)))}
        report = here.reconcile()

        assert foretold == logged(here, report.run_id, frozenset({ada, bob}))

"""A mapping is held against what both sides can hold before anything is read or written."""

from dataclasses import replace

import pytest

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.policy import Direction, FieldRule, NewContactStatus, PairPolicy, Resubscribe
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import Fidelity
from sync_daemon.reconcile.mapping_check import NewField, Schemas, mapping_rows, missing_fields, new_fields, objections

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def specs(*found: FieldSpec) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in found}


SCHEMAS: Schemas = {
    GHL: AccountSchema(
        GHL,
        specs(
            FieldSpec("firstName", "firstName", "STANDARD"),
            FieldSpec("custom.plan", "id1", "SINGLE_OPTIONS", "Plan", ("gold", "silver")),
            FieldSpec("custom.score", "id2", "NUMERICAL", "Score"),
            FieldSpec("custom.kinds", "id3", "CHECKBOX", "Kinds", ("a", "b")),
            FieldSpec("custom.born", "id4", "DATE", "Born"),
            FieldSpec("custom.scan", "id5", "FILE_UPLOAD", "Scan", writable=False),
        ),
        aliases={"custom.id1": "custom.plan"},
    ),
    EMAILOCTOPUS: AccountSchema(
        EMAILOCTOPUS,
        specs(
            FieldSpec("FirstName", "FirstName", "text"),
            FieldSpec("Score", "Score", "number", "The score"),
            FieldSpec("Born", "Born", "date"),
            FieldSpec("Kind", "Kind", "choice_single", "Kind", ("a", "b")),
        ),
    ),
}


def policy(*rows: FieldRule, **changes: object) -> PairPolicy:
    return replace(PairPolicy("main", rows, double_opt_in=True), **changes)  # type: ignore[arg-type]  # any policy


NOTHING_IN_COMMON = "have no values in common; map another field, or remove the row"
NONE_CAN_BE_MADE = "and none can be made there that holds the other's values; create it there"
UNHEARD_OF = "custom.8hVkShlRW1KTve9EPM42"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (FieldRule("firstName", "FirstName"), None),
        (FieldRule("custom.born", "Born"), None),
        (FieldRule("custom.score", "Score", Direction.TO_EMAILOCTOPUS), None),
        (
            FieldRule("custom.score", "Score"),
            (
                "custom.score (GHL's type NUMERICAL) and Score (EmailOctopus's type number) lose something on the way "
                "back; say which way it goes with direction: to_emailoctopus or to_ghl"
            ),
        ),
        (
            FieldRule("custom.points", "Score"),
            (
                "custom.points (GHL's type NUMERICAL) and Score (EmailOctopus's type number) lose something on the way "
                "back; say which way it goes with direction: to_emailoctopus or to_ghl"
            ),
        ),
        (
            FieldRule("custom.score", "Born"),
            f"custom.score (GHL's type NUMERICAL) and Born (EmailOctopus's type date) {NOTHING_IN_COMMON}",
        ),
        (
            FieldRule("custom.scan", "FirstName"),
            f"custom.scan (GHL's type FILE_UPLOAD) and FirstName (EmailOctopus's type text) {NOTHING_IN_COMMON}",
        ),
        (
            FieldRule("custom.scan", "Scan", Direction.TO_EMAILOCTOPUS),
            f"the EmailOctopus list has no field Scan, {NONE_CAN_BE_MADE}",
        ),
        (
            FieldRule("custom.new", "New"),
            (
                "neither has the GHL location a field custom.new nor the EmailOctopus list a field New, "
                "so its type isn't known; create one of them"
            ),
        ),
        (FieldRule(UNHEARD_OF, "FirstName"), f"the GHL location has no field {UNHEARD_OF}, {NONE_CAN_BE_MADE}"),
        (FieldRule("custom.born", "Born 2"), f"the EmailOctopus list has no field Born 2, {NONE_CAN_BE_MADE}"),
    ],
)
def test_what_a_row_needs(row: FieldRule, told: str | None) -> None:
    assert objections(policy(row), SCHEMAS) == ([] if told is None else [(("fields", 0), told)])


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("ghl", "emailoctopus", "told"),
    [
        ("firstName", "firstname", ["the EmailOctopus list has no field firstname, but one spelt FirstName"]),
        ("custom.Plan", "FirstName", ["the GHL location has no field custom.Plan, but one spelt custom.plan"]),
        ("custom.ID1", "FirstName", ["the GHL location has no field custom.ID1, but one spelt custom.id1"]),
        ("custom.new", "born", ["the EmailOctopus list has no field born, but one spelt Born"]),
        (
            "custom.BORN",
            "born",
            [
                "the GHL location has no field custom.BORN, but one spelt custom.born",
                "the EmailOctopus list has no field born, but one spelt Born",
            ],
        ),
    ],
)
def test_a_field_in_other_letter_case_is_no_missing_one(
    ghl: str, emailoctopus: str, told: list[str], *, create: bool
) -> None:
    asked = policy(FieldRule(ghl, emailoctopus), create_missing_fields=create)
    found = [text for _, text in objections(asked, SCHEMAS) if "spelt" in text]
    assert found == [f"{text}; write it so" for text in told]
    assert len(objections(asked, SCHEMAS)) == len(told) + (ghl == "custom.new" and not create)
    assert new_fields(asked, SCHEMAS) == []


def test_an_objection_names_the_row() -> None:
    rows = (FieldRule("custom.plan", "FirstName"), FieldRule("custom.score", "Born"))
    ((path, told),) = objections(policy(*rows), SCHEMAS)
    assert path == ("fields", 1)
    assert told.startswith("custom.score (GHL's type NUMERICAL) and Born (EmailOctopus's type date) have no values")


def test_one_field_named_by_key_and_by_id_is_told() -> None:
    rows = (FieldRule("custom.new", "FirstName"), FieldRule("custom.plan", "Kind"), FieldRule("custom.id1", "Plan"))
    assert objections(policy(*rows), SCHEMAS) == [
        (("fields", 2), "custom.plan and custom.id1 are the same GHL field; keep one of the rows")
    ]


def test_missing_fields_are_made_after_their_partner() -> None:
    rows = (
        FieldRule("custom.plan", "Plan"),
        FieldRule("custom.kinds", "Kinds"),
        FieldRule("custom.born", "Birthday"),
        FieldRule("custom.kind", "Kind"),
        FieldRule("firstName", "FirstName"),
    )

    assert objections(policy(*rows), SCHEMAS) == []
    assert new_fields(policy(*rows), SCHEMAS) == [
        NewField(EMAILOCTOPUS, FieldSpec("Plan", "", "text", "Plan")),
        NewField(EMAILOCTOPUS, FieldSpec("Kinds", "", "choice_multiple", "Kinds", ("a", "b"))),
        NewField(EMAILOCTOPUS, FieldSpec("Birthday", "", "date", "Born")),
        NewField(GHL, FieldSpec("custom.kind", "", "SINGLE_OPTIONS", "Kind", ("a", "b"))),
    ]


def test_a_lossy_conversion_to_a_field_yet_to_be_made_is_told_before_it_is_made() -> None:
    (told,) = objections(policy(FieldRule("custom.score", "Points")), SCHEMAS)
    assert "say which way it goes" in told.text


@pytest.mark.parametrize(("ghl", "emailoctopus", "side"), [
    ("custom.plan", "Plan", "the EmailOctopus list has no field Plan"),
    ("custom.points", "Score", "the GHL location has no field custom.points"),
])  # fmt: skip
def test_without_leave_to_make_them_missing_fields_are_told(ghl: str, emailoctopus: str, side: str) -> None:
    (told,) = objections(policy(FieldRule(ghl, emailoctopus), create_missing_fields=False), SCHEMAS)
    assert told.text == f"{side}; create it there, or set create_missing_fields: true"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (
            "new_contact_status",
            NewContactStatus.PENDING,
            ": nobody would ever be asked to confirm; switch double opt-in on in EmailOctopus, or write `list_default`",
        ),
        ("resubscribe", Resubscribe.PENDING, "; switch double opt-in on in EmailOctopus, or write `never`"),
    ],
)
def test_pending_needs_double_opt_in(key: str, value: object, why: str) -> None:
    assert objections(policy(**{key: value}), SCHEMAS) == []
    told = f"`pending` needs a list with double opt-in, and this one has single opt-in{why}"
    assert objections(policy(double_opt_in=False, **{key: value}), SCHEMAS) == [((key,), told)]


def test_a_row_of_which_neither_side_has_a_field_is_told_of_both_without_leave_to_make_them() -> None:
    asked = policy(FieldRule("custom.new", "New"), create_missing_fields=False)
    create = "; create it there, or set create_missing_fields: true"
    assert [text for _, text in objections(asked, SCHEMAS)] == [
        f"the GHL location has no field custom.new{create}",
        f"the EmailOctopus list has no field New{create}",
    ]


def test_rows_with_fields_that_went_say_nothing_and_the_others_do() -> None:
    rows = (FieldRule("custom.plan", "Plan"), FieldRule("custom.score", "Born"), FieldRule("custom.gone", "FirstName"))
    gone = {(EMAILOCTOPUS, "Plan"), (GHL, "custom.gone")}
    for create in (True, False):
        asked = policy(*rows, create_missing_fields=create)
        assert [path for path, _ in objections(asked, SCHEMAS, gone)] == [("fields", 1)]
    assert missing_fields(asked, SCHEMAS) == gone
    assert new_fields(policy(*rows), SCHEMAS, {(GHL, "Plan")}) == [
        NewField(EMAILOCTOPUS, FieldSpec("Plan", "", "text", "Plan")),
        NewField(GHL, FieldSpec("custom.gone", "", "LARGE_TEXT", "FirstName")),
    ]


def test_a_field_that_was_there_and_went_is_left_alone() -> None:
    asked = policy(FieldRule("custom.plan", "Plan"), create_missing_fields=False)
    gone = missing_fields(asked, SCHEMAS)

    assert gone == {(EMAILOCTOPUS, "Plan")}
    assert objections(asked, SCHEMAS, gone) == []
    assert new_fields(asked, SCHEMAS, gone) == []


def test_rows_show_their_conversion() -> None:
    rows = mapping_rows(policy(FieldRule("custom.score", "Score"), FieldRule("custom.plan", "Plan")), SCHEMAS)
    assert [row.fidelity for row in rows] == [Fidelity.LOSSY, None]

"""What is proposed for a location and a list: same names, types that fit, and nothing that could overwrite GHL."""

import pytest

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.policy import FieldRule, PairPolicy
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import TABLE, Fidelity
from sync_daemon.reconcile.mapping_check import objections
from sync_daemon.reconcile.mapping_proposal import Proposal, propose
from sync_daemon.systems.ghl.fields import STANDARD

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
COLOURS = ("red", "green")


def location(*custom: FieldSpec) -> AccountSchema:
    standard = [FieldSpec(one.name, one.name, one.type, one.label, writable=one.writable) for one in STANDARD]
    return AccountSchema(GHL, {spec.name: spec for spec in (*standard, *custom)})


def custom(key: str, type_: str = "TEXT", label: str = "", choices: tuple[str, ...] = ()) -> FieldSpec:
    return FieldSpec(f"custom.{key}", f"id of {key}", type_, label or key, choices)


def mailing_list(*fields: FieldSpec | str) -> AccountSchema:
    specs = [FieldSpec(one, one, "text") if isinstance(one, str) else one for one in fields]
    return AccountSchema(EMAILOCTOPUS, {spec.name: spec for spec in specs})


def field(tag: str, type_: str = "text", label: str = "", choices: tuple[str, ...] = ()) -> FieldSpec:
    return FieldSpec(tag, tag, type_, label, choices)


def pairs(proposal: Proposal) -> list[tuple[str, str, str]]:
    return [(row.rule.ghl, row.rule.emailoctopus, str(row.rule.direction)) for row in proposal.rows]


@pytest.mark.parametrize(
    ("tag", "label", "ghl", "direction"),
    [
        ("FirstName", "First name", "firstName", "both"),
        ("first_name", "", "firstName", "both"),
        ("FNAME", "", "firstName", "both"),
        ("Field7", "First Name", "firstName", "both"),
        ("Surname", "", "lastName", "both"),
        ("Nachname", "Last name", "lastName", "both"),
        ("Zip", "", "postalCode", "both"),
        ("PostCode", "", "postalCode", "both"),
        ("Mobile", "", "phone", "to_emailoctopus"),
        ("PhoneNumber", "", "phone", "to_emailoctopus"),
        ("Company", "", "companyName", "to_emailoctopus"),
        ("FullName", "", "name", "to_emailoctopus"),
        ("Town", "", "city", "both"),
        ("Lead_Score", "", "custom.lead_score", "both"),
        ("Score", "Lead score", "custom.lead_score", "both"),
        ("Groesse", "Größe", "custom.grosse", "both"),
    ],
)
def test_one_name_is_one_field(tag: str, label: str, ghl: str, direction: str) -> None:
    found = propose(
        location(custom("lead_score", label="Lead score"), custom("grosse")), mailing_list(field(tag, label=label))
    )
    assert pairs(found) == [(ghl, tag, direction)]
    assert found.unmapped == ()


@pytest.mark.parametrize("tag", ["Type", "Timezone", "Newsletter", "Nam", "Names"])
def test_what_is_called_otherwise_is_nobodys(tag: str) -> None:
    found = propose(location(), mailing_list(tag))
    assert (found.rows, [spec.name for spec in found.unmapped]) == ((), [tag])


@pytest.mark.parametrize("tag", ["Email", "EmailAddress", "First Name", "1st", "Größe"])
def test_what_no_mapping_can_name_is_left_alone(tag: str) -> None:
    found = propose(location(custom("email"), custom("1st"), custom("grosse")), mailing_list(tag))
    assert (found.rows, found.unmapped) == ((), ())


def test_a_standard_field_goes_before_a_custom_one_and_a_key_before_a_label() -> None:
    fields = (custom("city"), custom("plan_1", label="Plan"), custom("plan", label="Old plan"))
    found = propose(location(*fields), mailing_list("City", "Plan"))
    assert pairs(found) == [("city", "City", "both"), ("custom.plan", "Plan", "both")]


def test_the_commonest_of_several_names_gets_the_field() -> None:
    found = propose(location(), mailing_list("Mobile", "Phone"))
    assert pairs(found) == [("phone", "Phone", "to_emailoctopus")]
    assert [spec.name for spec in found.unmapped] == ["Mobile"]


def test_a_label_that_several_fields_have_is_nobodys() -> None:
    found = propose(location(custom("a", label="Plan"), custom("b", label="Plan")), mailing_list("Plan"))
    assert found.rows == ()
    twice = propose(location(custom("plan")), mailing_list(field("A", label="Plan"), field("B", label="Plan")))
    assert twice.rows == ()


@pytest.mark.parametrize(("types", "kept"), TABLE.items(), ids=str)
def test_every_pair_of_types_is_proposed_as_the_conversion_table_has_it(types: tuple[str, str], kept: Fidelity) -> None:
    spec = custom("plan", types[0], choices=COLOURS)
    found = propose(location(spec), mailing_list(field("Plan", types[1], choices=COLOURS)))
    rule = FieldRule("custom.plan", "Plan")
    match kept:
        case Fidelity.REFUSED:
            assert found.rows == ()
        case Fidelity.EXACT:
            assert [row.rule for row in found.rows] == [rule]
            assert found.rows[0].remark == ""
        case Fidelity.LOSSY:
            assert pairs(found) == [("custom.plan", "Plan", "to_emailoctopus")]
            assert found.rows[0].remark


def test_choices_that_the_list_lacks_are_told() -> None:
    spec = custom("plan", "SINGLE_OPTIONS", choices=("red", "blue"))
    found = propose(location(spec), mailing_list(field("Plan", "choice_single", choices=COLOURS)))
    assert found.rows[0].remark == "the list lacks the choice blue"


def test_a_custom_field_that_only_ghl_has_is_possible_under_a_free_tag() -> None:
    fields = (
        custom("score", "NUMERICAL", "Lead score"),
        custom("taken", label="First name"),
        custom("two", label="2nd Größe!"),
        custom("three", label="日本"),
        custom("kinds", "CHECKBOX", "Kinds", COLOURS),
        custom("none", "CHECKBOX", "No choices"),
        custom("scan", "FILE_UPLOAD", "Scan"),
    )
    found = propose(location(*fields), mailing_list("FirstName"))
    assert [(one.rule.emailoctopus, one.emailoctopus_type, str(one.rule.direction)) for one in found.possible] == [
        ("LeadScore", "text", "to_emailoctopus"),
        ("FirstName2", "text", "both"),
        ("ndGroE", "text", "both"),
        ("GhlField", "text", "both"),
        ("Kinds", "choice_multiple", "both"),
    ]


def test_whatever_is_proposed_can_be_configured() -> None:
    ghl = location(
        *(custom(f"f{n}", types[0], choices=COLOURS) for n, types in enumerate(TABLE)),
        custom("own", "NUMERICAL", "Own"),
    )
    emailoctopus = mailing_list(
        *(field(f"F{n}", types[1], choices=COLOURS) for n, types in enumerate(TABLE)),
        *("FirstName", "Phone", "Company"),
    )
    found = propose(ghl, emailoctopus)
    rules = (*(row.rule for row in found.rows), *(one.rule for one in found.possible))
    assert objections(PairPolicy("main", fields=rules), {GHL: ghl, EMAILOCTOPUS: emailoctopus}) == []
    assert len({rule.ghl for rule in rules}) == len({rule.emailoctopus for rule in rules}) == len(rules)

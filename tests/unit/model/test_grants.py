"""Contract, section 4: "subscribe again" can't be said without its evidence, in whatever way the types allow to try."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync_daemon.model.contact import Source
from sync_daemon.model.grants import ConsentHistory, Grant, LiftedInGhl, NotRevoked, OptedInAgain, WithoutEvidence
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Cause
from tests.unit.changes.values import EMAILOCTOPUS, GHL, GRANTED, PENDING, REVOKED, person, subscriber

ROOT = Path(__file__).parents[3]
BLOCKED, FREE = person(consent=REVOKED), person(consent=GRANTED)
SUBSCRIBED, UNSUBSCRIBED = subscriber(consent=GRANTED), subscriber(consent=REVOKED)
OURS = ConsentHistory(Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
OTHER_SOURCES = [source for source in Source if source is not Source.READ]

AGAIN: dict[str, Any] = {"ghl": BLOCKED, "emailoctopus": SUBSCRIBED, "history": OURS}
LIFTED: dict[str, Any] = {
    "ghl": FREE,
    "emailoctopus": UNSUBSCRIBED,
    "agreed": REVOKED,
    "history": ConsentHistory(Cause.PERSON_GHL),
    "resubscribe": Resubscribe.ALLOW,
    "double_opt_in": False,
}
NEW: dict[str, Any] = {"consent": GRANTED, "ghl": FREE}
BLOCKED_ONCE: dict[str, Any] = {"consent": GRANTED, "ghl": FREE, "remembered": Cause.PERSON_GHL, "lifted": FREE}


def test_what_evidence_entitles_to() -> None:
    assert OptedInAgain(**AGAIN).consent is GRANTED
    assert LiftedInGhl(**LIFTED).consent is GRANTED
    asked = LiftedInGhl(**{**LIFTED, "resubscribe": Resubscribe.PENDING, "double_opt_in": True})
    assert asked.consent is PENDING
    assert LiftedInGhl(**{**LIFTED, "double_opt_in": True}).consent is GRANTED
    assert NotRevoked(**NEW).consent is GRANTED
    assert NotRevoked(consent=PENDING, ghl=FREE).consent is PENDING


def test_which_reads_of_this_cycle_evidence_rests_on() -> None:
    both = {(GHL, "g1"), (EMAILOCTOPUS, "e1")}
    assert OptedInAgain(**AGAIN).read == both
    assert LiftedInGhl(**LIFTED).read == both
    assert NotRevoked(**NEW).read == set()
    assert NotRevoked(**BLOCKED_ONCE).read == {(GHL, "g1")}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        *(({"ghl": replace(BLOCKED, source=source)}, "GHL contact wasn't read") for source in OTHER_SOURCES),
        *(({"emailoctopus": replace(SUBSCRIBED, source=one)}, "EmailOctopus contact wasn't") for one in OTHER_SOURCES),
        ({"ghl": subscriber(consent=REVOKED)}, "GHL contact wasn't read"),
        ({"emailoctopus": person()}, "EmailOctopus contact wasn't read"),
        ({"emailoctopus": UNSUBSCRIBED}, "doesn't show the address subscribed"),
        ({"emailoctopus": subscriber(consent=PENDING)}, "doesn't show the address subscribed"),
        ({"emailoctopus": subscriber(consent=None)}, "doesn't show the address subscribed"),
        ({"ghl": FREE}, "GHL doesn't block"),
        ({"ghl": person(consent=None)}, "GHL doesn't block"),
        ({"ghl": person(consent=REVOKED, permanent=True)}, "permanent"),
        ({"history": ConsentHistory(Cause.PERSON_EMAILOCTOPUS)}, "wasn't set by this program"),
    ],
)
def test_a_block_is_lifted_only_for_somebody_who_opted_in_again(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(WithoutEvidence, match=why):
        OptedInAgain(**{**AGAIN, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        *(({"ghl": replace(FREE, source=source)}, "GHL contact wasn't read") for source in OTHER_SOURCES),
        *(({"emailoctopus": replace(UNSUBSCRIBED, source=one)}, "EmailOctopus cont") for one in OTHER_SOURCES),
        ({"ghl": BLOCKED}, "GHL blocks the address"),
        ({"emailoctopus": SUBSCRIBED}, "doesn't show the address unsubscribed"),
        ({"emailoctopus": subscriber(consent=None)}, "doesn't show the address unsubscribed"),
        ({"agreed": GRANTED}, "hadn't blocked"),
        ({"agreed": None}, "hadn't blocked"),
        ({"agreed": None, "history": ConsentHistory()}, "hadn't blocked"),
        ({"resubscribe": Resubscribe.NEVER}, "never"),
        ({"resubscribe": Resubscribe.NEVER, "double_opt_in": True}, "never"),
        ({"resubscribe": Resubscribe.PENDING}, "no double opt-in"),
    ],
)
def test_a_status_is_set_only_where_the_block_was_lifted_and_the_policy_lets_it(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(WithoutEvidence, match=why):
        LiftedInGhl(**{**LIFTED, **changes})


def test_what_policy_unsubscribed_needs_no_lifted_block() -> None:
    assert LiftedInGhl(**{**LIFTED, "agreed": None, "history": ConsentHistory(Cause.POLICY)}).consent is GRANTED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"consent": REVOKED}, "no status"),
        ({"ghl": BLOCKED}, "GHL blocks"),
        ({"others": (GRANTED, REVOKED)}, "GHL blocks"),
        ({"remembered": Cause.PERSON_EMAILOCTOPUS}, "unsubscribed in EmailOctopus"),
        ({"lifted": None}, "no read by id"),
        ({"lifted": replace(FREE, source=Source.HINT)}, "no read by id"),
        ({"lifted": SUBSCRIBED}, "no read by id"),
    ],
)
def test_nobody_is_created_subscribed_whose_address_is_revoked(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(WithoutEvidence, match=why):
        NotRevoked(**{**BLOCKED_ONCE, **changes})


def test_an_address_that_policy_alone_revoked_is_no_obstacle() -> None:
    assert NotRevoked(**{**NEW, "remembered": Cause.POLICY}).consent is GRANTED


GRANTS: list[Grant] = [OptedInAgain(**AGAIN), LiftedInGhl(**LIFTED), NotRevoked(**NEW)]
EXPRESSIBLE = {
    (EMAILOCTOPUS, Action.CREATE, REVOKED),
    (EMAILOCTOPUS, Action.CREATE, NotRevoked),
    (EMAILOCTOPUS, Action.SET_STATUS, REVOKED),
    (EMAILOCTOPUS, Action.SET_STATUS, LiftedInGhl),
    (GHL, Action.CREATE, None),
    (GHL, Action.CREATE, REVOKED),
    (GHL, Action.SET_DND, REVOKED),
    (GHL, Action.LIFT_DND, OptedInAgain),
    *(
        (system, action, None)
        for system in (GHL, EMAILOCTOPUS)
        for action in (Action.UPDATE, Action.ADD_TAGS, Action.REMOVE_TAGS, Action.DELETE)
    ),
}


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("sets", [None, GRANTED, PENDING, REVOKED, *GRANTS], ids=str)
def test_every_operation_that_could_be_written_down(system: Any, action: Action, sets: Any) -> None:
    kind = type(sets) if isinstance(sets, Grant) else sets

    def made() -> Operation:
        return Operation(system, action, "g1", "e1", "why", sets=sets)

    if (system, action, kind) not in EXPRESSIBLE:
        with pytest.raises(WithoutEvidence, match=f"{action} in {system} can't set consent"):
            made()
        return
    operation = made()
    assert operation.consent is (sets.consent if isinstance(sets, Grant) else sets)
    widens = kind in (OptedInAgain, LiftedInGhl)
    assert operation.steps_up is widens
    assert operation.revokes is (action is Action.SET_DND or (action is Action.SET_STATUS and not widens))


def lift(**more: Any) -> Operation:
    grant = OptedInAgain(**AGAIN)
    return Operation(**{"system": GHL, "action": Action.LIFT_DND, "ghl_id": "g1", "emailoctopus_id": "e1"} | more,
                     reason="why", sets=grant)  # fmt: skip


def allow(**more: Any) -> Operation:
    grant = LiftedInGhl(**LIFTED)
    ids = {"ghl_id": "g1", "emailoctopus_id": "e1"} | more
    return Operation(EMAILOCTOPUS, Action.SET_STATUS, **ids, reason="why", sets=grant)


def create(**more: Any) -> Operation:
    ids = {"ghl_id": "g1", "emailoctopus_id": None} | more
    return Operation(EMAILOCTOPUS, Action.CREATE, **ids, reason="why", sets=NotRevoked(**NEW))


@pytest.mark.parametrize("make", [lift, allow, create])
def test_evidence_speaks_of_the_contact_it_shows_and_of_no_other(make: Callable[..., Operation]) -> None:
    assert make().steps_up is (make is not create)
    with pytest.raises(WithoutEvidence, match="another contact"):
        make(ghl_id="g2")


@pytest.mark.parametrize("make", [lift, allow])
def test_evidence_speaks_of_the_emailoctopus_contact_it_shows(make: Callable[..., Operation]) -> None:
    with pytest.raises(WithoutEvidence, match="another contact"):
        make(emailoctopus_id="e2")


def test_evidence_can_be_neither_altered_nor_lent() -> None:
    with pytest.raises(WithoutEvidence, match="permanent"):
        replace(OptedInAgain(**AGAIN), ghl=person(consent=REVOKED, permanent=True))
    with pytest.raises(WithoutEvidence, match="another contact"):
        replace(allow(), emailoctopus_id="e2")
    with pytest.raises(WithoutEvidence, match="can't set consent"):
        replace(allow(), sets=GRANTED)
    with pytest.raises(AttributeError):
        allow().sets = GRANTED  # type: ignore[misc]


def test_evidence_of_an_earlier_cycle_is_none() -> None:
    operation = allow()
    operation.demand_reads({(GHL, "g1"), (EMAILOCTOPUS, "e1"), (GHL, "g2")})
    for read_now in ({(GHL, "g1")}, {(EMAILOCTOPUS, "e1")}, set[Any]()):
        with pytest.raises(WithoutEvidence, match="earlier cycle"):
            operation.demand_reads(read_now)
    Operation(GHL, Action.SET_DND, "g1", "e1", "why", sets=REVOKED).demand_reads(set())


UNTYPED = """
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName

Operation(SystemName.EMAILOCTOPUS, Action.SET_STATUS, "g", "e", "why", sets=Consent.{consent})
"""


@pytest.mark.parametrize(("consent", "passes"), [("GRANTED", False), ("PENDING", False), ("REVOKED", True)])
def test_the_type_checker_refuses_a_wider_consent_too(consent: str, passes: bool, tmp_path: Path) -> None:
    module = tmp_path / "subscribing.py"
    module.write_text(UNTYPED.format(consent=consent), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        "pyproject.toml",
        "--cache-dir",
        str(tmp_path),
        str(module),
    ]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (checked.returncode == 0) is passes, checked.stdout
    assert passes or 'Argument "sets" to "Operation"' in checked.stdout


def names_called(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize(
    ("evidence", "only_in"),
    [
        ("OptedInAgain", "reconcile/consents.py"),
        ("LiftedInGhl", "reconcile/consents.py"),
        ("NotRevoked", "reconcile/creation.py"),
    ],
)
def test_one_place_makes_each_kind_of_evidence(evidence: str, only_in: str) -> None:
    package = ROOT / "sync_daemon"
    made_in = [one for one in package.rglob("*.py") if evidence in names_called(one)]
    assert [one.relative_to(package).as_posix() for one in made_in] == [only_in]


def test_nobody_goes_round_the_checks() -> None:
    """`object.__setattr__`, `__new__` and copies would make evidence without its checks."""
    ways = ("__setattr__", "__new__", "__setstate__", "copy.copy", "model_construct")
    for module in (ROOT / "sync_daemon").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert [way for way in ways if way in text] == [], module

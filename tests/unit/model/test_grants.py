"""Contract, section 4: "subscribe again" can't be said without its evidence, in whatever way the types allow to try."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.grants import ConsentHistory, Grant, LiftedInGhl, NotRevoked, OptedInAgain, WithoutEvidence
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Cause
from tests.unit.changes.values import EMAILOCTOPUS, GHL, GRANTED, PENDING, REVOKED, person, subscriber

BLOCKED, FREE = person(consent=REVOKED), person(consent=GRANTED)
SUBSCRIBED, UNSUBSCRIBED = subscriber(consent=GRANTED), subscriber(consent=REVOKED)
OURS = ConsentHistory(Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
OTHER_SOURCES = [source for source in Source if source is not Source.READ]

GHL_UNREAD, THERE_UNREAD = (f"the {system} contact wasn't read by id" for system in ("GHL", "EmailOctopus"))
NOT_LIFTED = "the address was blocked in GHL, and no read by id shows that lifted"

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


def said(why: str) -> str:
    return f"^No right to widen consent: {re.escape(why)}\\.$"


def test_what_evidence_entitles_to() -> None:
    assert OptedInAgain(**AGAIN).consent is GRANTED
    assert LiftedInGhl(**LIFTED).consent is GRANTED
    asked = LiftedInGhl(**{**LIFTED, "resubscribe": Resubscribe.PENDING, "double_opt_in": True})
    assert asked.consent is PENDING
    assert LiftedInGhl(**{**LIFTED, "double_opt_in": True}).consent is GRANTED
    assert LiftedInGhl(**{**LIFTED, "double_opt_in": True, "unconfirmed": True}).consent is PENDING
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
        *(({"ghl": replace(BLOCKED, source=source)}, GHL_UNREAD) for source in OTHER_SOURCES),
        *(({"emailoctopus": replace(SUBSCRIBED, source=one)}, THERE_UNREAD) for one in OTHER_SOURCES),
        ({"ghl": subscriber(consent=REVOKED)}, GHL_UNREAD),
        ({"emailoctopus": person()}, THERE_UNREAD),
        ({"emailoctopus": UNSUBSCRIBED}, "EmailOctopus doesn't show the address subscribed"),
        ({"emailoctopus": subscriber(consent=PENDING)}, "EmailOctopus doesn't show the address subscribed"),
        ({"emailoctopus": subscriber(consent=None)}, "EmailOctopus doesn't show the address subscribed"),
        ({"ghl": FREE}, "GHL doesn't block the address"),
        ({"ghl": person(consent=None)}, "GHL doesn't block the address"),
        ({"ghl": person(consent=REVOKED, permanent=True)}, "the block in GHL is permanent"),
        ({"history": ConsentHistory(Cause.PERSON_EMAILOCTOPUS)}, "the block in GHL wasn't set by this program"),
    ],
)
def test_a_block_is_lifted_only_for_somebody_who_opted_in_again(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(WithoutEvidence, match=said(why)):
        OptedInAgain(**{**AGAIN, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        *(({"ghl": replace(FREE, source=source)}, GHL_UNREAD) for source in OTHER_SOURCES),
        *(({"emailoctopus": replace(UNSUBSCRIBED, source=one)}, THERE_UNREAD) for one in OTHER_SOURCES),
        ({"ghl": BLOCKED}, "GHL blocks the address"),
        ({"emailoctopus": SUBSCRIBED}, "EmailOctopus doesn't show the address unsubscribed"),
        ({"emailoctopus": subscriber(consent=None)}, "EmailOctopus doesn't show the address unsubscribed"),
        ({"agreed": GRANTED}, "GHL hadn't blocked the address"),
        ({"agreed": None}, "GHL hadn't blocked the address"),
        ({"agreed": None, "history": ConsentHistory()}, "GHL hadn't blocked the address"),
        ({"resubscribe": Resubscribe.NEVER}, "`resubscribe` is never"),
        ({"resubscribe": Resubscribe.NEVER, "double_opt_in": True}, "`resubscribe` is never"),
        ({"resubscribe": Resubscribe.PENDING}, "`resubscribe` is pending, and the list has no double opt-in"),
        ({"unconfirmed": True}, "the person never confirmed, and the list doesn't ask"),
    ],
)
def test_a_status_is_set_only_where_the_block_was_lifted_and_the_policy_lets_it(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(WithoutEvidence, match=said(why)):
        LiftedInGhl(**{**LIFTED, **changes})


def test_what_policy_unsubscribed_needs_no_lifted_block() -> None:
    assert LiftedInGhl(**{**LIFTED, "agreed": None, "history": ConsentHistory(Cause.POLICY)}).consent is GRANTED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"consent": REVOKED}, "that is no status of somebody who may be mailed"),
        ({"ghl": BLOCKED}, "GHL blocks the address"),
        ({"others": (GRANTED, REVOKED)}, "GHL blocks the address"),
        ({"remembered": Cause.PERSON_EMAILOCTOPUS}, "the person unsubscribed in EmailOctopus"),
        ({"lifted": None}, NOT_LIFTED),
        (
            {"lifted": replace(FREE, source=Source.HINT)},
            NOT_LIFTED,
        ),
        ({"lifted": SUBSCRIBED}, NOT_LIFTED),
    ],
)
def test_nobody_is_created_subscribed_whose_address_is_revoked(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(WithoutEvidence, match=said(why)):
        NotRevoked(**{**BLOCKED_ONCE, **changes})


@pytest.mark.parametrize("double_opt_in", [True, False])
@pytest.mark.parametrize("consent", [GRANTED, PENDING])
@pytest.mark.parametrize("resubscribe", list(Resubscribe))
def test_whom_a_policy_unsubscribed_is_created_again_as_the_policy_says(
    resubscribe: Resubscribe, consent: Consent, *, double_opt_in: bool
) -> None:
    by = {"remembered": Cause.POLICY, "resubscribe": resubscribe, "double_opt_in": double_opt_in, "consent": consent}
    asked = resubscribe is Resubscribe.PENDING and double_opt_in and consent is PENDING
    if resubscribe is Resubscribe.ALLOW or asked:
        assert NotRevoked(**{**NEW, **by}).consent is consent
    else:
        with pytest.raises(WithoutEvidence, match=said("a policy unsubscribed the address")):
            NotRevoked(**{**NEW, **by})


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
        for action in (Action.UPDATE, Action.ADD_TAGS, Action.REMOVE_TAGS, Action.DELETE, Action.START_AUTOMATION)
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
        replace(allow(), sets=GRANTED)  # type: ignore[arg-type]  # who gets around the types is refused, too
    with pytest.raises(AttributeError):
        allow().sets = GRANTED  # type: ignore[assignment, misc]  # likewise


def test_evidence_of_an_earlier_cycle_is_none() -> None:
    operation = allow()
    operation.demand_reads({(GHL, "g1"), (EMAILOCTOPUS, "e1"), (GHL, "g2")})
    operation.demand_reads({(GHL, "g1"), (EMAILOCTOPUS, "e1")})
    for read_now in ({(GHL, "g1")}, {(EMAILOCTOPUS, "e1")}, set[Any]()):
        with pytest.raises(WithoutEvidence, match="earlier cycle"):
            operation.demand_reads(read_now)
    Operation(GHL, Action.SET_DND, "g1", "e1", "why", sets=REVOKED).demand_reads(set())

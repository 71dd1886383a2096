"""Contract, section 4: consent is a ratchet. Every combination there is, and what the contract says of it."""

from dataclasses import dataclass
from itertools import product

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.grants import ConsentHistory
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Cause
from sync_daemon.reconcile.consent import ConsentDecision, ConsentSide, decide_consent
from tests.unit.changes.values import GRANTED, PENDING, REVOKED

LETTERS = {"-": None, "g": GRANTED, "p": PENDING, "r": REVOKED}
PERSON_GHL, PERSON_THERE, POLICY = Cause.PERSON_GHL, Cause.PERSON_EMAILOCTOPUS, Cause.POLICY

# What the two said when they last agreed (`-`: they never met) and what they say now; `gr` was g and is r.
# unsubscribe, block: the revocation is carried to EmailOctopus, to GHL.  nothing: no write.
# opted in, lifted, met revoked, met unsubscribed: further conditions decide, see below.  no: GHL has no "pending".
WRITTEN_OUT = """
    ghl \\ emailoctopus  -g            -p            -r                gg           gp           gr           pg           pp           pr           rg           rp           rr
    -g                   nothing       nothing       met unsubscribed  nothing      nothing      met unsubscribed  nothing  nothing      met unsubscribed  nothing  nothing  met unsubscribed
    -r                   met revoked   met pending   nothing           met revoked  met pending  nothing      met revoked  met pending  nothing      met revoked  met pending  nothing
    -p                   no            no            no                no           no           no           no           no           no           no           no           no
    gg                   nothing       nothing       met unsubscribed  nothing      nothing      block        nothing      nothing      block        nothing      nothing      nothing
    gr                   met revoked   met pending   nothing           unsubscribe  unsubscribe  nothing      unsubscribe  unsubscribe  nothing      unsubscribe  unsubscribe  nothing
    rr                   met revoked   met pending   nothing           nothing      nothing      nothing      opted in     nothing      nothing      opted in     nothing      nothing
    rg                   nothing       nothing       met unsubscribed  nothing      nothing      block        nothing      nothing      block        nothing      nothing      lifted
    gp                   no            no            no                no           no           no           no           no           no           no           no           no
    rp                   no            no            no                no           no           no           no           no           no           no           no           no
    pp                   no            no            no                no           no           no           no           no           no           no           no           no
    pg                   nothing       nothing       met unsubscribed  no           no           no           no           no           no           no           no           no
    pr                   met revoked   met pending   nothing           no           no           no           no           no           no           no           no           no
"""  # noqa: E501  # a table


def table() -> dict[tuple[str, str], str]:
    """GHL's two letters and EmailOctopus's -> what follows."""
    head, *rows = (line.strip() for line in WRITTEN_OUT.strip().splitlines())
    columns = head.split()[3:]
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        ghl, *cells = (cell.strip() for cell in row.split("  ") if cell.strip())
        found.update({(ghl, column): cell for column, cell in zip(columns, cells, strict=True)})
    return found


TABLE = table()
HISTORIES = tuple(
    ConsentHistory(cause, dnd_by_us, held)
    for cause, dnd_by_us, held in product([None, *Cause], [False, True], [False, True])
)


@dataclass(frozen=True)
class Around:
    """What else decides."""

    history: ConsentHistory
    permanent: bool
    resubscribe: Resubscribe
    double_opt_in: bool


EVERYTHING_ELSE = tuple(Around(*one) for one in product(HISTORIES, [False, True], Resubscribe, [False, True]))


def writes(outcome: str, around: Around) -> tuple[Consent | None, Consent | None, bool]:
    """What is written to GHL, to EmailOctopus, and whether somebody's wish is held back and told."""
    history = around.history
    ours = history.dnd_by_us and not around.permanent
    match outcome:
        case "nothing":
            return None, None, False
        case "unsubscribe":
            return None, REVOKED, False
        case "block":
            return REVOKED, None, False
        case "opted in":
            return (GRANTED, None, False) if ours else (None, None, True)
        case "met unsubscribed" if history.cause is not POLICY:
            return REVOKED, None, False
        case "lifted" | "met unsubscribed":
            asked = PENDING if around.resubscribe is Resubscribe.PENDING and around.double_opt_in else None
            status = GRANTED if around.resubscribe is Resubscribe.ALLOW else asked
            return None, status, status is None
        case "met revoked":
            return (GRANTED, None, False) if history.cause is POLICY and ours else (None, REVOKED, False)
        case "met pending":
            return (None, None, False) if history.cause is POLICY and ours else (None, REVOKED, False)
    raise AssertionError(outcome)


def decided(ghl: str, emailoctopus: str, around: Around) -> ConsentDecision:
    ghl_before, ghl_now = (LETTERS[letter] for letter in ghl)
    there_before, there_now = (LETTERS[letter] for letter in emailoctopus)
    assert ghl_now is not None
    assert there_now is not None
    return decide_consent(
        ConsentSide(ghl_before, ghl_now, around.permanent),
        ConsentSide(there_before, there_now),
        around.history,
        around.resubscribe,
        double_opt_in=around.double_opt_in,
    )


def test_the_table_is_whole() -> None:
    before_and_now = ["".join(pair) for pair in product(LETTERS, "gpr")]
    assert set(TABLE) == set(product(before_and_now, before_and_now))


@pytest.mark.parametrize(("sides", "outcome"), TABLE.items(), ids=[f"{ghl}-{there}" for ghl, there in TABLE])
def test_every_combination(sides: tuple[str, str], outcome: str) -> None:
    for around in EVERYTHING_ELSE:
        if outcome == "no":
            with pytest.raises(KeyError):
                decided(*sides, around)
            continue
        decision = decided(*sides, around)
        ghl, there, held = writes(outcome, around)
        assert (decision.ghl, decision.emailoctopus) == (ghl, there), around
        both_revoked = sides[0][1] == sides[1][1] == "r"
        stood = outcome == "nothing" and decision.held == around.history.held and not both_revoked
        assert decision.held is held or stood, around
        assert bool(decision.reason) or not (ghl or there or held)
        assert decision.step_up == (ghl is GRANTED or there in (GRANTED, PENDING))


@pytest.mark.parametrize("sides", [sides for sides, outcome in TABLE.items() if outcome != "no"], ids="-".join)
def test_never_a_step_toward_consent_but_these(sides: tuple[str, str]) -> None:
    """Lifting DND: this program's own, e-mail alone, and EmailOctopus shows the address subscribed.
    A status: GHL has no DND any more, or never was what `policy` unsubscribed, and `resubscribe` says so.
    """
    ghl, there = sides
    for around in EVERYTHING_ELSE:
        decision = decided(*sides, around)
        if decision.ghl is GRANTED:
            assert around.history.dnd_by_us
            assert not around.permanent
            assert (ghl[1], there[1]) == ("r", "g")
        if decision.emailoctopus in (GRANTED, PENDING):
            by_policy = "-" in ghl + there and around.history.cause is POLICY
            assert (ghl, there) == ("rg", "rr") or (by_policy and ghl[1] + there[1] == "gr")
            assert around.resubscribe is not Resubscribe.NEVER
            assert decision.emailoctopus is PENDING or around.resubscribe is Resubscribe.ALLOW
            assert decision.emailoctopus is GRANTED or around.double_opt_in


@pytest.mark.parametrize("sides", [sides for sides, outcome in TABLE.items() if outcome != "no"], ids="-".join)
def test_what_is_remembered_of_who_revoked(sides: tuple[str, str]) -> None:
    for around in EVERYTHING_ELSE:
        history, decision = around.history, decided(*sides, around)
        after_ghl = decision.ghl or LETTERS[sides[0][1]]
        after_there = decision.emailoctopus or LETTERS[sides[1][1]]
        if decision.ghl is REVOKED:
            assert (decision.cause, decision.dnd_by_us) == (PERSON_THERE, True), around
        if decision.emailoctopus is REVOKED:
            assert (decision.cause, decision.dnd_by_us) == (PERSON_GHL, False), around
        if REVOKED not in (after_ghl, after_there):
            assert decision.cause is None or decision.emailoctopus is PENDING, around
            assert not decision.dnd_by_us, around
        if after_ghl is after_there is REVOKED:
            assert decision.cause is not None, around
            assert history.cause is None or not history.cause.by_person or decision.cause.by_person, around


@pytest.mark.parametrize(("ghl", "cause"), [("gr", PERSON_GHL), ("rr", POLICY), ("-r", POLICY)])
def test_a_person_who_blocks_what_policy_had_revoked_is_the_cause_from_then_on(ghl: str, cause: Cause) -> None:
    around = Around(ConsentHistory(POLICY), permanent=False, resubscribe=Resubscribe.NEVER, double_opt_in=False)
    assert decided(ghl, "rr", around).cause is cause

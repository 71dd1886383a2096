"""Contract, section 4: consent is a ratchet. Every combination there is, and what the contract says of it."""

import functools
import re
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import pytest

from sync_daemon.model.grants import ConsentHistory
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Cause
from sync_daemon.reconcile import consent
from sync_daemon.reconcile.consent import ConsentDecision, ConsentSide, decide_consent
from tests.unit.changes.values import GRANTED, PENDING, REVOKED

LETTERS = {"-": None, "g": GRANTED, "p": PENDING, "r": REVOKED}
PERSON_GHL, PERSON_THERE, POLICY = Cause.PERSON_GHL, Cause.PERSON_EMAILOCTOPUS, Cause.POLICY

# What the two said when they last agreed (`-`: they never met) and what they say now; `gr` was g and is r.
# What the cells mean is told by OUTCOMES below.  no: GHL has no "pending", such a pair is an error.
WRITTEN_OUT = """
    ghl \\ emailoctopus  -g            -p            -r                gg           gp           gr               pg           pp           pr               rg           rp           rr
    -g                   free          free          met unsubscribed  free         free         met unsubscribed free         free         met unsubscribed free         free         met unsubscribed
    -r                   met revoked   met pending   both revoked      met revoked  met pending  both revoked     met revoked  met pending  both revoked     met revoked  met pending  both revoked
    -p                   no            no            no                no           no           no               no           no           no               no           no           no
    gg                   free          free          met unsubscribed  free         free         block            free         free         block            free         free         stand
    gr                   met revoked   met pending   newly blocked     unsubscribe  unsubscribe  newly blocked    unsubscribe  unsubscribe  newly blocked    unsubscribe  unsubscribe  newly blocked
    rr                   met revoked   met pending   both revoked      stand        stand        both revoked     opted in     stand        both revoked     opted in     stand        both revoked
    rg                   free          free          met unsubscribed  free         free         block            free         free         block            free         free         lifted
    gp                   no            no            no                no           no           no               no           no           no               no           no           no
    rp                   no            no            no                no           no           no               no           no           no               no           no           no
    pp                   no            no            no                no           no           no               no           no           no               no           no           no
    pg                   free          free          met unsubscribed  no           no           no               no           no           no               no           no           no
    pr                   met revoked   met pending   both revoked      no           no           no               no           no           no               no           no           no
"""  # noqa: E501  # a table

# What follows, by who had revoked, whose the DND in GHL is and whether it is permanent, and the policy: for each
# combination exactly one row. `person` is either, `set` anybody, `kept` what was remembered before.
OUTCOMES = """
    outcome           cause   ours  permanent  resubscribe  opt-in  confirmed  ghl     there      cause                ours  held  reason
    free              *       *     *          *            *       *          -       -          none                 no    no    -
    stand             *       *     *          *            *       *          -       -          kept                 kept  kept  -
    both revoked      none    *     *          *            *       *          -       -          person_ghl           kept  no    -
    both revoked      set     *     *          *            *       *          -       -          kept                 kept  no    -
    newly blocked     none    *     *          *            *       *          -       -          person_ghl           kept  no    -
    newly blocked     policy  *     *          *            *       *          -       -          person_ghl           kept  no    -
    newly blocked     person  *     *          *            *       *          -       -          kept                 kept  no    -
    unsubscribe       *       *     *          *            *       *          -       revoke     person_ghl           no    no    blocked
    block             *       *     *          *            *       *          revoke  -          person_emailoctopus  yes   no    unsubscribed
    opted in          *       yes   no         *            *       *          free    -          none                 no    no    again
    opted in          none    yes   yes        *            *       *          -       -          person_ghl           no    yes   not ours
    opted in          set     yes   yes        *            *       *          -       -          kept                 no    yes   not ours
    opted in          none    no    *          *            *       *          -       -          person_ghl           no    yes   not ours
    opted in          set     no    *          *            *       *          -       -          kept                 no    yes   not ours
    lifted            *       *     *          never        *       *          -       -          kept                 no    yes   stays
    lifted            *       *     *          pending      no      *          -       -          kept                 no    yes   stays
    lifted            *       *     *          pending      yes     *          -       ask        kept                 no    no    asked
    lifted            *       *     *          allow        *       yes        -       subscribe  none                 no    no    allowed
    lifted            *       *     *          allow        no      no         -       -          kept                 no    yes   stays
    lifted            *       *     *          allow        yes     no         -       ask        kept                 no    no    never did
    met unsubscribed  none    *     *          *            *       *          revoke  -          person_emailoctopus  yes   no    unsubscribed
    met unsubscribed  person  *     *          *            *       *          revoke  -          person_emailoctopus  yes   no    unsubscribed
    met unsubscribed  policy  *     *          never        *       *          -       -          kept                 no    yes   stays
    met unsubscribed  policy  *     *          pending      no      *          -       -          kept                 no    yes   stays
    met unsubscribed  policy  *     *          pending      yes     *          -       ask        kept                 no    no    asked
    met unsubscribed  policy  *     *          allow        *       yes        -       subscribe  none                 no    no    allowed
    met unsubscribed  policy  *     *          allow        no      no         -       -          kept                 no    yes   stays
    met unsubscribed  policy  *     *          allow        yes     no         -       ask        kept                 no    no    never did
    met revoked       none    *     *          *            *       *          -       revoke     person_ghl           no    no    blocked
    met revoked       person  *     *          *            *       *          -       revoke     person_ghl           no    no    blocked
    met revoked       policy  no    *          *            *       *          -       revoke     person_ghl           no    no    blocked
    met revoked       policy  yes   yes        *            *       *          -       revoke     person_ghl           no    no    blocked
    met revoked       policy  yes   no         *            *       *          free    -          none                 no    no    again
    met pending       none    *     *          *            *       *          -       revoke     person_ghl           no    no    blocked
    met pending       person  *     *          *            *       *          -       revoke     person_ghl           no    no    blocked
    met pending       policy  no    *          *            *       *          -       revoke     person_ghl           no    no    blocked
    met pending       policy  yes   yes        *            *       *          -       revoke     person_ghl           no    no    blocked
    met pending       policy  yes   no         *            *       *          -       -          kept                 kept  no    -
"""  # noqa: E501  # a table
REASONS = {
    "-": "",
    "blocked": "e-mail DND in GHL: revoked wins",
    "unsubscribed": "unsubscribed in EmailOctopus: revoked wins",
    "again": "subscribed again in EmailOctopus; the DND was this program's",
    "not ours": "subscribed again, but the DND was set in GHL",
    "stays": "GHL allows mail again, but EmailOctopus stays unsubscribed",
    "asked": "GHL allows mail again; resubscribe: pending asks the person",
    "allowed": "GHL allows mail again; resubscribe: allow",
    "never did": "GHL allows mail again; the person never confirmed, and is asked again",
}
WRITES = {"-": None, "revoke": REVOKED, "free": GRANTED, "subscribe": GRANTED, "ask": PENDING}
CAUSES: dict[str, tuple[Cause | None, ...]] = {
    "*": (None, *Cause),
    "set": tuple(Cause),
    "none": (None,),
    "policy": (POLICY,),
    "person": (PERSON_GHL, PERSON_THERE),
}
EITHER = {"*": (True, False), "yes": (True,), "no": (False,)}


def table() -> dict[tuple[str, str], str]:
    """GHL's two letters and EmailOctopus's -> what is the case."""
    head, *lines = WRITTEN_OUT.strip().splitlines()
    columns = {match.start(): match[0] for match in re.finditer(r"(?<= )[-gpr][gpr](?= |$)", head)}
    indent = len(WRITTEN_OUT) - len(WRITTEN_OUT.lstrip()) - 1
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        text = line[indent:]
        starts = [*columns, len(text)]
        for start, end in pairwise(starts):
            found[text[:2], columns[start]] = text[start:end].strip()
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
    confirmed: bool = True


EVERYTHING_ELSE = tuple(
    Around(*one) for one in product(HISTORIES, [False, True], Resubscribe, [False, True], [True, False])
)


@dataclass(frozen=True)
class Row:
    """A line of OUTCOMES."""

    outcome: str
    cause: str
    ours: str
    permanent: str
    resubscribe: str
    opt_in: str
    confirmed: str
    ghl: str
    there: str
    cause_after: str
    ours_after: str
    held_after: str
    reason: str

    def fits(self, outcome: str, around: Around) -> bool:
        return (
            outcome == self.outcome
            and around.history.cause in CAUSES[self.cause]
            and around.history.dnd_by_us in EITHER[self.ours]
            and around.permanent in EITHER[self.permanent]
            and self.resubscribe in ("*", around.resubscribe)
            and around.double_opt_in in EITHER[self.opt_in]
            and around.confirmed in EITHER[self.confirmed]
        )

    def decision(self, history: ConsentHistory) -> ConsentDecision:
        ghl, there = WRITES[self.ghl], WRITES[self.there]
        return ConsentDecision(
            ghl,
            there,
            cause={"kept": history.cause, "none": None}.get(self.cause_after, self.cause_after),  # type: ignore[arg-type]
            dnd_by_us=history.dnd_by_us if self.ours_after == "kept" else self.ours_after == "yes",
            held=history.held if self.held_after == "kept" else self.held_after == "yes",
            reason=REASONS[self.reason],
            step_up=GRANTED in (ghl, there) or PENDING in (ghl, there),
        )


ROWS = [Row(*re.split(r"  +", line.strip())) for line in OUTCOMES.strip().splitlines()[1:]]


def expected(outcome: str, around: Around) -> ConsentDecision:
    """What the contract says: the one row that fits."""
    [row] = [row for row in ROWS if row.fits(outcome, around)]
    return row.decision(around.history)


def decided(ghl: str, emailoctopus: str, around: Around) -> ConsentDecision:
    ghl_before, ghl_now = (LETTERS[letter] for letter in ghl)
    there_before, there_now = (LETTERS[letter] for letter in emailoctopus)
    assert ghl_now is not None
    assert there_now is not None
    return decide_consent(
        ConsentSide(ghl_before, ghl_now, around.permanent),
        ConsentSide(there_before, there_now, unconfirmed=not around.confirmed),
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
        else:
            assert decided(*sides, around) == expected(outcome, around), around


def test_every_row_is_of_use() -> None:
    used = {
        row for outcome in TABLE.values() for around in EVERYTHING_ELSE for row in ROWS if row.fits(outcome, around)
    }
    assert used == set(ROWS)


CODED = [(consent.TABLE, key) for key in consent.TABLE] + [
    (consent.FIRST_MEETING, key) for key in consent.FIRST_MEETING
]


@pytest.mark.parametrize(("coded", "key"), CODED, ids=["-".join(key) for _, key in CODED])
def test_no_row_in_the_code_could_say_anything_else(
    coded: dict[Any, consent.Event], key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wrong entry of the code's table is noticed: what a tool that changes functions only can't try."""
    letters = "".join(word[0] for word in key)
    where_it_counts_first = sorted(all_expected(), key=lambda one: "".join(one[0]) != letters)
    for event in set(consent.Event) - {coded[key]}:
        monkeypatch.setitem(coded, key, event)
        assert any(decided(*sides, around) != outcome for sides, around, outcome in where_it_counts_first), event


@functools.cache
def all_expected() -> list[tuple[tuple[str, str], Any, Any]]:
    """What the table says about every combination."""
    possible = ((sides, outcome) for sides, outcome in TABLE.items() if outcome != "no")
    return [(sides, around, expected(outcome, around)) for sides, outcome in possible for around in EVERYTHING_ELSE]


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
            assert decision.emailoctopus is PENDING or (around.resubscribe is Resubscribe.ALLOW and around.confirmed)
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

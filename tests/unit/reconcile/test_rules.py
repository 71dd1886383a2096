"""Which rules act on an occasion: by what it is, when it was, and what was done before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.engagement import Campaign, Kind, Occasion, seen, told
from sync_daemon.model.rules import CreateNote, Rule, When
from sync_daemon.model.state import Link
from sync_daemon.reconcile.rules import BEFORE, Facts, deed_key, matches, objection, parts_of, verdict_of_opt_out

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINK = Link("g1", "e1")
SPRING = Campaign("k1", "Spring sale", "Look", ("l1",), NOON)


def rule(kind: Kind = Kind.CLICKED, **when: Any) -> Rule:
    return Rule("r1", "rules[0]", When(kind, **when), (CreateNote("Hi"),))


def click(at: datetime = NOON, campaign: str = "k1") -> Occasion:
    return replace(told(Kind.CLICKED, "e1", campaign, at, "x"), received_at=at)


def facts(link: Link | None = LINK, campaign: Campaign | None = SPRING, *deeds: Deed, since: timedelta = HOUR) -> Facts:
    return Facts(link, campaign, {"r1": NOON - since}, deeds)


def done(occasion: Occasion, key: str = "r1", **changes: Any) -> Deed:
    other = Rule(key, "", When(occasion.kind), ())
    deed = Deed(deed_key(other, 0, occasion), "x", "g1", "e1", DeedState.DONE, NOON, occasion.at)
    return replace(deed, **changes)


def unsubscribed(at: datetime = NOON, campaign: str = "", *, by_status: bool = False) -> Occasion:
    one = seen(Kind.UNSUBSCRIBED, "e1", "", at, b"d") if by_status else told(Kind.UNSUBSCRIBED, "e1", campaign, at, "x")
    return replace(one, received_at=at)


@pytest.mark.parametrize(
    ("kind", "subject", "pattern", "acts"),
    [
        (Kind.TAG_ADDED, "VIP Gold", "vip*", True),
        (Kind.TAG_ADDED, "vip", "VIP", True),
        (Kind.TAG_ADDED, "not vip", "vip*", False),
        (Kind.FIELD_CHANGED, "Plan", "plan", True),
        (Kind.CLICKED, "", "", True),
    ],
)
def test_a_rule_is_about_a_kind_and_a_pattern(kind: Kind, subject: str, pattern: str, *, acts: bool) -> None:
    occasion = seen(kind, "e1", subject, NOON, b"d")
    assert matches(rule(kind, subject=pattern), occasion) is acts
    assert not matches(rule(Kind.OPENED), occasion)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (facts(), None),
        (facts(since=timedelta()), BEFORE),
        (facts(since=-HOUR), BEFORE),
        (Facts(LINK, SPRING, {}), BEFORE),
        (facts(None), "no GHL contact is linked"),
        (facts(replace(LINK, in_scope=False)), "the contact is out of the pair's scope"),
        (facts(LINK, replace(SPRING, name="Autumn")), "the campaign isn't like spring*"),
        (facts(LINK, None), "the campaign isn't like spring*"),
        (facts(LINK, SPRING, done(click())), "it was acted on already"),
        (facts(LINK, SPRING, done(click(), "another")), None),
        (facts(LINK, SPRING, done(click(campaign="k2"))), None),
    ],
)
def test_why_a_rule_does_not_act(known: Facts, why: str | None) -> None:
    assert objection(rule(campaign="spring*"), click(), known) == why


@pytest.mark.parametrize(
    ("before", "state", "acts"),
    [
        (timedelta(days=6), DeedState.DONE, False),
        (timedelta(days=6), DeedState.UNCERTAIN, False),
        (timedelta(days=6), DeedState.GIVEN_UP, True),
        (timedelta(days=7), DeedState.DONE, True),
        (-timedelta(days=6), DeedState.DONE, False),
    ],
)
def test_once_in_a_period(before: timedelta, state: DeedState, *, acts: bool) -> None:
    earlier = done(click(NOON - before, "k2"), state=state)
    why = objection(rule(once_every=timedelta(days=7)), click(), facts(LINK, SPRING, earlier, since=timedelta(days=99)))
    assert (why is None) is acts


@pytest.mark.parametrize(
    ("first", "then", "acts"),
    [
        (unsubscribed(by_status=True), unsubscribed(NOON + HOUR, "k1"), False),
        (unsubscribed(campaign="k1"), unsubscribed(NOON + HOUR, by_status=True), False),
        (unsubscribed(campaign="k2"), unsubscribed(NOON + HOUR, "k1"), True),
        (unsubscribed(by_status=True), unsubscribed(NOON + timedelta(days=2), "k1"), True),
    ],
)
def test_an_opt_out_that_names_no_campaign_stands_for_one_that_does(
    first: Occasion, then: Occasion, *, acts: bool
) -> None:
    assert (objection(rule(Kind.UNSUBSCRIBED), then, facts(LINK, None, done(first))) is None) is acts


def test_a_soft_bounce_in_each_of_two_campaigns_is_two() -> None:
    one, other = (told(Kind.BOUNCED, "e1", campaign, NOON) for campaign in ("k1", "k2"))
    assert objection(rule(Kind.BOUNCED), other, facts(LINK, None, done(one))) is None


BY_STATUS, BY_WEBHOOK = unsubscribed(by_status=True), unsubscribed()
BOUNCED = told(Kind.BOUNCED, "e1", "k1", NOON)
GRACE = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("occasion", "others", "after", "counts"),
    [
        (BY_STATUS, [], timedelta(), None),
        (BY_STATUS, [], GRACE, True),
        (BY_STATUS, [BY_WEBHOOK], timedelta(), True),
        (BY_STATUS, [BOUNCED], GRACE, False),
        (BY_STATUS, [unsubscribed(campaign="k1")], GRACE, False),
        (BY_STATUS, [replace(BOUNCED, occurred_at=NOON - timedelta(days=3))], GRACE, True),
        (BY_WEBHOOK, [], timedelta(), None),
        (BY_WEBHOOK, [], GRACE, False),  # this program's own
        (BY_WEBHOOK, [BY_STATUS], GRACE, False),  # which counts for both
        (unsubscribed(campaign="k1"), [BY_STATUS], timedelta(), True),
        (BOUNCED, [BY_STATUS], timedelta(), True),
    ],
)
def test_what_only_the_status_shows_waits_for_more(
    occasion: Occasion, others: list[Occasion], after: timedelta, *, counts: bool | None
) -> None:
    assert verdict_of_opt_out(occasion, [*others, occasion], NOON + after, GRACE) is counts


def test_a_deeds_key_tells_all_of_it() -> None:
    occasion = told(Kind.CLICKED, "e1", "", NOON, "a vendor's id")
    assert parts_of(deed_key(rule(), 3, occasion)) == ("r1", 3, occasion.event_id)

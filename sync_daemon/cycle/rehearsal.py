"""What rules would do about the last events: nothing is done, and nothing is remembered of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sync_daemon.cycle.engagement import as_told, recent_campaigns
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import EMAILOCTOPUS, Pair, Run
from sync_daemon.cycle.rule_values import Telling
from sync_daemon.cycle.weighing import Scales, Weighed, active_since
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.engagement import Occasion
from sync_daemon.model.errors import Refused
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.rules import Rule
from sync_daemon.reconcile.rule_calls import asks_contact, in_words
from sync_daemon.reconcile.rules import BEFORE, condition

_LOOKS_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One rule and one event: what would be done, in words, or why not.

    What would be done is told also where only the time stands in the way: a new rule has seen no event yet.
    """

    event: str
    at: datetime | None
    emailoctopus_id: str
    ghl_id: str | None
    rule: str
    would: tuple[str, ...]
    why_not: str | None


def rehearse(pair: Pair, last: int) -> list[Rehearsed]:
    """The rules over the `last` events, the newest first: those that webhooks told, and those of campaign reports.

    Works on a private copy of the pair's state. Raises `StopSystem`, `IncompleteRead` and `Refused` when what it needs
    can't be read.
    """
    run = open_run(pair, CycleReport(pair.name, pair.new_run_id(), Mode.INCREMENTAL), pair.store.state())
    scales, telling = Scales(run, dict(active_since(run))), Telling(run)
    found: list[Rehearsed] = []
    for weighed in scales.weigh(_last(run, last)):
        if scales.failure is not None:
            raise scales.failure
        found.extend(_of(telling, weighed))
    return found


def _last(run: Run, last: int) -> list[Occasion]:
    """The newest events, each once."""
    stored = run.pair.store.last_occasions(last)
    known = {one.event_id: one for one in [*_reported(run, last), *stored]}
    dated = [(one.at, one.event_id, one) for one in known.values() if one.at is not None]
    return [one for *_, one in sorted(dated, key=lambda row: row[:2], reverse=True)[:last]]


def _reported(run: Run, last: int) -> Iterator[Occasion]:
    """The events of the newest campaigns, as many as are wanted of each kind that a rule asks about."""
    engagement = run.pair.systems[EMAILOCTOPUS].engagement
    kinds = sorted(run.pair.rules.listens_to)
    if engagement is None or not kinds:
        return
    left = last
    for campaign in recent_campaigns(engagement, run.pair.clock.now() - _LOOKS_BACK):
        run.campaigns[campaign.id] = campaign
        if left <= 0:
            return
        counts = engagement.summary(campaign.id)
        for kind in kinds:
            if counts.get(kind, 0):
                told = as_told(run, campaign, kind, islice(engagement.report(campaign.id, kind), last), None)
                left -= len(told)
                yield from told


def _of(telling: Telling, weighed: Weighed) -> Iterator[Rehearsed]:
    occasion, link = weighed.occasion, weighed.link
    if weighed.waits:
        yield _row(weighed, None, (), "it waits for a report or webhook that tells more of it")
        return
    contact: Snapshot | None = None
    asks = any(rule.when.asks_contact or asks_contact(rule.then) for rule, _ in weighed.answers)
    if link is not None and asks:
        try:
            contact = telling.read(link.ghl_id)
        except Refused as refusal:
            yield _row(weighed, None, (), f"the GHL contact can't be read: {refusal.code}")
            return
    for rule, why in weighed.answers:
        values = telling.values(rule, occasion, contact)
        answer = (_unfulfilled(rule, contact) if why in (None, BEFORE) and link is not None else None) or why
        would = tuple(in_words(action, values) for action in rule.then) if answer in (None, BEFORE) else ()
        yield _row(weighed, rule, would if link is not None else (), answer)


def _unfulfilled(rule: Rule, contact: Snapshot | None) -> str | None:
    if not rule.when.asks_contact:
        return None
    return condition(rule, contact) if contact is not None else "the GHL contact doesn't exist"


def _row(weighed: Weighed, rule: Rule | None, would: tuple[str, ...], why_not: str | None) -> Rehearsed:
    occasion = weighed.occasion
    event = f"{occasion.kind}:{occasion.subject}" if occasion.subject else occasion.kind.value
    campaign = weighed.campaign
    return Rehearsed(
        event if campaign is None else f"{event} in {campaign.name}",
        occasion.at,
        occasion.contact_id,
        weighed.link.ghl_id if weighed.link is not None else None,
        rule.place if rule is not None else "-",
        would,
        why_not,
    )

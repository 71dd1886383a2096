"""Which rules act on an occasion, and why others don't. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sync_daemon.model.contact import Snapshot
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.engagement import OPT_OUTS, Campaign, Kind, Occasion
from sync_daemon.model.policy import ScopeRule
from sync_daemon.model.rules import Rule
from sync_daemon.model.state import Link
from sync_daemon.reconcile.scope import satisfies

PREFIX = "rule"
BEFORE = "it happened before the rule was active"
ONE_OPT_OUT = timedelta(days=1)
"""So far apart an unsubscribe that names no campaign, and one that a webhook or report tells, are one occasion."""
GIVES_UP_AFTER = timedelta(days=1)
"""So long an occasion waits for its contact's link, and what GHL doesn't find for the contact."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known around one occasion. `active` tells since when each rule, by its key, has been active.

    `deeds` are those of the link's GHL contact.
    """

    link: Link | None
    campaign: Campaign | None
    active: Mapping[str, datetime]
    deeds: Sequence[Deed] = ()


def matches(rule: Rule, occasion: Occasion) -> bool:
    """Whether a rule is about such occasions at all."""
    when = rule.when
    if when.kind is not occasion.kind:
        return False
    return not when.subject or fnmatchcase(occasion.subject.strip().lower(), when.subject.strip().lower())


def objection(rule: Rule, occasion: Occasion, facts: Facts) -> str | None:
    """Why a rule doesn't act on an occasion that it is about, as far as that is known without reading the contact."""
    since = facts.active.get(rule.key)
    if since is None or occasion.at is None or occasion.at <= since:
        return BEFORE
    if facts.link is None:
        return "no GHL contact is linked"
    if not facts.link.in_scope:
        return "the contact is out of the pair's scope"
    pattern = rule.when.campaign
    if pattern is not None and not _of_campaign(facts.campaign, pattern):
        return f"the campaign isn't like {pattern}"
    own = [deed for deed in facts.deeds if deed.key.startswith(f"{PREFIX} {rule.key} ")]
    if any(event_id_of(deed.key) == occasion.event_id for deed in own):
        return "it was acted on already"
    return _acted_lately(rule, occasion, own)


def condition(rule: Rule, contact: Snapshot) -> str | None:
    """Why a GHL contact doesn't fulfil a rule's conditions."""
    when = rule.when
    if not satisfies(ScopeRule(tags_any=when.tags_any), contact.tags, {}, None):
        return f"it has none of the tags {', '.join(when.tags_any)}"
    if not satisfies(ScopeRule(tags_none=when.tags_none), contact.tags, {}, None):
        return f"it has one of the tags {', '.join(when.tags_none)}"
    for name, values in when.field.items():
        if not satisfies(ScopeRule(field={name: values}), (), contact.fields, None):
            return f"its field {name} isn't {' or '.join(values)}"
    return None


def verdict_of_opt_out(occasion: Occasion, others: Iterable[Occasion], now: datetime, grace: timedelta) -> bool | None:
    """Whether an opt-out that names no campaign counts; None while it must wait.

    An unsubscribe that only the status shows may be a bounce or complaint that a webhook or report is about to tell,
    and is the same occasion then. One that a webhook tells without a campaign may be this program's own: it counts
    together with the status that shows it for a person's.
    """
    if occasion.campaign_id or occasion.kind is not Kind.UNSUBSCRIBED:
        return True
    near = [one for one in others if one.event_id != occasion.event_id and _one_opt_out(one, occasion)]
    if any(one.campaign_id or one.kind is not Kind.UNSUBSCRIBED for one in near):
        return False
    old = occasion.received_at is not None and now - occasion.received_at >= grace
    if occasion.seen:
        return True if old or any(not one.seen for one in near) else None
    return False if old or any(one.seen for one in near) else None


def deed_key(rule: Rule, index: int, occasion: Occasion) -> str:
    """What one action of a rule for one occasion is known by."""
    return f"{PREFIX} {rule.key} {index} {occasion.event_id}"


def parts_of(key: str) -> tuple[str, int, str]:
    """The rule's key, the action's place and the occasion's id behind a deed's key."""
    _, rule, index, event_id = key.split(" ", 3)
    return rule, int(index), event_id


def event_id_of(key: str) -> str:
    """The occasion's id behind a deed's key."""
    return parts_of(key)[2]


def _of_campaign(campaign: Campaign | None, pattern: str) -> bool:
    return campaign is not None and fnmatchcase(campaign.name.lower(), pattern.lower())


def _acted_lately(rule: Rule, occasion: Occasion, own: Sequence[Deed]) -> str | None:
    """Whether the rule has acted on another occasion that stands for this one, too."""
    counting = [deed for deed in own if deed.state is not DeedState.GIVEN_UP]
    if occasion.kind in OPT_OUTS and any(_stands_for(deed, occasion) for deed in counting):
        return "it was acted on already, as an unsubscribe that named no campaign"
    every = rule.when.once_every
    if every is not None and any(_apart(deed.occurred_at or deed.at, occasion) < every for deed in counting):
        return f"it acted on the contact within {every.total_seconds() / 86400:g} days already"
    return None


def _stands_for(deed: Deed, occasion: Occasion) -> bool:
    """Whether one of a deed's occasion and another names no campaign, and both are near enough to be the same."""
    kind, campaign, *_ = event_id_of(deed.key).split(" ")
    nameless = campaign in ("", "seen") or not occasion.campaign_id
    return kind in OPT_OUTS and nameless and _apart(deed.occurred_at or deed.at, occasion) < ONE_OPT_OUT


def _one_opt_out(one: Occasion, other: Occasion) -> bool:
    return one.kind in OPT_OUTS and one.at is not None and _apart(one.at, other) < ONE_OPT_OUT


def _apart(at: datetime, occasion: Occasion) -> timedelta:
    return abs(at - occasion.at) if occasion.at is not None else timedelta()

"""What is known around occasions, from the store and of campaigns, and which rules act on them by that."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync_daemon.cycle.pair import EMAILOCTOPUS, Run
from sync_daemon.model.deeds import Deed
from sync_daemon.model.engagement import OPT_OUTS, Campaign, Occasion
from sync_daemon.model.errors import IncompleteRead, NotFound, Refused, Stopped, StopSystem, SyncError
from sync_daemon.model.plan import MassChange
from sync_daemon.model.rules import Rule
from sync_daemon.model.state import Link
from sync_daemon.reconcile.rule_calls import kind_of, templates_of
from sync_daemon.reconcile.rules import BEFORE, Facts, matches, objection, verdict_of_opt_out
from sync_daemon.reconcile.templates import CAMPAIGN_NAMES, named_in

_ACTIVE = "rule "
"""What the time since when a rule is active is stored under, with its key."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """An occasion and what each rule that is about it says: why it doesn't act, None if it does.

    `waits`: it can't be told yet. `unlinked` says that nothing but a link is missing; `over` that no
    link could bring a rule to act any more.
    """

    occasion: Occasion
    link: Link | None = None
    campaign: Campaign | None = None
    answers: tuple[tuple[Rule, str | None], ...] = ()
    waits: bool = False
    over: bool = False

    @property
    def acting(self) -> list[Rule]:
        """The rules that act, as far as is known without reading the contact."""
        return [rule for rule, why in self.answers if why is None]

    @property
    def unlinked(self) -> bool:
        """Whether some rule might act once the contact has a link."""
        return self.link is None and not self.over and bool(self.answers)


@dataclass(slots=True)
class Scales:
    """Weighs occasions in one cycle. `active` tells since when each rule is, `failure` why a campaign isn't known.

    `held` says whether actions of some kinds wait for a person: such occasions wait with them, and nothing is asked.
    """

    run: Run
    active: Mapping[str, datetime]
    failure: SyncError | None = field(default=None)
    held: Callable[[Link, Collection[MassChange]], bool] = lambda _link, _kinds: False

    def weigh(self, occasions: Sequence[Occasion]) -> list[Weighed]:
        """What the rules say about some occasions; deeds and links are looked up for all of them together."""
        store = self.run.pair.store
        ids = {one.contact_id for one in occasions}
        links = {link.emailoctopus_id: link for link in store.links(emailoctopus=ids)}
        deeds: dict[str, list[Deed]] = {}
        for deed in store.deeds_of([link.ghl_id for link in links.values()]):
            deeds.setdefault(deed.ghl_id, []).append(deed)
        nameless = {one.contact_id for one in occasions if one.kind in OPT_OUTS and not one.campaign_id}
        others = store.opt_outs_of(nameless) if nameless else []
        return [
            self._one(
                one,
                links.get(one.contact_id),
                deeds,
                [other for other in others if other.contact_id == one.contact_id],
            )
            for one in occasions
        ]

    def _one(
        self,
        occasion: Occasion,
        link: Link | None,
        deeds: Mapping[str, Sequence[Deed]],
        others: Sequence[Occasion],
    ) -> Weighed:
        rules = [rule for rule in self.run.pair.rules.rules if matches(rule, occasion)]
        counts = verdict_of_opt_out(occasion, others, self.run.pair.clock.now(), self.run.pair.rules.poll_every)
        if not rules or counts is False:
            return Weighed(occasion, link)
        kinds = {kind_of(action) for rule in rules for action in rule.then}
        if counts is None or (link is not None and self.held(link, kinds)):
            return Weighed(occasion, link, waits=True)
        try:
            asks = link is not None and any(map(asks_campaign, rules))
            campaign = (self.campaign if asks else self.run.campaigns.get)(occasion.campaign_id)
        except (StopSystem, IncompleteRead, Refused) as error:
            self.note(error)
            return Weighed(occasion, link, waits=True)
        facts = Facts(link, campaign, self.active, deeds.get(link.ghl_id, ()) if link else ())
        answers = tuple((rule, objection(rule, occasion, facts)) for rule in rules)
        return Weighed(occasion, link, campaign, answers, over=_is_over(answers))

    def note(self, error: SyncError) -> None:
        """Remember why a campaign isn't known; raise it again when the process is told to stop."""
        if isinstance(error, Stopped):
            raise error
        self.failure = error

    def campaign(self, campaign_id: str) -> Campaign | None:
        """A campaign, asked for once in a cycle. Raises `StopSystem`, `Refused`."""
        known = self.run.campaigns
        engagement = self.run.pair.systems[EMAILOCTOPUS].engagement
        if campaign_id and campaign_id not in known and engagement is not None:
            if isinstance(self.failure, StopSystem):
                raise self.failure
            try:
                known[campaign_id] = engagement.campaign(campaign_id)
            except NotFound:
                known[campaign_id] = None
        return known.get(campaign_id)


def activate(run: Run) -> dict[str, datetime]:
    """Since when each rule is active: from now on, where it wasn't known."""
    since = run.active_since([f"{_ACTIVE}{rule.key}" for rule in run.pair.rules.rules])
    return {name.removeprefix(_ACTIVE): at for name, at in since.items()}


def active_since(run: Run) -> Iterator[tuple[str, datetime]]:
    """Those of the rules that are active, and since when; nothing is noted."""
    for rule in run.pair.rules.rules:
        since = run.state.looked_at.get(f"{_ACTIVE}{rule.key}")
        if since is not None:
            yield rule.key, since


def _is_over(answers: Sequence[tuple[Rule, str | None]]) -> bool:
    """Whether no link could bring a rule to act: it all happened before."""
    return all(why == BEFORE for _, why in answers)


def asks_campaign(rule: Rule) -> bool:
    """Whether a rule names a campaign, in its condition or in a text."""
    texts = (text for action in rule.then for text in templates_of(action))
    return rule.when.campaign is not None or any(
        place.name in CAMPAIGN_NAMES for text in texts for place in named_in(text)
    )

"""Rules: what people did in EmailOctopus becomes actions in GHL, each once (contract, section 9)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync_daemon.cycle.deeds import CONTACT_GONE, RULE_GONE, Doer
from sync_daemon.cycle.engagement import read_reports
from sync_daemon.cycle.pair import GHL, Run, log
from sync_daemon.cycle.rule_guard import RuleGuard
from sync_daemon.cycle.rule_values import Telling
from sync_daemon.cycle.weighing import Scales, Weighed, activate, asks_campaign
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.engagement import Occasion
from sync_daemon.model.errors import CredentialsRefused, IncompleteRead, Refused, StopSystem
from sync_daemon.model.plan import MassChange, RuleAction
from sync_daemon.model.rules import Action, Rule
from sync_daemon.model.state import Change, Link
from sync_daemon.ports import Commit
from sync_daemon.reconcile.rule_calls import asks_contact, call_of, kind_of, name_of
from sync_daemon.reconcile.rules import GIVES_UP_AFTER, PREFIX, condition, deed_key, parts_of

_AT_ONCE = 500
_AT_A_TIME_S = 60.0
"""Rules act so long in one cycle; then contacts are looked at again."""
_NO_LINK = "no GHL contact got linked within a day"

Intent = tuple[Rule, int, Action]


def act(run: Run) -> None:
    """Judge what happened and do what follows; the contacts of this cycle are done. Nothing is asked without rules."""
    if not run.pair.rules or run.failed or run.stopped:
        return
    try:
        active = activate(run)
        read_reports(run, min(active.values()))
        stage = Stage(run, Scales(run, active))
        stage.finish()
        stage.judge()
    except StopSystem as error:
        run.sender.stopped.setdefault(error.system, error)


def foresee(run: Run) -> tuple[list[RuleAction], list[RuleAction]]:
    """What rules would do, and what of it would be held. The run works on a copy of the store."""
    if not run.pair.rules:
        return [], []
    read_reports(run, min(activate(run).values()))
    return foresee_stored(run)


def foresee_stored(run: Run) -> tuple[list[RuleAction], list[RuleAction]]:
    """What rules would do about what is stored already, and what of it would be held; no report is read."""
    if not run.pair.rules:
        return [], []
    return Stage(run, Scales(run, activate(run))).foresee()


@dataclass(slots=True)
class Stage:
    """The work of one cycle's rules."""

    run: Run
    scales: Scales
    _guard: RuleGuard = field(init=False)
    _telling: Telling = field(init=False)
    _doer: Doer = field(init=False)
    _began: float = field(init=False)
    _left: bool = field(default=False, init=False)
    """Whether a plan that is carried out left something of what waits to the next cycle."""

    def __post_init__(self) -> None:
        run = self.run
        actions = run.pair.systems[GHL].actions
        if actions is None:
            raise ValueError("GHL has actions")
        self._guard = RuleGuard(run)
        self._telling, self._doer = Telling(run), Doer(run, actions)
        self._began = run.pair.clock.monotonic()

    def finish(self) -> None:
        """What earlier cycles intended and didn't bring to an end, and what was refused and is due."""
        rules = {rule.key: rule for rule in self.run.pair.rules.rules}
        for deed in self._open():
            if not self._goes_on():
                return
            key, index, event_id = parts_of(deed.key)
            rule = rules.get(key)
            if rule is not None and not self._may_end(deed):
                continue
            if rule is None:
                self._doer.give_up(deed, RULE_GONE, "its rule isn't in the configuration any more")
                continue
            occasion = self.run.pair.store.occasions([event_id]).get(event_id) or self._telling.remembered(deed)
            try:
                if asks_campaign(rule):
                    self.scales.campaign(occasion.campaign_id)
            except (StopSystem, IncompleteRead, Refused) as error:
                self.scales.note(error)
                continue
            self._do(deed, rule, rule.then[index], occasion)

    def judge(self) -> None:
        """Ask the rules about everything that waits, count what they would do, and do what may be done."""
        if not self.run.full:  # a full scan looks whether the conditions of what is held are true still
            self.scales.held = self._guard.still_holds
        self._guard.count(filter(self._concerns_plan, self._waiting()))
        whole = True
        judged: list[Occasion] = []
        for weighed in self._waiting():
            if not self._goes_on():
                whole = False
                break
            # What was done meanwhile may stand in the way of what comes after it.
            judged += self._judge_one(self.scales.weigh([weighed.occasion])[0] if weighed.acting else weighed)
            if len(judged) >= _AT_ONCE:
                self.run.commit(Commit(judged=judged))
                judged = []
        if judged:
            self.run.commit(Commit(judged=judged))
        if whole and not self._left:
            self._guard.release()
        if not whole and self.run.following is not None:
            self.run.following.cut_short = True
        self.run.guard.over.update(self._guard.over)
        if self.scales.failure is not None:
            log.warning("campaign_not_read", pair=self.run.pair.name, why=self.scales.failure.shown)

    def _concerns_plan(self, weighed: Weighed) -> bool:
        """Whether something that may follow from an occasion is in the plan that is carried out, if one is."""
        following, link = self.run.following, weighed.link
        if following is None or link is None:
            return True
        places = ((rule, index) for rule in weighed.acting for index in range(len(rule.then)))
        return any(following.holds(deed_key(rule, index, weighed.occasion), link.ghl_id) for rule, index in places)

    def foresee(self) -> tuple[list[RuleAction], list[RuleAction]]:
        """What would be done, and what of it held; nothing is."""
        rules = {rule.key: rule for rule in self.run.pair.rules.rules}
        now: list[RuleAction] = []
        held: list[RuleAction] = []
        for deed in self._open():
            key, index, _ = parts_of(deed.key)
            if key in rules:
                name = name_of(rules[key].then[index])
                begun = f"{deed.what}, begun or refused before"
                now.append(RuleAction(deed.ghl_id, deed.emailoctopus_id, name, begun, deed.key))
        self._guard.count(self._waiting())
        for weighed in self._waiting():
            for rule, index, action in self._intents(weighed, self._contact_for(weighed)):
                link = weighed.link
                if link is None:
                    continue
                why = self._guard.why_blocked(link, kind_of(action))
                what = RuleAction(
                    link.ghl_id,
                    link.emailoctopus_id,
                    name_of(rule.then[index]),
                    f"{rule.place}: {weighed.occasion.kind}",
                    deed_key(rule, index, weighed.occasion),
                )
                if why is None:
                    now.append(what)
                elif why:
                    held.append(replace(what, reason=f"would be held, {why}; {what.reason}"))
        return now, held

    # Judging

    def _judge_one(self, weighed: Weighed) -> list[Occasion]:
        """Do what follows from an occasion; it is given back where nothing does, and it is judged."""
        occasion, link = weighed.occasion, weighed.link
        if weighed.waits:
            return []
        if weighed.unlinked:
            return self._wait(occasion, _NO_LINK)
        if link is None or not weighed.acting:
            return [occasion]
        try:
            contact = self._contact_for(weighed)
        except (Refused, CredentialsRefused) as refusal:
            return self._wait(occasion, f"the GHL contact can't be read: {refusal.shown}")
        if contact is None and any(rule.when.asks_contact for rule in weighed.acting):
            return self._wait(occasion, "the GHL contact doesn't exist")
        intents = list(self._intents(weighed, contact))
        blocked = {kind: self._guard.why_blocked(link, kind) for kind in {kind_of(action) for *_, action in intents}}
        if not self._is_planned(weighed, link, [one for one in intents if blocked[kind_of(one[2])] != ""]):
            return []
        if any(blocked.values()):
            self._hold(weighed, link, intents, {kind: reason for kind, reason in blocked.items() if reason})
            return []
        allowed = [intent for intent in intents if blocked[kind_of(intent[2])] is None]
        if not self._is_planned(weighed, link, allowed, guarded=True):
            return []
        self._intend(occasion, link, allowed)
        return [] if allowed else [occasion]

    def _is_planned(self, weighed: Weighed, link: Link, intents: Sequence[Intent], *, guarded: bool = False) -> bool:
        """Whether the plan that is carried out, if one is, holds all this; `guarded`: the guard lets it pass.

        If not, the occasion waits for the next cycle.
        """
        following = self.run.following
        if following is None:
            return True
        for rule, index, action in intents:
            key = deed_key(rule, index, weighed.occasion)
            approved = not guarded or self._guard.is_approved(link, kind_of(action))
            if not following.may_do(key, link.ghl_id, link.emailoctopus_id, approved=approved):
                self._left = True
                return False
        return True

    def _may_end(self, deed: Deed) -> bool:
        """Whether what an earlier cycle intended may be brought to its end, as the plan has it."""
        following = self.run.following
        return following is None or following.may_do(deed.key, deed.ghl_id, deed.emailoctopus_id)

    def _hold(self, weighed: Weighed, link: Link, intents: Sequence[Intent], why: Mapping[MassChange, str]) -> None:
        self._guard.hold(link, why)
        if (following := self.run.following) is not None:
            for rule, index, _ in intents:
                following.holds_back(deed_key(rule, index, weighed.occasion), link.ghl_id)

    def _intents(self, weighed: Weighed, contact: Snapshot | None) -> Iterator[Intent]:
        """The actions of the rules that act, conditions on the contact included."""
        for rule in weighed.acting:
            if rule.when.asks_contact and (contact is None or condition(rule, contact) is not None):
                continue
            yield from ((rule, index, action) for index, action in enumerate(rule.then))

    def _contact_for(self, weighed: Weighed) -> Snapshot | None:
        """The GHL contact, read by id where a condition asks about it."""
        asks = any(rule.when.asks_contact for rule in weighed.acting)
        return self._telling.read(weighed.link.ghl_id) if weighed.link is not None and asks else None

    def _intend(self, occasion: Occasion, link: Link, intents: list[Intent]) -> None:
        """Write down what is to be done, and that the occasion is judged; then do it."""
        if not intents:
            return
        now = self.run.pair.clock.now()
        deeds = [
            (
                Deed(
                    deed_key(rule, index, occasion),
                    f"{name_of(action)} by {rule.place}, {occasion.kind}",
                    link.ghl_id,
                    link.emailoctopus_id,
                    DeedState.INTENDED,
                    now,
                    occasion.at,
                ),
                rule,
                action,
            )
            for rule, index, action in intents
        ]
        counted = {str(kind): n for kind, n in self._guard.fresh(link, [action for *_, action in deeds]).items()}
        self.run.commit(Commit(deeds=[one for one, *_ in deeds], judged=[occasion], mass_changes=counted))
        for deed, rule, action in deeds:
            self._do(deed, rule, action, occasion)

    def _do(self, deed: Deed, rule: Rule, action: Action, occasion: Occasion) -> None:
        """Carry one action out with the contact's values as they are now."""
        contact = None
        if asks_contact([action]):
            try:
                contact = self._telling.read(deed.ghl_id)
            except (Refused, CredentialsRefused) as refusal:
                self._doer.refuse(deed, "contact_unreadable", str(refusal))
                return
            if contact is None:
                self._doer.refuse(deed, CONTACT_GONE, "The contact doesn't exist in GHL.")
                return
        values = self._telling.values(rule, occasion, contact)
        self._doer.do(deed, call_of(action, deed.ghl_id, values, deed.at))

    # Waiting

    def _wait(self, occasion: Occasion, why: str) -> list[Occasion]:
        """Leave an occasion for a later cycle, for a day; then say that nothing comes of it."""
        since = occasion.received_at
        if since is None or self.run.pair.clock.now() - since < GIVES_UP_AFTER:
            return []
        log.warning("rule_gave_up", pair=self.run.pair.name, emailoctopus_id=occasion.contact_id, reason=why)
        change = Change("reported", GHL, None, occasion.contact_id, f"rules, {occasion.kind}", why)
        self.run.commit(Commit(judged=[occasion], changes=[change]))
        return []

    def _waiting(self) -> Iterator[Weighed]:
        """Everything that no rule was asked about yet, weighed many at a time."""
        after: Occasion | None = None
        while rows := self.run.pair.store.waiting_occasions(after, _AT_ONCE):
            after = rows[-1]
            yield from self.scales.weigh(rows)

    def _open(self) -> list[Deed]:
        now = self.run.pair.clock.now()
        return [one for one in self.run.pair.store.open_deeds(now) if one.key.startswith(f"{PREFIX} ")]

    def _goes_on(self) -> bool:
        self.run.tick()
        lasted = self.run.pair.clock.monotonic() - self._began
        return lasted < _AT_A_TIME_S

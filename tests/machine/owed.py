"""What rules owe when the outside has fallen quiet: each event was acted on, or is listed as what it waits for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sync_daemon.model.deeds import Deed
from sync_daemon.model.engagement import OF_MAIL, OPT_OUTS, Kind
from sync_daemon.model.plan import MassChange
from sync_daemon.model.system import SystemName
from tests.machine.acted import FORM, TAGS, WORKFLOW, Act, Acts, Trace
from tests.machine.engaged import Occurrence, is_about
from tests.machine.house import TALLY
from tests.machine.quiet import Both, Quiet
from tests.machine.rulings import EVENTS, ONCE, ONCE_EVERY

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_READ_FOR = timedelta(days=60)
_HELD = {MassChange.RULE_ACTION, MassChange.RULE_REMOVAL}


class Owed:
    """Every occurrence is judged in the first quiet spell after it; what is held then, in a later one."""

    def __init__(self, acts: Acts) -> None:
        self.acts, self.engaged, self.outside = acts, acts.engaged, acts.outside
        self.owed: list[tuple[int, Occurrence]] = []
        """What rules had to act on since the last database was lost."""
        self._judged = 0
        self._waiting: list[Occurrence] = []

    def database_was_lost(self) -> None:
        """What was done and what was to be is known no more: nothing of it is owed."""
        self.owed.clear()
        self._waiting.clear()
        self._judged = len(self.engaged.occurred)

    def broken(self, quiet: Quiet) -> Iterator[str]:
        """What is owed, and neither done nor listed. It is to be asked before the two sides agree anew."""
        both = {one.ids: one for one in quiet.both}
        new = self._waiting + self.engaged.occurred[self._judged :]
        self._judged, self._waiting = len(self.engaged.occurred), []
        for occurrence in new:
            link = both.get((occurrence.linked or "", occurrence.contact))
            if link is None or not self._is_plain(link, occurrence):
                continue
            if link.held & _HELD:
                self._waiting.append(occurrence)
                continue
            numbers = [one for one in self.acts.book.numbers if self._must(one, occurrence, link)]
            self.owed += [(number, occurrence) for number in numbers]
            TALLY["rules owed"] += len(numbers)
        yield from self._not_done()
        yield from self._waits_in_vain(quiet)

    def _is_plain(self, both: Both, occurrence: Occurrence) -> bool:
        """Whether the two contacts belonged together all the while, in scope, and nobody else to them."""
        memory = self.outside.memory
        root = memory.root(f"{EMAILOCTOPUS} {occurrence.contact}")
        changed = memory.moved | memory.deleted | memory.strangers
        return (
            both.link.in_scope
            and occurrence.store == self.acts.doings.stores
            and memory.let_be.isdisjoint(both.ids)
            and not any(memory.root(f"{system} {one}") == root for system, one in changed)
        )

    def _must(self, number: int, occurrence: Occurrence, both: Both) -> bool:
        """Whether a rule had to act on an occurrence."""
        since = self.acts.active_for_sure(number)
        if not is_about(number, occurrence, self.acts.excluded) or self._is_repeated(occurrence):
            return False
        if occurrence.at < since:
            return False
        if EVENTS[number]["event"] == Kind.UNSUBSCRIBED and occurrence.kind is not Kind.UNSUBSCRIBED:
            return False
        now = self.acts.house.clock.now()
        if self.engaged.condition(number, both.ids[0], occurrence.at, now) != {True}:
            return False
        match occurrence.kind:
            case Kind.SUBSCRIBED:
                return False
            case Kind.TAG_ADDED:
                return self._was_tagged(occurrence, both, since)
            case Kind.FIELD_CHANGED:
                return self._was_edited(occurrence, both, since)
            case Kind.UNSUBSCRIBED if not occurrence.campaign:
                return self._left(occurrence, both)
            case _:
                return self._is_told(occurrence, since)

    def _is_repeated(self, occurrence: Occurrence) -> bool:
        """Whether the same happened before: who clicks twice in one mail has clicked."""
        same = (one for one in self.engaged.occurred if one.identity == occurrence.identity)
        return next(same) is not occurrence

    def _is_told(self, occurrence: Occurrence, since: datetime) -> bool:
        """Whether a webhook told of it, or a report did: without times that of a campaign sent since.

        A report that was short as often as it takes to be believed tells nothing.
        """
        if self.acts.doings.stores in occurrence.told:
            return True
        campaign = next((one for one in self.engaged.campaigns if one.id == occurrence.campaign), None)
        if campaign is None or sum(at >= occurrence.at for at in self.engaged.short) > 1:
            return False
        sent = datetime.fromtimestamp(campaign.sent_at, since.tzinfo)
        recent = sent > self.acts.house.clock.now() - _READ_FOR
        return recent and (self.acts.book.rulings.report_times or sent > since)

    def _left(self, occurrence: Occurrence, both: Both) -> bool:
        """Whether somebody unsubscribed, and nothing else ever was about the consent of this kin."""
        memory = self.outside.memory
        others = [one for one in self.engaged.occurred if one.contact == occurrence.contact and one.kind in OPT_OUTS]
        return (
            len(others) == 1
            and self.outside.emailoctopus.quirks.unsubscribe_touches
            and self.outside.emailoctopus.quirks.status_change_touches
            and both.ids in memory.agreed
            and both.ids[0] not in memory.blocked_at
            and both.ids[0] not in memory.lifted
            and memory.opted_in.get(both.ids[1], occurrence.at) <= occurrence.at
            and not both.waiting
        )

    def _was_tagged(self, occurrence: Occurrence, both: Both, since: datetime) -> bool:
        """Whether a tag was added there alone since both were last equal, and is there still."""
        memory, name = self.outside.memory, f"tag {occurrence.subject}"
        before = memory.agreed.get(both.ids)
        edits = memory.edits[EMAILOCTOPUS, both.ids[1], name]
        return (
            before is not None
            and not self.acts.house.policy.tags.prefix
            and not self._is_disturbed(both)
            and not both.waiting
            and not memory.edits[GHL, both.ids[0], name]
            and occurrence.subject not in before["tags"]
            and bool(edits)
            and edits[-1].value is True
            and edits[0].at >= since
        )

    def _was_edited(self, occurrence: Occurrence, both: Both, since: datetime) -> bool:
        """Whether a field was edited there alone since both were last equal, and says something else now."""
        memory = self.outside.memory
        before = memory.agreed.get(both.ids)
        rule = next((one for one in self.acts.house.policy.fields if one.emailoctopus == occurrence.subject), None)
        edits = memory.edits[EMAILOCTOPUS, both.ids[1], occurrence.subject]
        return (
            before is not None
            and rule is not None
            and not self._is_disturbed(both)
            and not both.waiting
            and rule.key not in both.link.diverged
            and not memory.edits[GHL, both.ids[0], rule.ghl]
            and bool(edits)
            and edits[-1].value not in (None, before[rule.key][1])
            and edits[0].at >= since
        )

    def _is_disturbed(self, both: Both) -> bool:
        ends = {(GHL, both.ids[0]), (EMAILOCTOPUS, both.ids[1])}
        return not ends.isdisjoint(self.outside.memory.disturbed)

    def _not_done(self) -> Iterator[str]:
        owed: dict[tuple[Trace, str], list[Occurrence]] = {}
        for number, occurrence in self.owed:
            for action in self.acts.book.actions_of(number):
                owed.setdefault(((number, action), str(occurrence.linked)), []).append(occurrence)
        for (trace, contact), occurrences in owed.items():
            done = [one for one in self.acts.acts if (one.trace, one.contact) == (trace, contact)]
            # A note that is like one from before a lost database can't be told from it when its answer is lost.
            alike = trace[1] == "create_note" and not self.acts.book.is_told(trace[0])
            done = [one for one in done if alike or one.store == self.acts.doings.stores]
            listed = self.acts.listed(trace, contact)
            for occurrence in self._left_out(trace, occurrences, done, listed):
                yield f"L3 rule {trace[0]} did not {trace[1]} for {occurrence}, did {done}, lists {listed}"

    def _left_out(
        self, trace: Trace, occurrences: list[Occurrence], done: list[Act], listed: list[Deed]
    ) -> Iterator[Occurrence]:
        """Those of one contact that no act of the rule can be for, nor anything that is listed."""
        if trace[0] == ONCE:
            yield from (one for one in occurrences if not listed and not any(self._covers(act, one) for act in done))
        elif occurrences[0].kind not in OF_MAIL - OPT_OUTS or trace[1] == TAGS:
            yield from occurrences if not done and not listed else []
        elif self.acts.book.is_told(trace[0]) and trace[1] != WORKFLOW:
            campaigns = {act.campaign for act in done} | {deed.key.split(" ")[4] for deed in listed}
            yield from (one for one in occurrences if campaigns.isdisjoint({one.campaign, one.campaign_name}))
        elif len({one.identity for one in occurrences}) > len(done) + len(listed):
            yield from occurrences

    def _covers(self, act: Act, occurrence: Occurrence) -> bool:
        """Whether an act stands for what happened within a period around it; estimated times stand for any."""
        if not self.acts.book.rulings.report_times:
            return True
        zone = self.outside.ghl.location.zone
        told = datetime.strptime(act.when, FORM).replace(tzinfo=zone)
        return abs(told - occurrence.at) <= ONCE_EVERY

    def _waits_in_vain(self, quiet: Quiet) -> Iterator[str]:
        """Occasions that no rule was asked about, though they have a link and nothing of it is held."""
        both = {one.link.emailoctopus_id: one for one in quiet.both}
        for occasion in self.acts.store.waiting_occasions(None, 1000):
            link = both.get(occasion.contact_id)
            if link is not None and not link.held & _HELD:
                yield f"L1 in peace no rule was asked about {occasion.kind} of {link.ids}"

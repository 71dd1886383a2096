"""What people do with mails, and what webhooks tell of it, in any order; only where the pair has rules."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from tests.machine.busy import LOOKED_AT, Busy
from tests.machine.engaged import Occurrence
from tests.machine.house import TALLY
from tests.machine.terms import PICK

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
HOW = st.sampled_from(["open", "open", "click", "click", "click", "unsubscribe", "bounce", "complain"])
TOLD = st.sampled_from(["", "once", "once", "twice"])
"""How often a webhook tells of it at once: it may be lost, or come later."""
ACT = st.sampled_from(["open", "click", "click", "click", "unsubscribe", "bounce", "tag", "edit", "send", "opt in"])
TROUBLE = [
    *((GHL, "/workflow/", kind) for kind in ("lost_answer", "truncate", "drop", "throttle")),
    *((GHL, path, "lost_answer") for path in ("/workflow/", "/tasks$", "/notes$", "/appointments$", "/tags$")),
    *((GHL, path, "error") for path in ("/tasks$", "/notes$", "/appointments$")),
    (EMAILOCTOPUS, "/campaigns", "error"),
    (EMAILOCTOPUS, "/reports", "truncate"),
]
"""What rules ask for, and how it fares."""


class Mail(Busy):
    """The outside's part of a life with rules."""

    @precondition(lambda life: life.has_rules)
    @rule(number=PICK)
    def a_campaign_is_sent(self, number: int) -> None:
        """Somebody sends a mail to everybody."""
        self._tick()
        self.engaged.send_campaign(number)

    @precondition(lambda life: life.has_rules)
    @rule(pick=PICK, campaign=PICK, how=HOW, told=TOLD)
    def somebody_gets_mail(self, pick: int, campaign: int, how: str, told: str) -> None:
        """Somebody opens a mail, clicks in it, doesn't want any more; or it couldn't be delivered."""
        subscriber = self._subscriber(pick)
        if subscriber and self.engaged.campaigns:
            campaigns = self.engaged.campaigns
            self._tell_of(self.engaged.engage(subscriber, how, campaigns[campaign % len(campaigns)]), told)

    @precondition(lambda life: life.has_rules)
    @rule(how=st.sampled_from(["open", "click", "click"]), told=TOLD, every=st.integers(1, 3), sent=st.booleans())
    def many_read(self, how: str, told: str, every: int, *, sent: bool) -> None:
        """A mail is opened or clicked in by many; perhaps it was only just sent."""
        self._tick()
        if sent or not self.engaged.campaigns:
            self.engaged.send_campaign(every)
        for subscriber in self.outside.subscribers()[::every]:
            self._tick()
            self._tell_of(self.engaged.engage(subscriber.id, how, self.engaged.campaigns[-1]), told)

    @precondition(lambda life: life.has_rules)
    @rule(picks=st.lists(PICK, min_size=1, max_size=4))
    def webhooks_tell_of_mail(self, picks: list[int]) -> None:
        """Webhooks tell of what happened before, once more or late, in any order; and of what the program did."""
        for pick in picks:
            self._tick()
            if self.engaged.occurred:
                self.engaged.tell(self.engaged.occurred[-1 - pick % len(self.engaged.occurred)])
            if pick == 0 and self.engaged.unsubscribed_by_program:
                self.engaged.tell_of_program(*self.engaged.unsubscribed_by_program[-1])

    @precondition(lambda life: life.has_rules)
    @rule(pick=PICK, acts=st.lists(st.tuples(ACT, TOLD, LOOKED_AT), min_size=3, max_size=9))
    def much_is_read(self, pick: int, acts: list[tuple[str, str, str]]) -> None:
        """Somebody whom both systems know does a lot; the program looks on the way, or doesn't."""
        if not self.acts.active:
            self._cycle(Mode.FULL)
        linked = sorted(there for _, there in self.starts.standing_now())
        subscriber = linked[pick % len(linked)] if linked else None
        for act, told, looked_at in acts if subscriber else ():
            self.the_house.clock.advance(61)
            before = len(self.engaged.occurred)
            self._read(act, str(subscriber), pick)
            for occurrence in self.engaged.occurred[before:]:
                self._tell_of(occurrence, told)
            if looked_at:
                self.the_house.clock.advance(1 if looked_at == "told" else 900)
                self._cycle({"told": Mode.HINTS, "polled": Mode.INCREMENTAL, "scanned": Mode.FULL}[looked_at])

    def _read(self, act: str, subscriber: str, pick: int) -> None:
        match act:
            case "tag":
                self.outside.tag(EMAILOCTOPUS, subscriber, [("vip", "News")[pick % 2]], on=True)
            case "edit":
                self.outside.edit(EMAILOCTOPUS, subscriber, "FirstName", self.outside.word())
            case "opt in":
                self.outside.opt_in(subscriber)
            case "send":
                self.engaged.send_campaign(pick)
            case _:
                if not self.engaged.campaigns:
                    self.engaged.send_campaign(pick)
                self.engaged.engage(subscriber, act, self.engaged.campaigns[-1])

    @precondition(lambda life: life.has_rules)
    @rule(place=PICK, trouble=st.sampled_from(TROUBLE), times=st.integers(1, 3), kill=st.integers(-60, 60))
    def rules_meet_trouble(self, place: int, trouble: tuple[SystemName, str, str], times: int, kill: int) -> None:
        """Everybody reads a mail; requests about that fare badly in the next cycle, or the process is killed in it."""
        self._everybody_reads(place)
        self._meet_trouble(trouble, times, kill)

    @precondition(lambda life: life.has_rules)
    @rule()
    def rules_are_added(self) -> None:
        """Somebody writes more rules into the configuration, and starts the program anew."""
        if self.acts.book.grows():
            TALLY["rules added"] += 1
            self.the_house.rules = self.acts.book.rules
            self.the_house.restart()

    def teardown(self) -> None:
        """Before a life ends in peace everybody reads a mail, and rules meet trouble once more."""
        if self.has_rules and self.acts.active:
            self._everybody_reads(0)
            count = len(self.engaged.occurred)
            self._meet_trouble(TROUBLE[count % len(TROUBLE)], 1, (count * 7) % 120 - 60)
        super().teardown()

    def _everybody_reads(self, place: int) -> None:
        """A mail is sent, opened by some and clicked in by others; webhooks tell of some of it."""
        self.the_house.clock.advance(61)
        self.engaged.send_campaign(place)
        for number, subscriber in enumerate(self.outside.subscribers(), place):
            self._tick()
            how = ("click", "click", "open")[number % 3]
            self._tell_of(self.engaged.engage(subscriber.id, how, self.engaged.campaigns[-1]), ("", "once")[number % 2])

    def _meet_trouble(self, trouble: tuple[SystemName, str, str], times: int, kill: int) -> None:
        """A cycle in which requests fare badly; or it is killed after so many points, where that is above none."""
        system, path, kind = trouble
        if kill > 0:
            self.the_house.process.dies_at = kill
        else:
            fault = Fault(kind=kind, method="POST" if system is GHL else "", path=path, times=times, status=503)  # type: ignore[arg-type]
            self._weather(system).faults.append(fault)
        self.the_house.clock.advance(900)
        self._cycle(Mode.INCREMENTAL)
        self.the_house.clock.advance(31)

    def mail_is_read(self, pick: int) -> None:
        """Somebody clicks in the newest mail, in the middle of a cycle, and a webhook tells it."""
        rows = self.outside.picked(EMAILOCTOPUS) if self.has_rules else []
        if rows and self.engaged.campaigns:
            subscriber: Any = rows[pick % len(rows)]
            self._tell_of(self.engaged.engage(subscriber.id, "click", self.engaged.campaigns[-1]), "once")

    def _tell_of(self, occurrence: Occurrence, told: str) -> None:
        for _ in range({"": 0, "once": 1, "twice": 2}[told]):
            self.engaged.tell(occurrence)

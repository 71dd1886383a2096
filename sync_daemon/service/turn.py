"""One pair's turn: a cycle of it, whoever has it made, and how the pair stands since."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

import structlog

from sync_daemon.cycle import Pair, reconcile, report_of
from sync_daemon.model.errors import PairBusy, SyncError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.working import Working
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.installation import Installation
from sync_daemon.wiring.stopping import told_to_stop
from sync_daemon.wiring.tally import Tally

_TURN_S = 60.0
"""How long a cycle may write while other pairs wait for somebody to work on them."""
_log = structlog.get_logger(__name__)


class Heard(Tally):
    """The tally of a runner's cycles, which notes when something was last read of each system, too."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self.heard: dict[SystemName, datetime] = {}

    def pages_read(self, system: SystemName, records: int) -> None:
        """A page came in; an empty one is a sign of life, too."""
        super().pages_read(system, records)
        self.heard[system] = self._now()


@dataclass(slots=True)
class PairTurn:
    """Makes cycles of one pair, one after another, and knows how the last one ended.

    `listen` is called after each, with its report. `give_way` says whether others wait for this one's place: a cycle
    that has read everything, and written for its time, is then cut short like one that is told to stop.
    """

    section: PairSection
    installation: Installation
    listen: Callable[[CycleReport], None]
    give_way: Callable[[], bool] = lambda: False
    fresh: dict[SystemName, datetime] = field(default_factory=dict)
    _heard: Heard = field(init=False)
    _pair: Pair | None = None
    _outdated: bool = False
    _leaving: bool = False
    _cut_short: bool = False
    _report: CycleReport | None = None
    _ended: datetime | None = None
    _working: tuple[Mode, datetime] | None = None
    _since: datetime = field(init=False)
    _turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._since = self.installation.clock.now()
        self._heard = Heard(self.installation.clock.now)

    def work(self, mode: Mode) -> CycleReport:
        """One cycle, heeded and told; busy while another thread of this process is at one."""
        if not self._turn.acquire(blocking=False):
            error = PairBusy("an earlier cycle of this process hasn't ended yet")
            return report_of(error, self.section.name, self.installation.new_run_id(), mode)
        try:
            began = self.installation.clock.now()
            self._heard.begin(self.section.name, self._seconds_for)
            self._working, self._cut_short = (mode, began), False
            report = self._cycle(mode)
            self._working = None
            self._heed(report, began)
            if not report.paused:
                self.listen(report)
            return report
        finally:
            self._turn.release()

    def left_over(self, report: CycleReport) -> Mode | None:
        """What is still to be done at once after a cycle, because it was cut short; None for nothing."""
        if report.outcome is CycleOutcome.BUSY or not (self._cut_short or told_to_stop()):
            return None
        return Mode.HINTS if len(report.proven) == len(SystemName) else report.mode

    def take(self, section: PairSection) -> None:
        """Work by another section of the same pair, of the same location and list, from the next cycle on."""
        self.section = section
        self._outdated = True

    def leave(self) -> None:
        """End the cycle under way with the record in hand: the pair is configured no more."""
        self._leaving = True

    def is_under_way(self) -> bool:
        """Whether a thread of this process is at a cycle."""
        return self._turn.locked()

    @property
    def report(self) -> CycleReport | None:
        """How the last cycle ended; None before the first has."""
        return self._report

    def working(self) -> Working | None:
        """What the cycle under way has come to; None between cycles."""
        if (working := self._working) is None:
            return None
        heard = self._heard
        return Working(
            *working,
            read=dict(heard.read),
            written=dict(heard.written),
            records=heard.records,
            expected=heard.expected.total(),
            answered=heard.answered.total(),
            seconds_left=heard.seconds_left,
        )

    def health(self) -> PairHealth:
        """How the pair stands now, as far as this process knows."""
        report = self._report
        health = PairHealth(self.section.name, self._since, fresh=dict(self.fresh), read=dict(self._heard.heard))
        if report is None:
            return health
        return replace(health, outcome=report.outcome, message=report.message, ended=self._ended)

    def _cycle(self, mode: Mode) -> CycleReport:
        """One cycle. Whatever goes wrong is its outcome: another try is the repair, and other pairs go on."""
        run_id, began = self.installation.new_run_id(), self.installation.clock.now()
        try:
            if self._outdated:
                self._outdated, self._pair = False, None
            pair = self._pair = self._pair or self.installation.open(self.section, self._heard)
            report = reconcile(replace(pair, told_to_stop=self._until_over(pair)), mode)
            self._pair = replace(pair, schema_fresh=False)
            self.installation.after(report)
        except SyncError as error:
            report = report_of(error, self.section.name, run_id, mode)
            self.installation.not_begun(self.section, report, began)
        except Exception as error:  # noqa: BLE001 - the thread must outlive what nobody foresaw
            _log.exception("unexpected_failure", pair=self.section.name)
            failed = f"{type(error).__name__}, see the log"
            return CycleReport(self.section.name, run_id, mode, CycleOutcome.ERROR, failed)
        return report

    def _seconds_for(self, system: SystemName, requests: int) -> float:
        pair = self._pair
        return pair.systems[system].seconds_for(requests) if pair is not None else 0.0

    def _until_over(self, pair: Pair) -> Callable[[], bool]:
        """Whether nothing more shall be begun with the pair: told to stop, paused, or its time is over."""
        clock = self.installation.clock
        writes_since: float | None = None

        def told() -> bool:
            nonlocal writes_since
            if self._leaving or pair.told_to_stop():
                return True
            if writes_since is None and self._heard.records:
                writes_since = clock.monotonic()
            if writes_since is not None and clock.monotonic() - writes_since > _TURN_S and self.give_way():
                self._cut_short = True
            return self._cut_short

        return told

    def _heed(self, report: CycleReport, began: datetime) -> None:
        if report.paused:
            self._since = began  # silence counts from the end of the pause
            if self._report is None or not self._report.paused:
                _log.info("pair_paused", pair=self.section.name)
        if report.mode is Mode.FULL:
            self._pair = None  # opened anew: account settings may have changed, and former secrets be needless
        self._tell(report)
        self.fresh.update(dict.fromkeys(report.proven, began))
        self._report, self._ended = report, self.installation.clock.now()

    def _tell(self, report: CycleReport) -> None:
        """One line about each cycle in which something happened; what an idle service says is for debugging."""
        before = self._report.outcome if self._report is not None else None
        eventful = bool(report.written) or report.mode is Mode.FULL or report.outcome is not before
        say = _log.info if eventful and report.outcome is not CycleOutcome.BUSY else _log.debug
        say("cycle_ended", **_figures(report))


def _figures(report: CycleReport) -> Mapping[str, object]:
    told = {
        "pair": report.pair,
        "run": report.run_id,
        "mode": report.mode,
        "outcome": report.outcome,
        "seconds": round(report.duration_s, 2),
        **{f"to_{system}_{word}": count for (system, word), count in sorted(report.written.items())},
    }
    return {**told, "why": report.message} if report.message else told

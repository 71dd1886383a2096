"""One pair in a thread of its own: cycles never overlap, and no pair waits for another."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from sync_daemon.cycle import Pair, reconcile, report_of
from sync_daemon.model.errors import SyncError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.working import Working
from sync_daemon.service.agenda import Agenda
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.installation import Installation
from sync_daemon.wiring.stopping import told_to_stop
from sync_daemon.wiring.tally import Tally

_BURST_S = 0.2
"""How long hints are gathered: a change in GHL raises several events at once."""
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
class PairRunner:
    """Works one pair's wishes off, one cycle after another, until it is ended or the process is told to stop.

    `listen` is called in the runner's thread after each cycle, with its report.
    """

    section: PairSection
    installation: Installation
    agenda: Agenda
    listen: Callable[[CycleReport], None]
    fresh: dict[SystemName, datetime] = field(default_factory=dict)
    _heard: Heard = field(init=False)
    _pair: Pair | None = None
    _outdated: bool = False
    _ending: bool = False
    _leaving: bool = False
    _report: CycleReport | None = None
    _ended: datetime | None = None
    _working: tuple[Mode, datetime] | None = None
    _since: datetime = field(init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.installation.clock.now()
        self._heard = Heard(self.installation.clock.now)
        self._thread = threading.Thread(target=self._work, name=f"pair {self.section.name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def want(self, mode: Mode) -> None:
        """Wish for a cycle; it is made as soon as the one under way has ended."""
        delay = _BURST_S if mode is Mode.HINTS else 0.0
        with self._changed:
            self.agenda.want(mode, self.installation.clock.monotonic(), delay)
            self._changed.notify()

    def take(self, section: PairSection) -> None:
        """Work by another section of the same pair, of the same location and list, from the next cycle on."""
        self.section = section
        self._outdated = True
        with self._changed:
            self.agenda.lose_patience()
        self.want(Mode.INCREMENTAL)

    def leave(self) -> None:
        """Begin no further cycle; the one under way ends with the record in hand."""
        with self._changed:
            self._ending = self._leaving = True
            self._changed.notify()

    @property
    def has_left(self) -> bool:
        """Whether its thread has ended, or never began."""
        return not self._thread.is_alive()

    def end(self, within: float) -> bool:
        """Begin no more cycles, and wait for the one under way; whether it came to its end.

        A process that is told to stop finishes the record in hand alone.
        """
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(within)
        return not self._thread.is_alive()

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
        """How the pair stands now."""
        report = self._report
        health = PairHealth(
            self.section.name,
            self._since,
            fresh=dict(self.fresh),
            read=dict(self._heard.heard),
            alive=self._thread.is_alive(),
        )
        if report is None:
            return health
        return replace(health, outcome=report.outcome, message=report.message, ended=self._ended)

    def _work(self) -> None:
        while (mode := self._next()) is not None:
            began = self.installation.clock.now()
            self._heard.begin(self.section.name, self._seconds_for)
            self._working = mode, began
            report = self._cycle(mode)
            self._working = None
            self._heed(mode, report, began)
            if not report.paused:
                self.listen(report)

    def _next(self) -> Mode | None:
        with self._changed:
            while not (self._ending or told_to_stop()):
                now = self.installation.clock.monotonic()
                if (mode := self.agenda.take(now)) is not None:
                    return mode
                self._changed.wait(self.agenda.wait(now))
        return None

    def _cycle(self, mode: Mode) -> CycleReport:
        """One cycle. Whatever goes wrong is its outcome: another try is the repair, and other pairs go on."""
        run_id, began = self.installation.new_run_id(), self.installation.clock.now()
        try:
            if self._outdated:
                self._outdated, self._pair = False, None
            pair = self._pair = self._pair or self._opened()
            report = reconcile(pair, mode)
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

    def _opened(self) -> Pair:
        pair = self.installation.open(self.section, self._heard)
        return replace(pair, told_to_stop=lambda: self._leaving or pair.told_to_stop())

    def _seconds_for(self, system: SystemName, requests: int) -> float:
        pair = self._pair
        return pair.systems[system].seconds_for(requests) if pair is not None else 0.0

    def _heed(self, mode: Mode, report: CycleReport, began: datetime) -> None:
        if report.paused:
            self._since = began  # silence counts from the end of the pause
            if self._report is None or not self._report.paused:
                _log.info("pair_paused", pair=self.section.name)
        if report.mode is Mode.FULL:
            self._pair = None  # opened anew: account settings may have changed, and former secrets be needless
        self._tell(report)
        self.fresh.update(dict.fromkeys(report.proven, began))
        self._report, self._ended = report, self.installation.clock.now()
        with self._changed:
            now = self.installation.clock.monotonic()
            self.agenda.ended(mode, report.outcome, now, report.resume_in_s)

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

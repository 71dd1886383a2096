"""One pair in a thread of its own: cycles never overlap, and no pair waits for another."""

import threading
from dataclasses import dataclass, field

from sync_daemon.model.report import Mode
from sync_daemon.service.agenda import Agenda
from sync_daemon.service.turn import PairTurn
from sync_daemon.wiring.stopping import told_to_stop

BURST_S = 0.2
"""How long hints are gathered: a change in GHL raises several events at once."""


@dataclass(slots=True)
class PairRunner:
    """Works one pair's wishes off, one turn after another, until it is ended or the process is told to stop."""

    turn: PairTurn
    agenda: Agenda
    _ending: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"pair {self.turn.section.name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def want(self, mode: Mode) -> None:
        """Wish for a cycle; it is made as soon as the one under way has ended."""
        delay = BURST_S if mode is Mode.HINTS else 0.0
        with self._changed:
            self.agenda.want(mode, self._now(), delay)
            self._changed.notify()

    def begin_anew(self) -> None:
        """Look at the pair at once, however the last cycles ended."""
        with self._changed:
            self.agenda.lose_patience()
        self.want(Mode.INCREMENTAL)

    def leave(self) -> None:
        """Begin no further cycle; the one under way ends with the record in hand."""
        self.turn.leave()
        with self._changed:
            self._ending = True
            self._changed.notify()

    def is_alive(self) -> bool:
        """Whether somebody works."""
        return self._thread.is_alive()

    def end(self, within: float) -> bool:
        """Begin no more cycles, and wait for the one under way; whether it came to its end.

        A process that is told to stop finishes the record in hand alone.
        """
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (mode := self._next()) is not None:
            report = self.turn.work(mode)
            with self._changed:
                self.agenda.ended(mode, report.outcome, self._now(), report.resume_in_s)

    def _next(self) -> Mode | None:
        with self._changed:
            while not (self._ending or told_to_stop()):
                now = self._now()
                if (mode := self.agenda.take(now)) is not None:
                    return mode
                self._changed.wait(self.agenda.wait(now))
        return None

    def _now(self) -> float:
        return self.turn.installation.clock.monotonic()

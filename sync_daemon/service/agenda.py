"""What is done next with one pair, and when: wishes that become one, and patience with systems that are down. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from sync_daemon.model.report import CycleOutcome, Mode

_STRENGTH = (Mode.HINTS, Mode.INCREMENTAL, Mode.FULL)
"""Each does the work of those before it, too."""


class _Patience(NamedTuple):
    """Seconds until the next try: the first time, and at most, after twice as many each time."""

    first: float
    most: float


_PATIENCE = {
    CycleOutcome.BUSY: _Patience(1, 10),
    CycleOutcome.UNREACHABLE: _Patience(5, 30),  # at most so long after it is up again it is asked again
    CycleOutcome.QUOTA: _Patience(60, 600),
    CycleOutcome.ERROR: _Patience(10, 300),
    CycleOutcome.AUTH: _Patience(900, 900),  # it stands still; should the vendor have erred, it heals by itself
}


@dataclass(slots=True)
class Agenda:
    """Wishes and the time before which nothing is done. Times are seconds of one clock; `random` gives 0 to 1."""

    random: Callable[[], float]
    wanted: dict[Mode, float] = field(default_factory=dict)
    resume_at: float = 0.0
    in_a_row: int = 0

    def want(self, mode: Mode, now: float, delay: float = 0.0) -> None:
        """Wish for a cycle, after a delay in which more of the kind may come. Wishes for the same become one."""
        self.wanted[mode] = min(self.wanted.get(mode, now + delay), now + delay)

    def lose_patience(self) -> None:
        """Try again at once what came to nothing: the reason may be gone."""
        self.in_a_row, self.resume_at = 0, 0.0

    def take(self, now: float) -> Mode | None:
        """What is to be done now, if anything: the strongest wish, which fulfils the weaker ones."""
        if now < self.resume_at:
            return None
        due = [mode for mode, at in self.wanted.items() if at <= now]
        if not due:
            return None
        mode = max(due, key=_STRENGTH.index)
        for weaker in _STRENGTH[: _STRENGTH.index(mode) + 1]:
            self.wanted.pop(weaker, None)
        return mode

    def wait(self, now: float) -> float | None:
        """Seconds until something may be due; None while nothing is wished for."""
        if not self.wanted:
            return None
        return max(0.0, max(self.resume_at, min(self.wanted.values())) - now)

    def ended(self, mode: Mode, outcome: CycleOutcome, now: float, resume_in: float | None = None) -> None:
        """Heed how a cycle ended; one that came to nothing is wished for again, after a pause.

        `resume_in` is what a system asked to wait, which overrides the pause.
        """
        patience = _PATIENCE.get(outcome)
        if patience is None:
            self.lose_patience()
            return
        pause = min(patience.first * 2**self.in_a_row, patience.most)
        self.in_a_row += 1
        self.resume_at = now + (pause if resume_in is None else resume_in) * (1 + self.random() / 5)
        self.want(mode, now)

"""Two processes that start a cycle at the same time: one gets the pair, the other one is told so, and leaves."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sync_daemon.cycle import reconcile
from sync_daemon.model.report import CycleReport, Mode

_PATIENCE_S = 60.0


class Gate:
    """Lets both ask for the pair at once, and neither go on before both have asked."""

    def __init__(self) -> None:
        self._barrier = Barrier(2, timeout=_PATIENCE_S)
        self.winners: list[Any] = []

    def ask(self, process: Any, acquire: Callable[[], bool]) -> bool:
        """Ask for the pair together with the other one; whether this one has it."""
        self._barrier.wait()
        got = acquire()
        if got:
            self.winners.append(process)
        self._barrier.wait()
        return got


def together(mine: Any, rival: Any, mode: Mode) -> tuple[Any, "Future[CycleReport]", str | None]:
    """A cycle that two processes start: whoever had the pair, what became of its cycle, and what is wrong, if anything.

    Where a dead process still holds the pair, neither has it: both are told so, and the first one's answer counts.
    """
    rival.dies_at, rival.hooks = mine.dies_at, list(mine.hooks)
    gate = mine.gate = rival.gate = Gate()
    with ThreadPoolExecutor(2) as pool:
        ends = [(one, pool.submit(reconcile, one.pair, mode)) for one in (mine, rival)]
    mine.gate = rival.gate = None
    if len(gate.winners) > 1:
        return (*ends[0], "one runner: two processes had the pair")
    had_it = next((end for end in ends if end[0] in gate.winners), ends[0])
    left = next(end for one, end in ends if one is not had_it[0])
    lost = left.exception() is None and left.result().outcome != "busy"
    return (*had_it, f"one runner: the other process had {left.result().outcome}" if lost else None)

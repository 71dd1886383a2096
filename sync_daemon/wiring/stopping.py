"""How this process is told to stop: at once, or as soon as the record in hand is finished."""

import threading
from collections.abc import Callable

from sync_daemon.ports import Clock, PairStore

_FINISH = threading.Event()
_AT_ONCE = threading.Event()
_WOKEN = threading.Event()
_ASKED = threading.Event()
_ASK_EVERY_S = 1.0


def finish_soon() -> None:
    """Begin nothing more and wait for nothing: what is under way is finished and stored."""
    _FINISH.set()
    _WOKEN.set()
    _ASKED.set()


def end_every_wait() -> None:
    """Let no thread of this process wait any more: it is about to end."""
    _AT_ONCE.set()
    _WOKEN.set()
    _ASKED.set()


def look_anew() -> None:
    """Have whoever waits in `asked_within` look at once."""
    _ASKED.set()


def asked_within(seconds: float) -> bool:
    """Wait; True as soon as somebody asks to look anew, or tells the process to stop.

    Raises `KeyboardInterrupt` when it is about to end.
    """
    asked = _ASKED.wait(seconds)
    _ASKED.clear()
    if _AT_ONCE.is_set():
        raise KeyboardInterrupt
    return asked


def told_to_stop() -> bool:
    """Whether nothing more shall be begun."""
    return _FINISH.is_set()


def told_to_stop_or_paused(store: PairStore, clock: Clock) -> Callable[[], bool]:
    """Whether nothing more shall be begun with one pair; the store is asked once a second whether it was paused."""
    asked_at, paused = -_ASK_EVERY_S, False

    def told() -> bool:
        nonlocal asked_at, paused
        now = clock.monotonic()
        if now - asked_at >= _ASK_EVERY_S:
            asked_at, paused = now, store.paused_since() is not None
        return paused or told_to_stop()

    return told


def woken_within(seconds: float) -> bool:
    """Wait; True as soon as the process is told to stop.

    Raises `KeyboardInterrupt` when it is about to end: what was waited for isn't done.
    """
    woken = _WOKEN.wait(seconds)
    if _AT_ONCE.is_set():
        raise KeyboardInterrupt
    return woken

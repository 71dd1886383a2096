"""How this process is told to stop: at once, or as soon as the record in hand is finished."""

import threading

_FINISH = threading.Event()
_AT_ONCE = threading.Event()
_WOKEN = threading.Event()


def finish_soon() -> None:
    """Begin nothing more and wait for nothing: what is under way is finished and stored."""
    _FINISH.set()
    _WOKEN.set()


def end_every_wait() -> None:
    """Let no thread of this process wait any more: it is about to end."""
    _AT_ONCE.set()
    _WOKEN.set()


def told_to_stop() -> bool:
    """Whether nothing more shall be begun."""
    return _FINISH.is_set()


def woken_within(seconds: float) -> bool:
    """Wait; True as soon as the process is told to stop.

    Raises `KeyboardInterrupt` when it is about to end: what was waited for isn't done.
    """
    woken = _WOKEN.wait(seconds)
    if _AT_ONCE.is_set():
        raise KeyboardInterrupt
    return woken

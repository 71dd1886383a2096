"""How long to wait before a failed request is sent again. Pure.

Retry libraries wait by the machine's clock and for each call alone; the session waits by its own clock and
counts failures over all threads.
"""

_FIRST_S = 0.5
_LONGEST_S = 8.0


def backoff(failures: int, dice: float) -> float:
    """Seconds after so many failures (1, 2, …): doubling, and spread by `dice` (0..1) over the upper half."""
    longest = min(_LONGEST_S, _FIRST_S * 2.0 ** (failures - 1))
    return longest * (0.5 + dice / 2)

from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.http.backoff import backoff


@given(failures=st.integers(1, 60), dice=st.floats(0, 1))
def test_waits_double_up_to_eight_seconds_spread_over_the_upper_half(failures: int, dice: float) -> None:
    longest = min(8.0, 0.5 * 2 ** (failures - 1))
    assert longest / 2 <= backoff(failures, dice) <= longest

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sync_daemon.http.headers import Told, read_headers

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_reads_what_ghl_tells() -> None:
    headers = {
        "x-ratelimit-limit-daily": "200000",
        "x-ratelimit-daily-remaining": "199990",
        "x-ratelimit-interval-milliseconds": "10000",
        "x-ratelimit-max": "100",
        "x-ratelimit-remaining": "93",
        "x-ratelimit-daily-reset": "86343000",
    }
    assert read_headers(headers, NOW) == Told(
        window_requests=100,
        window_seconds=10.0,
        remaining=93,
        daily_limit=200_000,
        daily_remaining=199_990,
        daily_reset=86_343.0,
    )


def test_reads_emailoctopus_own_spelling_before_the_usual_one() -> None:
    headers = {"x-ratelimiting-remaining": "7", "x-ratelimit-remaining": "99"}
    assert read_headers(headers, NOW).remaining == 7
    assert read_headers({"x-ratelimit-remaining": "99"}, NOW).remaining == 99


@pytest.mark.parametrize("name", ["x-ratelimit-retry-after", "retry-after"])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        (" 1.5 ", 1.5),
        (str(int(NOW.timestamp()) + 42), 42.0),
        (str((int(NOW.timestamp()) + 42) * 1000), 42.0),
        (format_datetime(NOW + timedelta(seconds=17), usegmt=True), 17.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        (str(int(NOW.timestamp()) - 5), 0.0),
    ],
)
def test_a_wait_may_be_seconds_an_epoch_or_a_date(name: str, text: str, seconds: float) -> None:
    assert read_headers({name: text}, NOW).retry_after == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["soon", "", "-5", "1e3", "²", "1.2.3", "nan"])
def test_nonsense_tells_nothing(text: str) -> None:
    names = ("x-ratelimit-retry-after", "x-ratelimit-remaining", "x-ratelimit-max", "x-ratelimit-daily-reset")
    assert read_headers(dict.fromkeys(names, text), NOW) == Told()


def test_an_unreadable_wait_leaves_the_other_header_its_say() -> None:
    assert read_headers({"x-ratelimit-retry-after": "soon", "retry-after": "9"}, NOW).retry_after == 9.0


def test_a_window_of_nothing_is_no_window() -> None:
    told = read_headers({"x-ratelimit-max": "0", "x-ratelimit-interval-milliseconds": "0"}, NOW)
    assert (told.window_requests, told.window_seconds) == (None, None)

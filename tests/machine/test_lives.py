"""The short profile of the rule machine: a few hundred lives, the same ones every time, shared among the workers.

`make lives LIVES=10000` lives more of them; every failure says how it is replayed.
"""

from collections.abc import Iterator

import pytest
import structlog

from tests.machine.run import listen, live

LIVES, SHARDS = 96, 16
SEEDS = range(1_000_000, 1_000_000 + LIVES)


@pytest.fixture(autouse=True)
def _logs_are_read() -> Iterator[None]:
    before = structlog.get_config()
    listen()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_lives_in_any_weather_keep_every_law(shard: int) -> None:
    for seed in SEEDS[shard::SHARDS]:
        live(seed)

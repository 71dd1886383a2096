"""The short profile of the rule machine: some lives, the same ones every time, shared among the workers.

`make lives LIVES=10000` lives more of them, with RACING=1 those in which two processes start each cycle; every failure
says how it is replayed.
"""

from collections.abc import Iterator

import pytest
import structlog

from tests.databases import Server
from tests.machine.__main__ import report
from tests.machine.house import TALLY, LawBroken
from tests.machine.quiet import Quiet
from tests.machine.run import listen, live
from tests.machine.vault import race_no_more, race_on

LIVES, SHARDS, RACING = 32, 16, 1
SEEDS = range(1_000_000, 1_000_000 + LIVES)


@pytest.fixture(autouse=True)
def _logs_are_read() -> Iterator[None]:
    before = structlog.get_config()
    listen()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_lives_in_any_weather_keep_every_law(shard: int) -> None:
    seeds = SEEDS[shard::SHARDS]
    before = TALLY["quiet spells"]
    for seed in seeds:
        live(seed)
    assert TALLY["quiet spells"] - before >= len(seeds)  # at each of which all of them were checked


@pytest.mark.postgres
def test_lives_in_which_two_processes_race_keep_every_law(postgres_server: Server) -> None:
    races = TALLY["races"]
    race_on(postgres_server)
    try:
        for seed in SEEDS[:RACING]:
            live(seed)
    finally:
        race_no_more()
    assert TALLY["races"] - races >= RACING


def test_a_broken_law_is_told_with_the_seed_that_breaks_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quiet, "broken", lambda quiet: [f"L0 there are {len(quiet.people)} people"])
    told = []
    for _ in range(2):
        with pytest.raises(LawBroken, match="L0 there are") as broken:
            live(SEEDS[0])
        told.append(report(broken.value))
    assert told[0] == told[1]
    assert f"make lives SEED={SEEDS[0]} LIVES=1" in told[0]

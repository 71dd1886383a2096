"""Every kill point of every world on both databases, and some pairs of them: `python -m tests.kills`.

`--world NAME` and `--database sqlite` try less; with `--racing`, on PostgreSQL, two processes start each cycle at the
same time, one of them is killed, and the other one takes over. Prints how many there were and every one that ended
otherwise; the exit status is 1 if there was one.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

from tests import databases
from tests.kills.theatre import Databases, SqliteFiles, forking, share, theatre, troubles
from tests.kills.worlds import WORLDS

_SHARES = 8
_EACH, _EACH_RACING = 12, 36
"""One in so many points is the first or the second of two kills in a row; a race has two processes for each of them."""
SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Result(NamedTuple):
    """What one share of a world's points gave."""

    world: str
    database: str
    points: int
    pairs: int
    wrong: list[str]


def main() -> int:
    """Run and print; the exit status."""
    arguments = _arguments()
    worlds = [number for number, world in enumerate(WORLDS) if arguments.world in (None, world.name)]
    kinds = [POSTGRESQL] if arguments.racing else [SQLITE, POSTGRESQL]
    kinds = [kind for kind in kinds if arguments.database in (None, kind)]
    began, results = time.monotonic(), list[Result]()
    databases.prepare_run()
    try:
        databases.server().close()
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            jobs = product(worlds, kinds, range(_SHARES), [arguments.racing])
            shares = pool.map(_share_of, *zip(*jobs, strict=True))
            while mine := list(islice(shares, _SHARES)):
                _say(f"{mine[0].world:12} {mine[0].database:11}", mine)
                results += mine
    finally:
        databases.finish_run()
    _say("all:", results, f", in {time.monotonic() - began:.0f} s")
    return 1 if any(one.wrong for one in results) else 0


def _say(what: str, results: Sequence[Result], took: str = "") -> None:
    points, pairs = sum(one.points for one in results), sum(one.pairs for one in results)
    wrong = [line for one in results for line in one.wrong]
    sys.stdout.write(f"{what} {points:4} kills, {pairs:3} pairs of kills, {len(wrong)} differences{took}\n")
    sys.stdout.write("".join(f"  {line}\n" for line in wrong))
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="Kill the process at every point.")
    parser.add_argument("--world", choices=[world.name for world in WORLDS], help="this one alone")
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], help="on this one alone")
    parser.add_argument("--racing", action="store_true", help="two processes at a time, on PostgreSQL")
    return parser.parse_args()


def _share_of(number: int, database: str, part: int, racing: bool) -> Result:
    """Kill one world at its share of the points, and at its share of some pairs of points."""
    world = WORLDS[number]
    with tempfile.TemporaryDirectory(prefix="sync-daemon-kills-") as name:
        folder = Path(name)
        with (
            _databases(database, folder) as kept,
            forking() as forks,
            theatre(folder, kept, forks, racing=racing) as stage,
        ):
            points, expected = stage.undisturbed(world)
            mine = [point for point in points if share(point, _SHARES) == part]
            wrong = [line for point in mine for line in troubles(stage, world, expected, point)]
            each = _EACH_RACING if racing else _EACH
            firsts = [point for point in mine if share(point, each) == 0]
            seconds = [point for point in points if share(point, each) == 1]
            pairs = list(product(firsts, seconds))
            wrong += [line for one, two in pairs for line in troubles(stage, world, expected, one, two)]
    return Result(world.name, database, len(mine), len(pairs), wrong)


@contextmanager
def _databases(kind: str, folder: Path) -> Iterator[Databases]:
    if kind == POSTGRESQL:
        with closing(databases.server()) as server:
            yield server
        return
    template = folder / "template.db"
    databases.make_sqlite(template)
    yield SqliteFiles(template, folder)


if __name__ == "__main__":
    sys.exit(main())

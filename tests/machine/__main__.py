"""Many lives by command: `make lives LIVES=10000`, `make lives SEED=1234 LIVES=1`.

Seeds follow one another from SEED on, shared among as many processes as there are processors. Every life that breaks
is printed with its steps and the command that replays it, and the exit status is 1 then. A life that is run alone is
shortened as far as it goes on breaking in the same way, which takes up to five minutes.

With RACING=1, two processes start each cycle at the same time, over PostgreSQL: one gets the pair, or takes it over.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import parent_process

from rich.console import Console

from tests import databases
from tests.machine import several
from tests.machine.house import TALLY
from tests.machine.run import listen, live
from tests.machine.vault import is_race, race_no_more, race_on

_CHUNK = 25
Lived = Callable[[list[int]], tuple[Counter[str], list[str]]]
_PROGRESS_S = 30.0


def main() -> int:
    """Run the lives that the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.machine", description="Lives of two accounts in bad weather."
    )
    parser.add_argument("--lives", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed (default: %(default)s)")
    parser.add_argument("--racing", action="store_true", help="two processes start each cycle, over PostgreSQL")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--several", action="store_true", help="of three pairs that share a location and a list")
    asked = parser.parse_args()
    if not asked.racing:
        return _live(asked)
    databases.prepare_run()
    try:
        race_on(databases.server())
        return _live(asked)
    finally:
        race_no_more()
        databases.finish_run()


def _live(asked: argparse.Namespace) -> int:
    seeds = range(asked.seed, asked.seed + asked.lives)
    out = Console(soft_wrap=True, markup=False, highlight=False)
    err = Console(stderr=True, markup=False, highlight=False)
    started = time.monotonic()
    tally: Counter[str] = Counter()
    broken = 0
    last = started
    for told, failures in _run(seeds, asked.processes, lived_by_several if asked.several else lived):
        tally += told
        broken += len(failures)
        for failure in failures:
            out.print(failure)
        if (now := time.monotonic()) - last >= _PROGRESS_S:
            last = now
            err.print(f"{tally['lives']} of {len(seeds)} lives, {broken} broken")
    out.print(summary(seeds, tally, broken, time.monotonic() - started))
    return 1 if broken else 0


def lived(seeds: list[int]) -> tuple[Counter[str], list[str]]:
    """Some lives, in this process: what they went through, and a report of each that broke."""
    listen()
    if is_race() and parent_process() is not None:
        race_on(databases.server())  # a database of its own for each process
    failures = []
    tally: Counter[str] = Counter()
    for seed in seeds:
        TALLY.clear()
        try:
            live(seed, shrink=len(seeds) == 1)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a broken law is none of the ordinary errors
            failures.append(report(error))
            tally["lives"] += 1  # the tries of shrinking aren't counted
        else:
            tally += TALLY
    return tally, failures


def lived_by_several(seeds: list[int]) -> tuple[Counter[str], list[str]]:
    """The same, of a neighbourhood of pairs."""
    listen()
    failures = []
    several.TALLY.clear()
    for seed in seeds:
        try:
            several.Life(seed).live()
        except several.LawOfSeveralBroken as error:
            failures.append(report(error))
    return several.TALLY + Counter({"lives": len(failures)}), failures


def report(error: BaseException) -> str:
    """What broke, in one that breaks now and then as well; the steps of the life, and how to replay it."""
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    said = [f"{type(one).__name__}: {one}" for one in (error, *parts)]
    return "\n".join([*said, *getattr(error, "__notes__", []), ""])


def summary(seeds: range, tally: Counter[str], broken: int, seconds: float) -> str:
    """The figures of a run."""
    faults = sum(count for name, count in tally.items() if name.startswith("fault "))
    kills = sum(count for name, count in tally.items() if name.startswith("killed "))
    rest = [f"{name}: {count}" for name, count in sorted(tally.items()) if name != "lives"]
    first = (
        f"{tally['lives']} lives, seeds {seeds.start} to {seeds.stop - 1}, {broken} broken; {faults} faults injected, "
        f"{kills} kills, {tally['cycles']} cycles, {tally['quiet spells']} quiet spells at which every law was checked"
    )
    speed = f"{seconds:.0f} s, {tally['lives'] / max(seconds, 0.001):.1f} lives a second"
    return "\n".join([first, speed, *rest])


def _run(seeds: range, processes: int, lived: Lived) -> Iterator[tuple[Counter[str], list[str]]]:
    if processes == 1 or len(seeds) == 1:
        yield lived(list(seeds))
        return
    with ProcessPoolExecutor(max_workers=processes) as pool:
        parts = [pool.submit(lived, list(part)) for part in _parts(seeds)]
        for part in as_completed(parts):
            yield part.result()


def _parts(seeds: range) -> Iterator[range]:
    for start in range(0, len(seeds), _CHUNK):
        yield seeds[start : start + _CHUNK]


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # a seed replays its life only where sets are walked in the same order
        os.execve(  # noqa: S606 - this very program
            sys.executable, [*sys.orig_argv], os.environ | {"PYTHONHASHSEED": "0"}
        )
    sys.exit(main())

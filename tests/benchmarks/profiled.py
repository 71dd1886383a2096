"""A full `reconcile` under Python's profiler, with all its threads: `python -m tests.benchmarks.profiled FILE`."""

import cProfile
import sys
import threading
import time
from pstats import Stats
from unittest.mock import patch

_profiles: list[cProfile.Profile] = []
_run = threading.Thread.run


def _profiled_run(thread: threading.Thread) -> None:
    profile = cProfile.Profile(time.thread_time)
    _profiles.append(profile)
    profile.runcall(_run, thread)


def main() -> None:
    """Profile everything after the imports, and write the statistics to the file."""
    from sync_daemon.cli import run  # noqa: PLC0415 - what importing costs is left out
    from sync_daemon.commands import reconcile  # noqa: F401, PLC0415 - likewise

    own = cProfile.Profile(time.thread_time)
    with patch.object(threading.Thread, "run", _profiled_run):  # every thread is to have its profile
        own.runcall(run, ["reconcile", "--full", *sys.argv[2:]])
    whole = Stats(own)
    for profile in _profiles:
        whole.add(profile)
    whole.dump_stats(sys.argv[1])


if __name__ == "__main__":
    main()

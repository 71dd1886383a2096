"""`python -m sync_daemon` and the `sync-daemon` command."""

import gc
import sys

_RARELY = 100_000


def main() -> None:
    """Run the command line of this process and exit with its status.

    Start and end would spend a third of `sync-daemon status` on looking for garbage among what was just imported.
    """
    gc.set_threshold(_RARELY)
    from sync_daemon.cli import heed_signals, run  # noqa: PLC0415 - imported once the collector is told

    heed_signals()
    status = run(sys.argv[1:])
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()

"""`sync-daemon run`: the service, until it is told to stop."""

from sync_daemon.commands.keeping_equal import keep_equal
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, PairName, choose
from sync_daemon.service.threads import Threads


def run(*, config: Config = DEFAULT_CONFIG, pair: PairName = None) -> None:
    """Keep the pairs equal, by webhooks and by polls, until SIGTERM or Ctrl-C; its dashboard is at `/`.

    Pairs that are added, changed or removed meanwhile are followed within seconds, on SIGHUP at once. What stands
    outside the pairs takes a new start.
    """
    keep_equal(choose(config, pair), lambda installation, _metrics: Threads(installation), only=pair)

"""`sync-daemon resume`: lets paused pairs go on; asks no system, needs no lease."""

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName
from sync_daemon.commands.pausing import Order, answer, order


def resume(*, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Resume one pair, or all. `run` works off what waited within some seconds; a full scan that came due is made."""
    answer(order(config, pair, lambda store: store.resume()), _say, json=json)


def _say(one: Order) -> str:
    if not one.changed:
        return "wasn't paused."
    return "goes on: a `run` that serves it within some seconds; `sync-daemon reconcile` runs a cycle now."

"""`sync-daemon pause`: nothing of a pair is read or written until it is resumed; asks no system, needs no lease."""

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName
from sync_daemon.commands.pausing import Order, answer, order


def pause(*, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Pause one pair, or all. `plan`, `status`, `held` and `parked` work on.

    A cycle that is under way finishes the record in hand and ends. What webhooks tell is kept, alerts about silence
    are not sent, and a full scan that comes due waits.
    """
    answer(order(config, pair, lambda store: store.pause()), _say, json=json)


def _say(one: Order) -> str:
    since = f"since {one.since:%Y-%m-%d %H:%M} UTC" if one.since else ""
    if not one.changed:
        return f"was paused already, {since}."
    return f"paused. A cycle under way ends with the record in hand; `sync-daemon resume --pair {one.pair}` goes on."

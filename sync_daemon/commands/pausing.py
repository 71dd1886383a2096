"""What `pause` and `resume` share: a row of each pair that every process obeys, and the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync_daemon.commands.options import Config, choose
from sync_daemon.commands.printing import console, iso, print_json
from sync_daemon.ports import PairStore
from sync_daemon.wiring.state import open_store


@dataclass(frozen=True, slots=True)
class Order:
    """What became of an order to one pair: whether it changed anything, and since when the pair is paused now."""

    pair: str
    changed: bool
    since: datetime | None


def order(config: Config, pair: str | None, give: Callable[[PairStore], bool]) -> list[Order]:
    """Give an order to one pair or all, those included that never ran. Raises `StateStoreError`."""
    chosen = choose(config, pair)
    orders: list[Order] = []
    with open_store(chosen.settings) as store:
        for section in chosen.pairs:
            # Whatever place it was opened with: nothing of it is asked for or changed.
            one = store.known_pair(section.name) or store.open_pair(
                section.name, section.ghl.location_id, section.emailoctopus.list_id
            )
            changed = give(one)
            orders.append(Order(section.name, changed, one.state().paused_since))
    return orders


def answer(orders: Sequence[Order], say: Callable[[Order], str], *, json: bool) -> None:
    """Print what became of each order."""
    if json:
        print_json({"pairs": [_as_json(one) for one in orders]})
        return
    for one in orders:
        console().print(f"{one.pair}: {say(one)}")


def _as_json(one: Order) -> dict[str, object]:
    return {
        "pair": one.pair,
        "paused": one.since is not None,
        "paused_since": iso(one.since),
        "changed": one.changed,
    }

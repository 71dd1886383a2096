"""`sync-daemon held`: changes that wait for a person, and what he says about them; the next cycle obeys."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from sync_daemon.commands.known_pairs import known_pairs
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, plural, print_json, table
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.state import Held
from sync_daemon.ports import PairStore
from sync_daemon.wiring.state import open_store

app = App(
    name="held",
    help="Changes that wait for a person, as a guard or a policy stopped them.",
    help_epilogue="Example: sync-daemon held list",
)

Id = Annotated[int, Parameter(name="ids", help="Which, by the ids that `held list` shows; all of the pair without.")]
_Waiting = Sequence[tuple[str, PairStore, list[Held]]]


@app.command(name="list", help_epilogue="Example: sync-daemon held list --json | jq '.held[].reason'")
def list_(*, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Show what is held, and why."""
    with _waiting(config, pair) as waiting:
        rows = [(name, entry) for name, _, entries in waiting for entry in entries]
        if json:
            print_json({"held": [_as_json(name, entry) for name, entry in rows]})
        elif rows:
            columns = ("id#", "pair", "GHL id", "EmailOctopus id", "action", "why", "since", "your word")
            console().print(table(columns, [_row(name, entry) for name, entry in rows]))
        else:
            print("Nothing is held.")


@app.command(help_epilogue="Example: sync-daemon held approve 12 13")
def approve(*ids: Id, config: Config = DEFAULT_CONFIG, pair: PairName = None) -> None:
    """Let held changes be made: the next cycle proves each again, and makes it if it holds true still."""
    done = "approved: the next cycle proves each again, and makes it if it holds true still"
    _order(ids, config, pair, approve=True, done=done)


@app.command(help_epilogue="Example: sync-daemon held discard --pair main")
def discard(*ids: Id, config: Config = DEFAULT_CONFIG, pair: PairName = None) -> None:
    """Leave what is held as it is: the next cycle takes the two sides for agreed as they are, until one changes."""
    done = "discarded: from the next cycle on both sides count as agreed as they are, until one changes again"
    _order(ids, config, pair, approve=False, done=done)


def _order(ids: Sequence[int], config: Path, pair: str | None, *, approve: bool, done: str) -> None:
    """Write down a person's word about some held changes, all of them or none, and say how many they are."""
    with _waiting(config, pair) as waiting:
        known = {entry.id for _, _, entries in waiting for entry in entries}
        unknown = sorted(set(ids) - known)
        if unknown:
            numbers = ", ".join(map(str, unknown))
            where = f"pair {pair}" if pair else "these pairs"
            raise ConfigurationError(
                f"Nothing is held under {numbers} in {where}: it was made, discarded, or healed itself. "
                "`sync-daemon held list` shows what is held now. Nothing was changed."
            )
        chosen = [
            (store, [entry.id for entry in entries if entry.id is not None and (not ids or entry.id in ids)])
            for _, store, entries in waiting
        ]
        for store, some in chosen:
            store.order_held(some, approve=approve)
        count = sum(len(some) for _, some in chosen)
        print(f"{plural(count, 'change')} {done}." if count else "Nothing is held.")


@contextmanager
def _waiting(config: Path, pair: str | None) -> Iterator[_Waiting]:
    """What is held of each pair chosen; a pair that never ran holds nothing; raises as `known_pairs`."""
    chosen = choose(config, pair)
    with open_store(chosen.settings) as store, known_pairs(store, chosen.pairs) as pairs:
        yield [(name, one, one.held(everything=True)) for name, one in pairs]


def _as_json(pair: str, entry: Held) -> dict[str, Any]:
    return {
        "id": entry.id,
        "pair": pair,
        "ghl_id": entry.ghl_id,
        "emailoctopus_id": entry.emailoctopus_id,
        "action": entry.action,
        "reason": entry.reason,
    }


def _row(pair: str, entry: Held) -> tuple[object, ...]:
    return (
        entry.id,
        pair,
        entry.ghl_id or "-",
        entry.emailoctopus_id or "-",
        entry.action.replace("_", " "),
        entry.reason,
        f"{entry.since:%Y-%m-%d %H:%M} UTC",
        "approved" if entry.approved else "discarded" if entry.discarded else "-",
    )

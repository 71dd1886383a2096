"""`sync-daemon parked`: the changes that a system refused, and what to do with them; asks no system."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cyclopts import App

from sync_daemon.commands.known_pairs import known_pairs
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, iso, plural, print_json, table
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.state import Parked
from sync_daemon.ports import PairStore
from sync_daemon.reconcile.waiting_words import why
from sync_daemon.wiring.state import look_into_store

app = App(
    name="parked",
    help="What a system refused and is tried again later: look, retry, drop.",
    help_epilogue="Example: sync-daemon parked list",
)


@dataclass(frozen=True, slots=True)
class _OfPair:
    """A pair that has run, and what of it is parked."""

    name: str
    store: PairStore


@app.command(name="list", help_epilogue="Example: sync-daemon parked list --json | jq '.parked[].error'")
def show(*ids: int, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Show what is parked: of which contact, why in the API's own words, and when it is tried again."""
    with _pairs(config, pair) as pairs:
        wanted = _named(pairs, ids)
        entries = [
            (one.name, entry)
            for one in pairs
            for entry in one.store.parked(everything=True)
            if not ids or entry.id in wanted
        ]
        if json:
            print_json({"parked": [_as_json(name, entry) for name, entry in entries]})
        elif entries:
            columns = ("id#", "pair", "GHL id", "EmailOctopus id", "what", "why", "tried#", "again at")
            console().print(table(columns, (_row(name, entry) for name, entry in entries)))
        else:
            console().print("Nothing is parked.")


@app.command(help_epilogue="Example: sync-daemon parked retry 12 15")
def retry(*ids: int, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Have the next cycle read both records and decide anew; without ids, for all of the pair."""
    with _pairs(config, pair) as pairs:
        _answer("retried", _order(pairs, ids, drop=False), "tried again", json=json)


@app.command(help_epilogue="Example: sync-daemon parked drop 12")
def drop(*ids: int, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Give changes up: the next cycle leaves both sides as they are then; without ids, all of the pair.

    What changes later travels again. A contact that was to be created isn't until it changes. A person's revocation
    is never given up: it is tried on.
    """
    with _pairs(config, pair) as pairs:
        _answer("dropped", _order(pairs, ids, drop=True), "dropped", json=json)


def _order(pairs: Sequence[_OfPair], ids: Sequence[int], *, drop: bool) -> list[int]:
    """Write an order down for the next cycle; the ids it is about. Raises `ConfigurationError` for an unknown id."""
    ordered: list[int] = []
    wanted = _named(pairs, ids)
    for one in pairs:
        waiting = {entry.id for entry in one.store.parked(everything=True) if entry.id is not None}
        chosen = one.store.parked_ids() & wanted if ids else waiting
        one.store.order(chosen, drop=drop)
        ordered.extend(sorted(chosen))
    return ordered


def _answer(word: str, ordered: Sequence[int], done: str, *, json: bool) -> None:
    if json:
        print_json({word: ordered})
    elif ordered:
        changes = plural(len(ordered), "change is", "changes are")
        console().print(f"{changes} {done} by the next cycle; `sync-daemon reconcile` runs one now.")
    else:
        console().print("Nothing is parked.")


@contextmanager
def _pairs(config: Config, pair: str | None) -> Iterator[list[_OfPair]]:
    """The chosen pairs, those that have never run left out; raises as `known_pairs`."""
    chosen = choose(config, pair)
    with look_into_store(chosen.settings) as store, known_pairs(store, chosen.pairs) as pairs:
        yield [_OfPair(name, state) for name, state in pairs]


def _named(pairs: Sequence[_OfPair], ids: Sequence[int]) -> set[int]:
    """The ids as a set. Raises `ConfigurationError` when none of the pairs has one of them."""
    unknown = set(ids) - {one for pair in pairs for one in pair.store.parked_ids()} if ids else set()
    if unknown:
        raise ConfigurationError(
            f"No parked change has the id {', '.join(map(str, sorted(unknown)))}: nothing was done. What was done or "
            "is no longer asked for leaves the queue; `sync-daemon parked list` shows what waits."
        )
    return set(ids)


def _as_json(pair: str, entry: Parked) -> dict[str, Any]:
    return {
        "id": entry.id,
        "pair": pair,
        "ghl_id": entry.ghl_id,
        "emailoctopus_id": entry.emailoctopus_id,
        "what": entry.what,
        "error": why(entry),
        "attempts": entry.attempts,
        "next_try": iso(entry.next_try),
    }


def _row(pair: str, entry: Parked) -> tuple[object, ...]:
    return (
        entry.id,
        pair,
        entry.ghl_id or "-",
        entry.emailoctopus_id or "-",
        entry.what,
        why(entry),
        entry.attempts,
        _again(entry),
    )


def _again(entry: Parked) -> str:
    if entry.dropped:
        return "dropped by the next cycle"
    due = entry.next_try <= datetime.now(UTC)
    return "the next cycle" if due else f"{entry.next_try:%Y-%m-%d %H:%M} UTC"

"""What `adopt` and `reset` share: the plan, the question, and the deed."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from sync_daemon.commands.asking import ask
from sync_daemon.commands.exits import BAD_USAGE, DONE
from sync_daemon.commands.options import Config, choose
from sync_daemon.commands.printing import console, plural, print_json, table
from sync_daemon.store.starting_over import NewStart
from sync_daemon.wiring.starting_over import Intent, intend
from sync_daemon.wiring.state import known_secrets, make_secrets, open_locked_store

LoseRevocations = Annotated[
    bool,
    Parameter(
        name="--lose-revocations",
        negative="",
        help="Beside --yes where the secret_key is lost: accept that the revocations kept by address are lost too.",
    ),
]
_NOT_NEEDED = "Location, list and secret_key are as they were: there is nothing to adopt."
_NEVER_RAN = "Nothing is stored yet of what was chosen: there is nothing to do."


def start_over(word: str, config: Config, pair: str | None, *, yes: bool, lose_revocations: bool, json: bool) -> int:
    """Show what would be kept and what lost, ask, and do it; the exit status."""
    chosen = choose(config, pair)
    with open_locked_store(chosen.settings) as store:
        secrets = known_secrets(chosen.settings)
        intent = (
            intend(store, secrets, chosen.settings, chosen.pairs, adopt=word == "adopt")
            if store is not None
            else Intent((), secret_lost=False)
        )
        if not intent.starts:
            nothing = _NOT_NEEDED if word == "adopt" and store is not None else _NEVER_RAN
            _answer(intent, word, done=False, json=json, said=nothing)
            return DONE
        if not json:
            _show(intent)
        agreed = (yes and (lose_revocations or not _lost_revocations(intent))) or (
            not yes and not json and _ask(intent)
        )
        if agreed and store is not None:
            store.start_over(intent.starts, make_secrets(chosen.settings) if intent.secret_lost else None)
        _answer(intent, word, done=agreed, json=json, said=_DONE if agreed else _not_done(intent, yes=yes))
        return DONE if agreed else BAD_USAGE


_DONE = "Done. The next `sync-daemon reconcile` reads everything; `sync-daemon plan` shows what it would write."


def _not_done(intent: Intent, *, yes: bool) -> str:
    needed = "--yes --lose-revocations" if _lost_revocations(intent) else "--yes"
    return f"Nothing was done: {'that also needs --lose-revocations' if yes else f'say it with {needed}'}."


def _ask(intent: Intent) -> bool:
    return ask("lose them" if _lost_revocations(intent) else "yes")


def _answer(intent: Intent, word: str, *, done: bool, json: bool, said: str) -> None:
    if json:
        pairs = [_as_json(start) for start in intent.starts]
        print_json({"pairs": pairs, "command": word, "secret_key_lost": intent.secret_lost, "done": done})
    else:
        console().print(said)


def _show(intent: Intent) -> None:
    columns = ("pair", "GHL location", "EmailOctopus list", "links#", "kept#", "lost#")
    console().print(table(columns, map(_row, intent.starts)))
    for sentence in _sentences(intent):
        console().print(sentence)


def _row(start: NewStart) -> tuple[object, ...]:
    pair, kept = start.pair, _kept(start)
    return (
        pair.name,
        _moved(pair.location_id, start.location_id),
        _moved(pair.list_id, start.list_id),
        pair.counts["links"],
        kept,
        pair.counts["links"] - kept,
    )


def _moved(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"


def _kept(start: NewStart) -> int:
    return start.pair.counts["links"] if start.keep is None else len(start.keep)


def _sentences(intent: Intent) -> Iterator[str]:
    yield (
        "Baselines and watermarks go: the next cycle reads everything, and who is on both sides meets anew. "
        "Fields then follow their policy, a blank loses, tags are united, the stricter consent counts."
    )
    waiting = {word: _sum(intent.starts, word) for word in ("staged", "parked", "held")}
    if any(waiting.values()):
        counts = ", ".join(f"{count:,} {word}" for word, count in waiting.items() if count)
        yield f"What waits goes too ({counts}): the next cycle finds it again if it is still so."
    told, stay = _by_address(intent), plural(_sum(intent.starts, "tombstones"), "tombstone")
    if not intent.secret_lost:
        yield f"Who revoked stays remembered, and so do {told} and {stay}."
        return
    kept = any(map(_kept, intent.starts))
    by = "the links that are kept" if kept else "what both systems show alone"
    yield f"Who revoked is known by {by}; {stay} stay, by id alone."
    yield "The state store was made with another secret_key, without which nothing kept by address can be recognised:"
    yield (
        f"{told} can't be carried over and are LOST. Who revoked, was deleted and is made again would count as "
        "somebody new. If the former secret can be found, put it into previous_secret_keys instead of doing this."
    )


def _by_address(intent: Intent) -> str:
    revocations = plural(
        _sum(intent.starts, "revocations"), "revocation kept by address", "revocations kept by address"
    )
    forgotten = plural(_sum(intent.starts, "forgotten"), "forgotten person", "forgotten people")
    return f"{revocations} and {forgotten}"


def _lost_revocations(intent: Intent) -> bool:
    return intent.secret_lost and _sum(intent.starts, "revocations") + _sum(intent.starts, "forgotten") > 0


def _sum(starts: Sequence[NewStart], word: str) -> int:
    return sum(start.pair.counts[word] for start in starts)


def _as_json(start: NewStart) -> dict[str, Any]:
    pair, kept = start.pair, _kept(start)
    return {
        "pair": pair.name,
        "from": {"location_id": pair.location_id, "list_id": pair.list_id},
        "to": {"location_id": start.location_id, "list_id": start.list_id},
        **pair.counts,
        "kept": kept,
        "dropped": pair.counts["links"] - kept,
    }

"""`sync-daemon status`: what is known of each pair, from the state store alone; no system is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sync_daemon.changes.tagbook import collisions
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, iso, print_json, seconds, table
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.errors import StateStoreAway, StateStoreError
from sync_daemon.model.state import KnownTag, PairState, Parked, Totals
from sync_daemon.model.system import SystemName
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.installation import StateStore
from sync_daemon.wiring.state import open_store

_RUNS = 5
_PARKED_SHOWN = 20
_TO_TELL = (DeedState.UNCERTAIN, DeedState.GIVEN_UP, DeedState.REFUSED)
"""What a person must know of automations, rules and what is shown of activity: it may have been done, or wasn't."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state store knows of a pair, None where it never ran; `problem` says why it can't run."""

    name: str
    state: PairState | None = None
    totals: Totals | None = None
    runs: tuple[Mapping[str, Any], ...] = ()
    parked: tuple[Parked, ...] = ()
    colliding: tuple[KnownTag, ...] = ()
    deeds: tuple[Deed, ...] = ()
    problem: str | None = None


def status(*, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Show pairs, their last runs, how far they have read, and what waits."""
    chosen = choose(config, pair)
    with open_store(chosen.settings) as store:
        states = {state.name: state for state in store.pairs()}
        known = [_known(store, section, states.get(section.name)) for section in chosen.pairs]
    if json:
        print_json({"pairs": [_as_json(one) for one in known]})
    else:
        _show(known)


def _known(store: StateStore, section: PairSection, state: PairState | None) -> _Known:
    if state is None:
        return _Known(section.name)
    try:
        pair_store = store.look_at_pair(section.name, section.ghl.location_id, section.emailoctopus.list_id)
    except StateStoreAway:
        raise
    except StateStoreError as error:
        return _Known(section.name, state, problem=str(error))
    if pair_store is None:  # what is known is about another location or list
        return _Known(section.name, replace(state, watermarks={}))
    return _Known(
        section.name,
        state,
        pair_store.totals(),
        tuple(pair_store.last_runs(_RUNS)),
        tuple(pair_store.parked(everything=True)),
        tuple(collisions(pair_store.tags())),
        tuple(deed for state in _TO_TELL for deed in pair_store.deeds_in(state)),
    )


def _as_json(known: _Known) -> dict[str, Any]:
    totals, state = known.totals or Totals(), known.state
    return {
        "pair": known.name,
        "paused": state.paused if state else False,
        "paused_since": iso(state.paused_since) if state else None,
        "problem": known.problem,
        "links": totals.links,
        "staged": totals.staged,
        "parked": totals.parked,
        "held": totals.held,
        "diverged": totals.diverged,
        "consent_held": totals.consent_held,
        "unlinked": dict(totals.unlinked),
        "watermarks": {name: iso(moment) for name, moment in state.watermarks.items()} if state else {},
        "lag_s": _lag(known),
        "quota_left": {str(system): _quota_left(known).get(system) for system in SystemName},
        "parked_changes": [
            {
                "id": one.id,
                "ghl_id": one.ghl_id,
                "emailoctopus_id": one.emailoctopus_id,
                "what": one.what,
                "code": one.code,
                "attempts": one.attempts,
                "next_try": iso(one.next_try),
            }
            for one in known.parked
        ],
        "uncertain": _count(known, DeedState.UNCERTAIN),
        "given_up": _count(known, DeedState.GIVEN_UP),
        "deeds": [
            {
                "what": one.what,
                "state": str(one.state),
                "ghl_id": one.ghl_id,
                "emailoctopus_id": one.emailoctopus_id,
                "code": one.code,
                "attempts": one.attempts,
                "at": iso(one.at),
                "next_try": iso(one.next_try),
            }
            for one in known.deeds
        ],
        "colliding_tags": [{"tag": _spelt(tag), "system": str(tag.owner)} for tag in known.colliding],
        "runs": [_run(run) for run in known.runs],
    }


def _count(known: _Known, state: DeedState) -> int:
    return sum(deed.state is state for deed in known.deeds)


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in run.items() if not name.startswith("quota_")}
    return {**shown, "started": iso(run["started"]), "ended": iso(run["ended"])}


def _quota_left(known: _Known) -> Mapping[str, int]:
    """What the newest run that was told saw left of each daily quota."""
    return next((run["quota_left"] for run in known.runs if run["quota_left"]), {})


_IN_DETAIL = 20
"""Pairs of which everything is told; of more, what is wrong: `--pair` tells the rest."""


def _show(known: list[_Known]) -> None:
    out = console()
    columns = ("pair", "links#", "staged#", "parked#", "held#", "diverged#", "consent held#", "last run", "outcome")
    out.print(table(columns, [_row(one) for one in known]))
    watermarks = [
        (one.name, stream, f"{moment:%Y-%m-%d %H:%M:%S} UTC")
        for one in known
        if one.state
        for stream, moment in sorted(one.state.watermarks.items())
    ]
    in_detail = len(known) <= _IN_DETAIL
    if watermarks and in_detail:
        out.print(table(("pair", "changes read", "up to"), watermarks))
    for one in known:
        if one.problem:
            out.print(one.problem)
        if one.runs and one.runs[0]["message"]:
            out.print(f"{one.name}: the last run ended as {one.runs[0]['outcome']}: {one.runs[0]['message']}")
        if one.state and one.state.paused_since:
            out.print(f"{one.name}: {paused(one.name, one.state.paused_since)}")
        if one.totals and one.totals.unlinked:
            reasons = ", ".join(
                f"{count:,} {reason.replace('_', ' ')}" for reason, count in one.totals.unlinked.items()
            )
            out.print(f"{one.name}: not linked: {reasons}")
        for system, left in _quota_left(one).items() if in_detail else ():
            out.print(f"{one.name}: {left:,} requests of {system}'s daily quota were left after the last run")
        if one.colliding:
            names = ", ".join(f"{_spelt(tag)} ({tag.owner})" for tag in one.colliding)
            out.print(f"{one.name}: tags left alone, as they would become one with another tag: {names}")
        _show_parked(one)
        _show_deeds(one)


def paused(pair: str, since: datetime) -> str:
    """Since when a pair is paused, for how long that is, and what ends it."""
    lasted = max(0.0, (datetime.now(UTC) - since).total_seconds())
    return (
        f"paused since {since:%Y-%m-%d %H:%M} UTC ({seconds(lasted)}): nothing is read or written until "
        f"`sync-daemon resume --pair {pair}`"
    )


def _show_deeds(known: _Known) -> None:
    if known.deeds:
        rows = [
            (one.what, one.state.replace("_", " "), one.ghl_id or "-", one.code or "-", f"{one.at:%Y-%m-%d %H:%M} UTC")
            for one in known.deeds[:_PARKED_SHOWN]
        ]
        columns = ("to be done once", "state", "GHL id", "why", "since")
        console().print(table(columns, rows, f"{known.name}: {len(known.deeds):,} uncertain, given up or refused"))
    if _count(known, DeedState.UNCERTAIN):
        console().print(f"{known.name}: what is uncertain got no answer and isn't repeated; look whether it was done")


def _spelt(tag: KnownTag) -> str:
    """A tag's name as the system that owns it spells it, as far as is known."""
    return tag.spelling or tag.name


def _show_parked(known: _Known) -> None:
    columns = ("GHL id", "EmailOctopus id", "what", "why", "tried#", "again at")
    rows = [
        (
            one.ghl_id or "-",
            one.emailoctopus_id or "-",
            one.what,
            one.code,
            one.attempts,
            f"{one.next_try:%Y-%m-%d %H:%M} UTC",
        )
        for one in known.parked[:_PARKED_SHOWN]
    ]
    if rows:
        console().print(table(columns, rows, f"{known.name}: parked"))
    if (more := len(known.parked) - len(rows)) > 0:
        console().print(f"and {more:,} more; --json lists them all")
    if rows:
        console().print(f"{known.name}: `sync-daemon parked list` tells the API's own words, which may hold values")


def _row(known: _Known) -> tuple[object, ...]:
    totals = known.totals or Totals()
    lag = _lag(known)
    last = known.runs[0] if known.runs else {}
    when = "never" if lag is None else f"{last['mode']}, {seconds(lag)} ago"
    return (
        known.name,
        f"{totals.links:,}",
        totals.staged,
        totals.parked,
        totals.held,
        totals.diverged,
        totals.consent_held,
        when,
        "paused" if known.state and known.state.paused else last.get("outcome", "-"),
    )


def _lag(known: _Known) -> float | None:
    """Seconds since the last run ended."""
    if not known.runs:
        return None
    ended: datetime = known.runs[0]["ended"]
    return max(0.0, round((datetime.now(UTC) - ended).total_seconds(), 1))

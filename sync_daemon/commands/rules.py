"""`sync-daemon rules`: try rules out on what happened last; does nothing, and remembers nothing."""

from typing import Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from sync_daemon.commands.exits import DONE
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, iso, print_json, table
from sync_daemon.commands.progress import shown_progress
from sync_daemon.cycle.rehearsal import Rehearsed, rehearse
from sync_daemon.wiring.installation import open_installation

app = App(
    name="rules",
    help="Rules: what people do in EmailOctopus becomes actions in GHL.",
    help_epilogue="Example: sync-daemon rules test --last 50",
)

Last = Annotated[int, Parameter(help="How many of the newest events.", validator=Number(gte=1, lte=10_000))]


@app.command(name="test", help_epilogue="Example: sync-daemon rules test --last 50")
def try_out(*, config: Config = DEFAULT_CONFIG, pair: PairName = None, last: Last = 20, json: Json = False) -> int:
    """Show what the rules would do about the last events, or why not; nothing is done, and nothing remembered."""
    chosen = choose(config, pair)
    found: list[tuple[str, Rehearsed]] = []
    with open_installation(chosen.settings) as installation, shown_progress() as progress:
        for section in chosen.pairs:
            if section.rules:
                with installation.foresee(section, progress) as (foreseen, _):
                    found += [(section.name, one) for one in rehearse(foreseen, last)]
    if json:
        print_json({"events": [_as_json(name, one) for name, one in found]})
    elif not any(section.rules for section in chosen.pairs):
        console().print("There are no rules. `rules` in a pair's configuration tells what they are.")
    elif not found:
        console().print("Nothing that a rule is about has happened lately.")
    else:
        columns = ("pair", "event", "when", "GHL id", "EmailOctopus id", "rule", "would", "why not")
        console().print(table(columns, [_row(name, one) for name, one in found]))
    return DONE


def _row(pair: str, one: Rehearsed) -> tuple[object, ...]:
    return (
        pair,
        one.event,
        f"{one.at:%Y-%m-%d %H:%M} UTC" if one.at is not None else "-",
        one.ghl_id or "-",
        one.emailoctopus_id,
        one.rule,
        "; ".join(one.would) or "-",
        one.why_not or "-",
    )


def _as_json(pair: str, one: Rehearsed) -> dict[str, Any]:
    return {
        "pair": pair,
        "event": one.event,
        "occurred_at": iso(one.at),
        "ghl_id": one.ghl_id,
        "emailoctopus_id": one.emailoctopus_id,
        "rule": one.rule,
        "would": list(one.would),
        "why_not": one.why_not,
    }

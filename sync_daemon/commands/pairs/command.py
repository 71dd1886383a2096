"""The commands about pairs: list, add, edit, remove, import."""

from typing import Any

from cyclopts import App

from sync_daemon.commands.exits import DONE
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, opened
from sync_daemon.commands.pairs.adding import add
from sync_daemon.commands.pairs.editing import edit
from sync_daemon.commands.pairs.importing import import_pairs
from sync_daemon.commands.pairs.removing import remove
from sync_daemon.commands.printing import console, print_json, table
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.pair import PairSection

app = App(
    name="pairs",
    help="Which pairs there are; and those whose settings are in the database, encrypted.",
    help_epilogue="Example: sync-daemon pairs list",
)
_NONE = (
    "There are no pairs yet. `sync-daemon pairs add` puts one into the database; or write one into the configuration."
)


@app.command(name="list", help_epilogue="Example: sync-daemon pairs list --json | jq -r '.pairs[].pair'")
def list_pairs(*, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Show every pair that is configured, and where: in the file, in a folder of files, or in the database."""
    configuration = opened(config)
    pairs = configuration.settings.pairs
    if json:
        print_json({"pairs": [_as_json(one, configuration) for one in pairs]})
    elif not pairs:
        console().print(_NONE)
    else:
        columns = ("pair", "template", "GHL location", "EmailOctopus list", "where")
        console().print(table(columns, map(_row, pairs)))
    return DONE


app.command(
    add, help_epilogue="Example: sync-daemon pairs add berlin --template agency --location ve9EPM… --list 1b1c…"
)
app.command(edit, help_epilogue="Example: sync-daemon pairs edit berlin --set deletes.in_ghl=ignore")
app.command(remove, help_epilogue="Example: sync-daemon pairs remove berlin")
app.command(import_pairs, name="import", help_epilogue="Example: sync-daemon pairs import locations.csv")


def _row(pair: PairSection) -> tuple[object, ...]:
    return pair.name, pair.template or "-", pair.ghl.location_id, pair.emailoctopus.list_id, pair.place(())


def _as_json(pair: PairSection, configuration: Configuration) -> dict[str, Any]:
    place = configuration.place_of(pair.name)
    return {
        "pair": pair.name,
        "in": "database" if isinstance(place, str) else "file",
        "where": pair.place(()),
        "template": pair.template,
        "location_id": pair.ghl.location_id,
        "list_id": pair.emailoctopus.list_id,
    }

"""`sync-daemon ghl`: any operation of GHL's API that the catalogue knows: look, and call by hand."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from sync_daemon.commands.exits import BAD_USAGE, DONE, UNREACHABLE, WAITING
from sync_daemon.commands.ghl.answers import free, show
from sync_daemon.commands.ghl.describing import as_json, description, listed, row
from sync_daemon.commands.ghl.values import parted, values_of
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, plural, print_json, table
from sync_daemon.model.errors import SERVER_ERROR, AnswerLost, ConfigurationError, Refused
from sync_daemon.settings.load import load_outside_pairs
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.variables import Variables
from sync_daemon.systems.ghl.catalogue.catalogue import in_category, operation, operations
from sync_daemon.systems.ghl.catalogue.prepare import PreparedCall, prepare
from sync_daemon.systems.ghl.settings import Version
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.state import look_into_store
from sync_daemon.wiring.systems import connect_ghl

app = App(
    name="ghl",
    help="GoHighLevel's operations, by hand: list, describe, call.",
    help_epilogue="Example: sync-daemon ghl list",
)

Name = Annotated[str, Parameter(name="NAME", help="Such as create-contact-note, or Create Contact Note.")]
Call = Annotated[
    str,
    Parameter(name="NAME key=value", help="An operation and its parameters; a.b=1 is b in the object a."),
]


@app.command(name="list", help_epilogue="Example: sync-daemon ghl list --category contacts --search tag")
def list_(
    *,
    category: Annotated[str | None, Parameter(help="Only this category.")] = None,
    search: Annotated[str | None, Parameter(help="Only those with this word in their name or path.")] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Show which operations there are; needs no configuration."""
    version = _version(config)
    some = in_category(category) if category is not None else operations()
    found = [one for one in some if search is None or search.lower() in f"{one.name} {one.kebab} {one.path}".lower()]
    if json:
        print_json({"operations": [listed(one, version) for one in found]})
    elif found:
        console().print(table(("operation", "category", "does", "request"), [row(one, version) for one in found]))
        console().print(f"{plural(len(found), 'operation')}; `sync-daemon ghl describe NAME` shows what one takes.")
    else:
        console().print("No operation fits; `sync-daemon ghl list` shows all of them.")


@app.command(help_epilogue="Example: sync-daemon ghl describe create-contact-note")
def describe(*name: Name, config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """Show what an operation does, what it takes, and which scope it needs; needs no configuration."""
    found = operation(_named(name))
    if json:
        print_json(as_json(found, _version(config)))
    else:
        for part in description(found, _version(config)):
            console().print(part)


@app.command(help_epilogue="Example: sync-daemon ghl call create-contact-note contactId=ocQHyuzHvysMo5N5VsXc body=Hi")
def call(
    *words: Call,
    body: Annotated[
        Path | None,
        Parameter(help="More parameters, in a JSON or YAML file; - is standard input.", allow_leading_hyphen=True),
    ] = None,
    pair: PairName = None,
    yes: Annotated[bool, Parameter(name="--yes", negative="", help="Delete without asking: for scripts.")] = False,
    out: Annotated[Path | None, Parameter(help="A new file for a recording or transcript.")] = None,
    config: Config = DEFAULT_CONFIG,
    json: Annotated[bool, Parameter(name="--json", negative="", help="Print the API's JSON and nothing else.")] = False,
) -> int:
    """Call an operation in a pair's location, which is filled in; what deletes asks first."""
    name, pairs = parted(words)
    found = operation(_named(name))
    chosen = choose(config, pair)
    section = _only(chosen.pairs)
    values = values_of(pairs, body)
    prepared = prepare(found, values, section.ghl.location_id, chosen.settings.ghl.version)
    free(found, out, json=json)
    if prepared.destructive and not yes and not _agreed(prepared, section.name):
        return BAD_USAGE
    try:
        with look_into_store(chosen.settings) if section.ghl.oauth is not None else nullcontext() as store:
            tokens = store.oauth if store is not None else None
            answer = connect_ghl(section, chosen.settings, SystemClock(), tokens).call(prepared)
    except Refused as refusal:
        failed = refusal.code == SERVER_ERROR
        return _told(refusal.message if failed else f"GHL refused {found.name}: {refusal.message}", WAITING)
    except AnswerLost as lost:
        return _told(f"{lost} It may have been done all the same: look before you call it again.", UNREACHABLE)
    show(found, answer, out, json=json)
    return DONE


def _named(words: tuple[str, ...] | list[str]) -> str:
    if not words:
        raise ConfigurationError("Name an operation; `sync-daemon ghl list` shows all of them.")
    return " ".join(words)


def _version(config: Path) -> Version:
    """The version that the configuration speaks; the usual one where there is no file yet."""
    path = None if config == DEFAULT_CONFIG and not config.exists() else config
    return load_outside_pairs(path, Variables.of_process(Path())).ghl.version


def _only(pairs: tuple[PairSection, ...]) -> PairSection:
    if len(pairs) > 1:
        names = ", ".join(one.name for one in pairs)
        raise ConfigurationError(f"Say in whose location, by --pair: there are {names}.")
    return pairs[0]


def _agreed(prepared: PreparedCall, pair: str) -> bool:
    """Ask on a terminal; nobody is there to be asked elsewhere."""
    named = ", ".join(f"{name}={value}" for name, value in prepared.ids.items())
    deed = f"{prepared.operation.name}{f' ({named})' if named else ''} of pair {pair}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        sys.stderr.write(f"{deed} deletes, and nobody can be asked here: nothing was done. Say it with --yes.\n")
        return False
    sys.stderr.write(f"{deed}? [y/N] ")
    sys.stderr.flush()
    agreed = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not agreed:
        sys.stderr.write("Nothing was done.\n")
    return agreed


def _told(text: str, status: int) -> int:
    sys.stderr.write(f"{text}\n")
    return status

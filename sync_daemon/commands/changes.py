"""`sync-daemon changes`: the audit log, for people, scripts and spreadsheets; asks no system, and holds no value."""

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from sync_daemon.changes.digests import Digester
from sync_daemon.commands.known_pairs import known_pairs
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, print_json, table
from sync_daemon.model.audit import ChangeFilter, LoggedChange
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore
from sync_daemon.read.person import ids_meant
from sync_daemon.reconcile.logged import logged_words
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.installation import StateStore
from sync_daemon.wiring.state import look_into_store

Logged = tuple[str, LoggedChange]
"""A pair's name, and a line of its log."""
_LAST = 100
_COLUMNS = ("pair", "at", "run_id", "kind", "system", "ghl_id", "emailoctopus_id", "what", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would compute."""

Run = Annotated[str | None, Parameter(help="Only what this run did; `status` and this table name runs.")]
Contact = Annotated[str | None, Parameter(help="Only this person: an e-mail address, or an id of either system.")]
Field = Annotated[
    str | None,
    Parameter(
        help="Only this field, by its name on either side; or tags, consent, address, creation, deletion, scope."
    ),
]
Side = Annotated[Literal["ghl", "emailoctopus"] | None, Parameter(help="Only what was written to, or lost in, it.")]
Since = Annotated[
    str | None, Parameter(help="From this time on: 2026-11-01, or 2026-11-01T08:30Z; UTC if it doesn't say.")
]
Until = Annotated[str | None, Parameter(help="Before this time.")]
Last = Annotated[
    int | None,
    Parameter(help="How many lines of each pair, the newest: 100 by default.", validator=Number(gte=1, lte=100_000)),
]
Format = Annotated[
    Literal["jsonl", "csv"] | None,
    Parameter(name="--format", help="Export every line that fits, oldest first: one JSON object a line, or CSV."),
]


def changes(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    run: Run = None,
    contact: Contact = None,
    field: Field = None,
    system: Side = None,
    since: Since = None,
    until: Until = None,
    last: Last = None,
    format_: Format = None,
    json: Json = False,
) -> None:
    """Show what runs did and saw, and why: newest first, or exported whole."""
    if json and format_ is not None:
        raise ConfigurationError("choose --json, or --format: one object holds the newest lines, an export all of them")
    if last is not None and format_ is not None:
        raise ConfigurationError("choose --last, or --format: an export holds every line that fits; --since narrows it")
    last = last or _LAST
    chosen = choose(config, pair)
    asked = ChangeFilter(
        run_id=run,
        system=SystemName(system) if system is not None else None,
        since=_moment("--since", since),
        until=_moment("--until", until),
    )
    with look_into_store(chosen.settings) as store, known_pairs(store, chosen.pairs) as pairs:
        sections = {section.name: section for section in chosen.pairs}
        filters = [(name, one, _narrowed(asked, sections[name], one, store, contact, field)) for name, one in pairs]
        if format_ is not None:
            lines = ((name, line) for name, one, narrow in filters for line in one.every_logged(narrow))
            _EXPORTS[format_](lines)
            return
        found = [(name, one.logged(narrow, last + 1)) for name, one, narrow in filters]
    shown = [(name, line) for name, lines in found for line in lines[:last]]
    more = any(len(lines) > last for _, lines in found)
    if json:
        print_json({"changes": [{"pair": name, **line_as_json(line)} for name, line in shown], "more": more})
    else:
        _show(shown, last, more=more)


def line_as_json(line: LoggedChange) -> dict[str, Any]:
    """One line, without its pair."""
    change = line.change
    return {
        "at": line.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "run_id": line.run_id,
        "kind": change.kind,
        "system": change.system,
        "ghl_id": change.ghl_id,
        "emailoctopus_id": change.emailoctopus_id,
        "what": change.what,
        "reason": change.reason,
    }


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} takes a date or a time such as 2026-11-01 or 2026-11-01T08:30Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _narrowed(
    asked: ChangeFilter,
    section: PairSection,
    pair: PairStore,
    store: StateStore | None,
    contact: str | None,
    field: str | None,
) -> ChangeFilter:
    """The question as one pair's log can be asked it: by ids, and by every name that the field goes by."""
    contacts = what = None
    if contact is not None and store is not None:
        contacts = ids_meant(contact.strip(), pair, Digester(*store.digest_keys))
    if field is not None:
        what = logged_words(field, section.policy().fields)
    return ChangeFilter(asked.run_id, contacts, what, asked.system, asked.since, asked.until)


def _show(lines: list[Logged], last: int, *, more: bool) -> None:
    out = console()
    if not lines:
        out.print("Nothing is logged that fits.")
        return
    columns = ("when", "pair", "run", "kind", "system", "GHL id", "EmailOctopus id", "what", "why")
    out.print(table(columns, [_row(name, line) for name, line in lines]))
    if more:
        out.print(f"These are the newest {last:,} of a pair: --last N shows more, --format csv or jsonl exports all.")


def _row(pair: str, line: LoggedChange) -> tuple[object, ...]:
    change = line.change
    ids = (change.ghl_id or "-", change.emailoctopus_id or "-")
    when = f"{line.at:%Y-%m-%d %H:%M:%S} UTC"
    return (when, pair, line.run_id, change.kind, change.system or "-", *ids, change.what, change.reason)


def _export_jsonl(lines: Iterator[Logged]) -> None:
    encode = msgspec.json.Encoder().encode
    for name, line in lines:
        sys.stdout.write(encode({"pair": name, **line_as_json(line)}).decode() + "\n")


def _export_csv(lines: Iterator[Logged]) -> None:
    """Comma-separated values as RFC 4180 has them; no cell is a formula to a spreadsheet."""
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    for name, line in lines:
        cells = {"pair": name, **line_as_json(line)}
        writer.writerow(harmless(cells[column]) for column in _COLUMNS)


def harmless(cell: object) -> str:
    """A cell as text that no spreadsheet computes."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


_EXPORTS = {"jsonl": _export_jsonl, "csv": _export_csv}

"""`sync-daemon pairs import`: many pairs at once, from a table or from YAML, all or none."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from sync_daemon.commands.asking import Yes, ask
from sync_daemon.commands.exits import BAD_USAGE, DONE
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, outside_pairs
from sync_daemon.commands.pairs.saving import IN_FORCE, NOT_SAVED, SAVE, checked, given_text, save
from sync_daemon.commands.pairs.texts import COLUMNS, text_of
from sync_daemon.commands.printing import console, plural, print_json, table
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import nearest
from sync_daemon.settings.document import Document
from sync_daemon.settings.layers import PAIRS
from sync_daemon.settings.reading import read_pairs
from sync_daemon.settings.rewriting.reading import texts_of_items
from sync_daemon.wiring.configuration import stored_pairs

_SHOWN = 20


class Row(NamedTuple):
    """A pair to import: its text, what it says, and where."""

    name: str
    text: str
    document: Document
    where: str


def import_pairs(source: Path, /, *, config: Config = DEFAULT_CONFIG, yes: Yes = False, json: Json = False) -> int:
    """Put many pairs into the database at once, all or none: from a table (.csv), a YAML file, or a folder of those.

    A table has the columns name, location_id, token, list_id, api_key, template; what a template or `defaults` give can
    be left out. A pair that is in the database already is changed by it.
    """
    rows = _unique([row for path in _files(source) for row in _rows(path)])
    if not rows:
        raise ConfigurationError(f"{source} holds no pair.")
    stored = stored_pairs(outside_pairs(config)).texts
    texts = {row.name: row.text for row in rows if stored.get(row.name) != row.text}
    before = {name: stored[name] for name in texts if name in stored}
    draft = checked(config, texts, before, {row.name: row.document for row in rows if row.name in texts})
    added, changed = sorted(texts.keys() - before.keys()), sorted(before)
    if not json:
        _show(added, changed, len(rows) - len(texts))
    done = bool(texts) and (yes or (not json and ask(SAVE)))
    if done:
        save(draft)
    if json:
        print_json({"added": added, "changed": changed, "unchanged": len(rows) - len(texts), "done": done})
    elif texts:
        console().print(f"{plural(len(texts), 'pair is', 'pairs are')} saved. {IN_FORCE}" if done else NOT_SAVED)
    return DONE if done or not texts else BAD_USAGE


def _show(added: list[str], changed: list[str], unchanged: int) -> None:
    out = console()
    rows = [(name, "is added") for name in added] + [(name, "is changed") for name in changed]
    if rows:
        out.print(table(("pair", "what"), rows[:_SHOWN]))
    if (more := len(rows) - _SHOWN) > 0:
        out.print(f"and {more:,} more")
    out.print(f"{len(added):,} to be added, {len(changed):,} to be changed, {unchanged:,} as they are.")


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    return sorted(one for one in source.iterdir() if one.suffix in (".yaml", ".yml", ".csv") and one.name[0] != ".")


def _rows(path: Path) -> Iterator[Row]:
    yield from _of_table(path) if path.suffix.lower() == ".csv" else _of_yaml(path)


def _of_yaml(path: Path) -> Iterator[Row]:
    text, name = given_text(str(path)), str(path)
    document = read_pairs(text, name)
    if (others := [key for key in document.data if key != PAIRS]) or not isinstance(document.data.get(PAIRS, []), list):
        raise ConfigurationError(
            f"{document.where((others[0] if others else PAIRS,))}: a file to import holds pairs alone."
        )
    alone = document.places.get((PAIRS,)) is None
    texts = [text] if alone else texts_of_items(text, name, (PAIRS,))
    for index, said in enumerate(document.data.get(PAIRS, [])):
        where = document.place((PAIRS, index))
        pair = said.get("name") if isinstance(said, dict) else None
        if not isinstance(pair, str) or not pair:
            raise ConfigurationError(f"{where}: expected a pair with a `name`.")
        places = {(PAIRS, 0, *path[2:]): place for path, place in document.places.items() if path[:2] == (PAIRS, index)}
        yield Row(pair, texts[index], Document(name, {PAIRS: [said]}, places), where)


def _of_table(path: Path) -> Iterator[Row]:
    text = given_text(str(path)).removeprefix("\ufeff")
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    columns = [column.strip() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    _demand_columns(path, columns)
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if None in row or None in row.values():
            raise ConfigurationError(f"{where}: it has {'more' if None in row else 'fewer'} cells than the first line.")
        values = {column: value.strip() for column, value in row.items()}
        if not any(values.values()):
            continue
        if not values["name"]:
            raise ConfigurationError(f"{where}: name is empty.")
        written = text_of(values)
        yield Row(values["name"], written, Document(where, read_pairs(written, where).data), where)


def _demand_columns(path: Path, columns: list[str]) -> None:
    """Raise `ConfigurationError` for a first line that isn't the names of columns."""
    for column in columns:
        if column not in COLUMNS:
            raise ConfigurationError(
                f"{path}, line 1: there is no column `{column}`; {nearest(column, tuple(COLUMNS))}."
            )
    if "name" not in columns:
        raise ConfigurationError(f"{path}, line 1: expected the names of columns: {', '.join(COLUMNS)}.")


def _unique(rows: list[Row]) -> list[Row]:
    """Raise `ConfigurationError` where a name comes twice."""
    seen: dict[str, Row] = {}
    twice = [
        f"{row.where}: the pair {row.name} is there already, in {seen[row.name].where}."
        for row in rows
        if seen.setdefault(row.name, row) is not row
    ]
    if twice:
        raise ConfigurationError("\n".join(twice))
    return rows

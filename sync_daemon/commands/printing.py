"""How commands answer on standard output: tables for people, aligned plain lines for pipes, or one JSON object."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sync_daemon.model.words import plural, seconds

__all__ = ["console", "iso", "plural", "print_json", "seconds", "table"]
_PIPE_WIDTH = 10_000
ROWS_AT_ONCE = 1000
"""A drawn row weighs ten times what it tells: of long tables never more are drawn at once."""


def console() -> Console:
    """Standard output as rich sees it; lines are never wrapped when nobody looks at a terminal."""
    if sys.stdout.isatty():
        return Console(highlight=False, markup=False, emoji=False)
    return Console(highlight=False, markup=False, emoji=False, width=_PIPE_WIDTH, color_system=None)


def print_json(answer: Any) -> None:
    """Print the one JSON object of an answer."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")


def iso(moment: datetime | None) -> str | None:
    """A time in UTC as JSON has it, None for none."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment is not None else None


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None, *, header: bool = True
) -> RenderableType:
    """A table whose cells are taken literally; columns whose name ends in `#` hold numbers."""
    plain = not sys.stdout.isatty()
    made = Table(box=None if plain else SIMPLE_HEAD, pad_edge=False, show_header=header)
    for column in columns:
        number = column.endswith("#")
        made.add_column(column.removesuffix("#"), justify="right" if number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    # Rich would break a title of its own at the width of the table.
    return made if title is None else Group(Text(title, style="bold"), made)

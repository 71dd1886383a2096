"""The file that EmailOctopus's dashboard imports: a header, and a line for each contact (facts: §17). Pure.

Nothing about its columns is in print but that fields are matched with columns by hand; so every column is called by its
field's tag, and what a cell can't hold exactly is left blank: a first meeting fills blanks.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync_daemon.model.contact import FieldSpec, Value

ADDRESS = "EmailAddress"
_TAGS, _OTHER_TAGS = "Tags", "ContactTags"
_RUNS = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, CSV injection)."""
_HARMLESS = re.compile(r"[+-]?[\d .,/()-]*\d[\d .,/()-]*", re.ASCII)
"""Numbers, dates and phone numbers: they hold nothing that could be called."""
_SEVERAL = "choice_multiple"


@dataclass(frozen=True, slots=True)
class Line:
    """One contact's cells; `blank` are fields, and `tags` names, that they can't hold."""

    cells: tuple[str, ...]
    blank: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields that become columns, and those that can't: nothing tells how several choices stand in one cell."""

    fields: tuple[FieldSpec, ...]
    impossible: tuple[FieldSpec, ...]

    @classmethod
    def of(cls, specs: Iterable[FieldSpec]) -> "Columns":
        """The columns for some fields of the list."""
        found = tuple(specs)
        return cls(
            tuple(spec for spec in found if spec.type != _SEVERAL),
            tuple(spec for spec in found if spec.type == _SEVERAL),
        )

    @property
    def header(self) -> tuple[str, ...]:
        """The first line."""
        names = [spec.name for spec in self.fields]
        taken = {name.lower() for name in names}
        return (ADDRESS, *names, _OTHER_TAGS if _TAGS.lower() in taken else _TAGS)

    def line(self, address: str, values: Mapping[str, Value], tags: Sequence[str]) -> Line | None:
        """A contact's line; None for an address that a spreadsheet would run."""
        if would_run(address):
            return None
        cells = [_cell(values.get(spec.name)) for spec in self.fields]
        blank = tuple(spec.name for spec, cell in zip(self.fields, cells, strict=True) if would_run(cell))
        fitting = [tag for tag in tags if not (would_run(tag) or "," in tag)]
        return Line(
            (address, *("" if would_run(cell) else cell for cell in cells), ",".join(fitting)),
            blank,
            tuple(tag for tag in tags if tag not in fitting),
        )


def would_run(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula that could do something."""
    return bool(_RUNS.match(cell)) and _HARMLESS.fullmatch(cell) is None


def _cell(value: Value) -> str:
    return "" if value is None or isinstance(value, tuple) else str(value)

"""Editing one pair's section of a configuration file: what is there, what another one would be, and saving it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import Complaint, Refusal
from sync_daemon.settings.document import KeyPath, parse
from sync_daemon.settings.files import ConfigurationFile, Written
from sync_daemon.settings.load import load_document
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.rewriting.reading import texts_of_items
from sync_daemon.settings.rewriting.rewrite import rewrite
from sync_daemon.settings.rewriting.wanted import plain
from sync_daemon.settings.variables import Variables

EDITABLE = ("fields", "create_missing_fields", "tags", "scope", "on_leave_scope", "rules")
"""The keys of a pair that can be edited; the others, accounts and credentials among them, stay as they are."""
_REFERENCE = "${"
_NO_REFERENCE = (
    "names a variable (${…}); write such a reference into the file by hand: here it could show what the variable holds"
)


@dataclass(frozen=True, slots=True)
class Original:
    """A pair as its file says it now: `value` is the plain data of its section, references to variables as written.

    `rules` is the YAML text of each rule.
    """

    written: Written
    index: int
    section: PairSection
    value: Mapping[str, Any]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """What a file would say. `section` is None where that isn't valid; then `complaints` have paths within the pair.

    A complaint with an empty path is about the file.
    """

    text: str
    section: PairSection | None
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class PairEditor:
    """One pair in the file that the configuration was loaded from."""

    file: ConfigurationFile
    variables: Variables
    pair: str

    def open(self) -> Original:
        """The pair as the file says it now. Raises `ConfigurationError` where the file isn't valid or lacks it."""
        written, name = self.file.read(), str(self.file.path)
        document = parse(written.text, name)
        said = document.data["pairs"] if isinstance(document.data.get("pairs"), list) else []
        settings = load_document(document, self.variables)
        index = next((number for number, one in enumerate(settings.pairs) if one.name == self.pair), None)
        if index is None:
            raise ConfigurationError(f"{name} has no pair {self.pair} any more. Start the service again to follow it.")
        value = said[index]
        rules = texts_of_items(written.text, name, ("pairs", index, "rules")) if value.get("rules") else []
        return Original(written, index, settings.pairs[index], value, tuple(rules))

    def edited(self, original: Original, value: Mapping[str, Any]) -> Edited:
        """The file with another value of the pair (as `rewrite` takes it), checked as it is at start."""
        if complaints := tuple(_new_references(original.value, value)):
            return Edited(original.written.text, None, complaints)
        name, path = str(self.file.path), ("pairs", original.index)
        try:
            if value == original.value:
                return Edited(original.written.text, original.section)
            text, said = rewrite(original.written.text, name, path, dict(value))
            return Edited(text, load_document(said, self.variables).pairs[original.index])
        except Refusal as refusal:
            return Edited(original.written.text, None, tuple(_within(path, refusal)))
        except ConfigurationError as error:
            return Edited(original.written.text, None, (Complaint((), str(error).rstrip(".")),))


def _within(path: KeyPath, refusal: Refusal) -> Iterator[Complaint]:
    """Complaints by their paths within a pair; those about other parts of the file without one."""
    for (place, text), line in zip(refusal.complaints, str(refusal).splitlines(), strict=False):
        yield Complaint(place[2:], text) if place[:2] == path else Complaint((), line.rstrip("."))


def _new_references(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Complaint]:
    """References to variables that weren't there: what they stand for would be shown to whoever edits."""
    known = {text for _, text in _references(before)}
    yield from (Complaint(path, _NO_REFERENCE) for path, text in _references(after) if text not in known)


def _references(pair: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for key in EDITABLE:
        yield from _texts(plain(pair.get(key)), (key,))


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key, path)
            yield from _texts(one, (*path, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, (*path, number))
    elif isinstance(value, str) and _REFERENCE in value:
        yield path, value

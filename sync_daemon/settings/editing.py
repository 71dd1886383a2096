"""Editing one pair where it is written: what is there, what another text would mean, and saving it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import Complaint, Refusal
from sync_daemon.settings.configuration import Configuration, Place
from sync_daemon.settings.document import KeyPath, parse
from sync_daemon.settings.files import Written
from sync_daemon.settings.layers import PAIRS
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.rewriting.reading import texts_of_items
from sync_daemon.settings.rewriting.rewrite import rewrite
from sync_daemon.settings.rewriting.wanted import plain

EDITABLE = ("fields", "create_missing_fields", "tags", "scope", "on_leave_scope", "rules")
"""The keys of a pair that can be edited; the others, accounts and credentials among them, stay as they are."""
_REFERENCE = "${"
_NO_REFERENCE = (
    "names a variable (${…}); write such a reference into the file by hand: here it could show what the variable holds"
)


class PairText(Protocol):
    """The text that a pair is written in, and where it is kept. `place` is what it is called by the configuration."""

    @property
    def path(self) -> Path | str:
        """How people call it."""

    @property
    def place(self) -> Place:
        """How the configuration calls it."""

    def read(self) -> Written:
        """What it says now. Raises `SyncError`."""

    def obstacle(self) -> str:
        """Why this process can't write it; empty where it can."""

    def save(self, text: str, instead_of: str) -> None:
        """Write another text; `instead_of` is the digest of the one seen. Raises `SyncError`."""


@dataclass(frozen=True, slots=True)
class Original:
    """A pair as its text says it now: `value` is the plain data of its section, references to variables as written.

    `path` is where it stands in the text; `rules` is the YAML text of each rule.
    """

    written: Written
    path: KeyPath
    section: PairSection
    value: Mapping[str, Any]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """What a text would say. `section` is None where that isn't valid; then `complaints` have paths within the pair.

    A complaint with an empty path is about something else.
    """

    text: str
    section: PairSection | None
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class PairEditor:
    """One pair in the text that it is written in."""

    file: PairText
    configuration: Configuration
    pair: str

    def open(self) -> Original:
        """The pair as its text says it now. Raises `ConfigurationError` where that isn't valid, or lacks it."""
        written, name = self.file.read(), str(self.file.path)
        section = self._section(written.text)
        if section is None:
            raise ConfigurationError(f"{name} has no pair {self.pair} any more.")
        _, index = section.written.own.path
        said = parse(written.text, name).data
        path = (PAIRS, index) if PAIRS in said else ()
        value = said[PAIRS][index] if path else said
        _refuse_keys_of_others(section)
        rules = texts_of_items(written.text, name, (*path, "rules")) if value.get("rules") else []
        return Original(written, path, section, value, tuple(rules))

    def edited(self, original: Original, value: Mapping[str, Any]) -> Edited:
        """The text with another value of the pair (as `rewrite` takes it), checked as it is at start."""
        if complaints := tuple(_new_references(original.value, value)):
            return Edited(original.written.text, None, complaints)
        try:
            if value == original.value:
                return Edited(original.written.text, original.section)
            text, _ = rewrite(original.written.text, str(self.file.path), original.path, dict(value))
            return Edited(text, self._section(text))
        except Refusal as refusal:
            return Edited(original.written.text, None, tuple(_within(self.pair, refusal)))
        except ConfigurationError as error:
            return Edited(original.written.text, None, (Complaint((), str(error).rstrip(".")),))

    def _section(self, text: str) -> PairSection | None:
        pairs = self.configuration.tried(self.file.place, text).pairs
        return next((one for one in pairs if one.name == self.pair), None)


def _refuse_keys_of_others(section: PairSection) -> None:
    """Raise `ConfigurationError` where what can be edited isn't written in the pair alone."""
    given = section.written.given_by_others()
    if shared := [key for key in EDITABLE if key in given]:
        places = ", ".join(f"{key} ({given[key].where((key,)).replace(': ', ', ', 1)})" for key in shared)
        raise ConfigurationError(
            f"The pair {section.name} takes {places} from there, as others do. Change it there, for all of them, or "
            "write what shall differ into the pair itself; the service follows by itself."
        )


def _within(pair: str, refusal: Refusal) -> Iterator[Complaint]:
    """Complaints by their paths within a pair; those about anything else without one."""
    for told in refusal.told:
        yield told.complaint if told.pair == pair else Complaint((), told.line.rstrip("."))


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

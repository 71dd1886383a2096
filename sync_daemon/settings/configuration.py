"""Every pair that is configured, in the file, a folder of files and the database; only what changed is read again.

A look costs a few calls to the file system and one number from the database as long as nothing has changed.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import Complaint, Told
from sync_daemon.settings.document import Document, parse, read
from sync_daemon.settings.files import ConfigurationFile, stamp_of
from sync_daemon.settings.installation import InstallationSection, Settings
from sync_daemon.settings.layers import DEFAULTS, TEMPLATES
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.reading import Main, Unit, demand_pairs, pairs_of, read_main, read_pairs, together
from sync_daemon.settings.variables import Variables

_ENDINGS = (".yaml", ".yml")


class StoredPairs(Protocol):
    """The pairs whose settings are in the database."""

    def revision(self) -> int:
        """A number that every change raises."""

    def changed_since(self, revision: int) -> Mapping[str, str]:
        """The YAML text of each pair that was added or changed after a revision, by name."""

    def names(self) -> Collection[str]:
        """The names of all of them, in order."""


class NothingStored:
    """No pair is in the database, or there is none."""

    def revision(self) -> int:
        """Nothing was ever changed."""
        return 0

    def changed_since(self, revision: int) -> Mapping[str, str]:  # noqa: ARG002 - as its protocol has it
        """Nothing."""
        return {}

    def names(self) -> Collection[str]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the pairs between two looks; `outside` are the keys beside them that say something else."""

    added: tuple[PairSection, ...] = ()
    changed: tuple[PairSection, ...] = ()
    removed: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


NO_CHANGES = Changes()
Place = Path | str
"""Where pairs are written: a file, or, by its name, the row of one in the database."""
_Stamps = Mapping[str, Hashable]


@dataclass(frozen=True, slots=True)
class _State:
    """What was read, and the stamps that everything had then."""

    main: Main
    settings: Settings
    stamps: _Stamps
    units: Mapping[Place, Unit]


class Configuration:
    """All pairs as they are configured now. Safe for threads.

    `stored` gives the pairs in the database that the settings outside the pairs name; what `instead` has for a place
    counts in the place of what is there. Raises `ConfigurationError` that tells every mistake, with file and line.
    """

    def __init__(
        self,
        path: Path,
        variables: Variables,
        stored: Callable[[InstallationSection], StoredPairs] | None = None,
        instead: Mapping[Place, Document] | None = None,
    ) -> None:
        self._path, self._variables = path, variables
        self._stored = stored or (lambda _: NothingStored())
        self._lock = threading.Lock()
        self._state = self._read(None, instead or {})
        self._noticed = self._refused = self._state.stamps

    @property
    def settings(self) -> Settings:
        """Everything, as it was valid when it was last looked at."""
        return self._state.settings

    def follow(self, stored: StoredPairs) -> None:
        """Take the pairs of the database from an open store from now on."""
        self._stored = lambda _: stored

    def look(self, *, at_once: bool = True) -> Changes:
        """Read what has changed since the last look, and tell what that means for the pairs.

        Unless it is to be done `at_once`, a change is read only when nothing more changed until the next look: a file
        may be half written. Raises `ConfigurationError` where something is wrong, once for each change, and
        `StateStoreError`; all stays as it was then.
        """
        with self._lock:
            before, stamps = self._state, self._stamps(self._state.main.outside)
            still, self._noticed = at_once or stamps == self._noticed, stamps
            if not still or stamps in (before.stamps, self._refused):
                return NO_CHANGES
            self._refused = stamps
            self._state = self._read(before, {})
            return _changes(before, self._state)

    def place_of(self, pair: str) -> Place:
        """Where a pair is written. Raises `ConfigurationError` where it isn't any more."""
        for place, unit in self._state.units.items():
            if any(section.name == pair for section in unit.pairs):
                return place
        raise ConfigurationError(f"There is no pair {pair} any more.")

    def tried(self, place: Place, text: str) -> Settings:
        """The configuration with another text in one place. Raises `ConfigurationError`; nothing is remembered."""
        name = in_database(place) if isinstance(place, str) else str(place)
        document = parse(text, name) if place == self._path else read_pairs(text, name)
        return self._read(self._state, {place: document}).settings

    def demand_pairs(self) -> None:
        """Raise `ConfigurationError` where there is no pair."""
        demand_pairs(self._state.main, self._state.settings)

    def _stamps(self, outside: InstallationSection) -> dict[str, Hashable]:
        files = {str(path): stamp_of(path) for path in self._files(outside)}
        return {**self._own_stamps(), **files, _REVISION: self._stored(outside).revision()}

    def _own_stamps(self) -> dict[str, Hashable]:
        own = (self._path, *([self._variables.dotenv] if self._variables.dotenv is not None else []))
        return {str(path): stamp_of(path) for path in own}

    def _files(self, outside: InstallationSection) -> list[Path]:
        """The files of the folder of pairs, in order of their names; a relative folder is beside the configuration."""
        if outside.pairs_folder is None:
            return []
        folder = self._path.parent / outside.pairs_folder
        try:
            return sorted(one for one in folder.iterdir() if one.suffix in _ENDINGS and not one.name.startswith("."))
        except OSError as error:
            raise ConfigurationError(f"The folder {folder} of pairs can't be read: {error.strerror}.") from None

    def _read(self, before: _State | None, instead: Mapping[Place, Document]) -> _State:
        variables, stamps = self._variables.anew(), self._own_stamps()
        units: dict[Place, Unit] = dict(before.units) if before else {}
        told: list[Told] = []
        if before is None or self._path in instead or any(before.stamps[name] != stamps[name] for name in stamps):
            document = instead[self._path] if self._path in instead else read(self._path)
            main, told = read_main(document, variables)
            if before is None or self._path not in instead or not _give_the_same(before.main, main):
                units = {}
            units[self._path] = pairs_of(document, main)
        else:
            main = before.main
        known = before.stamps if before and len(units) > 1 else {}
        reading = _Reading(main, variables, units, known)
        stamps |= reading.files(self._files(main.outside), instead)
        stamps[_REVISION] = reading.rows(self._stored(main.outside), instead)
        return _State(main, together(main, list(reading.found.values()), told), stamps, reading.found)


_REVISION = "revision"


@dataclass(slots=True)
class _Reading:
    """One reading of what lies beside the configuration file; what is known with the same stamp isn't read again."""

    main: Main
    variables: Variables
    known: Mapping[Place, Unit]
    stamps: _Stamps
    found: dict[Place, Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.found = dict(list(self.known.items())[:1])

    def files(self, paths: Iterable[Path], instead: Mapping[Place, Document]) -> _Stamps:
        """The folder's files; the stamps they have."""
        stamps: dict[str, Hashable] = {str(path): stamp_of(path) for path in paths}
        for path in paths:
            same = path in self.known and stamps[str(path)] == self.stamps.get(str(path))
            self.found[path] = self.known[path] if same and path not in instead else self._of_file(path, instead)
        return stamps

    def rows(self, stored: StoredPairs, instead: Mapping[Place, Document]) -> int:
        """The database's rows; their revision."""
        revision, since = stored.revision(), self.stamps.get(_REVISION, 0)
        since = since if isinstance(since, int) else 0
        names = [place for place in self.known if isinstance(place, str)]
        changed: Mapping[str, str] = {}
        if revision != since:
            changed, names = stored.changed_since(since), list(stored.names())
        given = {place for place in instead if isinstance(place, str)}
        for name in sorted({*names, *given}):
            if name in given:
                self.found[name] = self._of(instead[name])
            elif name in changed:
                self.found[name] = self._of_text(changed[name], in_database(name))
            else:
                self.found[name] = self.known[name]
        return revision

    def _of_file(self, path: Path, instead: Mapping[Place, Document]) -> Unit:
        try:
            return self._of(instead[path]) if path in instead else self._of_text(text_of(path), str(path))
        except ConfigurationError as error:
            return _refused(error)

    def _of_text(self, text: str, name: str) -> Unit:
        try:
            return self._of(read_pairs(text, name))
        except ConfigurationError as error:
            return _refused(error)

    def _of(self, document: Document) -> Unit:
        return pairs_of(document, self.main, self.variables)


def in_database(pair: str) -> str:
    """What errors call a pair's row."""
    return f"pair {pair} in the database"


def text_of(path: Path) -> str:
    """A file's text. Raises `ConfigurationError`."""
    return ConfigurationFile(path).read().text


def _refused(error: ConfigurationError) -> Unit:
    return Unit((), (Told("", Complaint((), str(error))),))


def _give_the_same(one: Main, other: Main) -> bool:
    """Whether two configuration files give the same to the pairs that aren't in them."""
    shared = [{key: main.document.data.get(key) for key in (DEFAULTS, TEMPLATES)} for main in (one, other)]
    return shared[0] == shared[1] and one.outside == other.outside


def _differ(one: PairSection, other: PairSection) -> bool:
    return one is not other and not one.says_the_same(other)


def _changes(before: _State, after: _State) -> Changes:
    old = {pair.name: pair for pair in before.settings.pairs}
    new = {pair.name: pair for pair in after.settings.pairs}
    outside, now = dict(before.main.outside), dict(after.main.outside)
    return Changes(
        tuple(pair for name, pair in new.items() if name not in old),
        tuple(pair for name, pair in new.items() if name in old and _differ(pair, old[name])),
        tuple(name for name in old if name not in new),
        tuple(key for key in now if outside[key] != now[key]),
    )

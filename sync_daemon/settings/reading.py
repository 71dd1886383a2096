"""Reading documents of the configuration: variables, layers, checks, in that order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import Complaint, Refusal, Told, nearest, of_validation
from sync_daemon.settings.consistency import between, outside_pairs, within
from sync_daemon.settings.document import Document, parse
from sync_daemon.settings.environment import overlay
from sync_daemon.settings.installation import FileSection, InstallationSection, Settings
from sync_daemon.settings.layers import DEFAULTS, PAIRS, TEMPLATES, Shared, WrittenPair
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.variables import Variables, expand
from sync_daemon.systems.ghl.settings import Version

M = TypeVar("M", bound=InstallationSection)
_ONLY_PAIRS = "here it isn't known: a file of pairs has `pairs:` alone, or the keys of one pair"
_NOT_SHARED = "belongs to one pair: write it there"
_NO_PAIRS = "name a pair there, in a file of `pairs_folder`, or with `sync-daemon pairs add`"


@dataclass(frozen=True, slots=True)
class Main:
    """The configuration file: what it says outside the pairs, and what it gives all of them."""

    document: Document
    outside: InstallationSection

    @property
    def shared(self) -> Shared:
        """Its defaults and templates."""
        return Shared(self.document)


@dataclass(frozen=True, slots=True)
class Unit:
    """The pairs of one document, and what is wrong there."""

    pairs: tuple[PairSection, ...] = ()
    told: tuple[Told, ...] = ()


def read_main(document: Document, variables: Variables) -> tuple[Main, list[Told]]:
    """The configuration file, without its pairs, and what is wrong outside the pairs. Raises `ConfigurationError`.

    The document's data gives way to what variables make of it.
    """
    file = checked(document, variables, FileSection)
    outside = {name: getattr(file, name) for name in InstallationSection.model_fields}
    main = Main(document, InstallationSection.model_construct(**outside))
    complaints = [*outside_pairs(main.outside), *_misplaced(document)]
    return main, [Told(document.where(one.path), one) for one in complaints]


def read_pairs(text: str, name: str) -> Document:
    """A document of pairs alone: `pairs:`, or the keys of a single one, which stand below `pairs[0]` then."""
    document = parse(text, name)
    if PAIRS in document.data or not document.data:
        return document
    places = {(PAIRS, 0, *path): place for path, place in document.places.items()}
    first = next(iter(document.places.values()), name)
    return Document(name, {PAIRS: [document.data]}, {**places, (PAIRS, 0): first})


def pairs_of(document: Document, main: Main, variables: Variables | None = None) -> Unit:
    """The pairs of a document; its references to `variables` are replaced where these are given."""
    told: list[Told] = []
    if document is not main.document:
        told += [Told(document.where((key,)), Complaint((key,), _ONLY_PAIRS)) for key in document.data if key != PAIRS]
        if not isinstance(document.data.get(PAIRS, []), list):
            told.append(Told(document.where((PAIRS,)), Complaint((PAIRS,), "expected a list")))
    if variables is not None:
        try:
            expand(document, variables)
        except ConfigurationError as error:
            told.append(Told("", Complaint((), str(error))))
    if told:
        return Unit((), tuple(told))
    found: list[PairSection] = []
    for one in main.shared.written(document):
        section, complaints = _pair(one, main)
        told += complaints
        found += [section] if section is not None else []
    return Unit(tuple(found), tuple(told))


def together(main: Main, units: list[Unit], told: list[Told]) -> Settings:
    """The configuration that documents make together. Raises `ConfigurationError` that tells every mistake."""
    pairs = tuple(pair for unit in units for pair in unit.pairs)
    told = [*told, *(one for unit in units for one in unit.told)]
    told += [_told(pair.written, pair.name, complaint) for pair, complaint in between(pairs)]
    if told:
        raise Refusal(told)
    return Settings.model_construct(**dict(main.outside), pairs=pairs)


def demand_pairs(main: Main, settings: Settings) -> None:
    """Raise `ConfigurationError` where there is no pair."""
    if not settings.pairs:
        what = "must not be empty" if PAIRS in main.document.data else "is missing"
        raise Refusal([Told(main.document.where((PAIRS,)), Complaint((PAIRS,), f"{what}: {_NO_PAIRS}"))])


def _pair(written: WrittenPair, main: Main) -> tuple[PairSection | None, list[Told]]:
    version: Version = main.outside.ghl.version
    merged = written.merged()
    name = merged.get("name") if isinstance(merged, dict) else None
    section = None
    try:
        section = PairSection.model_validate(merged)
        complaints = list(within(section, version))
        section.remember(written)
    except ValidationError as error:
        complaints = list(of_validation(error, PairSection))
    template = merged.get("template") if isinstance(merged, dict) else None
    if isinstance(template, str) and template not in main.shared.templates():
        complaints.append(Complaint(("template",), _no_template(template, main)))
    told = [_told(written, name if isinstance(name, str) else "", one) for one in complaints]
    return (section if not told else None), told


def _no_template(name: str, main: Main) -> str:
    known = main.shared.templates()
    hint = nearest(name, known) if known else f"write it under `templates:` in {main.document.name}"
    return f"there is no template {name}; {hint}"


def _told(written: WrittenPair, name: str, complaint: Complaint) -> Told:
    layer = written.layer_of(complaint.path)
    return Told(layer.where(complaint.path), complaint, name, shared=layer is not written.own)


def _misplaced(document: Document) -> Iterator[Complaint]:
    """What can't be shared by pairs."""
    shared = [(DEFAULTS,), *((TEMPLATES, name) for name in document.data.get(TEMPLATES, ()))]
    for path in shared:
        found = document.data.get(path[0], {})
        found = found.get(path[1], {}) if len(path) > 1 else found
        yield from (Complaint((*path, key), _NOT_SHARED) for key in ("name", "template") if key in found)


def checked(document: Document, variables: Variables, model: type[M]) -> M:
    """What a document says outside the pairs, by its model. Raises `ConfigurationError`."""
    expand(document, variables, literal=overlay(document, variables))
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise Refusal([Told(document.where(one.path), one) for one in of_validation(error, model)]) from None

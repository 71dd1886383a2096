"""A YAML file as plain data, together with the line each key stands on.

Scalars stay text (YAML's own guesses would turn the version 2021-07-28 into a date); pydantic gives them
their types. A key without a value counts as left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from sync_daemon.model.errors import ConfigurationError

KeyPath = tuple[str | int, ...]

_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_DEEPEST = 100
"""Levels of nesting that libyaml is trusted with: it ends the process where its stack does."""
_TOO_DEEP = "its keys are nested too deeply, or an alias (*) stands inside itself."


@dataclass(slots=True)
class Document:
    """A configuration as plain data. `places` tells for each key path where it was written, in words."""

    name: str
    data: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """A key's file, line and path: `sync.yaml, line 9: pairs.main.name`."""
        return f"{self.place(path)}: {self.spell(path)}"

    def place(self, path: KeyPath) -> str:
        """Where a key stands, or else the nearest one around it that is written down."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.name

    def spell(self, path: KeyPath) -> str:
        """A key's path as people write it, pairs by their name: `pairs.main.fields[2].ghl`."""
        spelt = ""
        for position, part in enumerate(path):
            if path[:position] == ("pairs",) and isinstance(part, int):
                spelt += f".{self._pair_name(part)}"
            else:
                spelt += f"[{part}]" if isinstance(part, int) else f".{part}"
        return spelt.removeprefix(".")

    def _pair_name(self, index: int) -> str:
        pair = self.data["pairs"][index]
        name = pair.get("name") if isinstance(pair, dict) else None
        return name if isinstance(name, str) and name else str(index)


def read(path: Path) -> Document:
    """Read a YAML file. Raises `ConfigurationError` for one that can't be read or isn't a YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no configuration file {path}. `sync-daemon init` asks for what it needs and writes one. Or copy "
            f"{example()} there and fill it in, or name another with --config."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
        raise ConfigurationError(f"The configuration file {path} can't be read: {reason}.") from None
    return parse(text, str(path))


def example() -> Path:
    """Where the example configuration lies: inside the installed package, or in the repository."""
    inside, beside = (Path(__file__).parents[up] / "config" / "sync.example.yaml" for up in (1, 2))
    return inside if inside.exists() else beside


def parse(text: str, name: str) -> Document:
    """Parse YAML text; `name` is what errors call it.

    libyaml does it a hundred times faster than ruamel.yaml, which is asked where that fails, and says what is wrong.
    """
    try:
        return parse_nodes(_quickly_composed(text), name)
    except yaml.YAMLError:
        return parse_nodes(compose(text, name), name)


def _quickly_composed(text: str) -> yaml.Node | None:
    """The nodes of YAML text. Raises `YAMLError` for what isn't YAML, or is nested deeply."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError
    found: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    return found


def parse_nodes(root: Node | yaml.Node | None, name: str) -> Document:
    """What YAML nodes say. Raises `ConfigurationError` as `parse` does."""
    try:
        return _document(root, name)
    except RecursionError:
        raise ConfigurationError(f"{name}: {_TOO_DEEP}") from None


def _document(root: Any, name: str) -> Document:
    if root is not None and root.id != "mapping":
        raise ConfigurationError(f"{name}, line {root.start_mark.line + 1}: expected keys such as `pairs:` here.")
    document = Document(name)
    if root is not None:
        document.data = _Reader(document).value(root, ())
    return document


def compose(text: str, name: str) -> Node | None:
    """The nodes of YAML text, which know where they stand. Raises `ConfigurationError` for what isn't YAML."""
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise ConfigurationError(f"{name}{_yaml_problem(error, text)}.") from None
    except YAMLError as error:
        raise ConfigurationError(f"{name}: this isn't valid YAML: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise ConfigurationError(f"{name}: {_TOO_DEEP}") from None
    return root


def _yaml_problem(error: MarkedYAMLError, text: str) -> str:
    if error.problem_mark is None:
        return f": this isn't valid YAML: {error.problem}"
    if (error.context or "").startswith("expected a single document"):
        return f", line {error.problem_mark.line + 1}: a second document begins here; remove this `---`"
    line = error.problem_mark.line
    bare = "${" in "".join(text.splitlines()[line : line + 1])
    hint = " (put quotes around ${…} between braces)" if bare else ""
    return f", line {line + 1}: this isn't valid YAML: {error.problem}{hint}"


@dataclass(slots=True)
class _Reader:
    """Turns YAML nodes into data while it notes where they stand; those of both libraries have the same parts."""

    document: Document

    def value(self, node: Any, path: KeyPath) -> Any:
        if node.id == "scalar":
            return None if node.tag == _NULL else node.value
        if node.id == "mapping":
            return self._mapping(node, path)
        return [self._element(child, (*path, index)) for index, child in enumerate(node.value)]

    def _element(self, node: Any, path: KeyPath) -> Any:
        self._note(node, path)
        return self.value(node, path)

    def _mapping(self, node: Any, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        written: dict[str, int] = {}
        for key, child in self._pairs(node):
            name, line = str(key.value), key.start_mark.line + 1
            if key.id != "scalar":
                raise ConfigurationError(f"{self._at(line)}: a key must be a plain text, not a list or mapping.")
            if name in written:
                raise ConfigurationError(
                    f"{self._at(line)}: `{name}` stands here twice, already in line {written[name]}. Remove one."
                )
            written[name] = line
            self._note(key, (*path, name))
            found[name] = self.value(child, (*path, name))
        for merged in self._merged(node):
            for name, child in self._defaults(merged, path, found).items():
                found.setdefault(name, child)
        return {name: child for name, child in found.items() if child is not None}

    def _defaults(self, node: Any, path: KeyPath, found: dict[str, Any]) -> dict[str, Any]:
        """What a `<<:` brings; its lines count only where the mapping itself has no such key."""
        if node.id != "mapping":
            raise ConfigurationError(f"{self._at(node.start_mark.line + 1)}: `<<` must name a mapping.")
        inner = _Reader(Document(self.document.name))
        brought = inner.value(node, path)
        for place, words in inner.document.places.items():
            if place[len(path)] not in found:
                self.document.places.setdefault(place, words)
        return dict(brought)

    @staticmethod
    def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
        return ((key, child) for key, child in node.value if key.tag != _MERGE)

    @staticmethod
    def _merged(node: Any) -> Iterator[Any]:
        for key, child in node.value:
            if key.tag == _MERGE:
                yield from child.value if child.id == "sequence" else [child]

    def _note(self, node: Any, path: KeyPath) -> None:
        self.document.places[path] = self._at(node.start_mark.line + 1)

    def _at(self, line: int) -> str:
        return f"{self.document.name}, line {line}"

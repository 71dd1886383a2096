"""A pair as it is written: its own keys, over those of its template, over the defaults for all pairs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync_daemon.settings.document import Document, KeyPath

DEFAULTS, TEMPLATES, PAIRS = "defaults", "templates", "pairs"


@dataclass(frozen=True, slots=True)
class Layer:
    """A mapping in a document that gives a pair keys."""

    document: Document
    path: KeyPath

    def has(self, path: KeyPath) -> bool:
        """Whether something is written at a path."""
        try:
            self.at(path)
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def at(self, path: KeyPath) -> Any:
        """What is written at a path."""
        found: Any = self.document.data
        for part in (*self.path, *path):
            found = found[part]
        return found

    def where(self, path: KeyPath) -> str:
        """The file, line and path of a key."""
        return self.document.where((*self.path, *path))


@dataclass(frozen=True, slots=True)
class WrittenPair:
    """The layers that make up a pair: its own first, then those under it."""

    layers: tuple[Layer, ...]

    @property
    def own(self) -> Layer:
        """What is written of this pair alone."""
        return self.layers[0]

    def merged(self) -> Any:
        """The pair's keys: mappings of several layers are one, of everything else the uppermost layer's counts."""
        merged = self.layers[-1].at(())
        for layer in reversed(self.layers[:-1]):
            merged = _over(merged, layer.at(()))
        return merged

    def where(self, path: KeyPath) -> str:
        """The file, line and path of one of the pair's keys: where it is written, or should be."""
        return self.layer_of(path).where(path)

    def layer_of(self, path: KeyPath) -> Layer:
        """The layer that a key's value comes from; of one that is nowhere, the one that it is missing in."""
        able = self.layers
        for length in range(1, len(path) + 1):
            having = [layer for layer in able if layer.has(path[:length])]
            if not having:
                break
            ending = next((layer for layer in having if not isinstance(layer.at(path[:length]), dict)), None)
            if ending is having[0]:
                return ending
            if ending is not None:  # what is no mapping ends what is merged
                able = able[: able.index(ending)]
        return next((layer for layer in able if layer.has(path)), able[0])

    def given_by_others(self) -> Mapping[str, Layer]:
        """The keys that aren't written in the pair itself alone, and the layer under it that gives them."""
        return {key: layer for layer in reversed(self.layers[1:]) for key in layer.at(())}


def _over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: _over(below[key], value) if key in below else value for key, value in above.items()}}


@dataclass(frozen=True, slots=True)
class Shared:
    """The configuration's defaults and templates, in the document that has them."""

    document: Document

    def templates(self) -> tuple[str, ...]:
        """The names of the templates."""
        return tuple(self.document.data.get(TEMPLATES, ()))

    def written(self, document: Document) -> Iterator[WrittenPair]:
        """The pairs of a document, each over its template, if there is one of that name, and the defaults."""
        for index in range(len(document.data.get(PAIRS, ()))):
            yield WrittenPair(tuple(self._layers(Layer(document, (PAIRS, index)))))

    def _layers(self, own: Layer) -> Iterator[Layer]:
        yield own
        if not isinstance(own.at(()), dict):
            return
        name = own.at(()).get("template")
        if isinstance(name, str) and name in self.templates():
            yield Layer(self.document, (TEMPLATES, name))
        if DEFAULTS in self.document.data:
            yield Layer(self.document, (DEFAULTS,))

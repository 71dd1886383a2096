"""Changing what stands between braces and brackets: what stays keeps its text and the blanks behind it."""

from itertools import pairwise
from typing import Any

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from sync_daemon.settings.rewriting.places import Part, Places
from sync_daemon.settings.rewriting.rendering import inline, scalar
from sync_daemon.settings.rewriting.wanted import CantKeep, aligned

_BETWEEN = "a comment stands between the braces or brackets, beside what would change"
_Piece = tuple[int | None, str]
"""A text, and which part it was before."""


def rewritten_inline(places: Places, node: Node | None, old: Any, new: Any) -> str:
    """The text of a node between braces or brackets, or of a scalar in it, as it is to be; `new` is plain data.

    Raises `CantKeep`.
    """
    if isinstance(node, MappingNode) and isinstance(new, dict) and new:
        return _mapping(places, node, old, new)
    if isinstance(node, SequenceNode) and isinstance(new, list) and new:
        return _list(places, node, old, new)
    if places.has_comment(node):
        raise CantKeep(_BETWEEN)
    return inline(new)


def _mapping(places: Places, node: MappingNode, old: Any, new: dict[str, Any]) -> str:
    parts = list(places.entries(node))
    pieces: list[_Piece] = []
    for number, part in enumerate(parts):
        if part.key in new:
            pieces.append((number, _entry(places, part, old.get(part.key), new[part.key])))
        elif part.key not in old:  # `<<`, or a key without a value
            pieces.append((number, places.text[part.first : part.end]))
    written = {part.key for part in parts}
    added = {key: value for key, value in new.items() if key not in written and old.get(key) != value}
    pieces += [(None, f"{scalar(key)}: {inline(value)}") for key, value in added.items()]
    return _joined(places, node, parts, pieces)


def _entry(places: Places, part: Part, old: Any, new: Any) -> str:
    if old == new:
        return places.text[part.first : part.end]
    lead = " " if part.is_blank else ""
    return places.text[part.first : part.start] + lead + rewritten_inline(places, part.node, old, new)


def _list(places: Places, node: SequenceNode, old: list[Any], new: list[Any]) -> str:
    parts = list(places.items(node))
    pieces: list[_Piece] = []
    for origin, value in aligned(old, new):
        if origin is None:
            pieces.append((None, inline(value)))
        elif old[origin] == value:
            pieces.append((origin, places.text[parts[origin].start : parts[origin].end]))
        else:
            pieces.append((origin, rewritten_inline(places, parts[origin].node, old[origin], value)))
    return _joined(places, node, parts, pieces)


def _joined(places: Places, node: CollectionNode, parts: list[Part], pieces: list[_Piece]) -> str:
    """The pieces with what stood between them; where nothing stood before, as it is usual."""
    text, start, end = places.text, node.start_mark.index, places.end(node)
    if not parts:
        if places.has_comment(node):
            raise CantKeep(_BETWEEN)
        return f"{text[start:end][0]}{', '.join(piece for _, piece in pieces)}{text[end - 1]}"
    gaps = [text[one.end : following.first] for one, following in pairwise(parts)]
    joined = text[start : parts[0].first]
    for number, (origin, piece) in enumerate(pieces):
        joined += piece
        if number + 1 < len(pieces):
            gap = origin if origin is not None and origin < len(gaps) else None
            joined += ", " if gap is None else gaps[gap]
            if gap is not None:
                gaps[gap] = ""
    if any("#" in gap for gap in gaps):
        raise CantKeep(_BETWEEN)
    return joined + text[parts[-1].end : end]

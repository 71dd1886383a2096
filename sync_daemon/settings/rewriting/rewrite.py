"""The least change of a YAML text that makes it say something else at one place.

ruamel.yaml tells where each value stands; only what changes is replaced there. (Its own way, to write everything anew
from the data, takes thirty times as long, and moves comments that nobody touched.) The result is read again: where it
would say anything but what was asked, nothing is changed.
"""

from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import Document, KeyPath, compose, parse, parse_nodes
from sync_daemon.settings.rewriting.line_by_line import LineByLine
from sync_daemon.settings.rewriting.places import Places
from sync_daemon.settings.rewriting.wanted import CantKeep, plain

_BY_HAND = "Change it in the file, by hand."


def rewrite(text: str, name: str, path: KeyPath, value: Any) -> tuple[str, Document]:
    """The text with another value at a path, and what it says then.

    The value is plain data, in which lists may be `Items` and their items `Verbatim`; `name` is what errors call the
    text. Raises `ConfigurationError` where it can't be done without touching anything else.
    """
    root = compose(text, name)
    document, places = parse_nodes(root, name), Places(text)
    try:
        change = LineByLine(places, "\r\n" if "\r\n" in text else "\n")
        change.change(found(places, root, path), _at(document.data, path), value)
    except CantKeep as reason:
        raise ConfigurationError(f"{document.place(path)}: {reason}. {_BY_HAND}") from None
    result = change.result()
    said = _read_again(result, name)
    if path:
        _at(document.data, path[:-1])[path[-1]] = plain(value)
    else:
        document.data = plain(value)
    if said is None or said.data != document.data:
        raise ConfigurationError(
            f"{document.place(path)}: this part is written in a way (such as with anchors and aliases) in which this "
            f"change would touch something else, too. {_BY_HAND}"
        )
    return result, said


def found(places: Places, root: Node | None, path: KeyPath) -> Node:
    """The node at a path. Raises `CantKeep` where it is written elsewhere."""
    node = root
    for part in path:
        if isinstance(node, MappingNode):
            node = next((one.node for one in places.entries(node) if one.key == part), None)
        else:
            node = list(places.items(node))[int(part)].node if isinstance(node, SequenceNode) else None
    if node is None:
        raise CantKeep("it is written elsewhere, and only named here (*)")
    return node


def _read_again(text: str, name: str) -> Document | None:
    try:
        return parse(text, name)
    except ConfigurationError:
        return None


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data

"""The least change of a YAML text that makes it say something else at one place.

ruamel.yaml tells where each value stands; only what changes is replaced there. (Its own way, to write everything anew
from the data, takes thirty times as long, and moves comments that nobody touched.) The result is read again: where it
would say anything but what was asked, nothing is changed.
"""

from copy import deepcopy
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import KeyPath, compose, parse
from sync_daemon.settings.rewriting.line_by_line import LineByLine
from sync_daemon.settings.rewriting.places import Places
from sync_daemon.settings.rewriting.wanted import CantKeep, plain

_BY_HAND = "Change it in the file, by hand."


def rewrite(text: str, name: str, path: KeyPath, value: Any) -> str:
    """The text with another value at a path: plain data, in which lists may be `Items` and their items `Verbatim`.

    `name` is what errors call the text. Raises `ConfigurationError` where it can't be done without touching anything
    else.
    """
    document = parse(text, name)
    expected = deepcopy(document.data)
    _at(expected, path[:-1])[path[-1]] = plain(value)
    places = Places(text)
    try:
        node = found(places, compose(text, name), path)
        change = LineByLine(places, "\r\n" if "\r\n" in text else "\n")
        change.change(node, _at(document.data, path), value)
    except CantKeep as reason:
        raise ConfigurationError(f"{document.place(path)}: {reason}. {_BY_HAND}") from None
    result = change.result()
    if not _says(result, name, expected):
        raise ConfigurationError(
            f"{document.place(path)}: this part is written in a way (such as with anchors and aliases) in which this "
            f"change would touch something else, too. {_BY_HAND}"
        )
    return result


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


def _says(text: str, name: str, expected: Any) -> bool:
    try:
        return bool(parse(text, name).data == expected)
    except ConfigurationError:
        return False


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data

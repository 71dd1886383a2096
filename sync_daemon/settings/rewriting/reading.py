"""What somebody wrote, as it stands in a text."""

from ruamel.yaml.nodes import SequenceNode

from sync_daemon.settings.document import KeyPath, compose
from sync_daemon.settings.rewriting.places import Places
from sync_daemon.settings.rewriting.rewrite import found
from sync_daemon.settings.rewriting.wanted import CantKeep


def texts_of_items(text: str, name: str, path: KeyPath) -> list[str]:
    """The YAML text of each item of the list at a path, as if it stood alone, with the comments in and behind it.

    None where no list is written there.
    """
    places = Places(text)
    try:
        node = found(places, compose(text, name), path)
    except CantKeep:
        return []
    if not isinstance(node, SequenceNode):
        return []
    parts = ((one, one.end if node.flow_style else places.with_comment(one)) for one in places.items(node))
    return [_alone(text[part.start : end].replace("\r\n", "\n"), places.column(part.start)) for part, end in parts]


def _alone(text: str, column: int) -> str:
    """A text without the blanks that stand before each of its lines but the first."""
    first, *others = text.split("\n")
    return "\n".join([first, *(line[column:] if not line[:column].strip() else line.lstrip() for line in others)])

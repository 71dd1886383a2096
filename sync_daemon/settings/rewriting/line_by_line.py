"""Changing mappings and lists that are written line by line: lines that stay aren't touched, nor comments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from sync_daemon.settings.rewriting.places import Part, Places
from sync_daemon.settings.rewriting.rendering import entry, inline, is_long, placed
from sync_daemon.settings.rewriting.wanted import CantKeep, Verbatim, aligned, plain
from sync_daemon.settings.rewriting.within import rewritten_inline

_STEP = 2


@dataclass(slots=True)
class LineByLine:
    """Gathers which stretches of a text become what."""

    places: Places
    new_line: str
    splices: list[tuple[int, int, str]] = field(default_factory=list)

    def result(self) -> str:
        """The text with all of them."""
        text, parts, done = self.places.text, [], 0
        for start, end, new in sorted(self.splices, key=lambda one: one[:2]):
            parts += [text[done:start], new.replace("\n", self.new_line)]
            done = end
        return "".join([*parts, text[done:]])

    def change(self, node: Node, old: Any, new: Any) -> None:
        """Have a node say something new instead of something old. Raises `CantKeep`."""
        if isinstance(node, MappingNode) and not node.flow_style:
            self._mapping(node, old, new)
        elif isinstance(node, SequenceNode) and not node.flow_style:
            self._list(node, old, new)
        else:
            text = rewritten_inline(self.places, node, old, plain(new))
            self._replace(node.start_mark.index, self.places.end(node), text)

    def _replace(self, start: int, end: int, text: str) -> None:
        self.splices.append((start, end, text))

    def _mapping(self, node: MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        parts = list(self.places.entries(node))
        column = self.places.column(parts[0].first)
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            if part.key in new and new[part.key] != old.get(part.key):
                self._value(part, old.get(part.key), new[part.key], column)
            elif part.key in old and part.key not in new:
                self._drop_key(part, following)
        written = {part.key for part in parts}
        added = {key: value for key, value in new.items() if key not in written and value != old.get(key)}
        lines = [entry(key, plain(value), column) for key, value in added.items()]
        self._insert(self.places.next_line(parts[-1].end), lines, column)

    def _value(self, part: Part, old: Any, new: Any, column: int) -> None:
        """Another value behind a key."""
        value, node = plain(new), part.node
        lines = isinstance(node, CollectionNode) and not node.flow_style
        alike = isinstance(node, MappingNode | SequenceNode) and type(value) is type(old)
        if lines and not alike:
            raise CantKeep(f"what is written under `{part.key}` is of another kind")
        if lines and not value:
            self._replace(part.after_key, part.after_key, f" {inline(value)}")
        if is_long(value) and not old:
            self._begin_list(part, new, column)
        elif node is not None and alike:
            self.change(node, old, new)
        else:
            self._replace(part.start, part.end, (" " if part.is_blank else "") + inline(value))

    def _begin_list(self, part: Part, new: Any, column: int) -> None:
        """A list of mappings line by line, where nothing or an empty list stood."""
        start, lead = part.start, ""
        if self.places.begins_line(start):
            column = self.places.column(start)
        else:
            start = part.after_key + len(self.places.text[part.after_key : start].rstrip(" "))
            column += _STEP
            lead = "\n" + " " * column
        lines = ("\n" + " " * column).join(_item(one, column) for _, one in aligned([], new))
        self._replace(start, part.end, lead + lines)

    def _list(self, node: SequenceNode, old: list[Any], new: Any) -> None:
        parts = list(self.places.items(node))
        column, at = self.places.column(parts[0].first), self.places.line_start(parts[0].first)
        kept = set()
        for origin, value in aligned(old, new):
            if origin is None:
                self._insert(at, [_item(value, column)], column)
                continue
            kept.add(origin)
            self._item(parts[origin], old[origin], value, column)
            at = self.places.next_line(parts[origin].end)
        for number, part in enumerate(parts):
            if number not in kept:
                self._drop_lines(part)

    def _item(self, part: Part, old: Any, new: Any, column: int) -> None:
        if isinstance(new, Verbatim):
            end = self.places.with_comment(part)
            self._replace(part.start, end, _indented(new.text, self.places.column(part.start)))
        elif new != old and part.node is not None and type(new) is type(old) and not _is_another(old, new):
            self.change(part.node, old, new)
        elif new != old:
            if self.places.has_comment(part.node):
                raise CantKeep("a comment stands within an item that becomes another one")
            self._replace(part.start, part.end, placed(plain(new), column + _STEP))

    def _drop_key(self, part: Part, following: Part | None) -> None:
        if self.places.begins_line(part.first):
            self._drop_lines(part)
        elif following is not None and "#" not in self.places.text[part.end : following.first]:
            self._replace(part.first, following.first, "")
        else:
            raise CantKeep(f"`{part.key}` can't be taken out without a comment beside it")

    def _drop_lines(self, part: Part) -> None:
        if not self.places.begins_line(part.first):
            raise CantKeep("something else stands on the line that would be taken out")
        self._replace(self.places.line_start(part.first), self.places.next_line(part.end), "")

    def _insert(self, at: int, entries: list[str], column: int) -> None:
        """New lines before a place that begins one, or at the text's end."""
        lines = "\n".join(f"{' ' * column}{one}" for one in entries)
        unfinished = at > 0 and self.places.text[at - 1] != "\n"
        if entries:
            self._replace(at, at, f"\n{lines}" if unfinished else f"{lines}\n")


def _is_another(old: Any, new: Any) -> bool:
    """Whether a mapping is to have none of its keys any more."""
    return isinstance(old, dict) and isinstance(new, dict) and not old.keys() & new.keys()


def _item(value: Any, column: int) -> str:
    if isinstance(value, Verbatim):
        return "- " + _indented(value.text, column + _STEP)
    return "- " + placed(plain(value), column + _STEP)


def _indented(text: str, column: int) -> str:
    first, *others = text.rstrip().splitlines()
    return "\n".join([first, *(" " * column + line if line.strip() else "" for line in others)])

"""Where the parts of a YAML text begin and end, without the blanks and comments around them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

_ALIAS = re.compile(r"[\s:,\[-]*(\*[^\s,\[\]{}]+)")
_DASH = re.compile(r"\n[ ]*(-)(?=\s)")


@dataclass(frozen=True, slots=True)
class Part:
    """A value in the text, from `start` to before `end`; `first` is where its key or its dash stands.

    `node` is None for an alias: what it stands for is written elsewhere.
    """

    node: Node | None
    first: int
    start: int
    end: int
    key: str = ""
    after_key: int = 0

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written there."""
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Places:
    """The parts of one text, found by the marks that ruamel.yaml puts on nodes."""

    text: str

    def entries(self, node: MappingNode) -> Iterator[Part]:
        """The keys of a mapping that are written in it, with their values; what `<<` brings is a key called so."""
        for key, value in node.value:
            after = self.text.index(":", key.end_mark.index) + 1
            start, end = self._span(value, after)
            own = None if start > value.start_mark.index else value
            yield Part(own, key.start_mark.index, start, end, str(key.value), after)

    def items(self, node: SequenceNode) -> Iterator[Part]:
        """The items of a list."""
        before = node.start_mark.index
        for number, value in enumerate(node.value):
            start, end = self._span(value, before)
            own = None if start > value.start_mark.index else value
            first = start if node.flow_style else self._dash(before, first=number == 0)
            yield Part(own, first, start, end)
            before = end

    def end(self, node: Node) -> int:
        """Where a node's own text ends."""
        if isinstance(node, ScalarNode):
            start, end = node.start_mark.index, node.end_mark.index
            return start + len(self.text[start:end].rstrip()) if node.style in ("|", ">") else int(end)
        if isinstance(node, CollectionNode) and node.flow_style:
            return int(node.end_mark.index)
        parts = [
            *(self.entries(node) if isinstance(node, MappingNode) else ()),
            *(self.items(node) if isinstance(node, SequenceNode) else ()),
        ]
        return parts[-1].end if parts else int(node.start_mark.index)

    def has_comment(self, node: Node | None) -> bool:
        """Whether a comment stands within a node; a `#` in a text of it is none."""
        if not isinstance(node, CollectionNode):
            return False
        at, end = int(node.start_mark.index), self.end(node)
        for one in sorted(_scalars(node), key=lambda scalar: scalar.start_mark.index):
            if "#" in self.text[at : one.start_mark.index]:
                return True
            at = max(at, self.end(one))
        return "#" in self.text[at:end]

    def line_start(self, at: int) -> int:
        """The first place of a line."""
        return self.text.rfind("\n", 0, at) + 1

    def next_line(self, at: int) -> int:
        """The first place after a line."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def with_comment(self, part: Part) -> int:
        """Where a value and the comment behind it end."""
        end = self.next_line(part.end)
        return part.end + len(self.text[part.end : end].rstrip())

    def column(self, at: int) -> int:
        """How far a place is from the beginning of its line."""
        return at - self.line_start(at)

    def begins_line(self, at: int) -> bool:
        """Whether only blanks stand before a place."""
        return not self.text[self.line_start(at) : at].strip()

    def _span(self, value: Node, before: int) -> tuple[int, int]:
        """Where a value stands; an alias, whose node stands before it, where it is written itself.

        One that is left out stands right behind its key: the parser puts it where the next thing begins.
        """
        if isinstance(value, ScalarNode) and not value.value and not value.style and value.start_mark.index >= before:
            return before, before
        if value.start_mark.index >= before:
            return int(value.start_mark.index), self.end(value)
        alias = _ALIAS.match(self.text, before)
        return alias.span(1) if alias else (before, before)

    def _dash(self, before: int, *, first: bool) -> int:
        if first and self.text.startswith("-", before):
            return before
        found = _DASH.search(self.text, before)
        return found.start(1) if found else before


def _scalars(node: Node) -> Iterator[ScalarNode]:
    """Every text and number within a node, keys and what aliases stand for too."""
    if isinstance(node, ScalarNode):
        yield node
        return
    for entry in node.value:
        for one in entry if isinstance(node, MappingNode) else (entry,):
            yield from _scalars(one)

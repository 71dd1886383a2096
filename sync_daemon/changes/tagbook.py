"""The pair's tag names: who owns each, what the other side calls it, which ones travel (contract, section 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from sync_daemon.model.policy import TagRule
from sync_daemon.model.state import KnownTag
from sync_daemon.model.system import SystemName

OUTSIDE, COLLIDES = -1, -2
"""What stands for the filter's generation while a tag isn't under the filter, and while it is left alone."""


def fold(name: str) -> str:
    """A tag's name as both systems' names are compared: trimmed, lower case."""
    return name.strip().lower()


def collisions(known: Iterable[KnownTag]) -> list[KnownTag]:
    """Of the names that are stored those that are left alone because they collide with another."""
    return [tag for tag in known if tag.entered == COLLIDES]


class TagBook:
    """Every tag name the pair has seen, found by either side's name.

    A name belongs to the system where the pair first saw it, for ever. GHL's y is EmailOctopus's y;
    EmailOctopus's x is GHL's prefix + x. `news` holds rows to store; `collisions` names left alone: a name
    that collides keeps its place, so that no other takes it.
    """

    def __init__(self, known: Iterable[KnownTag], rule: TagRule, generation: int, reserved: frozenset[str]) -> None:
        self._rule = rule
        self._generation = generation
        self._reserved = reserved
        self._by_name: dict[SystemName, dict[str, KnownTag]] = {name: {} for name in SystemName}
        self._alone: dict[SystemName, set[str]] = {name: set() for name in SystemName}
        self.news: dict[tuple[SystemName, str], KnownTag] = {}
        self.collisions: set[str] = set()
        for tag in sorted(known, key=lambda tag: (tag.entered == COLLIDES, tag.owner is not SystemName.GHL)):
            self._enter_if_free(tag)

    def ghl_name(self, tag: KnownTag) -> str:
        """What GHL calls it, in lower case."""
        return tag.name if tag.owner is SystemName.GHL else fold(self._rule.prefix + tag.name)

    def name_in(self, system: SystemName, tag: KnownTag) -> str:
        """What one system calls it, spelt as that system spells it as far as is known."""
        if system is SystemName.GHL:
            return self.ghl_name(tag)
        return tag.spelling or tag.name

    def travels(self, tag: KnownTag) -> bool:
        """Whether the filter lets it through."""
        name = self.ghl_name(tag)
        rule = self._rule
        return (
            rule.sync
            and name not in self._reserved
            and any(fnmatchcase(name, pattern.lower()) for pattern in rule.include)
            and not any(fnmatchcase(name, pattern.lower()) for pattern in rule.exclude)
        )

    def find(self, system: SystemName, name: str) -> KnownTag | None:
        """The tag a system's name stands for, None for one never met or one that collides."""
        return self._by_name[system].get(fold(name))

    def travelling(self, system: SystemName, names: Iterable[str]) -> dict[str, KnownTag]:
        """Of a contact's tags in one system those that travel, by GHL's name."""
        found = (self.find(system, name) for name in names)
        return {self.ghl_name(tag): tag for tag in found if tag is not None and self.travels(tag)}

    def spellings(self, system: SystemName, names: Iterable[str]) -> dict[str, list[str]]:
        """How a contact spells its tags in one system, each maybe in several ways, by GHL's name."""
        spelt: dict[str, list[str]] = {}
        for name in names:
            tag = self.find(system, name)
            if tag is not None:
                spelt.setdefault(self.ghl_name(tag), []).append(name)
        return spelt

    def all(self) -> Iterable[KnownTag]:
        """Every tag known, each once."""
        return self._by_name[SystemName.GHL].values()

    def meet(self, names: Mapping[SystemName, Iterable[str]]) -> None:
        """Enter names not seen before; GHL's first, so that a tie is GHL's. EmailOctopus's spelling is kept."""
        for name in sorted({fold(name) for name in names.get(SystemName.GHL, ())} - {""}):
            if self.find(SystemName.GHL, name) is None:
                self._enter_if_free(self._new(name, SystemName.GHL, None), new=True)
        for spelling in sorted({name.strip() for name in names.get(SystemName.EMAILOCTOPUS, ())} - {""}):
            known = self.find(SystemName.EMAILOCTOPUS, spelling)
            if known is None:
                name = fold(spelling)
                self._enter_if_free(self._new(name, SystemName.EMAILOCTOPUS, spelling), new=True)
            elif known.spelling is None:
                self._enter(replace(known, spelling=spelling), new=True)

    def created(self, tag: KnownTag) -> None:
        """Remember that EmailOctopus has it now."""
        self._enter(replace(tag, spelling=tag.spelling or tag.name), new=True)

    def apply_filter(self) -> None:
        """Note which tags left the filter and which came under it (again): those meet anew."""
        for tag in list(self.all()):
            inside = tag.entered >= 0
            if self.travels(tag) != inside:
                self._enter(replace(tag, entered=OUTSIDE if inside else self._generation), new=True)

    def _new(self, name: str, owner: SystemName, spelling: str | None) -> KnownTag:
        tag = KnownTag(name, owner, spelling)
        return replace(tag, entered=self._generation if self.travels(tag) else OUTSIDE)

    def _enter_if_free(self, tag: KnownTag, *, new: bool = False) -> None:
        """Enter a tag unless one is known under either name; a prefix that was changed may bring two together."""
        names = {SystemName.GHL: self.ghl_name(tag), SystemName.EMAILOCTOPUS: tag.name}
        if any(name in self._by_name[system] or name in self._alone[system] for system, name in names.items()):
            self.collisions.add(tag.name)
            if tag.entered != COLLIDES and tag.name not in self._alone[tag.owner]:
                self.news[tag.owner, tag.name] = replace(tag, entered=COLLIDES)
            self._alone[tag.owner].add(tag.name)
        elif tag.entered == COLLIDES:
            self._enter(replace(tag, entered=self._generation if self.travels(tag) else OUTSIDE), new=True)
        else:
            self._enter(tag, new=new)

    def _enter(self, tag: KnownTag, *, new: bool) -> None:
        self._by_name[SystemName.GHL][self.ghl_name(tag)] = tag
        self._by_name[SystemName.EMAILOCTOPUS][tag.name] = tag
        if new:
            self.news[tag.owner, tag.name] = tag

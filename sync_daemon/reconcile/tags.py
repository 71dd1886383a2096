"""Three-way merge of tags by set, and the union of a first meeting (contract, section 5)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TagSide:
    """One side's travelling tags, by GHL's name: what it has now, and what its baseline has."""

    now: AbstractSet[str]
    before: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class TagDecision:
    """What each side gains and loses, by GHL's name."""

    add_to_ghl: frozenset[str] = NO_NAMES
    remove_from_ghl: frozenset[str] = NO_NAMES
    add_to_emailoctopus: frozenset[str] = NO_NAMES
    remove_from_emailoctopus: frozenset[str] = NO_NAMES

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        sets = (self.add_to_ghl, self.remove_from_ghl, self.add_to_emailoctopus, self.remove_from_emailoctopus)
        return any(sets)


def merge_tags(ghl: TagSide, emailoctopus: TagSide) -> TagDecision:
    """A name that changed on one side changes on the other; where both changed and differ, GHL's word counts."""
    changed_in_ghl = ghl.now ^ ghl.before
    changed_in_emailoctopus = (emailoctopus.now ^ emailoctopus.before) - changed_in_ghl
    gained, lost = changed_in_ghl & ghl.now, changed_in_ghl - ghl.now
    gained_there = changed_in_emailoctopus & emailoctopus.now
    lost_there = changed_in_emailoctopus - emailoctopus.now
    return TagDecision(
        add_to_ghl=frozenset(gained_there - ghl.now),
        remove_from_ghl=frozenset(lost_there & ghl.now),
        add_to_emailoctopus=frozenset(gained - emailoctopus.now),
        remove_from_emailoctopus=frozenset(lost & emailoctopus.now),
    )


def unite_tags(ghl: TagSide, emailoctopus: TagSide) -> TagDecision:
    """A first meeting: both get all."""
    return _toward(ghl.now | emailoctopus.now, ghl, emailoctopus)


def follow_ghl(ghl: TagSide, emailoctopus: TagSide) -> TagDecision:
    """Two links exchanged their contacts: the tags found in EmailOctopus belong to somebody else."""
    return _toward(ghl.now, ghl, emailoctopus)


def _toward(wanted: AbstractSet[str], ghl: TagSide, emailoctopus: TagSide) -> TagDecision:
    """What makes both have the wanted names, all of GHL's among them."""
    return TagDecision(
        add_to_ghl=frozenset(wanted - ghl.now),
        add_to_emailoctopus=frozenset(wanted - emailoctopus.now),
        remove_from_emailoctopus=frozenset(emailoctopus.now - wanted),
    )

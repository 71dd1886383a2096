"""The tags of a list that several locations feed: it has those of all of them, and loses one that none has. Pure.

A tag that another location gave the list is nobody's doing there, so it doesn't travel to this one.
"""

from collections.abc import Iterator
from dataclasses import replace

from sync_daemon.changes.cases import Case
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.tags import TagDecision, TagSide

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def share_tags(
    case: Case, context: Context, decided: TagDecision, sides: tuple[TagSide, TagSide], *, met: bool
) -> tuple[TagDecision, frozenset[str]]:
    """The decision as the list's other locations have it, and the tags that stay in the list for their sake."""
    if not case.others.locations:
        return decided, frozenset()
    ghl, emailoctopus = sides
    lost = set(decided.remove_from_emailoctopus)
    if met:
        # What stayed for another location's sake goes when that one has lost it, too.
        lost |= {name for name in emailoctopus.now - ghl.now if _given_here(name, case, context)}
    keeps = frozenset(name for name in lost if _has(name, case, context))
    shared = replace(
        decided,
        add_to_ghl=frozenset(name for name in decided.add_to_ghl if not _given_elsewhere(name, case, context)),
        remove_from_emailoctopus=frozenset(lost - keeps - decided.add_to_ghl),
    )
    return shared, keeps


def names_of(name: str, context: Context) -> Iterator[str]:
    """What a tag is called: by GHL's name, and as EmailOctopus has it."""
    yield name
    tag = context.detector.tags.find(GHL, name)
    if tag is not None:
        yield context.detector.tags.name_in(EMAILOCTOPUS, tag)


def _has(name: str, case: Case, context: Context) -> bool:
    digester, names = context.detector.digester, tuple(names_of(name, context))
    return any(one.has_tag(names, digester) for one in case.others.locations)


def _given_elsewhere(name: str, case: Case, context: Context) -> bool:
    digester, names = context.detector.digester, tuple(names_of(name, context))
    there = case.both()[1].contact_id
    return any(one.gave_tag(names, there, digester) for one in case.others.locations)


def _given_here(name: str, case: Case, context: Context) -> bool:
    given = case.link.sharing.given if case.link is not None else frozenset[bytes]()
    there, digester = case.both()[1].contact_id, context.detector.digester
    return any(digester.tag(EMAILOCTOPUS, there, one) in given for one in names_of(name, context))

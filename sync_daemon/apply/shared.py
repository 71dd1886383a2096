"""What is remembered of a case for the sake of the other pairs of its location and list, and whom they are called to.

Pure. A pair without others remembers nothing of this and calls nobody.
"""

from collections.abc import Iterator
from dataclasses import replace

from sync_daemon.apply.answers import Answers
from sync_daemon.changes.cases import CaseSide
from sync_daemon.changes.others import Other
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action
from sync_daemon.model.state import Baseline, Call, Link, Sent
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.side_consent import consent_now

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def remember_for_others(commit: Commit, decision: Decision, answers: Answers, context: Context) -> None:
    """Note on the links about to be stored what the EmailOctopus contact has from this location; call the others."""
    others = decision.case.others
    if not others.lists and not others.locations:
        return
    if others.locations:
        rows = {row.contact_id: row.baseline for row in commit.contacts if row.system is EMAILOCTOPUS}
        commit.links = [
            _with_given(link, rows.get(link.emailoctopus_id) or Baseline(), decision, answers, context)
            for link in commit.links
        ]
    commit.calls.extend(_calls(commit, decision))


def _with_given(link: Link, agreed: Baseline, decision: Decision, answers: Answers, context: Context) -> Link:
    """The link with the digests of what the EmailOctopus contact has from this location, among what is agreed."""
    if decision.partial or not link.in_scope:
        return link
    now = frozenset(agreed.fields.values()) | (agreed.tags or frozenset())
    before = decision.case.link.sharing.given if decision.case.link is not None else frozenset[bytes]()
    taken = {agreed.fields[key] for key in decision.shares.takes & answers.settled if key in agreed.fields}
    given = {agreed.fields[key] for key in decision.shares.gives & answers.settled if key in agreed.fields}
    given |= set(_created(agreed, answers, context))
    given |= set(_tags(link, decision, answers, context))
    return replace(link, sharing=replace(link.sharing, given=((before - taken) | given) & now))


def _created(agreed: Baseline, answers: Answers, context: Context) -> Iterator[bytes]:
    """The fields of an EmailOctopus contact that was created with them."""
    created = answers.creation()
    if created is None or created.operation.system is not EMAILOCTOPUS:
        return
    for mapped in context.fields:
        if mapped.rule.emailoctopus in created.operation.fields and mapped.rule.key in agreed.fields:
            yield agreed.fields[mapped.rule.key]


def _tags(link: Link, decision: Decision, answers: Answers, context: Context) -> Iterator[bytes]:
    """The tags that were added to the EmailOctopus contact, now or when the process may have died, and those kept."""
    detector, there = context.detector, decision.case.emailoctopus
    added = [
        result.operation
        for result in answers.done
        if result.operation.system is EMAILOCTOPUS and result.operation.action in (Action.ADD_TAGS, Action.CREATE)
    ]
    tags = [tag for op in added for tag in detector.tags.travelling(EMAILOCTOPUS, op.tags).values()]
    tags += [tag for name in decision.shares.keeps if (tag := detector.tags.find(GHL, name)) is not None]
    yield from detector.tag_digests(EMAILOCTOPUS, link.emailoctopus_id, tags)
    ghl = decision.case.ghl
    if there is not None and ghl is not None and ghl.snapshot is not None:
        has = {detector.tag_digest(EMAILOCTOPUS, there.contact_id, t) for t in detector.tags_now(ghl.snapshot).values()}
        yield from (there.known.sent or Sent()).tags & has


def _calls(commit: Commit, decision: Decision) -> Iterator[Call]:
    """The other pairs that are to look at the person again: as this list has lost him, or this location has."""
    case, link = decision.case, decision.case.link or decision.case.former
    if link is None:
        return
    after = next((one for one in commit.links if one.ghl_id == link.ghl_id), link)
    ends = link in commit.unlink
    leaves = link.in_scope and not after.in_scope
    if ends or leaves or _newly_revoked(case.emailoctopus) or (after.sharing.alone and not link.sharing.alone):
        yield from _to(case.others.lists, GHL, link.ghl_id)
    if ends or leaves or decision.shares.hands_down or _lost_tags(commit, case.ghl):
        yield from _to(case.others.locations, EMAILOCTOPUS, link.emailoctopus_id)


def _to(others: tuple[Other, ...], system: SystemName, contact_id: str) -> Iterator[Call]:
    yield from (Call(one.neighbour.name, system, contact_id) for one in others)


def _newly_revoked(there: CaseSide | None) -> bool:
    agreed = there.known.baseline.consent if there is not None and there.known.baseline is not None else None
    return there is not None and consent_now(there) is Consent.REVOKED and agreed is not Consent.REVOKED


def _lost_tags(commit: Commit, ghl: CaseSide | None) -> bool:
    """Whether the GHL contact has lost tags since they were last agreed."""
    before = ghl.known.baseline.tags if ghl is not None and ghl.known.baseline is not None else None
    if ghl is None or not before:
        return False
    rows = (row for row in commit.contacts if row.key == ghl.key)
    after = next((row.baseline.tags for row in rows if row.baseline is not None), before)
    return not before <= (after or frozenset())

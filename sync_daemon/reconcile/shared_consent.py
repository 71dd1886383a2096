"""Consent where a location has several lists, or a list several locations: one person's, told by several pairs. Pure.

Consent joins at the location: a block in GHL revokes on every list, as each pair sees it; a list's revocation blocks
in GHL only once no list of the location has the person subscribed. A list's revocation goes to all its locations, as
each pair sees it; but only a person's does, and nobody is subscribed while one of the locations blocks him.
"""

from dataclasses import replace

from sync_daemon.changes.cases import Case
from sync_daemon.model.contact import Consent
from sync_daemon.model.grants import ConsentHistory
from sync_daemon.model.policy import PairPolicy, Resubscribe
from sync_daemon.model.state import Cause
from sync_daemon.reconcile.consent import ConsentDecision, ConsentSide
from sync_daemon.reconcile.side_consent import consent_now, newly_revoked

GRANTED, REVOKED = Consent.GRANTED, Consent.REVOKED
Sides = tuple[ConsentSide, ConsentSide]


def joined(case: Case, ghl: ConsentSide, emailoctopus: ConsentSide) -> Sides:
    """What the two sides said before, as the location's other lists and the list's other locations have it."""
    if _revoked_by_policy_elsewhere(case) and emailoctopus.now is REVOKED and emailoctopus.before is not None:
        emailoctopus = replace(emailoctopus, before=REVOKED)
    waits = _was_alone(case)
    if ghl.before is REVOKED and ghl.now is not REVOKED and _lifted_elsewhere(case):
        ghl, waits = replace(ghl, before=GRANTED), True  # it was lifted for another list's sake
    if waits and _stands(ghl, emailoctopus) and case.others.subscribed_elsewhere is None:
        emailoctopus = replace(emailoctopus, before=GRANTED)  # this was the last list that he heard of
    return ghl, emailoctopus


def joined_history(case: Case, ghl: ConsentSide, history: ConsentHistory) -> ConsentHistory:
    """What is remembered of the address, by the other pairs too."""
    if ghl.before is None and history.cause is None and _revoked_by_policy_elsewhere(case):
        return replace(history, cause=Cause.POLICY)
    if _sees_block_of_another_pair(case, ghl):
        return replace(history, dnd_by_us=True)
    return history


def joined_policy(case: Case, policy: PairPolicy) -> PairPolicy:
    """The pair's policy; while another location blocks the person, a block that this one lifts subscribes nobody."""
    if case.others.blocked_elsewhere is None:
        return policy
    return replace(policy, resubscribe=Resubscribe.NEVER)


def joined_decision(case: Case, ghl: ConsentSide, decision: ConsentDecision, *, revoked: bool) -> ConsentDecision:
    """The decision as the location's other lists have it: no block in GHL while one of them has the person.

    `revoked` says that a person has revoked the address once the decision is carried out.
    """
    if not case.others.lists:
        return decision
    if _sees_block_of_another_pair(case, ghl):
        decision = replace(decision, dnd_by_us=True)
    if decision.ghl is GRANTED:
        return replace(decision, lifted=True)
    if _blocked(case) or (ghl.now is REVOKED and case.remembered is Cause.PERSON_GHL):
        return decision
    another, there = case.others.subscribed_elsewhere, case.emailoctopus
    if revoked and another is not None:
        reason = f"unsubscribed from this list alone: no DND while the list of pair {another} has the person"
        return replace(decision, ghl=None, cause=Cause.PERSON_EMAILOCTOPUS, dnd_by_us=False, reason=reason, alone=True)
    steps = decision.ghl is not None or decision.emailoctopus is not None
    if there is not None and consent_now(there) is REVOKED:
        lifted = ghl.before is not REVOKED and _lifted_elsewhere(case)
        alone = not steps and (_was_alone(case) or lifted)
        return replace(decision, alone=alone, held=decision.held and not alone)
    return replace(decision, lifted=_was_lifted(case))


def _was_lifted(case: Case) -> bool:
    """Whether this program lifted GHL's block, and nothing happened since."""
    sent = case.ghl.known.sent if case.ghl is not None else None
    being = sent is not None and sent.consent is GRANTED
    return being or (case.link is not None and case.link.sharing.lifted)


def _blocked(case: Case) -> bool:
    """Whether GHL itself blocks the address now."""
    holder = case.ghl is not None and consent_now(case.ghl) is REVOKED
    return holder or any(map(newly_revoked, case.duplicates))


def _was_alone(case: Case) -> bool:
    link = case.link or case.former
    return link is not None and link.sharing.alone


def _lifted_elsewhere(case: Case) -> bool:
    return any(one.lifted for one in case.others.lists)


def _stands(ghl: ConsentSide, emailoctopus: ConsentSide) -> bool:
    return (ghl.before, ghl.now, emailoctopus.before, emailoctopus.now) == (GRANTED, GRANTED, REVOKED, REVOKED)


def _sees_block_of_another_pair(case: Case, ghl: ConsentSide) -> bool:
    """Whether a linked contact is blocked since it was last agreed, by this program for another list's sake."""
    new = ghl.now is REVOKED and ghl.before not in (None, REVOKED) and _blocked(case)
    return new and any(one.blocks_by_program for one in case.others.lists)


def _revoked_by_policy_elsewhere(case: Case) -> bool:
    """Whether another location's pair revoked the list's contact by its policy, and no person by any."""
    locations = case.others.locations
    return not case.others.revoked_elsewhere and any(one.revoked_by_policy for one in locations)

"""The link as it is once a decision was answered. Pure."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sync_daemon.apply.answers import Answers
from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import Cause, Link
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.side_consent import consent_now

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def link_after(decision: Decision, answers: Answers, context: Context, dropped: Iterable[str]) -> Link | None:
    """The link as it is after a decision was answered, None without one; a creation brings the missing id.

    `dropped` are the rows that a write of others emptied.
    """
    link, case = decision.link, decision.case
    if link is not None:
        kept = case.link or case.former
        link = _without_unsent_bounces(link, kept, answers.unsent)
        link = replace(link, diverged=link.diverged.union(dropped))
        refused = answers.refused_step
        if kept is None or ("consent" in answers.settled and refused is None):
            return link
        held = kept.consent_held if refused is None else refused is Consent.REVOKED
        sharing = replace(link.sharing, alone=kept.sharing.alone, lifted=kept.sharing.lifted)
        blocked = kept.dnd_by_us and _is_blocked(case.ghl)
        return replace(link, cause=kept.cause, dnd_by_us=blocked, consent_held=held, sharing=sharing)
    created = answers.creation()
    if created is None or created.returned is None:
        return None
    ids = {created.operation.system: created.returned.contact_id}
    source = case.side(created.operation.system.other)
    if source is None:
        return None
    ids[source.system] = source.contact_id
    done = [result.operation for result in answers.done]
    blocked = any(op.action is Action.SET_DND and op.target_id == source.contact_id for op in done)
    revoked = created.operation.consent is Consent.REVOKED
    return Link(
        ids[GHL],
        ids[EMAILOCTOPUS],
        cause=_cause_of(created.operation, case.remembered),
        # What a person had blocked in GHL is his block still, although it was this program that set it there again.
        dnd_by_us=blocked or (revoked and created.operation.system is GHL and case.remembered is not Cause.PERSON_GHL),
        consent_held=revoked and not blocked and consent_now(source) is not Consent.REVOKED,
        scope_generation=context.scope_generation,
        diverged=frozenset(_against_direction(source, context)),
    )


def _is_blocked(ghl: CaseSide | None) -> bool:
    """Whether a block of this program's may be there still: one that is lifted comes back as somebody else's."""
    return ghl is None or consent_now(ghl) is Consent.REVOKED


def _without_unsent_bounces(link: Link, before: Link | None, unsent: AbstractSet[str]) -> Link:
    """The link without the bounces of this decision whose writes weren't sent: they will be decided again."""
    known = before.bounces if before is not None else {}
    bounces = {
        key: moments
        for key in link.bounces.keys() | (known.keys() & unsent)
        if (moments := (known if key in unsent else link.bounces).get(key))
    }
    return replace(link, bounces=bounces)


def _against_direction(source: CaseSide, context: Context) -> Iterator[str]:
    """The rows whose values weren't carried to a new contact because they lead the other way."""
    values = source.snapshot.fields if source.snapshot else {}
    for mapped in context.fields:
        rule = mapped.rule
        if rule.direction.leader is source.system.other and values.get(rule.name_in(source.system)) is not None:
            yield rule.key


def _cause_of(creation: Operation, remembered: Cause | None) -> Cause | None:
    """Who revoked, where somebody suppressed is created: a revocation found without history is a person's."""
    if creation.consent is not Consent.REVOKED:
        return None
    if remembered is not None:
        return remembered
    return Cause.PERSON_EMAILOCTOPUS if creation.system is GHL else Cause.PERSON_GHL

"""Why the rules decide as they do about one person: field by field, tag by tag, consent, scope, in words. Pure.

What is told is told by the functions that decide, so that words and deeds can't part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.explanation import AddressNow, ConsentNow, FieldNow, ScopeNow, Seen, State, TagNow
from sync_daemon.model.policy import ConflictRule, FieldRule, Resubscribe
from sync_daemon.model.state import Baseline, Cause, Parked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import case_consent
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.fields import UNCHANGED, FieldConflict, MappedField
from sync_daemon.reconcile.reads import meets
from sync_daemon.reconcile.rows import RowDecision, decide_row, field_side
from sync_daemon.reconcile.scope import in_scope, why_outside

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
WHY_PARKED = {
    "not_convertible": "the value has no form in the other system",
    "not_taken": "the value came back other than it was sent, or would cut the longer one",
    "unstable": "the systems go on changing each other's value",
    "status_refused": "the status came back other than it was sent",
    "answer_lost": "nobody knows whether it was done: the answer was lost",
    "missing_in_ghl": "the contact doesn't exist in GoHighLevel any more",
    "missing_in_emailoctopus": "the contact doesn't exist in EmailOctopus any more",
}
"""What to say of a code where no API said anything."""
CAUSES = {
    Cause.PERSON_GHL: "a person, in GoHighLevel",
    Cause.PERSON_EMAILOCTOPUS: "a person, in EmailOctopus",
    Cause.POLICY: "a policy of this program (deletes, on_leave_scope)",
}
"""Who revoked, in words."""
_OUT = "out of scope: nothing but revocations travels"
_GONE = "one of the two contacts doesn't exist, or couldn't be read: nothing is decided about it"


def parked_words(entry: Parked) -> str:
    """Why something is parked, in this program's own words; the API's may hold values, and stand beside them."""
    return WHY_PARKED.get(entry.code, entry.code.replace("_", " "))


def conflict_words(conflict: FieldConflict) -> str:
    """Who wins, with both times."""
    here, there = conflict.ghl_at, conflict.emailoctopus_at
    return f"{conflict.winner.label} wins; GoHighLevel at {_time(here)}, EmailOctopus at {_time(there)}"


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else "an unknown time"


def explain_fields(case: Case, context: Context, suspended: Mapping[str, FieldRule]) -> tuple[FieldNow, ...]:
    """Every row of the mapping; `suspended` are those that one account has no field for."""
    rows = {mapped.rule.key: _field(mapped, case, context) for mapped in context.fields}
    gone = {
        key: _without_verdict(rule, "suspended: one account doesn't have this field") for key, rule in suspended.items()
    }
    return (*rows.values(), *gone.values())


def _field(mapped: MappedField, case: Case, context: Context) -> FieldNow:
    rule, sides = mapped.rule, {side.system: side for side in (case.ghl, case.emailoctopus) if side is not None}
    said = {name: field_side(mapped, side, context) for name, side in sides.items()}
    found = FieldNow(
        rule,
        {name: said[name].value if name in said else None for name in SystemName},
        {name: _seen(mapped, sides.get(name), context) for name in SystemName},
        {name: said[name].changed_at if name in said and said[name].changed else None for name in SystemName},
        "",
        diverged=case.link is not None and rule.key in case.link.diverged,
    )
    if len(sides) < len(SystemName):
        return replace(found, verdict="there is no partner to compare with")
    if not _is_inside(case, context):
        return replace(found, verdict=_OUT)
    if not all(side.snapshot is not None for side in sides.values()):
        return replace(found, verdict=_GONE)
    bounces = case.link.bounces.get(rule.key, ()) if case.link else ()
    row = decide_row(mapped, case, context, bounces, first=meets(case, context))
    if row is None:
        return replace(found, verdict="new in the mapping: the two meet in it at the next full scan")
    return replace(
        found,
        verdict=_verdict(row, mapped, case, diverged=found.diverged),
        writes=row.decision.write,
        state=State.CONFLICT if row.decision.conflict is not None else None,
    )


def _without_verdict(rule: FieldRule, why: str) -> FieldNow:
    nothing: dict[SystemName, None] = dict.fromkeys(SystemName)
    unread = dict.fromkeys(SystemName, Seen.UNREAD)
    return FieldNow(rule, nothing, unread, nothing, why, state=State.SUSPENDED)


def _seen(mapped: MappedField, side: CaseSide | None, context: Context) -> Seen:
    if side is None:
        return Seen.NO_CONTACT
    if side.snapshot is None:
        return Seen.UNREAD
    changed = context.detector.field_changed(mapped.rule, side.snapshot, side.known)
    return Seen.NEVER_MET if changed is None else Seen.CHANGED if changed else Seen.AGREED


def _verdict(row: RowDecision, mapped: MappedField, case: Case, *, diverged: bool) -> str:
    decision, rule = row.decision, mapped.rule
    entry = case.parked.get(rule.key)
    if row.place.source is not None and (row.gives_way or (decision is UNCHANGED and row.place.takes_over)):
        return _of_another(row)
    if entry is not None and (decision.park or decision.write):
        return f"parked: {parked_words(entry)}"
    if decision.park is not None:
        return f"can't be written: {WHY_PARKED[decision.park]}"
    if decision.conflict is not None:
        winner = decision.conflict.winner
        return f"both sides differ: {_why_wins(rule, row)}; {winner.label}'s value goes to {winner.other.label}"
    if decision.write is not None:
        return f"{row.reason}: its value goes to {decision.write.label}"
    if decision is UNCHANGED:
        return (
            f"as agreed, different on purpose: {_why_different(rule, row)}" if diverged else "as agreed on both sides"
        )
    if decision.diverged:
        return f"left different on purpose: {_why_different(rule, row)}"
    return "both hold the same"


def _of_another(row: RowDecision) -> str:
    """Why the list shows another location's value."""
    place = row.place
    if place.first is not None:
        return f"the list's value comes from pair {place.first}, which stands before this one in the file"
    return f"the list's value comes from pair {place.source}: this location has none"


def _why_wins(rule: FieldRule, row: RowDecision) -> str:
    """The rule by which one side's value stands."""
    winner = row.decision.conflict.winner if row.decision.conflict is not None else GHL
    if rule.direction.leader is winner:
        return f"direction {rule.direction}, {winner.label} leads"
    loser = next(side for side in row.sides if side.system is not winner)
    if rule.direction.leader is None and loser.value is None and loser.system is EMAILOCTOPUS:
        return "a blank from EmailOctopus erases nothing (blanks: keep)"
    if rule.conflict is not ConflictRule.NEWEST or not row.met:
        return f"conflict: {rule.conflict}" + ("" if row.met else ", as the two meet for the first time")
    ghl, emailoctopus = (side.changed_at for side in row.sides)
    same = ghl is not None and emailoctopus is not None and ghl.timestamp() // 1 == emailoctopus.timestamp() // 1
    return (
        "conflict: newest, both in the same second: GoHighLevel's" if same else f"conflict: newest, {winner.label}'s is"
    )


def _why_different(rule: FieldRule, row: RowDecision) -> str:
    leader = rule.direction.leader
    if leader is not None:
        return f"direction {rule.direction}, it is overwritten when {leader.label} changes it"
    if row.sides[1].value is None:
        return "a blank from EmailOctopus erases nothing (blanks: keep)"
    return "a person discarded or dropped the change"


def explain_tags(case: Case, context: Context) -> tuple[TagNow, ...]:
    """Every tag that travels, of either side now or when the two last agreed."""
    if not context.policy.tags.sync:
        return ()
    now: dict[SystemName, set[str] | None] = dict.fromkeys(SystemName)
    had: dict[SystemName, set[str] | None] = dict.fromkeys(SystemName)
    for side in (case.ghl, case.emailoctopus):
        if side is not None:
            shown = context.detector.tags_now(side.snapshot) if side.snapshot is not None else None
            now[side.system] = set(shown) if shown is not None else None
            if side.known.baseline is not None and side.known.baseline.tags is not None:
                had[side.system] = set(context.detector.tags_before(side.known, (shown or {}).values()))
    names = set[str]().union(*(names for part in (now, had) for names in part.values() if names))
    inside = _is_inside(case, context)
    return tuple(_tag(name, now, had, case, inside=inside) for name in sorted(names))


def _tag(
    name: str,
    now: Mapping[SystemName, set[str] | None],
    had: Mapping[SystemName, set[str] | None],
    case: Case,
    *,
    inside: bool,
) -> TagNow:
    has = {system: name in names if (names := now[system]) is not None else None for system in SystemName}
    before = {system: name in names if (names := had[system]) is not None else None for system in SystemName}
    return TagNow(name, has, before, "" if None in has.values() else _tag_verdict(has, before, case, inside=inside))


def _tag_verdict(
    has: Mapping[SystemName, bool | None], had: Mapping[SystemName, bool | None], case: Case, *, inside: bool
) -> str:
    if has[GHL] == has[EMAILOCTOPUS]:
        return "both have it" if has[GHL] else "both lost it"
    if not inside:
        return _OUT
    if "tags" in case.parked:
        return f"parked: {parked_words(case.parked['tags'])}"
    if None in had.values():
        lacks = GHL if not has[GHL] else EMAILOCTOPUS
        return f"two that meet unite their tags: {lacks.label} gets it"
    changed = next((name for name in SystemName if has[name] != had[name]), None)
    if changed is None:
        return "left different on purpose"
    done, what = ("added", "gets it") if has[changed] else ("removed", "loses it")
    return f"{done} in {changed.label}: {changed.other.label} {what}"


def explain_consent(case: Case, context: Context) -> ConsentNow:
    """Who may be mailed, who revoked, and what follows."""
    sides = {side.system: side for side in (case.ghl, case.emailoctopus) if side is not None}
    now = {name: _consent(sides.get(name)) for name in SystemName}
    baselines = {name: (side.known.baseline or Baseline()) for name, side in sides.items()}
    ghl, link = sides.get(GHL), case.link
    return ConsentNow(
        now,
        {name: baselines[name].consent if name in baselines else None for name in SystemName},
        link.cause if link else None,
        case.remembered,
        dnd_by_us=link is not None and link.dnd_by_us,
        permanent=ghl is not None and ghl.snapshot is not None and ghl.snapshot.permanent,
        held=link is not None and link.consent_held,
        unconfirmed=EMAILOCTOPUS in baselines and baselines[EMAILOCTOPUS].unconfirmed,
        verdict=_consent_verdict(case, context, now),
    )


def _consent(side: CaseSide | None) -> Consent | None:
    if side is None or side.snapshot is None:
        return None
    return side.snapshot.consent or Consent.GRANTED


def _consent_verdict(case: Case, context: Context, now: Mapping[SystemName, Consent | None]) -> str:
    if case.ghl is None or case.emailoctopus is None:
        return "" if case.remembered is None else f"the address is revoked, for ever, by {CAUSES[case.remembered]}"
    if None in now.values():
        return ""
    if not _is_inside(case, context):
        context = replace(context, policy=replace(context.policy, resubscribe=Resubscribe.NEVER))
    decided = case_consent(case, context, first=meets(case, context)).decision
    if decided.reason:
        return decided.reason
    if now[GHL] == now[EMAILOCTOPUS]:
        return "both say the same"
    if Consent.REVOKED not in now.values():
        return "GoHighLevel knows no pending: nothing to do"
    return "they differ as they did when they last agreed: nobody is subscribed again by this program"


def explain_scope(case: Case, context: Context) -> ScopeNow | None:
    """Whether the GHL contact takes part; None where there is none, or no scope."""
    if case.ghl is None:
        return None
    before = case.link.in_scope if case.link is not None else None
    snapshot = case.ghl.snapshot
    if snapshot is None:
        return ScopeNow(inside=None, before=before, verdict="")
    why = why_outside(context.policy.scope, snapshot)
    if why is None:
        back = "it comes back into scope: the two meet anew"
        return ScopeNow(inside=True, before=before, verdict=back if before is False else "in scope")
    left = ", as the scope was narrowed (--apply-scope does what on_leave_scope says)"
    by_configuration = case.link is not None and case.link.left_by_configuration
    leaves = f"; it leaves now: on_leave_scope: {context.policy.on_leave_scope}" if before else ""
    verdict = f"it doesn't satisfy scope.{why}{left if by_configuration else leaves}"
    return ScopeNow(inside=False, before=before, verdict=verdict)


def explain_address(case: Case, context: Context) -> AddressNow:
    """Both addresses, held against what was agreed; what becomes of a change is decided with others that move."""
    sides = {side.system: side for side in (case.ghl, case.emailoctopus) if side is not None}
    shown = {name: side.snapshot for name, side in sides.items() if side.snapshot is not None}
    seen = {}
    for name in SystemName:
        if name not in shown:
            seen[name] = Seen.UNREAD if name in sides else Seen.NO_CONTACT
        elif (sides[name].known.baseline or Baseline()).address is None:
            seen[name] = Seen.NEVER_MET
        else:
            changed = context.detector.address_changed(shown[name], sides[name].known)
            seen[name] = Seen.CHANGED if changed else Seen.AGREED
    values = {name: shown[name].address if name in shown else None for name in SystemName}
    return AddressNow(values, seen, "; ".join(_address_words(case, seen)))


def _address_words(case: Case, seen: Mapping[SystemName, Seen]) -> Iterator[str]:
    changed = [name.label for name in SystemName if seen[name] is Seen.CHANGED]
    if case.link is not None and case.link.address_emptied:
        yield "GoHighLevel lost its address: link and EmailOctopus contact stay"
    if changed:
        yield f"changed in {' and '.join(changed)}: a changed address moves the link"
    elif Seen.AGREED in seen.values():
        yield "as agreed"


def _is_inside(case: Case, context: Context) -> bool:
    """Whether more than revocations travels."""
    if case.ghl is not None and case.ghl.snapshot is not None:
        return in_scope(context.policy.scope, case.ghl.snapshot)
    return case.link is None or case.link.in_scope

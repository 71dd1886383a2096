"""Operations as a plan knows them again: by keyed digests of what is there before, and of what is to be written. Pure.

What a record's other side says isn't compared: it shows in what would be written.
"""

from collections.abc import Iterable, Iterator, Mapping

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.digests import Digester, canonical
from sync_daemon.model.contact import Consent
from sync_daemon.model.deeds import Deed
from sync_daemon.model.plan import Action, Operation, RuleAction
from sync_daemon.model.planned import Area, Planned
from sync_daemon.model.state import Baseline, KnownContact
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.mapping_check import NewField
from sync_daemon.reconcile.side_consent import consent_now

NEW_FIELD = "create_field"
"""The action of a plan that makes a field."""
_UNIT = "\x1e"


def planned(operation: Operation, decision: Decision, context: Context, *, held: bool = False) -> Planned:
    """An operation of a decision as a plan holds it."""
    digester = context.detector.digester
    said = [
        *(f"{name}={canonical(value)}" for name, value in sorted(operation.fields.items())),
        digester.address(operation.address).hex() if operation.address is not None else "",
        *sorted(operation.tags),
        operation.consent or "",
    ]
    return Planned(
        Area.CONTACTS,
        operation.system,
        operation.action,
        operation.ghl_id,
        operation.emailoctopus_id,
        tuple(operation.fields),
        operation.reason,
        _digest(operation, digester, "before", _before(operation, decision, context)),
        _digest(operation, digester, "after", said),
        held,
    )


def planned_activity(operation: Operation, written: Mapping[str, bytes], digester: Digester) -> Planned:
    """A write of activity, or of its end; `written` are the digests of what was shown last."""
    said = [f"{name}={canonical(value)}" for name, value in sorted(operation.fields.items())]
    before = [written[name].hex() if name in written else "" for name in sorted(operation.fields)]
    return Planned(
        Area.ACTIVITY,
        operation.system,
        operation.action,
        operation.ghl_id,
        operation.emailoctopus_id,
        tuple(operation.fields),
        operation.reason,
        _digest(operation, digester, "before", before),
        _digest(operation, digester, "after", said),
    )


def planned_start(deed: Deed, digester: Digester) -> Planned:
    """The start of an automation: what happened tells it apart."""
    return Planned(
        Area.ACTIVITY,
        SystemName.EMAILOCTOPUS,
        Action.START_AUTOMATION,
        deed.ghl_id,
        deed.emailoctopus_id,
        (),
        deed.what,
        b"",
        digest_of_deed(deed.key, deed.ghl_id, digester),
    )


def planned_action(action: RuleAction, digester: Digester, *, held: bool = False) -> Planned:
    """What a rule would do: rule and event tell it apart; its texts are filled in when it is done."""
    return Planned(
        Area.RULES,
        SystemName.GHL,
        action.action,
        action.ghl_id,
        action.emailoctopus_id,
        (),
        action.reason,
        b"",
        digest_of_deed(action.key, action.ghl_id, digester),
        held,
    )


def planned_field(new: NewField, digester: Digester) -> Planned:
    """A field that an account lacks."""
    said = _UNIT.join((new.spec.type, *new.spec.choices))
    return Planned(
        Area.FIELDS,
        new.system,
        NEW_FIELD,
        None,
        None,
        (new.spec.name,),
        "the configuration names it and the account doesn't have it",
        b"",
        digester.field(new.system, "", "new field", f"{new.spec.name}{_UNIT}{said}"),
    )


def digest_of_deed(key: str, ghl_id: str, digester: Digester) -> bytes:
    """By what a plan knows a deed: a call that is made once for something that happened."""
    return digester.field(SystemName.GHL, ghl_id, "deed", key)


def _digest(operation: Operation, digester: Digester, what: str, said: Iterable[str]) -> bytes:
    about = operation.target_id or f"for {operation.ghl_id or operation.emailoctopus_id}"
    return digester.field(operation.system, about, f"plan {what}", _UNIT.join(said))


def _before(operation: Operation, decision: Decision, context: Context) -> Iterator[str]:
    """What the contact that is written to holds of what is written. Tags say themselves what they were before."""
    if operation.action is Action.CREATE:
        return
    side = _target(operation, decision.case)
    yield "" if side is None else consent_now(side) if _is_about_consent(operation) else ""
    if side is None:
        return
    digester = context.detector.digester
    if operation.action is Action.DELETE:
        seen = digester.snapshot(side.snapshot) if side.snapshot is not None else side.known.seen
        yield (seen or b"").hex()
    if operation.address is not None:
        yield (side.known.address or b"").hex()
    keys = {rule.name_in(operation.system): rule.key for rule in context.policy.fields}
    for name in sorted(operation.fields):
        yield _held(side, name, keys[name], digester).hex()


def _is_about_consent(operation: Operation) -> bool:
    return operation.consent is not None or operation.action in (Action.DELETE, Action.LIFT_DND)


def _held(side: CaseSide, name: str, key: str, digester: Digester) -> bytes:
    """The digest of what a contact holds: as read, unread as last agreed."""
    if side.snapshot is not None:
        return digester.field(side.system, side.contact_id, key, side.snapshot.fields.get(name))
    return (side.known.baseline or Baseline()).fields.get(key, b"")


def _target(operation: Operation, case: Case) -> CaseSide | None:
    """The contact of a case that an operation writes to."""
    others: Iterable[KnownContact] = (*case.namesakes, *case.additional_holders)
    sides = (*case.targets(), *case.gone, *map(CaseSide, others))
    place = operation.system, operation.target_id
    return next((side for side in sides if (side.system, side.contact_id) == place), None)


def by_person(operation: Operation) -> bool:
    """Whether an operation carries a person's revocation: it goes out whether a plan holds it or not."""
    return operation.revokes and operation.policy is None


def may_be_mailed(operation: Operation, decision: Decision) -> bool:
    """Whether an operation can start an automation of EmailOctopus for a contact that it may mail."""
    if operation.system is not SystemName.EMAILOCTOPUS:
        return False
    if operation.action is Action.CREATE:
        return operation.consent is not Consent.REVOKED
    if operation.action not in (Action.ADD_TAGS, Action.UPDATE, Action.SET_STATUS):
        return False
    side = _target(operation, decision.case)
    freed = any(op.steps_up for op in decision.operations)
    return freed or (side is not None and consent_now(side) is not Consent.REVOKED and not operation.revokes)

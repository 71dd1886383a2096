"""Operations as somebody who never saw the program understands them: who, where, what was there, what comes, why."""

from collections.abc import Iterable, Iterator, Sequence

from sync_daemon.commands.demo.sides import EMAILOCTOPUS, GHL, Sides
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation, RuleAction

COLUMNS = ("who", "where", "what", "is", "becomes", "why")
Row = tuple[str, ...]

_WHERE = {GHL: "GHL", EMAILOCTOPUS: "EmailOctopus"}
_CONSENT = {Consent.GRANTED: "subscribed", Consent.PENDING: "asked to confirm", Consent.REVOKED: "unsubscribed"}


def rows(operations: Iterable[Operation], sides: Sides) -> list[Row]:
    """One row for each field, tag or consent that an operation changes; a name stands once."""
    told: list[Row] = []
    before = ""
    for operation in operations:
        who = sides.name(operation.ghl_id, operation.emailoctopus_id)
        for row in _rows(operation, sides):
            told.append(("" if who == before else who, _WHERE[operation.system], *row))
            before = who
    return told


def tasks(actions: Iterable[RuleAction], sides: Sides) -> list[Row]:
    """One row for each task that a rule made: the newest of its contact."""
    told: list[Row] = []
    for action in actions:
        made = sides.sandbox.ghl.world.tasks.of(action.ghl_id)
        title = made[-1].title if made else ""
        told.append((sides.name(action.ghl_id, None), "GHL", "task", "", title, action.reason))
    return told


def examples(operations: Sequence[Operation]) -> list[Operation]:
    """One operation of each kind, an update that decides a conflict if there is one."""
    chosen: dict[tuple[str, str], Operation] = {}
    for operation in sorted(operations, key=lambda one: "differs" not in one.reason):
        chosen.setdefault((operation.system, operation.action), operation)
    return list(chosen.values())


def _rows(operation: Operation, sides: Sides) -> Iterator[Row]:
    target = (operation.system, operation.target_id)
    if operation.action is Action.CREATE:
        yield ("contact", "", operation.address or "", operation.reason)
        return
    reasons = operation.reason.split("; ")
    for index, (name, value) in enumerate(operation.fields.items()):
        reason = reasons[index] if len(reasons) >= len(operation.fields) else operation.reason
        yield (name, sides.value(*target, name), "" if value is None else str(value), reason)
    if operation.address is not None:
        yield ("address", _address(operation, sides), operation.address, reasons[-1])
    if operation.tags:
        yield ("tags", ", ".join(sides.tags(*target)), _tags(operation, sides), operation.reason)
    if operation.system is EMAILOCTOPUS and operation.action is Action.SET_STATUS and operation.consent is not None:
        yield ("status", sides.subscriber(operation.target_id or "").status, _CONSENT[operation.consent], reasons[-1])
    if operation.action in (Action.SET_DND, Action.LIFT_DND):
        on = operation.action is Action.SET_DND
        yield ("e-mail DND", "off" if on else "on", "on" if on else "off", operation.reason)
    if operation.action is Action.START_AUTOMATION:
        yield ("automation", "", "started", "booked or completed just now")
    if operation.action is Action.DELETE:
        yield ("contact", "is there", "deleted", operation.reason)


def _tags(operation: Operation, sides: Sides) -> str:
    have = set(sides.tags(operation.system, operation.target_id))
    change = set(operation.tags)
    return ", ".join(sorted(have | change if operation.action is Action.ADD_TAGS else have - change))


def _address(operation: Operation, sides: Sides) -> str:
    if operation.target_id is None:
        return ""
    if operation.system is GHL:
        return sides.contact(operation.target_id).email or ""
    return sides.subscriber(operation.target_id).email_address

"""Which operations share a request (documented: batch updates by id; facts: §7). Pure."""

from collections.abc import Iterator, Sequence

from sync_daemon.model.plan import Action, Bundle, Operation
from sync_daemon.model.system import SystemName
from sync_daemon.systems.emailoctopus.values import is_blank

MAX_BATCH = 100
"""Items of a batch at most. The API names no figure; a refusal makes the caller send smaller ones."""

CREATE, BATCH, UPDATE, DELETE = "create", "batch", "update", "delete"

_MERGEABLE = frozenset({Action.UPDATE, Action.ADD_TAGS, Action.REMOVE_TAGS})
_ROUTES = {Action.CREATE: CREATE, Action.DELETE: DELETE}

Group = list[Operation]
"""Operations of one contact that one item, or one request, carries."""


def bundle(operations: Sequence[Operation], batch_size: int) -> list[Bundle]:
    """Group operations into requests: revocations first and among themselves, each contact's others in their order."""
    size = max(1, min(batch_size, MAX_BATCH))
    revoking = [[operation] for operation in operations if operation.revokes]
    rounds = _rounds([operation for operation in operations if not operation.revokes])
    return [each for groups in (revoking, *rounds) for each in _packed(groups, size)]


def groups_of(operations: Sequence[Operation]) -> dict[str, Group]:
    """The operations of a bundle by contact, one item each, in the order of the items."""
    groups: dict[str, Group] = {}
    for operation in operations:
        groups.setdefault(operation.target_id or "", []).append(operation)
    return groups


def _rounds(operations: Sequence[Operation]) -> list[list[Group]]:
    """Groups by turn: what must follow something else of its contact stands in a later round."""
    rounds: list[list[Group]] = []
    latest: dict[str, tuple[int, Group]] = {}
    for operation in operations:
        turn, group = latest.get(operation.target_id or "", (-1, []))
        if group and operation.action in _MERGEABLE and group[-1].action in _MERGEABLE:
            group.append(operation)
            continue
        turn, group = turn + 1, [operation]
        if operation.target_id is None:  # creations are of different contacts
            turn = 0
        else:
            latest[operation.target_id] = (turn, group)
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(group)
    return rounds


def _packed(groups: Sequence[Group], size: int) -> Iterator[Bundle]:
    together = [group for group in groups if _fits_a_batch(group)]
    for start in range(0, len(together), size):
        batch = together[start : start + size]
        yield _bundle(BATCH if len(batch) > 1 else UPDATE, *batch)
    for group in groups:
        if not _fits_a_batch(group):
            yield _bundle(_ROUTES.get(group[0].action, UPDATE), group)


def _fits_a_batch(group: Group) -> bool:
    """Whether a batch can carry it: not what clears a field (undocumented there), nor a change of address,
    whose answer could come under another id.
    """
    if any(operation.revokes for operation in group):
        return True
    return all(
        operation.action in _MERGEABLE
        and operation.address is None
        and not any(is_blank(value) for value in operation.fields.values())
        for operation in group
    )


def _bundle(route: str, *groups: Group) -> Bundle:
    return Bundle(SystemName.EMAILOCTOPUS, route, tuple(operation for group in groups for operation in group))

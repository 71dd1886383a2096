"""Operations to results: bundled, side by side within bounds, in pieces where a batch or a field is refused."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace

from sync_daemon.model.errors import (
    AlreadyExists,
    BatchRefused,
    PlanLimitReached,
    QuotaExhausted,
    Refused,
    Stopped,
    StopSystem,
)
from sync_daemon.model.plan import Action, Bundle, Operation, WriteResult
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Progress, System
from sync_daemon.threads import pool

Record = tuple[str | None, str | None]
"""Both ids of the contact that operations are about."""

FieldNames = Mapping[SystemName, Mapping[str, str]]
"""For each system, the key of the mapping row each field name belongs to."""
_Pending = Mapping[SystemName, deque[Bundle]]
"""What is yet to be sent to each system, each in its order."""


@dataclass(slots=True)
class BatchSize:
    """How many operations one batch carries; learned from refusals, it shrinks only when every part passes alone."""

    size: int
    shrunk: bool = False
    _open: dict[int, bool] = field(default_factory=dict)

    def refused(self, size: int) -> None:
        """A batch of `size` was refused as a whole; its parts are about to be tried."""
        self._open.setdefault(size, True)

    def one_failed(self) -> None:
        """A part of one failed too: it wasn't the number."""
        self._open = dict.fromkeys(self._open, False)

    def learn(self) -> None:
        """Take the smallest size that was refused only because of its size."""
        too_many = [size for size, all_passed in self._open.items() if all_passed]
        if too_many:
            self.size, self.shrunk = max(1, min(self.size, min(too_many) // 2)), True
        self._open.clear()


@dataclass(slots=True)
class Sender:
    """Sends operations to both systems; remembers what stopped a system, and that a plan's limit is reached.

    `stopped` holds the error that ended the writing to a system in this cycle; `in_hand` are the records of which
    something was sent since `carry_out` began: those are finished when the process is told to stop.
    """

    systems: Mapping[SystemName, System]
    progress: Progress
    names: FieldNames
    workers: int
    batch: BatchSize
    tick: Callable[[], None]
    create_without_phone: bool = False
    told_to_stop: Callable[[], bool] = lambda: False
    in_hand: set[Record] = field(default_factory=set)
    stopped: dict[SystemName, StopSystem] = field(default_factory=dict)
    plan_limit: PlanLimitReached | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def out_of_reach(self) -> Mapping[SystemName, StopSystem]:
        """The systems of which nothing more is asked, with the reason: both once the process was told to stop."""
        if self.told_to_stop():
            for name in SystemName:
                self.stopped.setdefault(name, Stopped(name))
        return self.stopped

    def closed(self) -> frozenset[SystemName]:
        """The systems that no new record goes to: the last requests of a daily quota are kept for revocations."""
        reasons = self.out_of_reach().items()
        return frozenset(name for name, reason in reasons if not isinstance(reason, QuotaExhausted))

    def is_in_hand(self, operation: Operation) -> bool:
        """Whether something of its record was sent already."""
        return _record(operation) in self.in_hand

    def has_begun(self, operations: Iterable[Operation]) -> bool:
        """Whether anything of their records was sent already."""
        return any(map(self.is_in_hand, operations))

    def still_to_send(self, operations: Iterable[Operation]) -> tuple[Operation, ...]:
        """Of some operations those that go out still: all, or what finishes the records in hand."""
        reasons = self.out_of_reach()
        return tuple(
            operation
            for operation in operations
            if not isinstance(reasons.get(operation.system), Stopped) or self.is_in_hand(operation)
        )

    def send(self, operations: Iterable[Operation]) -> Iterator[list[WriteResult]]:
        """Results as the answers come in. What a stopped system leaves unsent has none.

        One list holds all that has come meanwhile and wasn't refused: to store it takes longer than to be answered
        once more. A request of which something was refused has a list of its own, after what was taken before it.
        """
        bundles = self.bundle(operations)
        for system in SystemName:
            self.progress.planned(system, sum(bundle.system is system for bundle in bundles))
        with pool(self.workers, "write", systems=2) as threads:
            for revokes in (True, False):  # nothing else is on its way before every revocation was answered
                waiting = [bundle for bundle in bundles if bundle.revokes is revokes]
                pending = {name: deque(one for one in waiting if one.system is name) for name in SystemName}
                yield from self._drain(pending, threads)
        self.batch.learn()

    def bundle(self, operations: Iterable[Operation]) -> list[Bundle]:
        """The requests that carry these operations."""
        listed = list(operations)
        return [
            bundle
            for name in SystemName
            for bundle in self.systems[name].writer.bundle(
                [operation for operation in listed if operation.system is name], self._batch_size(name)
            )
        ]

    def _batch_size(self, system: SystemName) -> int:
        """The learned size is EmailOctopus's; GHL's only batch, the bulk tags, has a fixed one."""
        return self.batch.size if system is SystemName.EMAILOCTOPUS else self.systems[system].max_batch

    def _drain(self, pending: _Pending, threads: Executor) -> Iterator[list[WriteResult]]:
        running: dict[Future[list[WriteResult]], Bundle] = {}
        while any(pending.values()) or running:
            self._start(pending, running, threads)
            if not running:
                return
            done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            self.tick()
            taken: list[WriteResult] = []
            for future in done:
                bundle = running.pop(future)
                self.progress.sent(bundle.system, 1)
                results = self._answered(bundle, future, pending[bundle.system])
                self.progress.writes_done(bundle.system, sum(result.refusal is None for result in results))
                if all(result.refusal is None for result in results):
                    taken.extend(results)
                else:
                    yield taken
                    yield results
                    taken = []
            yield taken

    def _start(self, pending: _Pending, running: dict[Future[list[WriteResult]], Bundle], threads: Executor) -> None:
        for name, waiting in pending.items():
            busy = sum(bundle.system is name for bundle in running.values())
            while waiting and busy < self.workers:
                bundle = waiting.popleft()
                bundle = replace(bundle, operations=self.still_to_send(bundle.operations))
                if not bundle.operations or self._is_stopped(bundle):
                    continue
                busy += 1
                self.in_hand.update(map(_record, bundle.operations))
                running[threads.submit(self._send_one, bundle)] = bundle

    def _is_stopped(self, bundle: Bundle) -> bool:
        """Whether nothing more can be sent; the last requests of a daily quota are kept for revocations."""
        reason = self.stopped.get(bundle.system)
        if reason is None or isinstance(reason, Stopped):
            return False
        return not (bundle.revokes and isinstance(reason, QuotaExhausted))

    def _send_one(self, bundle: Bundle) -> list[WriteResult]:
        with self._lock:
            limit = self.plan_limit
        if limit is not None and bundle.system is SystemName.EMAILOCTOPUS and _creates(bundle):
            return [WriteResult(operation, refusal=limit) for operation in bundle.operations]
        return self.systems[bundle.system].writer.send(bundle)

    def _answered(self, bundle: Bundle, future: Future[list[WriteResult]], pending: deque[Bundle]) -> list[WriteResult]:
        try:
            results = future.result()
        except StopSystem as error:
            self.stopped[bundle.system] = error
            return []
        except BatchRefused as error:
            return self._split(bundle, error, pending)
        if any(result.refusal is not None for result in results):
            self.batch.one_failed()
        return [self._taken(result, pending) for result in results]

    def _split(self, bundle: Bundle, error: BatchRefused, pending: deque[Bundle]) -> list[WriteResult]:
        """Send a refused batch again: without the contact it points at, else in halves to find the culprit."""
        groups = _by_contact(bundle)
        if len(groups) == 1:
            self.batch.one_failed()
            return [WriteResult(operation, refusal=error) for operation in bundle.operations]
        self.batch.refused(len(groups))
        if error.index is not None and error.index < len(groups):
            culprit = groups.pop(error.index)
            pieces = [culprit, [operation for group in groups for operation in group]]
        else:
            middle = len(groups) // 2
            pieces = [[op for group in half for op in group] for half in (groups[:middle], groups[middle:])]
        pending.extendleft(replace(bundle, operations=tuple(piece)) for piece in pieces)
        self.progress.planned(bundle.system, len(pieces))
        return []

    def _taken(self, result: WriteResult, pending: deque[Bundle]) -> WriteResult:
        """The result; where the refusal points at some fields only, the rest of them goes out again without those."""
        operation, refusal = result.operation, result.refusal
        if isinstance(refusal, PlanLimitReached) and operation.action is Action.CREATE:
            with self._lock:
                self.plan_limit = refusal
        both = operation.action is Action.UPDATE and operation.address and operation.fields
        if both and refusal is not None and "address" in refusal.fields:
            parts = tuple(part for part in operation.parts if part != "address")
            rest = replace(operation, address=None, parts=parts)
            return self._piece(replace(operation, parts=("address",)), rest, refusal, pending)
        if isinstance(refusal, AlreadyExists) and operation.action is Action.CREATE and not self.create_without_phone:
            return result
        named = [name for name in (refusal.fields if refusal else ()) if name in operation.fields]
        whole = len(named) == len(operation.fields) and operation.action is not Action.CREATE
        if not named or whole:
            return result
        keys = tuple(self.names[operation.system][name] for name in named)
        return self._piece(replace(operation, parts=keys), self._without(operation, named), refusal, pending)

    def _piece(
        self, refused: Operation, rest: Operation, refusal: Refused | None, pending: deque[Bundle]
    ) -> WriteResult:
        """The refused part of an operation; the rest of it goes out again."""
        pending.extendleft(self.systems[rest.system].writer.bundle([rest], 1))
        self.progress.planned(rest.system, 1)
        return WriteResult(refused, refusal=refusal)

    def _without(self, operation: Operation, names: list[str]) -> Operation:
        keys = {self.names[operation.system][name] for name in names}
        fields = {name: value for name, value in operation.fields.items() if name not in names}
        return replace(operation, fields=fields, parts=tuple(part for part in operation.parts if part not in keys))


def _record(operation: Operation) -> Record:
    return operation.ghl_id, operation.emailoctopus_id


def _creates(bundle: Bundle) -> bool:
    return any(operation.action is Action.CREATE for operation in bundle.operations)


def _by_contact(bundle: Bundle) -> list[list[Operation]]:
    groups: dict[str | None, list[Operation]] = {}
    for operation in bundle.operations:
        groups.setdefault(operation.target_id, []).append(operation)
    return list(groups.values())


def requests_needed(bundles: Iterable[Bundle]) -> dict[SystemName, int]:
    """How many requests to each system these bundles are."""
    listed = list(bundles)
    return {name: sum(bundle.system is name for bundle in listed) for name in SystemName}

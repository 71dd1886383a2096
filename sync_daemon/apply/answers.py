"""The answers to one case's operations, as the settlement asks about them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sync_daemon.apply.verify import STATUS_REFUSED, Failure, failures
from sync_daemon.model.contact import Consent, Snapshot
from sync_daemon.model.errors import ANSWER_LOST
from sync_daemon.model.plan import Action, Operation, WriteResult
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Decision


@dataclass(frozen=True, slots=True)
class Written:
    """What the operations on one side came to."""

    operations: list[Operation]
    contact: Snapshot | None = None
    contact_id: str | None = None
    updated_at: datetime | None = None


class Answers:
    """What came of a decision: `done` are the results without a refusal, `failed` the parts that weren't taken.

    `settled` are the parts whose baselines move, `unsent` those that wait for an answer; `complete` says that every
    operation was answered, `final` that nothing of the case is left to be done. `consent_unknown` says that nobody
    knows whether a step toward consent was taken. `refused_step` is the consent that came back instead of one that
    was wider: it is reported and then left as it is, not asked for again (contract, section 4).
    """

    def __init__(self, decision: Decision, results: Sequence[WriteResult], context: Context) -> None:
        self.done = [result for result in results if result.refusal is None]
        self.failed: dict[str, Failure] = {
            failure.part: failure for result in results for failure in failures(result, context.fields)
        }
        answered = [result.operation for result in results]
        self.unsent = {part for op in decision.operations if not _answered(op, answered) for part in op.parts}
        self.complete = all_answered(decision, results)
        self.final = self.complete and not decision.partial
        self.consent_unknown = "consent" in self.failed and self.failed["consent"].code == ANSWER_LOST
        self.refused_step = next(filter(None, map(_refused_step, self.done)), None)
        left_as_it_is = {"consent"} if self.refused_step else set()
        self.settled = decision.settles - (set(self.failed) - left_as_it_is) - self.unsent

    def creation(self) -> WriteResult | None:
        """The result of the operation that created a contact."""
        return next((result for result in self.done if result.operation.action is Action.CREATE), None)

    def on(self, system: SystemName, contact_id: str) -> Written:
        """What was written to one contact."""
        mine = [
            result
            for result in self.done
            if result.operation.system is system and result.operation.target_id == contact_id
        ]
        contacts = [result.returned.contact for result in mine if result.returned and result.returned.contact]
        times = [result.returned.updated_at for result in mine if result.returned]
        # Of several within one second, which is all that EmailOctopus counts, the last one is it.
        newest = max(reversed(contacts), key=lambda contact: contact.updated_at, default=None)
        return Written([result.operation for result in mine], newest, contact_id, latest(*times))


def all_answered(decision: Decision, results: Sequence[WriteResult]) -> bool:
    """Whether every operation of a decision has its answer."""
    answered = [result.operation for result in results]
    return all(_answered(operation, answered) for operation in decision.operations)


def _refused_step(result: WriteResult) -> Consent | None:
    sent, contact = result.operation.consent, result.returned.contact if result.returned else None
    refused = any(failure.code == STATUS_REFUSED for failure in failures(result, ()))
    return contact.consent if contact is not None and refused and sent is not Consent.REVOKED else None


def latest(*times: datetime | None) -> datetime | None:
    """The latest of some times, None when there is none."""
    return max((time for time in times if time is not None), default=None)


def _answered(operation: Operation, answered: Sequence[Operation]) -> bool:
    """Whether every part of an operation has an answer; one may have been sent in pieces."""
    mine = [
        one
        for one in answered
        if (one.system, one.action, one.ghl_id, one.emailoctopus_id)
        == (operation.system, operation.action, operation.ghl_id, operation.emailoctopus_id)
    ]
    return set(operation.parts) <= {part for one in mine for part in one.parts}

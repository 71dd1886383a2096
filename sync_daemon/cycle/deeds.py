"""What rules intend is done, each once: the intent stands in the store before the call, the outcome after it.

What may have been done is looked for before it is done again; where nothing tells, it is `uncertain`, never repeated.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync_daemon.apply.retry_times import next_try, refused
from sync_daemon.cycle.pair import GHL, Run, log
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.errors import ANSWER_LOST, AnswerLost, CredentialsRefused, Refused, StopSystem, Unreachable
from sync_daemon.model.state import NEVER, Change
from sync_daemon.ports import Actions, Commit
from sync_daemon.reconcile.rule_calls import (
    CONTACT,
    CREATE_NOTE,
    CREATE_TASK,
    Call,
    digest_of,
    note_digests,
    task_digests,
)
from sync_daemon.reconcile.rules import GIVES_UP_AFTER

ACTED = "acted"
CONTACT_GONE = "contact_not_found"
RULE_GONE = "rule_gone"
_LOOKS_BACK = timedelta(days=1)
"""How old a note may be that stands for a deed: far more than the clocks of this machine and of GHL ever differ."""
_LOOKED_FOR = (CREATE_TASK, CREATE_NOTE)


@dataclass(slots=True)
class Doer:
    """Carries deeds out in one cycle, one after the other."""

    run: Run
    actions: Actions
    done: int = field(default=0)

    def do(self, deed: Deed, call: Call) -> None:
        """One deed, whatever became of earlier tries. Raises `StopSystem`; it stays intended then."""
        began = deed.attempts > 0 and deed.state is DeedState.INTENDED
        try:
            if began and self._is_done(deed, call):
                self._end(deed, DeedState.DONE)
            elif began and not self._repeatable(call) and call.operation not in _LOOKED_FOR:
                self._uncertain(deed)
            else:
                self._send(deed, call)
        except CredentialsRefused as error:  # a scope that only this action needs stops no contact
            self._refused(deed, "not_allowed", str(error))
        except Refused as refusal:
            self._refused(deed, refusal.code, refusal.message)

    def give_up(self, deed: Deed, code: str, why: str) -> None:
        """Not to be tried again."""
        self._end(replace(deed, code=code), DeedState.GIVEN_UP, reported=why)

    def refuse(self, deed: Deed, code: str, message: str) -> None:
        """What can't be called now, and why: tried again when its time comes."""
        self._refused(deed, code, message)

    def _send(self, deed: Deed, call: Call) -> None:
        """Call; what must not be called twice is written down as begun before it is."""
        if self._repeatable(call):
            self.actions.call(call.operation, call.values)
            self._end(deed, DeedState.DONE)
            return
        digest = digest_of(call, self.run.pair.digester)
        begun = replace(deed, state=DeedState.INTENDED, attempts=deed.attempts + 1, digest=digest, next_try=None)
        self.run.commit(Commit(deeds=[begun]))
        try:
            self.actions.call(call.operation, call.values)
        except AnswerLost:
            self._after_silence(begun, call)
        except StopSystem as error:
            if not (isinstance(error, Unreachable) and error.maybe_applied):
                self.run.commit(Commit(deeds=[deed]))  # it never got there
            raise
        else:
            self._end(begun, DeedState.DONE)

    def _after_silence(self, deed: Deed, call: Call) -> None:
        """No answer came: what can be looked for is; a next cycle looks again before it sends again."""
        if call.operation not in _LOOKED_FOR:
            self._uncertain(deed)
        elif self._is_done(deed, call):
            self._end(deed, DeedState.DONE)
        else:
            later = next_try(deed.attempts, self.run.pair.clock.now())
            self.run.commit(Commit(deeds=[replace(deed, code=ANSWER_LOST, next_try=later)]))

    def _is_done(self, deed: Deed, call: Call) -> bool:
        """Whether what was sent is there: more such tasks or notes than other deeds account for."""
        contact_id, digester = str(call.values.get(CONTACT, "")), self.run.pair.digester
        since = deed.at - _LOOKS_BACK
        if call.operation == CREATE_TASK:
            there = task_digests(self.actions.tasks(contact_id), contact_id, digester)
        elif call.operation == CREATE_NOTE:
            there = note_digests(self.actions.notes(contact_id), since, contact_id, digester)
        else:
            return False
        return there.count(deed.digest) > self._accounted_for(deed, since)

    def _accounted_for(self, deed: Deed, since: datetime) -> int:
        others = self.run.pair.store.deeds_of([deed.ghl_id])
        return sum(
            one.state is DeedState.DONE and one.digest == deed.digest and one.key != deed.key and one.at >= since
            for one in others
        )

    def _repeatable(self, call: Call) -> bool:
        return self.actions.repeatable(call.operation, call.values)

    def _uncertain(self, deed: Deed) -> None:
        self._end(deed, DeedState.UNCERTAIN, reported="its answer was lost: it may have been done, and isn't repeated")

    def _refused(self, deed: Deed, code: str, message: str) -> None:
        now = self.run.pair.clock.now()
        if code == CONTACT_GONE and now - deed.at >= GIVES_UP_AFTER:
            self.give_up(deed, code, "the GHL contact doesn't exist any more")
            return
        again = refused(deed, code, message, now)
        self._commit(again)
        ids = {"ghl_id": deed.ghl_id, "emailoctopus_id": deed.emailoctopus_id}
        log.warning("rule_refused", pair=self.run.pair.name, **ids, what=deed.what, code=code, attempts=again.attempts)

    def _end(self, deed: Deed, state: DeedState, reported: str = "") -> None:
        code = deed.code if state is DeedState.GIVEN_UP else ""
        ended = replace(deed, state=state, code=code, message="", next_try=NEVER)
        if reported:
            ids = {"ghl_id": deed.ghl_id, "emailoctopus_id": deed.emailoctopus_id}
            log.warning("reported", pair=self.run.pair.name, **ids, what=deed.what, reason=reported)
        else:
            self.done += 1
            self.run.report.written[GHL, ACTED] += 1
        kind = "reported" if reported else "written"
        change = Change(kind, GHL, deed.ghl_id, deed.emailoctopus_id, deed.what, reported or _why(deed))
        self._commit(ended, [change])

    def _commit(self, deed: Deed, changes: Iterable[Change] = ()) -> None:
        self.run.commit(Commit(deeds=[deed], changes=list(changes)))
        if self.run.following is not None:
            self.run.following.came_of(deed)


def _why(deed: Deed) -> str:
    return f"a rule, for what happened at {deed.occurred_at:%Y-%m-%d %H:%M} UTC" if deed.occurred_at else "a rule"

"""A step toward consent, which no lost answer may repeat (contract, section 4)."""

from collections.abc import Callable

from sync_daemon.model.errors import ANSWER_LOST, AnswerLost, Refused
from sync_daemon.model.plan import Operation, Returned


def step_once(operation: Operation, send: Callable[[], Returned], look: Callable[[], Returned]) -> Returned:
    """Take the step; when its answer is lost, look: somebody may have revoked since it was applied.

    `send` raises `AnswerLost` instead of sending again. Raises `Refused` with the code `answer_lost` unless `look`
    shows the consent that was sent.
    """
    try:
        return send()
    except AnswerLost as lost:
        found = look()
        if found.contact is not None and found.contact.consent is operation.consent:
            return found
        raise Refused(ANSWER_LOST, str(lost)) from lost

"""One person explained in a world, and whether what was foretold comes true."""

from collections.abc import Iterable, Mapping

from sync_daemon.cycle.explaining import Question, explain
from sync_daemon.model.audit import ChangeFilter
from sync_daemon.model.errors import StopSystem
from sync_daemon.model.explanation import Explanation, Forecast, PersonNow, State
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.report import Mode
from sync_daemon.model.state import Change
from sync_daemon.model.system import SystemName
from tests.worlds import World

Line = tuple[str, str, str]
"""A system, what was written, and why."""


def explained(here: World, asked: str, unread: Mapping[SystemName, StopSystem] | None = None) -> Explanation:
    """The answer of the world's pair."""
    store, place = here.pair_store, ("main", here.sandbox.location_id, here.sandbox.list_id)
    question = Question(asked, store.schemas(), unread or {})
    return explain(here.pair, question, lambda person: here.store.copy_of_person(*place, person))


def only(here: World, asked: str) -> PersonNow:
    """The one who is meant."""
    (person,) = explained(here, asked).persons
    return person


def states(person: PersonNow) -> set[State]:
    return {one.state for one in person.findings}


def words(person: PersonNow, state: State) -> str:
    """What is said of a state."""
    return "\n".join(one.words for one in person.findings if one.state is state)


def next_of(person: PersonNow) -> Forecast:
    assert person.next_cycle is not None
    return person.next_cycle


def lines_of(operations: Iterable[Operation]) -> set[Line]:
    """What the log will say of operations that were carried out."""
    return {
        (str(operation.system), word, operation.reason)
        for operation in operations
        for word in (
            [*operation.fields, *(["address"] if operation.address else [])]
            if operation.action is Action.UPDATE
            else [str(operation.action)]
        )
    }


def ids_of(person: PersonNow) -> frozenset[str]:
    return frozenset(one.contact_id for one in person.contacts)


def logged(here: World, run_id: str, ids: frozenset[str]) -> set[Line]:
    """What a run did with some contacts: written lines, and all others with their kind."""
    lines = here.pair_store.every_logged(ChangeFilter(run_id=run_id, contacts=ids))
    return set(map(line_of, (one.change for one in lines)))


def line_of(change: Change) -> Line:
    kind = "" if change.kind == "written" else f"{change.kind} "
    return str(change.system), f"{kind}{change.what}", change.reason


def foretold_lines(forecast: Forecast) -> set[Line]:
    """Everything that a run will log if the forecast comes true."""
    return lines_of(forecast.operations) | set(map(line_of, forecast.changes))


def comes_true(here: World, asked: str, mode: Mode = Mode.INCREMENTAL) -> PersonNow:
    """Explain somebody, let the cycle be, and hold what it did with him against what was foretold."""
    person = only(here, asked)
    foretold = person.full_scan if mode is Mode.FULL and person.full_scan is not None else next_of(person)
    here.forget_requests()
    report = here.reconcile(mode)
    assert foretold_lines(foretold) == logged(here, report.run_id, ids_of(person))
    return person

"""Contract, section 7, "One runner": of processes that start together one works, the others say so and leave."""

from tests.kills.theatre import Theatre
from tests.kills.worlds import FIRST_LOAD

_PROCESSES, _ROUNDS = 6, 2


def test_of_processes_that_start_together_exactly_one_works(either_stage: Theatre) -> None:
    for _ in range(_ROUNDS):
        for statuses in either_stage.race(FIRST_LOAD, _PROCESSES):
            assert statuses == [6] * (_PROCESSES - 1) + [0]

"""Runs lives, each by a seed of its own, and says how a broken one is replayed."""

import logging
from collections.abc import Callable
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from sync_daemon.logs import redact
from tests.machine.lives import Lives
from tests.machine.vault import is_race

STEPS = 30
"""Steps of a life."""


def listen() -> None:
    """Let the program log as it does by default, into the machine's ear instead of standard error."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, redact, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(Lives.logs),
        cache_logger_on_first_use=False,
    )


def live(seed: int, *, shrink: bool = False) -> None:
    """One life. Raises what broke in it, with its steps; to `shrink` is to look for fewer that break in the same way.

    Hypothesis begins each run with the emptiest life there is, in which nothing happens; the second one is drawn.
    """
    machine: Any = type("Lives", (Lives,), {})
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    limits = settings(
        max_examples=2,
        stateful_step_count=STEPS,
        phases=phases,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.normal,
        suppress_health_check=list(HealthCheck),
    )
    run: Callable[..., None] = run_state_machine_as_test
    try:
        run(seeded(seed)(machine), settings=limits)
    except BaseException as broken:
        broken.add_note(f"Replay this life with: make lives SEED={seed} LIVES=1{' RACING=1' if is_race() else ''}")
        raise

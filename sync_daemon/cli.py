"""The command line: which commands there are, and what their failures mean to a shell.

Each command is a module of `commands`, imported when it is called: `status` shall not wait for what only
`sandbox` needs.
"""

import os
import select
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Literal, NamedTuple, NoReturn

import structlog
from cyclopts import App, CycloptsError

from sync_daemon import logs
from sync_daemon.commands.exits import BAD_USAGE, INTERRUPTED, TERMINATED, UNEXPECTED, status_of
from sync_daemon.model.errors import SyncError
from sync_daemon.wiring.stopping import end_every_wait, finish_soon, look_anew

_TIME_TO_FINISH_S = 10.0
_finishing: set[int] = set()
"""The signals at which the command that runs finishes the record in hand."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, the way systemd and containers end a process: it stops what Ctrl-C stops."""


def heed_signals() -> None:
    """Let SIGINT and SIGTERM stop this process: what is under way ends, what waits for its turn isn't sent.

    A command that finishes the record in hand at a first signal gets some seconds for it; a second one, or their
    end, ends the process on the spot. A thread of its own does that, as a handler may find the main thread anywhere,
    with any lock in its hands.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_heed, args=(told,), name="signals", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    """Stop what the main thread does, unless its command finishes what it has in hand."""
    if number not in _finishing:
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _look_anew(_number: int, _frame: FrameType | None) -> None:
    """The thread that heeds signals has a service look at its configuration."""


def _heed(told: int) -> None:
    while (number := os.read(told, 1)[0]) == signal.SIGHUP:
        look_anew()
    if number not in _finishing:
        end_every_wait()
        return
    finish_soon()
    again = b"SIGTERM" if number == signal.SIGTERM else b"Ctrl-C"
    os.write(2, b"Told to stop: the record in hand is finished and stored. A second %s ends it on the spot.\n" % again)
    select.select([told], [], [], _TIME_TO_FINISH_S)
    _end_on_the_spot()


def _end_on_the_spot() -> NoReturn:
    os.write(2, b"Ended on the spot. What was done is stored; the pair is free again within 30 seconds.\n")
    os._exit(TERMINATED)


class _Command(NamedTuple):
    """Where a command lives, what it does, and how it is called."""

    target: str
    summary: str
    example: str
    finishes_at: tuple[int, ...] = ()
    """The signals at the first of which it finishes the record in hand, and ends well."""


_COMMANDS = {
    "demo": _Command(
        "demo.command:demo", "See it at work between two local sandboxes: no account, no network.", "sync-daemon demo"
    ),
    "sandbox": _Command(
        "sandbox:sandbox",
        "Run both APIs locally, to try out a configuration.",
        "sync-daemon sandbox --write-config sandbox.yaml",
    ),
    "init": _Command(
        "init.command:init",
        "Write a configuration: asks for two credentials, proposes a mapping, shows a first plan.",
        "sync-daemon init",
    ),
    "check": _Command(
        "check.command:check",
        "Say what is wrong with a configuration, and how to mend it; changes nothing.",
        "sync-daemon check",
    ),
    "plan": _Command(
        "plan:plan",
        "Show what reconcile would write, record by record; writes nothing.",
        "sync-daemon plan --full --json > plan.json",
    ),
    "reconcile": _Command(
        "reconcile:reconcile",
        "One cycle, now: read both sides, write what differs.",
        "sync-daemon reconcile --pair main --wait 60",
        finishes_at=(signal.SIGTERM,),
    ),
    "export-csv": _Command(
        "export_csv:export_csv",
        "Write who would be created in EmailOctopus as the CSV its dashboard imports: fast for a first load.",
        "sync-daemon export-csv --out first-load.csv",
    ),
    "run": _Command(
        "run:run",
        "The service: keeps both sides equal by webhooks and polls, until it is stopped.",
        "sync-daemon run --config config/sync.yaml",
        finishes_at=(signal.SIGTERM, signal.SIGINT),
    ),
    "worker": _Command(
        "worker:worker",
        "One of several processes that share the work of many pairs over PostgreSQL.",
        "sync-daemon worker --concurrency 16",
        finishes_at=(signal.SIGTERM, signal.SIGINT),
    ),
    "password": _Command(
        "password:password",
        "Make the line that lets somebody sign in to the dashboard.",
        "sync-daemon password ada --role reader",
    ),
    "status": _Command(
        "status:status",
        "Show pairs, their last runs, how far they have read, and what waits.",
        "sync-daemon status --json | jq '.pairs[0].parked'",
    ),
    "explain": _Command(
        "explain.command:explain",
        "Show one person: both sides, what was agreed, and what the next cycle does and why; changes nothing.",
        "sync-daemon explain ada@example.com",
    ),
    "changes": _Command(
        "changes:changes",
        "Show the audit log: by run, contact, field, system and time; or export it.",
        "sync-daemon changes --contact ada@example.com --since 2026-11-01",
    ),
    "pause": _Command(
        "pause:pause",
        "Have nothing of a pair read or written until it is resumed; what webhooks tell is kept.",
        "sync-daemon pause --pair main",
    ),
    "resume": _Command(
        "resume:resume", "Let paused pairs go on: what waited is worked off.", "sync-daemon resume --pair main"
    ),
    "forget": _Command(
        "forget.command:forget",
        "Erase every trace of a person from the state store; skip him in both systems from then on.",
        "sync-daemon forget ada@example.com",
    ),
    "undo": _Command(
        "undo:undo",
        "Take back what a run wrote, where it is still what it wrote; shows it and asks first.",
        "sync-daemon undo 20261101T120000-3f9a1c",
        finishes_at=(signal.SIGTERM,),
    ),
    "adopt": _Command(
        "adopt:adopt",
        "Keep the links that still hold after a changed location, list or secret_key; asks first.",
        "sync-daemon adopt --pair main",
    ),
    "reset": _Command(
        "reset:reset",
        "Drop a pair's links, baselines and watermarks, to start anew; asks first.",
        "sync-daemon reset --pair main",
    ),
}


def application() -> App:
    """The command line as cyclopts knows it."""
    app = App(
        name="sync-daemon",
        help="Keeps GoHighLevel contacts and an EmailOctopus list equal, both ways, without losing a consent.",
        help_epilogue="Start with: sync-daemon demo",
        version=lambda: version("sync-daemon"),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for name, one in _COMMANDS.items():
        target = f"sync_daemon.commands.{one.target}"
        app.command(target, name=name, help=one.summary, help_epilogue=f"Example: {one.example}")
    app.command(
        "sync_daemon.commands.held:app",
        name="held",
        help="Show changes that wait for a person: list; and say what is to be done: approve, discard.",
    )
    app.command("sync_daemon.commands.parked:app", name="parked", help="What was refused and waits: list, retry, drop.")
    app.command(
        "sync_daemon.commands.ghl.command:app",
        name="ghl",
        help="GoHighLevel's operations, by hand: list, describe, call.",
    )
    app.command(
        "sync_daemon.commands.rules:app",
        name="rules",
        help="What people do in EmailOctopus as actions in GHL: test what rules would do.",
    )
    app.command(
        "sync_daemon.commands.oauth.command:app",
        name="oauth",
        help="Logins at GoHighLevel with a Marketplace app: login, list, revoke.",
    )
    app.command(
        "sync_daemon.commands.pairs.command:app",
        name="pairs",
        help="Which pairs there are: list; those in the database: add, edit, remove, import.",
    )
    app.command("sync_daemon.commands.db:app", name="db", help="The state store's database: upgrade, current, copy.")
    app.command(
        completion,
        help_epilogue="Example: sync-daemon completion bash > ~/.local/share/bash-completion/completions/sync-daemon",
    )
    return app


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the script with which a shell completes commands and options; it asks this program nothing."""
    sys.stdout.write(application().generate_completion(shell=shell))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status; whatever a user can cause ends without a stack trace."""
    _open_what_was_closed()
    try:
        logs.configure()
        given = _options_last(arguments)
        if given and given[0] in _COMMANDS:
            _finishing.update(_COMMANDS[given[0]].finishes_at)
            if signal.SIGINT in _finishing:  # what goes on until it is told to stop
                signal.signal(signal.SIGHUP, _look_anew)
        outcome = application()(given, exit_on_error=False)
        sys.stdout.flush()
    except CycloptsError:
        return BAD_USAGE  # cyclopts has said what is wrong
    except SyncError as error:
        _complain(error.shown)
        return status_of(error)
    except KeyboardInterrupt as stopped:
        _complain("Stopped. What was done is stored; the next run goes on from there.")
        return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED
    except BrokenPipeError:
        _give_up_the_answer()  # who read it has left
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001 - the last resort of the process: it is logged, and is the exit status
        if isinstance(error, OSError) and (why := _refusal_of_the_answer()) is not None:
            _complain(f"The answer can't be written to standard output: {why}. What was done until then is stored.")
            _give_up_the_answer()
            return UNEXPECTED
        structlog.get_logger().exception("unexpected_failure")
        _complain("This should not have happened. Please report it together with the lines above.")
        return UNEXPECTED
    return outcome if isinstance(outcome, int) else 0


def _open_what_was_closed() -> None:
    """Let `>&-` mean what `>/dev/null` means; Python leaves None in the place of a closed stream."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _refusal_of_the_answer() -> str | None:
    """Why standard output takes nothing, None when it does: tried with one line more, as nothing may wait any more."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        return error.strerror
    return None


def _give_up_the_answer() -> None:
    """Let what nobody takes go nowhere; Python would complain again while it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _options_last(arguments: list[str]) -> list[str]:
    """Let `sync-daemon --config FILE status` mean `sync-daemon status --config FILE`."""
    if arguments[:1] == ["--config"]:
        return [*arguments[2:], *arguments[:2]]
    if arguments and arguments[0].startswith("--config="):
        return [*arguments[1:], arguments[0]]
    return arguments


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")

"""Plays a world with a real process in it, killed where it is told, and tells what became of everything."""

import json
import re
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from signal import SIGKILL
from typing import Any, Protocol

from sqlalchemy import func, select, update

from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.sandbox.request_log import Exchange
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, serve
from sync_daemon.store import tables
from sync_daemon.store.engine import open_engine, reading, writing
from tests.e2e.trial import ROOT, SEARCHES, WRITES, let_leases_run_out
from tests.kills.forking import DEATH, ID, KEY, Point
from tests.kills.worlds import KillWorld
from tests.twins import twin_of

SECRET = f"secret_key: {'a secret for tests ' * 2}\n"
_TRIES = 20
"""How often a point is tried: which thread comes first decides about a commit more or less; one run in three has it."""
_DONE, _HELD = 0, 5
"""How a cycle ends that nobody kills: with nothing left, or with what waits for a person."""
_ONCE = re.compile(
    r"POST \S+/contacts/?$|POST /contacts/$|DELETE \S*/contacts/\*$|POST \S+/queue$|POST \S+/(?:notes|tasks)$"
)
Rows = list[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class End:
    """All that anybody can see of both systems but ids and times, and what the store knows about whom."""

    ghl: Rows
    emailoctopus: Rows
    links: Rows
    unlinked: Rows
    journal: Rows
    left_over: Rows
    once: Rows
    """How often something was made, deleted or started: what can't be repeated without harm."""
    started: Rows
    """Who entered which automation."""
    acted: Rows
    """The tasks and notes of everybody in GHL."""


class Databases(Protocol):
    """Gives one database after the other, by its URL; the one before is no more."""

    def emptied_database(self) -> str:
        """One with all tables, as good as new."""

    def keep(self) -> str:
        """Keep what the present one holds; a name for it."""

    def restored_database(self, kept: str) -> str:
        """One that holds what was kept."""


class SqliteFiles:
    """`Databases` that are files of a folder."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template, self._folder = template, folder

    def emptied_database(self) -> str:
        return self._copy_of(self._template)

    def keep(self) -> str:
        kept = self._folder / f"kept-{len(list(self._folder.glob('kept-*')))}.db"
        shutil.copyfile(self._folder / "sync.db", kept)
        return str(kept)

    def restored_database(self, kept: str) -> str:
        return self._copy_of(Path(kept))

    def _copy_of(self, source: Path) -> str:
        path = self._folder / "sync.db"
        for old in self._folder.glob("sync.db*"):
            old.unlink()
        shutil.copyfile(source, path)
        return f"sqlite:///{path}"


class Unreached(Exception):
    """Runs came to their end without the point at which they were to be killed."""


class _Board:
    """An application that can be changed behind its server."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


Forking = subprocess.Popen[str]


@contextmanager
def forking() -> Iterator[Forking]:
    """The process that forks the program, for one theatre after the other: it imports for three seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kills.forking"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate()


class Theatre:
    """Two servers that outlive the worlds behind them, and the process that forks the program."""

    def __init__(
        self,
        folder: Path,
        databases: Databases,
        urls: tuple[str, str],
        boards: Sequence[_Board],
        forking: Forking,
        *,
        racing: bool = False,
    ) -> None:
        self._racing = racing
        self._folder = folder
        self._databases = databases
        self._urls = urls
        self._boards = boards
        self._forking = forking
        self._database = ""
        self._cycle = ["reconcile"]
        self._sandbox = Sandbox()
        self._kept: dict[str, tuple[Sandbox, str]] = {}
        self._undisturbed: dict[str, tuple[list[Point], End]] = {}

    def undisturbed(self, world: KillWorld) -> tuple[list[Point], End]:
        """Every point of the world's last cycle, and how it ends when nobody kills it; played once."""
        if world.name not in self._undisturbed:
            self._undisturbed[world.name] = self._left_alone(world)
        return self._undisturbed[world.name]

    def _left_alone(self, world: KillWorld) -> tuple[list[Point], End]:
        self._prepare(world)
        self._finish()
        seen: dict[str, int] = json.loads((self._folder / "points").read_text(encoding="utf-8"))
        self._settle(world)
        points = [(name, number) for name, count in sorted(seen.items()) for number in range(1, count + 1)]
        return points, self._end()

    def killed_at(self, world: KillWorld, point: Point, then: Point | None = None) -> End:
        """How the world ends when its last cycle is killed at a point, and a later one is left alone.

        With `then` the cycle after the first kill is killed there, if it comes there. Where processes race, two start
        each of these together, and the one that lives takes over. The cycle after all that must write nothing. Raises
        `Unreached` when the first cycle keeps ending without its point.
        """
        for _ in range(_TRIES):
            self._prepare(world)
            if self._dies(point):
                break
        else:
            raise Unreached(f"{_TRIES} runs ended without it")
        if then is not None:
            self._dies(then)
        self._finish()
        self._settle(world)
        end = self._end()
        self._forget_requests()
        self._finish()
        if writes := self._writes():
            raise AssertionError(f"the cycle after it isn't quiet: {writes}")
        return end

    def race(self, world: KillWorld, processes: int) -> list[list[int]]:
        """The exit statuses of processes that start together in each of two cycles, in the order of their ends.

        Whoever begins to read GHL waits there until all others have ended.
        """
        self._prepare(world)
        return [self._together(processes), self._together(processes)]

    def _together(self, processes: int) -> list[int]:
        key = self._folder / KEY
        key.unlink(missing_ok=True)
        self._order(None, processes, closed="before ghl POST /contacts/search")
        ended = [self._ended() for _ in range(processes - 1)]
        key.touch()
        return [*ended, self._ended()]

    def _dies(self, point: Point) -> bool:
        """Whether a cycle comes to a point, where it is killed; its lease has run out afterwards."""
        if self._racing:
            return self._one_dies(point)
        status = self._run(point)
        if status in (_DONE, _HELD):
            return False
        assert status == -SIGKILL, f"exit status {status}:\n{self._said()}"
        let_leases_run_out(self._database)
        return True

    def _one_dies(self, point: Point) -> bool:
        """Whether one of two that start together is killed at a point; the other one comes to its end, in any case."""
        (self._folder / DEATH).unlink(missing_ok=True)
        self._order(point, processes=2, command=[*self._cycle, "--wait", "60"])
        ended = self._ended()
        let_leases_run_out(self._database)
        statuses = {ended, self._ended()}
        let_leases_run_out(self._database)
        assert statuses <= {_DONE, _HELD, -SIGKILL}, f"exit statuses {statuses}:\n{self._said()}"
        assert statuses != {-SIGKILL}, "both died"
        return -SIGKILL in statuses

    def _prepare(self, world: KillWorld) -> None:
        """Everything as it is before the world's last cycle, which is made once and kept for the next time."""
        if (kept := self._kept.get(world.name)) is not None:
            sandbox, database = kept
            self._database = self._databases.restored_database(database)
            self._open(twin_of(sandbox), world)
            return
        self._database = self._databases.emptied_database()
        self._open(Sandbox(seed=1), world)
        for act in world.acts[:-1]:
            act(self._sandbox)
            self._finish()
        if world.order:
            assert self._run(None, world.order) == _DONE, self._said()
        world.acts[-1](self._sandbox)
        if world.looks_are_due:
            _let_looks_be_due(self._database)
        self._kept[world.name] = twin_of(self._sandbox), self._databases.keep()

    def _open(self, sandbox: Sandbox, world: KillWorld) -> None:
        """Put a sandbox behind the servers, and the configuration for it on the disk."""
        self._sandbox = sandbox
        self._cycle = ["reconcile", *(["--full"] if world.full else [])]
        for board, app in zip(self._boards, (sandbox.ghl_app, sandbox.emailoctopus_app), strict=True):
            board.app = app
        text = SECRET + configuration(RunningSandbox(sandbox, *self._urls), self._database) + world.settings
        (self._folder / "sync.yaml").write_text(text, encoding="utf-8")

    def _settle(self, world: KillWorld) -> None:
        """The cycles after the one that nobody kills, until all that it did has travelled."""
        for _ in range(world.settles - 1):
            self._finish()

    def _finish(self) -> None:
        status = self._run(None)
        assert status in (_DONE, _HELD), f"exit status {status}:\n{self._said()}"

    def _run(self, at: Point | None, command: Sequence[str] | None = None) -> int:
        self._order(at, command=command)
        return self._ended()

    def _order(
        self, at: Point | None, processes: int = 1, closed: str | None = None, command: Sequence[str] | None = None
    ) -> None:
        """Let so many processes start: cycles, unless another command is given."""
        order = {
            "folder": str(self._folder),
            "arguments": [*(command or self._cycle), "--config", "sync.yaml"],
            "at": at,
            "closed": closed,
            "processes": processes,
        }
        assert self._forking.stdin is not None
        self._forking.stdin.write(json.dumps(order) + "\n")
        self._forking.stdin.flush()

    def _ended(self) -> int:
        """The exit status of the next one that ends."""
        assert self._forking.stdout is not None
        return int(self._forking.stdout.readline())

    def _said(self) -> str:
        return "".join((self._folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))

    def _exchanges(self) -> list[Exchange]:
        return [*self._sandbox.ghl.log.exchanges(), *self._sandbox.emailoctopus.log.exchanges()]

    def _writes(self) -> list[str]:
        return [
            f"{one.method} {one.path}"
            for one in self._exchanges()
            if one.method in WRITES and not SEARCHES.search(one.path)
        ]

    def _forget_requests(self) -> None:
        self._sandbox.ghl.log.clear()
        self._sandbox.emailoctopus.log.clear()

    def _end(self) -> End:
        ghl = {one.id: one for one in self._sandbox.ghl.world.contacts}
        emailoctopus = {one.id: one for one in self._sandbox.emailoctopus.world.lists[self._sandbox.list_id].contacts}
        who: dict[str | None, str] = {
            **{one.id: f"{one.email} {one.fields.get('firstName')}" for one in ghl.values()},
            **{one.id: one.email_address for one in emailoctopus.values()},
            "": "",
            None: "",
        }
        return End(
            _sorted(
                (one.email, one.phone, _items(one.fields), _items(one.custom), sorted(one.tags), one.dnd,
                 _items(one.dnd_settings))
                for one in ghl.values()
            ),
            _sorted(
                (one.email_address, one.status, _items(one.fields), sorted(one.tags)) for one in emailoctopus.values()
            ),
            *_remembered(self._database, who),
            _sorted(Counter(what for one in self._exchanges() if (what := _done_once(one)) is not None).items()),
            _sorted(
                (who.get(one.contact_id, "gone"), one.automation_id)
                for one in self._sandbox.emailoctopus.world.automations.starts
            ),
            _sorted(
                (who[contact_id], said)
                for ghl_id in ghl
                for contact_id, said in (
                    *((task.contact_id, task.title) for task in self._sandbox.ghl.world.tasks.of(ghl_id)),
                    *((note.contact_id, note.body) for note in self._sandbox.ghl.world.notes.of(ghl_id)),
                )
            ),
        )  # fmt: skip


def _remembered(database_url: str, who: dict[Any, str]) -> tuple[Rows, Rows, Rows, Rows]:
    """The links, those without one, what is kept for ever, and what should be gone: inbox, parked, held, lease."""
    link, contact, tombstone, held = tables.links.c, tables.contacts.c, tables.tombstones.c, tables.held.c
    deed, activity = tables.deeds.c, tables.activity.c
    engine = open_engine(database_url)
    with reading(engine) as connection:
        links = connection.execute(
            select(link.ghl_id, link.emailoctopus_id, link.cause, link.dnd_by_us, link.in_scope, link.consent_held)
        ).all()
        unlinked = connection.execute(
            select(contact.contact_id, contact.unlinked, contact.duplicate_of).where(contact.unlinked.is_not(None))
        ).all()
        journal = [
            *((who.get(row[0], "gone"), who.get(row[1], "gone"), *row[2:]) for row in connection.execute(
                select(tombstone.ghl_id, tombstone.emailoctopus_id, tombstone.deleted_in, tombstone.done,
                       tombstone.consent)).all()),
            *map(tuple, connection.execute(select(tables.revocations.c.cause)).all()),
            *map(tuple, connection.execute(select(tables.mass_changes.c.kind, func.sum(tables.mass_changes.c.changes))
                                           .group_by(tables.mass_changes.c.kind)).all()),
            *((who.get(row[0], "gone"), *row[1:]) for row in connection.execute(
                select(deed.ghl_id, deed.what, deed.state, deed.code)).all()),
            *((who.get(row[0], "gone"), row[1] is not None, row[2] is not None, row[3] is not None)
              for row in connection.execute(
                  select(activity.ghl_id, activity.open_tasks, activity.completed_task, activity.note)).all()),
        ]  # fmt: skip
        event = tables.events.c
        unjudged = connection.execute(
            select(event.contact_id, event.engagement).where(event.engagement.is_not(None), event.judged_at.is_(None))
        ).all()
        left = [
            (table.name, *row)
            for table in (tables.inbox, tables.parked)
            for row in connection.execute(select(table)).all()
        ]
        left += [
            ("held", who.get(row[0], "gone"), who.get(row[1], "gone"), *row[2:])
            for row in connection.execute(
                select(held.ghl_id, held.emailoctopus_id, held.action, held.approved, held.discarded)
            ).all()
        ]
        left += [("not judged", who.get(row.contact_id, "gone"), row.engagement) for row in unjudged]
        left += [("lease", row.holder) for row in connection.execute(select(tables.leases)).all() if row.holder]
    engine.dispose()
    return (
        _sorted((who.get(row[0], "gone"), who.get(row[1], "gone"), *row[2:]) for row in links),
        _sorted((who.get(row[0], "gone"), row[1], who.get(row[2], "gone")) for row in unlinked),
        _sorted(journal),
        left,
    )


def _done_once(exchange: Exchange) -> str | None:
    """Which creation, deletion or start a system carried out; None where it did something else, or nothing."""
    done = exchange.status is not None and exchange.status < 300
    what = f"{exchange.method} {ID.sub('*', exchange.path)}"
    return what if done and _ONCE.search(what) else None


def _let_looks_be_due(database_url: str) -> None:
    """What the clock does in two hours."""
    engine = open_engine(database_url)
    with writing(engine) as connection:
        connection.execute(update(tables.lookups).values(at=tables.lookups.c.at - 2 * 3600 * 1_000_000))
    engine.dispose()


def _items(values: Any) -> list[tuple[str, str]]:
    return sorted((str(name), str(value)) for name, value in dict(values).items())


def _sorted(rows: Any) -> Rows:
    return sorted(rows, key=str)


@contextmanager
def theatre(folder: Path, databases: Databases, forking: Forking, *, racing: bool = False) -> Iterator[Theatre]:
    """A theatre over databases of one kind, as long as the context lasts; `racing`: with two processes at a time."""
    boards = (_Board(), _Board())
    with ExitStack() as stack:
        ghl, emailoctopus = (stack.enter_context(serve(board)) for board in boards)
        yield Theatre(folder, databases, (ghl, emailoctopus), boards, forking, racing=racing)


def differences(expected: End, found: End) -> list[str]:
    """What one end has and the other hasn't, row by row; nothing when they are equal."""
    told: list[str] = []
    for part in fields(End):
        before, after = (Counter(map(str, getattr(one, part.name))) for one in (expected, found))
        told += [f"{part.name}: missing {row}" for row in (before - after).elements()]
        told += [f"{part.name}: instead {row}" for row in (after - before).elements()]
    return told


def troubles(stage: Theatre, world: KillWorld, expected: End, point: Point, then: Point | None = None) -> list[str]:
    """What is wrong after a kill at a point, or after two; nothing when all ends as if nobody had been killed."""
    where = f"{world.name}: killed at {point}" + (f", then at {then}" if then else "")
    try:
        wrong = differences(expected, stage.killed_at(world, point, then))
    except (AssertionError, Unreached) as error:
        wrong = [str(error)]
    return [f"{where}: {what}" for what in wrong]


def share(point: Point, of: int) -> int:
    """Which of some shares a point belongs to, the same in every process."""
    return zlib.crc32(repr(point).encode()) % of

"""A whole small world for scenarios: both sandboxes, one pair, one state store, one clock that tests move."""

import atexit
import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import Engine, QueuePool, select, text

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle import Lease, Pair, PairPlan, Timing, plan, reconcile
from sync_daemon.model.activity import ActivityPolicy
from sync_daemon.model.planned import Followed
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.policy import FieldRule, PairPolicy
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore, Progress, System
from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.middleware import ConnectionLostError
from sync_daemon.sandbox.request_log import Exchange
from sync_daemon.sandbox.server import Sandbox, serve
from sync_daemon.sandbox.weather import Fault
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine, reading
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import metadata
from sync_daemon.systems.emailoctopus import system as emailoctopus_system
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.ghl import system as ghl_system
from sync_daemon.systems.ghl.settings import GhlSettings
from tests.sandbox.inprocess import ask

SECRET = "a secret for tests, long enough to be one"
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
NAMES = (
    FieldRule("firstName", "FirstName"),
    FieldRule("lastName", "LastName"),
)


class VirtualClock:
    """The program's clock on the sandbox's time: waiting moves it."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._lock = Lock()

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        # Never 0, so that "not yet" can be told from "at the start".
        return self._clock.monotonic() + 1.0

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._clock.advance(max(seconds, 0.001))


class NoProgress:
    def pages_read(self, system: SystemName, records: int) -> None: ...

    def records_planned(self, records: int) -> None: ...

    def planned(self, system: SystemName, requests: int) -> None: ...

    def foreseen(self, system: SystemName, requests: int) -> None: ...

    def sent(self, system: SystemName, requests: int) -> None: ...

    def writes_done(self, system: SystemName, writes: int) -> None: ...


class Meanwhile(NoProgress):
    """Lets the outside act once, between a cycle's reading and its first write."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    def planned(self, system: SystemName, requests: int) -> None:
        del system
        if requests and self._act is not None:
            act, self._act = self._act, None
            act()


class CutOff(BaseException):
    """What ends a cycle in the middle; nothing in the program catches it."""


def _cut_off() -> None:
    raise CutOff


class InProcess(httpx.BaseTransport):
    """Requests straight into a sandbox application, without sockets.

    None may go out while its sender, which does one thing after another, has a connection to the database in its
    hands: a transaction would be open as long as a system takes to answer.
    """

    def __init__(self, app: Any, engine: Engine) -> None:
        self._app = app
        self._engine = engine
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        held = cast("QueuePool", self._engine.pool).checkedout()
        assert held == 0, f"{held} connections to the database are held during {request.method} {request.url.path}"
        body = request.read()
        url = request.url.raw_path.decode("ascii")
        with self._lock:
            try:
                answer = ask(self._app, request.method, url, json.loads(body) if body else None, dict(request.headers))
            except ConnectionLostError as error:
                raise httpx.ReadError("the connection broke", request=request) from error
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content, request=request)


@dataclass
class World:
    """What a scenario plays with. `ghl` and `emailoctopus` are the outside world's hands."""

    sandbox: Sandbox
    clock: ManualClock
    pair: Pair
    store: StateStore
    connect: Callable[..., Mapping[SystemName, System]]
    engine: Engine
    reports: list[CycleReport] = field(default_factory=list)

    @property
    def ghl(self) -> Any:
        return self.sandbox.ghl.world

    @property
    def emailoctopus(self) -> Any:
        return self.sandbox.emailoctopus.world

    @property
    def pair_store(self) -> PairStore:
        return self.pair.store

    # the program

    def reconcile(self, mode: Mode = Mode.INCREMENTAL, *, apply_scope: bool = False) -> CycleReport:
        report = reconcile(self.pair, mode, apply_scope=apply_scope)
        self.reports.append(report)
        return report

    def another_process(self) -> Pair:
        """The same pair as another process has it open."""
        lease = Lease(self.pair.name, self.pair_store, "another process", self.pair.clock)
        return replace(self.pair, lease=lease, systems=self.connect(lease), progress=NoProgress())

    def with_store(self, pair_store: PairStore) -> None:
        """Go on with another state store, and with its lease."""
        lease = Lease(self.pair.name, pair_store, "tests", self.pair.clock)
        self.pair = replace(self.pair, store=pair_store, lease=lease, systems=self.connect(lease))

    def full(self) -> CycleReport:
        return self.reconcile(Mode.FULL)

    def plan(self, mode: Mode = Mode.INCREMENTAL, *, apply_scope: bool = False) -> PairPlan:
        return plan(self.pair, mode, apply_scope=apply_scope)

    def foresee(self, mode: Mode = Mode.INCREMENTAL, *, apply_scope: bool = False) -> PlannedPair:
        """A plan as `plan --out` makes it."""
        return self.looked_ahead(mode, apply_scope=apply_scope)[0]

    def looked_ahead(self, mode: Mode = Mode.INCREMENTAL, *, apply_scope: bool = False) -> tuple[PlannedPair, PairPlan]:
        """A plan made on a private copy of the state: as it stands in a file, and with its values."""
        with self.store.private_copy("main") as copy:
            pair_store = copy.open_pair("main", self.sandbox.location_id, self.sandbox.list_id)
            lease = Lease("main", pair_store, "tests", self.pair.clock)
            private = replace(self.pair, store=pair_store, lease=lease, systems=self.connect(lease))
            made = plan(private, mode, apply_scope=apply_scope)
        return PlannedPair("main", made.report.mode, apply_scope, "location", "list", b"", made.planned), made

    def follow(self, planned: PlannedPair) -> tuple[CycleReport, Followed]:
        """A cycle that carries out a plan and nothing else, and what came of the plan."""
        report = reconcile(replace(self.pair, plan=planned), planned.mode, apply_scope=planned.apply_scope)
        self.reports.append(report)
        assert report.plan is not None
        return report, report.plan

    def later(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration).total_seconds())

    def settle(self, cycles: int = 4) -> CycleReport:
        """Cycles a little apart, until nothing is written any more."""
        for _ in range(cycles):
            self.later(minutes=11)
            report = self.reconcile()
            if not report.written:
                return report
        raise AssertionError(f"still writing after {cycles} cycles: {report.written}")

    def linked(self, email: str = "ada@example.com", first: str = "Ada", **fields: Any) -> tuple[str, str]:
        """Somebody in GHL and, by a first cycle, in EmailOctopus too; both ids. The logs start anew."""
        ghl_id = self.person(email, first, **fields)
        self.reconcile()
        self.forget_requests()
        return ghl_id, str(self.in_emailoctopus(email)["id"])

    def assert_quiet(self) -> CycleReport:
        """A further cycle finds nothing to write (contract, law L2)."""
        self.later(minutes=11)
        self.forget_requests()
        report = self.reconcile()
        assert not report.written, report.written
        assert self.writes(GHL) + self.writes(EMAILOCTOPUS) == []
        return report

    def before_writing(self, act: Callable[[], object]) -> None:
        """Let the outside do something when a cycle has read everything and is about to write."""
        self.pair = replace(self.pair, progress=Meanwhile(act))

    def cut_off(self, mode: Mode = Mode.INCREMENTAL) -> None:
        """A cycle that ends, as by a power cut, when its first write has been written down and is about to be sent."""
        self.before_writing(_cut_off)
        with pytest.raises(CutOff):
            self.reconcile(mode)

    def forget_requests(self) -> None:
        for context in (self.sandbox.ghl, self.sandbox.emailoctopus):
            context.log.clear()

    def with_policy(self, **changes: Any) -> None:
        self.pair = replace(self.pair, policy=replace(self.pair.policy, **changes))

    # the outside

    def fault(self, system: SystemName, **what: Any) -> None:
        """Let one request to a system go wrong, or as many as `times` says."""
        context = self.sandbox.ghl if system is GHL else self.sandbox.emailoctopus
        context.weather.faults.append(Fault(**what))

    def person(self, email: str | None, first: str = "Ada", last: str = "Lovelace", **fields: Any) -> str:
        """A contact in GHL; its id."""
        self.clock.advance(1)
        given = {"email": email} if email is not None else {}
        return str(self.ghl.create(firstName=first, lastName=last, **given, **fields).id)

    def subscriber(
        self, email: str, first: str = "Ada", last: str = "Lovelace", tags: list[str] | None = None, **rest: Any
    ) -> str:
        """A contact in EmailOctopus; its id."""
        self.clock.advance(1)
        fields = {"FirstName": first, "LastName": last, **rest.pop("fields", {})}
        fields = {name: value for name, value in fields.items() if value}
        return str(self.emailoctopus.add(self.sandbox.list_id, email, fields, tags, **rest).id)

    def edit_person(self, contact_id: str, **fields: Any) -> None:
        self.clock.advance(1)
        self.ghl.edit(contact_id, **fields)

    def edit_subscriber(self, contact_id: str, **fields: Any) -> None:
        self.clock.advance(1)
        self.emailoctopus.edit(contact_id, fields)

    # what is there

    def people(self) -> dict[str, dict[str, Any]]:
        """GHL's contacts by id, as GET answers."""
        return {str(row["id"]): row for row in state_of(self.sandbox.ghl_app)}

    def in_ghl(self, email: str) -> dict[str, Any]:
        found = [row for row in self.people().values() if (row.get("email") or "").lower() == email]
        assert len(found) == 1, f"{len(found)} GHL contacts with the address"
        return found[0]

    def subscribers(self) -> dict[str, dict[str, Any]]:
        return {str(row["id"]): row for row in state_of(self.sandbox.emailoctopus_app)}

    def in_emailoctopus(self, email: str) -> dict[str, Any]:
        found = [row for row in self.subscribers().values() if row["email_address"].lower() == email]
        assert len(found) == 1, f"{len(found)} EmailOctopus contacts with the address"
        return found[0]

    def blocked(self, email: str) -> bool:
        """Whether GHL's only contact with an address has e-mail DND."""
        return self.blocks(str(self.in_ghl(email)["id"]))

    def blocks(self, contact_id: str) -> bool:
        """Whether a GHL contact has e-mail DND, its own or for all channels."""
        row = self.people()[contact_id]
        channel = (row.get("dndSettings") or {}).get("Email") or {}
        return bool(row.get("dnd")) or channel.get("status") in ("active", "permanent")

    def status(self, email: str) -> str:
        """The status of EmailOctopus's contact with an address."""
        return str(self.in_emailoctopus(email)["status"])

    def has(self, system: SystemName, email: str) -> bool:
        rows = self.people().values() if system is GHL else self.subscribers().values()
        return any((row.get("email") or row.get("email_address") or "").lower() == email for row in rows)

    def requests(self, system: SystemName) -> list[tuple[str, str]]:
        """Method and path of each request since the last call."""
        context = self.sandbox.ghl if system is GHL else self.sandbox.emailoctopus
        entries = [(exchange.method, exchange.path) for exchange in context.log.exchanges()]
        context.log.clear()
        return entries

    def writes(self, system: SystemName) -> list[tuple[str, str]]:
        """Method and path of each request since the last call that could change something."""
        return [(exchange.method, exchange.path) for exchange in self._written(system)]

    def bodies(self, system: SystemName) -> list[Any]:
        """The bodies of the requests since the last call that could change something."""
        return [exchange.request for exchange in self._written(system)]

    def _written(self, system: SystemName) -> list[Exchange]:
        context = self.sandbox.ghl if system is GHL else self.sandbox.emailoctopus
        exchanges = context.log.exchanges()
        context.log.clear()
        return [one for one in exchanges if one.method != "GET" and not one.path.endswith("/contacts/search")]


def neighbours(here: World, number: int = 3, **fields: Any) -> list[tuple[str, str]]:
    """Further people with a link: where most of those known are missing, a scan proves nothing."""
    ids = [here.person(f"neighbour{each}@example.com", f"N{each}", **fields) for each in range(number)]
    here.reconcile()
    here.forget_requests()
    return [(one, here.pair_store.links(ghl=[one])[0].emailoctopus_id) for one in ids]


def tombstones(here: World) -> list[Any]:
    """The rows of every tombstone."""
    with reading(here.engine) as connection:
        return list(connection.execute(select(metadata.tables["tombstones"]).order_by(text("id"))).all())


def state_of(app: Any) -> Any:
    return ask(app, "GET", "/_sandbox/contacts").json()


@functools.cache
def _engine(database_url: str) -> Engine:
    """One for all tests of a database, as it keeps the statements it has compiled."""
    return open_engine(database_url)


@contextmanager
def world(
    database_url: str,
    *,
    fields: tuple[FieldRule, ...] = NAMES,
    sockets: bool = False,
    double_opt_in: bool = False,
    progress: Progress | None = None,
    limits: bool = False,
    prepare: Callable[[Sandbox], None] | None = None,
    activity: ActivityPolicy | None = None,
    keeps_undo: bool = False,
    **policy: Any,
) -> Iterator[World]:
    """A world over a migrated database, limits off unless asked for.

    Requests go straight into the sandbox's applications, one after another, or over real `sockets`, as many at once as
    the program likes, which takes a third more CPU: that is for scenarios about the wire, about who reads and writes
    at the same time, and about the laws.
    """
    clock = ManualClock()
    sandbox = Sandbox(seed=1, clock=clock)
    sandbox.ghl.limiter.settings.enabled = sandbox.emailoctopus.limiter.settings.enabled = limits
    sandbox.ghl.log.recording = sandbox.emailoctopus.log.recording = True
    if double_opt_in:
        sandbox.emailoctopus.world.set_double_opt_in(sandbox.list_id, double_opt_in=True)
    if prepare is not None:
        prepare(sandbox)
    program_clock = VirtualClock(clock)
    with ExitStack() as stack:
        urls = {GHL: "http://ghl.invalid", EMAILOCTOPUS: "http://emailoctopus.invalid"}
        transports: dict[SystemName, httpx.BaseTransport | None] = dict.fromkeys(SystemName)
        if sockets:
            urls = {
                GHL: _address_of(GHL, sandbox.ghl_app),
                EMAILOCTOPUS: _address_of(EMAILOCTOPUS, sandbox.emailoctopus_app),
            }
        engine = _engine(database_url)
        if not sockets:
            apps = {GHL: sandbox.ghl_app, EMAILOCTOPUS: sandbox.emailoctopus_app}
            transports = {name: InProcess(app, engine) for name, app in apps.items()}
        store = stack.enter_context(StateStore(engine, Secrets(SECRET), program_clock))
        pair_store = store.open_pair("main", sandbox.location_id, sandbox.list_id)
        lease = Lease("main", pair_store, "tests", program_clock)

        def connect(lease: Lease = lease) -> Mapping[SystemName, System]:
            return {
                GHL: ghl_system.connect(
                    GhlSettings("main", sandbox.location_id, sandbox.ghl_token, urls[GHL]),
                    program_clock,
                    transport=transports[GHL],
                    before_each=lease.keep,
                    at_once=8 if sockets else 1,
                ),
                EMAILOCTOPUS: emailoctopus_system.connect(
                    EmailOctopusSettings("main", sandbox.list_id, sandbox.emailoctopus_key, urls[EMAILOCTOPUS]),
                    program_clock,
                    transport=transports[EMAILOCTOPUS],
                    before_each=lease.keep,
                ),
            }

        systems = connect()
        runs = itertools.count(1)
        pair = Pair(
            name="main",
            policy=PairPolicy("main", fields=fields, double_opt_in=double_opt_in, **policy),
            systems=systems,
            store=pair_store,
            digester=Digester(*store.digest_keys),
            clock=program_clock,
            progress=progress or NoProgress(),
            new_run_id=lambda: f"run-{next(runs)}",
            lease=lease,
            timing=Timing(),
            workers=8 if sockets else 1,
            activity=activity,
            keeps_undo=keeps_undo,
        )
        yield World(sandbox, clock, pair, store, connect, engine)


class _Switchboard:
    """The application behind a server that outlives worlds: starting and stopping one takes longer than a scenario."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def _address_of(system: SystemName, app: Any) -> str:
    """The real address under which an application answers from now on."""
    board, url = _server(system)
    board.app = app
    return url


@cache
def _server(system: SystemName) -> tuple[_Switchboard, str]:
    del system  # each has a server of its own
    board, stack = _Switchboard(), ExitStack()
    atexit.register(stack.close)
    return board, stack.enter_context(serve(board))


def add_field(sandbox: Sandbox, tag: str, type_: Any, choices: list[str] | None = None) -> None:
    """A custom field of the EmailOctopus list."""
    sandbox.emailoctopus.world.add_field(sandbox.list_id, Field(tag=tag, type=type_, label=tag, choices=choices or []))

"""Where a life takes place: both sandboxes, a state store in a file, and the processes that live and die there.

Everything runs in this process on a virtual clock; a process of the program is its objects, rebuilt from the store
after every death. Requests go one after another, so that the same life goes the same way every time.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle import Lease, Pair, Timing, reconcile
from sync_daemon.model.activity import ActivityPolicy
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.rules import RuleBook
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.installation import StateStore
from sync_daemon.systems.emailoctopus import system as emailoctopus_system
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.ghl import system as ghl_system
from sync_daemon.systems.ghl.settings import GhlSettings
from tests.machine.race import Gate, together
from tests.machine.vault import empty_database, engine, is_race
from tests.worlds import SECRET, InProcess, NoProgress, VirtualClock

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
TALLY: Counter[str] = Counter()
"""What was lived through in this process, for the summary."""
LEASE_ENDS = timedelta(seconds=30)
_ENDLESS = 1000
"""More requests than any cycle over a handful of contacts needs."""
_TRANSACTIONS = frozenset(
    {"commit", "configure", "begin_scan", "save_schema", "acquire", "renew", "release", "save_run"}
)
Watch = Callable[[SystemName, httpx.Request], Any]


class Killed(BaseException):
    """The process is no more."""


class Endless(BaseException):
    """A cycle asks on and on. Nothing of the program may take it for an error of its own."""


class LawBroken(AssertionError):
    """A law doesn't hold."""


def broke(law: str) -> LawBroken:
    """The error for what was broken, of a type that shrinking can't mix up with another law's."""
    words = re.findall(r"\b(?:L\d|[a-z]+)\b", law.split(":", maxsplit=1)[0])
    return _kind("_".join(words[:8]))(law)


@cache
def _kind(name: str) -> type[LawBroken]:
    return type(name, (LawBroken,), {})


class SkewedClock(VirtualClock):
    """The program's clock, which may differ from the systems'."""

    skew = timedelta()

    def now(self) -> datetime:
        return super().now() + self.skew


@dataclass(slots=True)
class Process:
    """One process of the program. `dies_at` counts down the points at which it can be killed, None: it lives on."""

    pair: Pair = field(init=False)
    dies_at: int | None = None
    dead: bool = False
    holds_lease: bool = False
    hooks: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    """What happens after how many more requests."""
    requests: int = 0
    """Requests of the cycle under way."""
    gate: Gate | None = None
    """Where it asks for the pair together with another process."""

    def point(self, where: str) -> None:
        """A place where a process can be killed. A dead one gets no further here either."""
        if self.dead:
            raise Killed(where)
        if self.dies_at is not None:
            self.dies_at -= 1
            if self.dies_at < 0:
                self.dead = True
                TALLY[f"killed {where}"] += 1
                raise Killed(where)

    def answered(self) -> None:
        """A request was answered: what was to happen meanwhile happens. A cycle that asks on and on is broken."""
        self.requests += 1
        if self.requests > _ENDLESS:
            raise Endless
        due = [hook for left, hook in self.hooks if left == 0]
        self.hooks = [(left - 1, hook) for left, hook in self.hooks if left > 0]
        for hook in due:
            hook()


class MortalStore:
    """A pair's state as a process sees it that may be killed before and after every transaction."""

    def __init__(self, store: Any, process: Process) -> None:
        self._store, self._process = store, process

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if self._process.dead:
            raise Killed(name)
        return self._mortal(name, method) if name in _TRANSACTIONS else method

    def _mortal(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def transaction(*args: Any, **kwargs: Any) -> Any:
            self._process.point("before a commit")
            gate = self._process.gate if name == "acquire" else None
            done = gate.ask(self._process, lambda: method(*args, **kwargs)) if gate else method(*args, **kwargs)
            if name in ("acquire", "release"):
                self._process.holds_lease = name == "acquire" and bool(done)
            self._process.point("after a commit")
            return done

        return transaction


class Wire(httpx.BaseTransport):
    """A process's way to one sandbox: it may be killed before and after every request, and is watched."""

    def __init__(self, system: SystemName, sandbox: InProcess, process: Process, house: "House") -> None:
        self._system, self._sandbox, self._process, self._house = system, sandbox, process, house

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._process.point("before a request")
        TALLY["requests"] += 1
        try:
            with self._house.watched(self._system, request):
                return self._sandbox.handle_request(request)
        finally:
            self._process.answered()
            self._process.point("after a request")


class House:
    """Both sandboxes, the store, and the process that works there now."""

    def __init__(self, policy: PairPolicy, activity: Callable[[Sandbox], ActivityPolicy] | None = None) -> None:
        self.rules = RuleBook()
        self.clock = ManualClock()
        self.sandbox = Sandbox(seed=1, clock=self.clock)
        self.activity = activity(self.sandbox) if activity is not None else None
        for context in (self.sandbox.ghl, self.sandbox.emailoctopus):
            context.limiter.settings.enabled = False
        self.policy = policy
        self.program_clock = SkewedClock(self.clock)
        self.watch: Callable[[SystemName, httpx.Request], Any] | None = None
        self._apps = {
            GHL: InProcess(self.sandbox.ghl_app, engine()),
            EMAILOCTOPUS: InProcess(self.sandbox.emailoctopus_app, engine()),
        }
        self._runs, self._holders = itertools.count(1), itertools.count(1)
        self.left_behind: datetime | None = None
        """When a process was killed that held the lease."""
        self.started = self.clock.now()
        """When the cycle under way began."""
        empty_database()
        self.process = self.start()

    def start(self) -> Process:
        """A new process, which knows what the store tells it."""
        process = Process()
        secrets, clock, sandbox = _secrets(), self.program_clock, self.sandbox
        self.store = StateStore(engine(), secrets, clock)
        pair_store: Any = MortalStore(self.store.open_pair("main", sandbox.location_id, sandbox.list_id), process)
        lease = Lease("main", pair_store, f"process {next(self._holders)}", clock)
        wires = {name: Wire(name, self._apps[name], process, self) for name in SystemName}
        process.pair = Pair(
            name="main",
            policy=self.policy,
            systems={
                GHL: ghl_system.connect(
                    GhlSettings("main", sandbox.location_id, sandbox.ghl_token, "http://ghl.invalid"),
                    clock,
                    transport=wires[GHL],
                    before_each=lease.keep,
                    at_once=1,
                ),
                EMAILOCTOPUS: emailoctopus_system.connect(
                    EmailOctopusSettings(
                        "main", sandbox.list_id, sandbox.emailoctopus_key, "http://emailoctopus.invalid"
                    ),
                    clock,
                    transport=wires[EMAILOCTOPUS],
                    before_each=lease.keep,
                ),
            },
            store=pair_store,
            digester=Digester(*self.store.digest_keys),
            clock=clock,
            progress=NoProgress(),
            new_run_id=lambda: f"run-{next(self._runs)}",
            lease=lease,
            timing=Timing(),
            workers=1,
            activity=self.activity,
            rules=self.rules,
        )
        return process

    def cycle(self, mode: Mode) -> CycleReport | None:
        """A cycle of the process; None when it was killed, and then another process has taken its place."""
        for context in (self.sandbox.ghl, self.sandbox.emailoctopus):
            context.log.clear()
        self.started = self.clock.now()
        self.process.requests = 0
        TALLY["cycles"] += 1
        try:
            return self._raced(mode) if is_race() else reconcile(self.process.pair, mode)
        except Killed:
            self.left_behind = self.clock.now() if self.process.holds_lease else self.left_behind
            self.restart()
            return None
        except Endless:
            raise broke("L1 a cycle never ends") from None
        finally:
            self.process.hooks.clear()
            self.process.dies_at = None
            for context in (self.sandbox.ghl, self.sandbox.emailoctopus):
                TALLY.update(f"fault {one.fault}" for one in context.log.exchanges() if one.fault)

    def _raced(self, mode: Mode) -> CycleReport:
        """A cycle that another process begins at the same time; the one that has the pair is the house's."""
        TALLY["races"] += 1
        self.process, end, wrong = together(self.process, self.start(), mode)
        if wrong is not None:
            raise broke(wrong)
        return end.result()

    def restart(self) -> None:
        """The process ends, another one begins."""
        self.process.dead = True
        self.process = self.start()

    def lose_database(self) -> None:
        """The file is gone, and an empty one in its place."""
        empty_database()
        self.left_behind = None
        self.restart()

    def lease_is_left(self) -> bool | None:
        """Whether a dead process's lease still holds; None where nobody can tell to the second."""
        if self.left_behind is None:
            return False
        age = self.clock.now() - self.left_behind
        if age >= LEASE_ENDS:
            return False
        return True if age < LEASE_ENDS - timedelta(seconds=6) else None

    @contextmanager
    def watched(self, system: SystemName, request: httpx.Request) -> Iterator[None]:
        """Let whoever watches compare what was there before a write and after it."""
        if self.watch is None or request.method == "GET" or request.url.path.endswith("/search"):
            yield
            return
        compare = self.watch(system, request)
        try:
            yield
        finally:
            compare()


@cache
def _secrets() -> Secrets:
    return Secrets(SECRET)

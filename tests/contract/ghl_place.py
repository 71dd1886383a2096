"""A GHL location of the sandbox behind a real socket, and the System that reads and writes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from sync_daemon.model.contact import Page, Snapshot
from sync_daemon.model.errors import Refused
from sync_daemon.model.plan import Action, Operation, Returned, WriteResult
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.request_log import Exchange
from sync_daemon.sandbox.server import Sandbox, serve
from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.systems.ghl.settings import GhlSettings, Version
from sync_daemon.systems.ghl.system import connect
from tests import grants

MAPPED = (
    "firstName",
    "lastName",
    "name",
    "phone",
    "address1",
    "city",
    "country",
    "postalCode",
    "timezone",
    "dateOfBirth",
    "source",
    "companyName",
    "custom.plan",
    "custom.seats",
    "custom.likes",
    "custom.renewal",
)


class SteppingClock(ManualClock):
    """A clock for both ends of the wire: whoever sleeps moves it."""

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))


class Stage:
    """One server for many tests; each puts a sandbox of its own on it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@contextmanager
def served_stage() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with serve(stage) as url:
        yield stage, url


@dataclass
class Place:
    """A location with four custom fields: plan, seats, likes, renewal."""

    sandbox: Sandbox
    url: str
    clock: SteppingClock
    version: Version = "2021-07-28"
    transport: httpx.BaseTransport | None = None
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def on(cls, stage: Stage, url: str, quirks: GhlQuirks | None = None) -> "Place":
        """A place whose hits tell all that is mapped, unless its quirks say otherwise."""
        clock = SteppingClock()
        quirks = quirks if quirks is not None else GhlQuirks(hits_carry_timezone=True)
        sandbox = Sandbox(1, clock, ghl_quirks=quirks)
        stage.app = sandbox.ghl_app
        place = cls(sandbox, url, clock)
        for name, data_type, options in (
            ("Plan", "TEXT", None),
            ("Seats", "NUMERICAL", None),
            ("Likes", "CHECKBOX", ["tea", "coffee"]),
            ("Renewal", "DATE", None),
        ):
            place.ids[name] = place.world.add_field(name, data_type, options).id
        return place

    @property
    def world(self) -> GhlWorld:
        return self.sandbox.ghl.world

    @property
    def weather(self) -> Weather:
        return self.sandbox.ghl.weather

    @property
    def quirks(self) -> GhlQuirks:
        return self.world.quirks

    def settings(self, **more: Any) -> GhlSettings:
        known = {"pair": "main", "location_id": self.sandbox.location_id, "token": self.sandbox.ghl_token}
        return GhlSettings(**{**known, "base_url": self.url, "version": self.version, **more})

    def bare(self, **more: Any) -> System:
        """The system before it knows any field."""
        return connect(self.settings(**more), self.clock, transport=self.transport)

    def system(self, *names: str) -> System:
        """The system with its fields, and an empty request log."""
        bare = self.bare()
        schema = bare.read_schema()
        self.sandbox.ghl.log.clear()
        return bare.with_schema(schema, names or MAPPED)

    def add(self, **fields: Any) -> Contact:
        """A contact that has been there for a while."""
        return self.world.create(at=self.clock.now(), **fields)

    def befall(self, kind: Any, method: str = "", path: str = "", **more: Any) -> None:
        """Let the weather strike the next request that fits."""
        self.weather.faults.append(Fault(kind=kind, method=method, path=path, **more))

    def requests(self) -> list[str]:
        """What was asked since the log was cleared."""
        return [f"{one.method} {one.path}" for one in self.exchanges()]

    def exchanges(self) -> list[Exchange]:
        return self.sandbox.ghl.log.exchanges()


def rows(pages: Iterator[Page]) -> list[Snapshot]:
    return [row for page in pages for row in page.whole().snapshots]


def operation(action: Action, contact_id: str | None = None, **more: Any) -> Operation:
    return grants.operation(SystemName.GHL, action, contact_id, "e1", "because", **more)


def results(system: System, *operations: Operation) -> list[WriteResult]:
    return [one for each in system.writer.bundle(operations, 100) for one in system.writer.send(each)]


def written(system: System, change: Operation) -> Returned:
    (result,) = results(system, change)
    assert result.refusal is None, result.refusal
    assert result.returned is not None
    return result.returned


def refused(system: System, change: Operation) -> Refused:
    (result,) = results(system, change)
    assert result.returned is None, result.returned
    assert result.refusal is not None
    return result.refusal

"""Several pairs over one state store: locations with several lists, lists with several locations, one clock."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from sync_daemon.changes.digests import Digester
from sync_daemon.changes.others import Neighbour
from sync_daemon.cycle import Lease, Pair, Timing, reconcile
from sync_daemon.cycle.neighbours import Neighbours, Shared
from sync_daemon.model.policy import FieldRule, PairPolicy
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.sharing import UnsubscribeMeans
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.ghl.dnd import Status
from sync_daemon.sandbox.server import Sandbox, serve
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.installation import StateStore
from sync_daemon.systems.emailoctopus import system as emailoctopus_system
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.ghl import system as ghl_system
from sync_daemon.systems.ghl.settings import GhlSettings
from tests.worlds import NAMES, SECRET, InProcess, NoProgress, VirtualClock, _engine, state_of

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
ADA = "ada@example.com"


@dataclass(frozen=True)
class Spec:
    """One pair of the file: the names of its location and its list, and what is special about its policy."""

    location: str
    list: str
    means: UnsubscribeMeans = UnsubscribeMeans.THIS_LIST
    fields: tuple[FieldRule, ...] = NAMES
    policy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.location}-{self.list}"


@dataclass
class Neighbourhood:
    """What a scenario of several pairs plays with; `pairs` in the order of the file."""

    clock: ManualClock
    places: dict[str, Sandbox]
    mail: Sandbox
    lists: dict[str, str]
    pairs: dict[str, Pair]
    store: StateStore

    # the program

    def cycle(self, name: str, mode: Mode = Mode.INCREMENTAL) -> CycleReport:
        self.clock.advance(1)
        report = reconcile(self.pairs[name], mode)
        assert report.outcome not in ("error", "busy"), report
        return report

    def round(self, *names: str, mode: Mode = Mode.INCREMENTAL, minutes: int = 11) -> list[CycleReport]:
        """A cycle of each pair, in the order of the file or another one."""
        self.clock.advance(60 * minutes)
        return [self.cycle(name, mode) for name in names or self.pairs]

    def settle(self, *names: str, rounds: int = 5) -> None:
        """Rounds until none of the pairs writes any more, or has called another one."""
        for _ in range(rounds):
            written = [report for report in self.round(*names) if report.written]
            if not written and not any(pair.store.called() for pair in self.pairs.values()):
                return
        raise AssertionError(f"still writing after {rounds} rounds")

    def assert_quiet(self) -> None:
        """Law L2: nothing is written any more, whatever is read."""
        for mode in (Mode.FULL, Mode.INCREMENTAL):
            for report in self.round(mode=mode):
                assert not report.written, (report.pair, mode, report.written)

    # the outside

    def person(self, place: str, email: str = ADA, **fields: Any) -> str:
        self.clock.advance(1)
        given = {name: value for name, value in {"firstName": "Ada", **fields}.items() if value is not None}
        return str(self.places[place].ghl.world.create(email=email, **given).id)

    def edit(self, place: str, contact_id: str, **fields: Any) -> None:
        self.clock.advance(1)
        self.places[place].ghl.world.edit(contact_id, **fields)

    def dnd(self, place: str, contact_id: str, status: Status) -> None:
        self.clock.advance(1)
        self.places[place].ghl.world.set_dnd(contact_id, status)

    def delete(self, place: str, contact_id: str) -> None:
        self.clock.advance(1)
        self.places[place].ghl.world.delete(contact_id)

    def unsubscribe(self, of: str, email: str = ADA) -> None:
        self.clock.advance(1)
        self.mail.emailoctopus.world.unsubscribe(str(self.subscriber(of, email)["id"]))

    def sign_up(self, to: str, email: str = ADA) -> None:
        self.clock.advance(1)
        self.mail.emailoctopus.world.sign_up(self.lists[to], email)

    def edit_subscriber(self, of: str, email: str = ADA, **fields: Any) -> None:
        self.clock.advance(1)
        self.mail.emailoctopus.world.edit(str(self.subscriber(of, email)["id"]), fields)

    # what is there

    def people(self, place: str) -> dict[str, dict[str, Any]]:
        return {str(row["id"]): row for row in state_of(self.places[place].ghl_app)}

    def contact(self, place: str, email: str = ADA) -> dict[str, Any]:
        (row,) = [row for row in self.people(place).values() if row.get("email") == email]
        return row

    def subscribers(self, of: str) -> list[dict[str, Any]]:
        return [row for row in state_of(self.mail.emailoctopus_app) if row["list_id"] == self.lists[of]]

    def subscriber(self, of: str, email: str = ADA) -> dict[str, Any]:
        (row,) = [row for row in self.subscribers(of) if row["email_address"] == email]
        return row

    def status(self, of: str, email: str = ADA) -> str:
        return str(self.subscriber(of, email)["status"])

    def blocked(self, place: str, email: str = ADA) -> bool:
        row = self.contact(place, email)
        channel = (row.get("dndSettings") or {}).get("Email") or {}
        return bool(row.get("dnd")) or channel.get("status") in ("active", "permanent")


@contextmanager
def neighbourhood(
    database_url: str, *specs: Spec, sockets: bool = False, quarter: "Callable[..., Quarter] | None" = None
) -> Iterator[Neighbourhood]:
    """Some pairs between as many locations and lists as they name, over real sockets when asked for."""
    clock = ManualClock()
    names = dict.fromkeys(spec.location for spec in specs)
    places = {name: Sandbox(seed=number, clock=clock) for number, name in enumerate(names, 1)}
    mail = Sandbox(seed=99, clock=clock)
    lists = {name: mail.emailoctopus.world.create_list(name).id for name in dict.fromkeys(one.list for one in specs)}
    for sandbox in (*places.values(), mail):
        sandbox.ghl.limiter.settings.enabled = sandbox.emailoctopus.limiter.settings.enabled = False
    with ExitStack() as stack:
        program = VirtualClock(clock)
        engine = _engine(database_url)
        store = stack.enter_context(StateStore(engine, Secrets(SECRET), program))
        apps = {**{name: one.ghl_app for name, one in places.items()}, "": mail.emailoctopus_app}
        urls = {name: stack.enter_context(serve(app)) if sockets else "http://in.invalid" for name, app in apps.items()}
        ways = {name: None if sockets else InProcess(app, engine) for name, app in apps.items()}
        hood = Neighbourhood(clock, places, mail, lists, {}, store)
        built = (quarter or Quarter)(hood, specs, program, urls, ways)
        hood.pairs.update({spec.name: built.open(spec) for spec in specs})
        yield hood


@dataclass
class Quarter:
    """How pairs are opened in a neighbourhood."""

    hood: Neighbourhood
    specs: Sequence[Spec]
    clock: VirtualClock
    urls: Mapping[str, str]
    ways: Mapping[str, httpx.BaseTransport | None]
    holders: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def open(self, spec: Spec) -> Pair:
        """A pair as a new process has it open."""
        hood, clock = self.hood, self.clock
        place, list_id = hood.places[spec.location], hood.lists[spec.list]
        pair_store = self.store_of(spec, hood.store.open_pair(spec.name, place.location_id, list_id))
        lease = Lease(spec.name, pair_store, f"process {next(self.holders)}", clock)
        systems: dict[SystemName, System] = {
            GHL: ghl_system.connect(
                GhlSettings(spec.name, place.location_id, place.ghl_token, self.urls[spec.location]),
                clock,
                transport=self.way_of(spec, spec.location),
                before_each=lease.keep,
                at_once=1,
            ),
            EMAILOCTOPUS: emailoctopus_system.connect(
                EmailOctopusSettings(spec.name, list_id, hood.mail.emailoctopus_key, self.urls[""]),
                clock,
                transport=self.way_of(spec, ""),
                before_each=lease.keep,
            ),
        }
        return Pair(
            name=spec.name,
            policy=PairPolicy(spec.name, fields=spec.fields, **spec.policy),
            systems=systems,
            store=pair_store,
            digester=Digester(*hood.store.digest_keys),
            clock=clock,
            progress=NoProgress(),
            new_run_id=lambda: f"run-{next(self.holders)}",
            lease=lease,
            timing=Timing(),
            workers=1 if self.ways[""] is not None else 4,
            neighbours=neighbours(spec, self.specs, hood.store),
        )

    def store_of(self, spec: Spec, store: Any) -> Any:
        del spec
        return store

    def way_of(self, spec: Spec, to: str) -> httpx.BaseTransport | None:
        del spec
        return self.ways[to]


def neighbours(spec: Spec, specs: Sequence[Spec], store: StateStore) -> Neighbours:
    """The other pairs of a pair's location and list."""

    def shared(one: Spec) -> Shared:
        earlier = specs.index(one) < specs.index(spec)
        return Shared(Neighbour(one.name, earlier, one.fields), lambda: store.known_pair(one.name))

    return Neighbours(
        tuple(shared(one) for one in specs if one is not spec and one.location == spec.location),
        tuple(shared(one) for one in specs if one is not spec and one.list == spec.list),
        spec.means,
    )

"""A dashboard on a real socket over a real store, and somebody who uses it as a browser without scripts does."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.explanation import Explanation
from sync_daemon.model.health import PairHealth
from sync_daemon.model.plan import Action
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import Held, Link, Parked
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Replaced, Swap
from sync_daemon.model.working import Working
from sync_daemon.ports import Commit, CycleProgress, Progress
from sync_daemon.settings.installation import HttpSection, UserSection
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.passwords import Hash
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.web.dashboard.dashboard import dashboard
from sync_daemon.web.dashboard.given import Editing, Given, OnePair
from sync_daemon.web.server import serving
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.planning import FullPlan
from tests.plain import PLAIN

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
PASSWORD = "correct horse battery"


def hashed(password: str) -> str:
    """A hash that costs next to nothing."""
    cheap = Hash(10, 8, 1, b"salt" * 4, b"")
    return str(cheap._replace(digest=cheap._digest(password)))


_HASHED = hashed(PASSWORD)
ADA = UserSection.model_validate({"name": "ada", "password": _HASHED})
RITA = UserSection.model_validate({"name": "rita", "password": _HASHED, "role": "reader"})
NASTY = "<script>alert('x')</script>"
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def section(name: str) -> PairSection:
    return PairSection.model_validate({
        "name": name,
        "ghl": {"location_id": f"l-{len(name)}", "token": "pit-1"},
        "emailoctopus": {"list_id": f"m-{len(name)}", "api_key": "eo-1"},
        "fields": [{"ghl": "firstName", "emailoctopus": "FirstName"}],
    })  # fmt: skip


@dataclass
class Visitor:
    """A browser: keeps cookies, sends the token of the last page's forms."""

    client: httpx.Client
    token: str = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._seen(self.client.get(path, headers=headers))

    def post(self, path: str, **fields: str | Sequence[str]) -> httpx.Response:
        return self._seen(self.client.post(path, data={"csrf": self.token, **fields}))

    def sign_in(self, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        self.get("/login")
        return self.post("/login", name=name, password=password, **fields)

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        found = _TOKEN.search(answer.text)
        self.token = found[1] if found else self.token
        return answer


@dataclass
class House:
    """What is served, and what came of it."""

    store: StateStore
    pairs: dict[str, SqlPairStore]
    url: str = ""
    wanted: list[tuple[str, Mode]] = field(default_factory=list)
    health: dict[str, PairHealth] = field(default_factory=dict)
    working: Working | None = None

    @contextmanager
    def visitor(self, name: str = "", **options: bool) -> Iterator[Visitor]:
        with httpx.Client(
            base_url=self.url, timeout=60, follow_redirects=options.get("follow", True), verify=PLAIN
        ) as client:
            visitor = Visitor(client)
            if name:
                assert visitor.sign_in(name).status_code in (200, 303)
            yield visitor


def http(**changes: object) -> HttpSection:
    return HttpSection.model_validate({"users": (ADA, RITA), **changes})


@contextmanager
def standing_house(
    folder: Path,
    settings: HttpSection | None = None,
    names: Sequence[str] = ("main",),
    editing: Callable[[PairSection], Editing] | None = None,
) -> Iterator[House]:
    clock = SystemClock()
    url = f"sqlite:///{folder / 'sync.db'}"
    with StateStore(open_engine(url), Secrets("a" * 40), clock) as store:
        sections = [section(name) for name in names]
        pairs = {one.name: store.open_pair(one.name, one.ghl.location_id, one.emailoctopus.list_id) for one in sections}
        house = House(store, pairs)
        for name in names:
            fresh = dict.fromkeys(SystemName, clock.now())
            house.health[name] = PairHealth(name, clock.now(), CycleOutcome.OK, ended=clock.now(), fresh=fresh)

        def one(pair: PairSection) -> OnePair:
            def want(mode: Mode) -> None:
                house.wanted.append((pair.name, mode))

            def plan(mode: Mode, progress: CycleProgress) -> FullPlan:
                raise NotImplementedError

            def nobody(*_: object) -> Any:
                raise ConfigurationError("no run is known by that id")

            def explain(who: str, progress: Progress) -> Explanation:
                raise ConfigurationError(f"nobody is called {who}")

            store, edited = pairs[pair.name], editing(pair) if editing is not None else None
            return OnePair(pair.name, store, want, lambda: house.working, plan, explain, nobody, nobody, nobody, edited)

        served = [one(pair) for pair in sections]
        given = Given(
            lambda: served,
            lambda: list(house.health.values()),
            settings or http(),
            timedelta(minutes=15),
            clock.now,
        )
        with serving(dashboard(given), "127.0.0.1", 0, given.http.trusted_proxies) as house.url:
            yield house


def furnish(pair: SqlPairStore, waiting: int = 3) -> None:
    """Runs, and something of everything that waits, with names that are markup."""
    now = datetime.now(UTC)
    for number in range(waiting):
        report = CycleReport("main", f"run-{number}", Mode.FULL if number == 0 else Mode.INCREMENTAL)
        report.written[GHL, "updated"] = number
        report.requests[GHL], report.quota_left[GHL], report.quota_limit[GHL] = 5, 900, 1000
        started = now - timedelta(minutes=10 * (waiting - number))
        pair.save_run(report, started, started + timedelta(seconds=3))
    pair.commit(Commit(
        links=[Link("g1", "e1"), Link("g2", "e2")],
        held=[Held(f"g{n}", None, "blank", f"too many {NASTY}", now) for n in range(waiting)],
        parked=[
            Parked(f"g{n}", f"e{n}", "firstName=FirstName", "invalid", f"The API said {NASTY}", 2, now, b"x")
            for n in range(waiting)
        ],
        deeds=[
            Deed(f"k{n}", f"create_task {NASTY}", "g1", "e1", state, now, message=NASTY)
            for n, state in enumerate((DeedState.UNCERTAIN, DeedState.REFUSED, DeedState.GIVEN_UP))
        ],
        replaced=[
            Replaced(
                EMAILOCTOPUS,
                Action.UPDATE,
                f"g{n}",
                f"e{n}",
                {"firstName=FirstName": Swap(f"lost {NASTY}", f"won {NASTY}")},
                conflicts=frozenset({"firstName=FirstName"}),
            )
            for n in range(waiting)
        ],
    ), run_id="run-0")  # fmt: skip

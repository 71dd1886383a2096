"""How long the server takes for each page of the dashboard, with a large store behind it, which is filled directly."""

import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from sync_daemon.model.contact import Consent
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Baseline, Change, Held, KnownContact, Link, Parked, Unlinked
from sync_daemon.ports import Commit
from sync_daemon.store.pair import SqlPairStore
from tests.benchmarks.figures import Figure
from tests.databases import make_sqlite
from tests.web.dashboard.desk import on_desk
from tests.web.dashboard.house import EMAILOCTOPUS, GHL, http, standing_house

MOST_S = 0.3
_BATCH = 2000
_TIMES = 7
_ROWS = ["firstName=FirstName", "lastName=LastName", "phone=Phone", "city=City"]


def measure(links: int) -> Iterator[Figure]:
    """Visit every page several times; seconds of this process, as other programs may be at work."""
    with tempfile.TemporaryDirectory() as folder:
        make_sqlite(Path(folder) / "sync.db")
        settings = http(users=(), dashboard_without_login=True)
        desk = on_desk(Path(folder))
        with (
            standing_house(Path(folder), settings, editing=desk.editing) as house,
            httpx.Client(base_url=house.url, timeout=60) as client,
        ):
            fill(house.pairs["main"], links)
            for path in _paths():
                taken = tuple(_seconds(client, path) for _ in range(_TIMES))
                yield Figure("pages", f"{path}, {links:,} links", "CPU s", taken, None, MOST_S)


def _paths() -> Iterator[str]:
    yield from ("/", "/charts.json", "/charts.json?span=1", "/charts.json?span=2")
    for page in (
        "held",
        "held?after=2500",
        "parked",
        "parked?after=2500",
        "deeds",
        "plan",
        "people",
        "runs",
        "mapping",
    ):
        yield f"/pairs/main/{page}"
    yield f"/pairs/main/runs?before={(_now() - timedelta(days=5)).isoformat().replace('+', '%2B')}&id=x"
    yield "/pairs/main/runs/run-3"


def _seconds(client: httpx.Client, path: str) -> float:
    own = time.process_time()
    answer = client.get(path)
    assert answer.status_code == 200, path
    return time.process_time() - own


def _now() -> datetime:
    return datetime.now(UTC)


def fill(pair: SqlPairStore, links: int) -> None:
    """A location after a month: everybody linked, some thousands that wait, a run a minute, a log."""
    dice = random.Random(1)
    for start in range(0, links, _BATCH):
        ids = [(f"{dice.getrandbits(100):020x}"[:20], str(uuid.UUID(int=dice.getrandbits(128)))) for _ in range(_BATCH)]
        pair.commit(Commit(
            contacts=[one for pairing in ids for one in _contacts(dice, *pairing)],
            links=[Link(*pairing, consent_held=dice.random() < 0.01) for pairing in ids],
            changes=[Change("written", GHL, *pairing, "firstName=FirstName", "it changed") for pairing in ids],
        ), run_id=f"run-{start // _BATCH}")  # fmt: skip
    now = _now()
    waiting = range(min(5000, links))
    pair.commit(Commit(
        held=[Held(f"h{n}", None, "blank", "contacts with cleared fields: many", now) for n in waiting],
        parked=[Parked(f"p{n}", None, "phone=Phone", "refused", "The API's words", 1, now) for n in waiting],
        deeds=[Deed(f"d{n}", "create_task", f"h{n}", "e", DeedState.UNCERTAIN, now) for n in waiting],
    ))  # fmt: skip
    for number in range(30 * 24 * 3):
        report = CycleReport("main", f"run-{number}", Mode.INCREMENTAL)
        report.written[EMAILOCTOPUS, "updated"] = number % 50
        report.requests[GHL], report.quota_left[GHL], report.quota_limit[GHL] = 4, 150_000, 200_000
        started = now - timedelta(minutes=20 * (30 * 24 * 3 - number))
        pair.save_run(report, started, started + timedelta(seconds=3))
    for number in range(1440):  # the last day's idle ones
        started = now - timedelta(minutes=number)
        pair.save_run(CycleReport("main", f"idle-{number}", Mode.INCREMENTAL), started, started + timedelta(seconds=2))


def _contacts(dice: random.Random, ghl_id: str, emailoctopus_id: str) -> Iterator[KnownContact]:
    address = dice.randbytes(12)
    baseline = Baseline({key: dice.randbytes(12) for key in _ROWS}, frozenset(), Consent.GRANTED, address)
    for system, contact_id in ((GHL, ghl_id), (EMAILOCTOPUS, emailoctopus_id)):
        unlinked = Unlinked.DUPLICATE if dice.random() < 0.02 else None
        yield KnownContact(
            system, contact_id, _now(), Consent.GRANTED, address, dice.randbytes(12), unlinked, baseline=baseline
        )

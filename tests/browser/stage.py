"""A service between two sandboxes, in this process, with a login and something of everything that waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sync_daemon import logs
from sync_daemon.commands.demo.outside import live, mishap
from sync_daemon.commands.demo.sides import Sides, may_be_mailed
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.commands.serving import answering
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Parked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.sandbox.emailoctopus.model import Contact as Subscriber
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.service.threads import Threads
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.load import load
from sync_daemon.settings.passwords import Hash
from sync_daemon.settings.variables import Variables
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.installation import open_installation

PASSWORD = "correct horse battery"
_SERVICE = """\
service:
  poll_every: 1h
  counts_every: 1h
  http:
    port: 0
    users:
      - {{name: ada, password: "{hashed}"}}
      - {{name: rita, password: "{hashed}", role: reader}}
"""
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


@dataclass(frozen=True, slots=True)
class Stage:
    """The service's address, what happens outside, and what is stored."""

    url: str
    sides: Sides
    store: SqlPairStore
    service: Service
    file: Path


@contextmanager
def set_stage(folder: Path) -> Iterator[Stage]:
    logs.configure({"SYNC_DAEMON_LOG_LEVEL": "error"})
    sandbox = Sandbox()
    sandbox.populate(Population(ghl=120, emailoctopus=110, shared=90))
    with running_sandbox(sandbox) as running:
        path = folder / "sync.yaml"
        text = configuration(running, f"sqlite:///{folder / 'sync.db'}") + _SERVICE.format(hashed=Hash.of(PASSWORD))
        path.write_text(text, encoding="utf-8")
        settings = load(path, Variables({}))
        metrics = Metrics()
        with (
            open_installation(settings, metrics.request_ended) as installation,
            open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
        ):
            service = Service(installation, metrics, alerts, Threads(installation))
            service.open(settings.pairs)
            with answering(service, Configuration(path, Variables({}))) as url:
                service.start()
                store = service.served["sandbox"].store
                stage = Stage(url, Sides(sandbox, settings.pairs[0].policy().fields), store, service, path)
                _act(stage)
                yield stage
                assert service.stop(within=60)


def cycle(stage: Stage, mode: Mode = Mode.INCREMENTAL) -> CycleReport:
    """Have the service make a cycle of a kind, and wait for its end; a full scan that is wanted, too, is one of any."""
    served, clock = stage.service.served["sandbox"], stage.service.installation.clock
    turn, before = served.turn, served.turn.report
    served.desk.want(mode)
    while (
        (report := turn.report) is None
        or report is before
        or report.mode not in (mode, Mode.FULL)
        or turn.working() is not None
    ):
        clock.sleep(0.05)
    return report


def at_ease(stage: Stage) -> tuple[Contact, Subscriber]:
    """Somebody about whom nothing waits."""
    waiting = {one.ghl_id for one in stage.store.held(everything=True)}
    waiting |= {one.ghl_id for one in stage.store.parked(everything=True)}
    return next(one for one in stage.sides.meetings() if one[0].id not in waiting and may_be_mailed(one[0]))


def _act(stage: Stage) -> None:
    """A first load, a day's life, a mishap that is held, and what was refused."""
    cycle(stage, Mode.FULL)
    live(stage.sides)
    cycle(stage)
    mishap(stage.sides, 30)
    cycle(stage)
    _history(stage)
    now = stage.service.installation.clock.now()
    links = [contact.id for contact, _ in stage.sides.meetings()]
    refusals = (
        ("custom.plan=Plan", "The value must be one of: Starter, Team, Business.", 3),
        ("phone=Phone", "The phone number isn't one that can be called.", 2),
        ("creation", "The contact's address is on the suppression list of this account.", 1),
    )
    stage.store.commit(Commit(
        parked=[
            Parked(ghl_id, None, what, "refused", says, tried, now + timedelta(minutes=30 * tried))
            for ghl_id, (what, says, tried) in zip(links, refusals, strict=False)
        ],
        deeds=[Deed("k", "Call Ada about Spring", links[0], "e", DeedState.UNCERTAIN, now, message="")],
    ))  # fmt: skip


def _history(stage: Stage) -> None:
    """Runs of the day before, so that charts have something to show."""
    now = stage.service.installation.clock.now()
    for number in range(1, 140):
        began = now - timedelta(minutes=10 * number + 3)
        report = CycleReport("sandbox", f"{began:%Y%m%dT%H%M%S}-{number:06x}", Mode.INCREMENTAL)
        busy = max(0, 30 - abs(number - 60)) + number % 7
        report.written[GHL, "updated"], report.written[EMAILOCTOPUS, "updated"] = busy // 3, busy
        report.requests = {GHL: 4 + busy, EMAILOCTOPUS: 6 + busy // 2}
        report.quota_left, report.quota_limit = {GHL: 200_000 - 150 * (140 - number)}, {GHL: 200_000}
        report.duration_s = 2.5
        stage.store.save_run(report, began, began + timedelta(seconds=20 + (number * 7) % 40))

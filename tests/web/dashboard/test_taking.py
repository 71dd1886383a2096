"""A saved edit comes into force in the running service, from the next cycle on, with nothing started anew."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sync_daemon.commands.demo.sides import Sides
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.commands.serving import answering
from sync_daemon.model.report import Mode
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.service.threads import Threads
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.installation import open_installation
from tests.browser.stage import Stage, cycle
from tests.plain import PLAIN
from tests.web.dashboard.desk import form_of
from tests.web.dashboard.house import Visitor
from tests.web.dashboard.test_pages import text_of, until

PAGE, PLAN = "/pairs/sandbox/mapping", "/pairs/sandbox/mapping/plan"
_SERVICE = "service: {poll_every: 1h, http: {port: 0, dashboard_without_login: true}}\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    sandbox, path = Sandbox(), tmp_path / "sync.yaml"
    sandbox.populate(Population(ghl=4, emailoctopus=4, shared=4))
    with running_sandbox(sandbox) as running:
        path.write_text(configuration(running, f"sqlite:///{tmp_path / 'sync.db'}") + _SERVICE, encoding="utf-8")
        settings, metrics = load(path, Variables({})), Metrics()
        with (
            open_installation(settings, metrics.request_ended) as installation,
            open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
        ):
            service = Service(installation, metrics, alerts, Threads(installation))
            service.open(settings.pairs)
            with answering(service, Configuration(path, Variables({}))) as url:
                service.start()
                sides = Sides(sandbox, settings.pairs[0].policy().fields)
                yield Stage(url, sides, service.served["sandbox"].store, service, path)
                assert service.stop(within=60)


def test_an_edit_is_planned_on_a_copy_saved_and_worked_by(stage: Stage) -> None:
    cycle(stage, Mode.FULL)
    contact, subscriber = next(stage.sides.meetings())
    stage.sides.sandbox.ghl.world.edit(contact.id, source="The editor")
    cycle(stage)
    turn, before = stage.service.served["sandbox"].turn, stage.file.read_text(encoding="utf-8")
    with httpx.Client(base_url=stage.url, timeout=60, follow_redirects=True, verify=PLAIN) as client:
        visitor = Visitor(client)
        page = until(visitor, PAGE, 'class="samples"')
        assert "pit-" not in page
        filled = form_of(visitor.post(PAGE, **form_of(visitor.get(PAGE)), do="add-ghl:source"))
        filled |= {"fields.6.emailoctopus": "Source", "fields.6.direction": "to_emailoctopus"}
        visitor.post(PAGE, **filled, do="plan")
        page = until(visitor, PLAN, 'id="save"')
        assert "Create field in EmailOctopus 1" in text_of(visitor.get(PLAN))
        cycle(stage)
        assert "Source" not in stage.sides.subscriber(subscriber.id).fields
        assert turn.section.ghl_names().get("Source") is None
        assert stage.file.read_text(encoding="utf-8") == before
        job = page.split('name="job" value="')[1].split('"')[0]
        assert "from its next cycle on" in text_of(visitor.post(f"{PAGE}/save", job=job))
    cycle(stage, Mode.FULL)
    assert stage.sides.subscriber(subscriber.id).fields["Source"] == "The editor"

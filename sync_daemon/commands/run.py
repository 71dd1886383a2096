"""`sync-daemon run`: the service, until it is told to stop."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from sync_daemon.commands.options import DEFAULT_CONFIG, Chosen, Config, PairName, choose
from sync_daemon.model.engagement import Occasion
from sync_daemon.model.webhook import WebhookEvent
from sync_daemon.ports import PairStore
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.settings.pair import PairSection
from sync_daemon.systems.ghl.webhooks import load_key
from sync_daemon.web.health import Health
from sync_daemon.web.intake import Intake
from sync_daemon.web.server import serving
from sync_daemon.web.webhooks import Receiver, Webhooks
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.stopping import told_to_stop, woken_within

_TO_FINISH_S = 8.0
"""How long the records in hand may take once the process is told to stop; it is ended on the spot after ten."""
_log = structlog.get_logger(__name__)


def run(*, config: Config = DEFAULT_CONFIG, pair: PairName = None) -> None:
    """Keep the pairs equal, by webhooks and by polls, until SIGTERM or Ctrl-C."""
    chosen = choose(config, pair)
    metrics = Metrics()
    settings = chosen.settings
    with (
        open_installation(settings, metrics.request_ended) as installation,
        open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
    ):
        service = Service(installation, metrics, alerts)
        service.open(chosen.pairs)
        with _intake(service) as intake, _listening(chosen, service, metrics, intake):
            service.start()
            while not told_to_stop():
                woken_within(3600)
            finished = service.stop(_TO_FINISH_S)
    _log.info("service_stopped", finished=finished)


@contextmanager
def _intake(service: Service) -> Iterator[Intake]:
    intake = Intake(lambda pair, told: _save(service.served[pair].store, told), service.told)
    intake.start()
    try:
        yield intake
    finally:
        intake.stop()


def _save(store: PairStore, told: Sequence[WebhookEvent | Occasion]) -> None:
    """Keep what webhooks told: hints at contacts, and what rules ask about."""
    store.save_events([one for one in told if isinstance(one, WebhookEvent)])
    store.save_occasions([one for one in told if isinstance(one, Occasion)])


@contextmanager
def _listening(chosen: Chosen, service: Service, metrics: Metrics, intake: Intake) -> Iterator[None]:
    settings = chosen.settings
    now = service.installation.clock.now
    webhooks = Webhooks(
        receivers=[_receiver(chosen, section) for section in chosen.pairs if section.name in service.served],
        ghl_key=load_key(settings.ghl.webhook_public_key),
        workflow_secret=settings.service.ghl_workflow_secret.get_secret_value(),
        remembered=settings.retention.events,
        intake=intake,
        count=metrics.webhook_told,
        now=now,
    )
    health = Health(
        service.health,
        lambda: service.is_alive() and intake.is_alive(),
        settings.alerts.silent_after,
        metrics.registry,
        now,
    )
    http = settings.service.http
    with serving([*health.routes(), *webhooks.routes()], http.host, http.port) as address:
        _log.info("listening", address=address)
        yield


def _receiver(chosen: Chosen, section: PairSection) -> Receiver:
    own = section.emailoctopus.webhook_secret.get_secret_value()
    return Receiver(
        pair=section.name,
        location_id=section.ghl.location_id,
        list_id=section.emailoctopus.list_id,
        secret=own or chosen.settings.emailoctopus.webhook_secret.get_secret_value(),
        listens_to=section.rule_book().listens_to,
    )

"""The service as a whole: pairs at work, and everything that it answers over HTTP."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog

from sync_daemon.model.engagement import Occasion
from sync_daemon.model.webhook import WebhookEvent
from sync_daemon.ports import PairStore
from sync_daemon.service.service import Service
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.systems.ghl.webhooks import load_key
from sync_daemon.web.dashboard.dashboard import dashboard
from sync_daemon.web.dashboard.given import Given, OnePair
from sync_daemon.web.health import Health
from sync_daemon.web.intake import Intake
from sync_daemon.web.server import serving
from sync_daemon.web.webhooks import Receiver, Webhooks
from sync_daemon.wiring.explaining import explain_pair
from sync_daemon.wiring.planning import plan_pair

_log = structlog.get_logger(__name__)


@contextmanager
def answering(service: Service, pairs: Sequence[PairSection]) -> Iterator[str]:
    """Answer webhooks, health and the dashboard of an opened service; yields the base address."""
    installation, metrics = service.installation, service.metrics
    settings, now = installation.settings, installation.clock.now
    with _intake(service) as intake:
        webhooks = Webhooks(
            receivers=[_receiver(settings, section) for section in pairs if section.name in service.served],
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
        routes = [*health.routes(), *webhooks.routes(), *dashboard(_given(service))]
        with serving(routes, http.host, http.port, http.trusted_proxies) as address:
            _log.info("listening", address=address)
            yield address


def _given(service: Service) -> Given:
    installation = service.installation
    return Given(
        [
            OnePair(
                one.runner.section,
                one.store,
                one.runner.want,
                one.runner.working,
                partial(plan_pair, installation, one.runner.section),
                partial(explain_pair, installation, one.runner.section),
            )
            for one in service.served.values()
        ],
        service.health,
        installation.settings.service.http,
        installation.store.session_key,
        installation.settings.alerts.silent_after,
        installation.clock.now,
    )


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


def _receiver(settings: Settings, section: PairSection) -> Receiver:
    own = section.emailoctopus.webhook_secret.get_secret_value()
    return Receiver(
        pair=section.name,
        location_id=section.ghl.location_id,
        list_id=section.emailoctopus.list_id,
        secret=own or settings.emailoctopus.webhook_secret.get_secret_value(),
        listens_to=section.rule_book().listens_to,
    )

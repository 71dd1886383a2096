"""The service as a whole: pairs at work, and everything that it answers over HTTP."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from sync_daemon.commands.reconcile import follow_plan
from sync_daemon.model.engagement import Occasion
from sync_daemon.model.report import Mode
from sync_daemon.model.webhook import WebhookEvent
from sync_daemon.service.service import Served, Service
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.editing import PairEditor, PairText
from sync_daemon.settings.files import ConfigurationFile
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.systems.ghl.webhooks import load_key
from sync_daemon.web.dashboard.dashboard import dashboard
from sync_daemon.web.dashboard.given import Editing, Given, OnePair
from sync_daemon.web.health import Health
from sync_daemon.web.intake import Intake
from sync_daemon.web.oauth import Callback
from sync_daemon.web.server import serving
from sync_daemon.web.webhooks import Receiver, Webhooks
from sync_daemon.wiring.configuration import StoredText
from sync_daemon.wiring.explaining import explain_pair
from sync_daemon.wiring.installation import Installation, new_holder
from sync_daemon.wiring.oauth.logins import Logins
from sync_daemon.wiring.planning import plan_pair
from sync_daemon.wiring.sampling import sample
from sync_daemon.wiring.undoing import undo_of_conflict, undo_of_run

_FOR_THE_PAIR_S = 60.0
"""How long what a page orders waits for the cycle under way to end."""
S = TypeVar("S")
T = TypeVar("T")
_log = structlog.get_logger(__name__)


@contextmanager
def answering(service: Service, configuration: Configuration, *, shared: bool = False) -> Iterator[str]:
    """Answer webhooks, health and the dashboard of an opened service; yields the base address.

    `configuration` is where its pairs come from; `shared` tells that other processes serve the same pairs, each with
    files of its own, which then can't be edited here.
    """
    installation, metrics = service.installation, service.metrics
    settings, now = installation.settings, installation.clock.now
    with _intake(service) as intake:
        webhooks = Webhooks(
            receivers=_made_once(
                lambda: [served.turn.section for served in service.served.values()],
                lambda section: _receiver(settings, section),
            ),
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
        logins = Logins(settings, installation.store.oauth, installation.clock)
        http = settings.service.http
        routes = [
            *health.routes(),
            *webhooks.routes(),
            *Callback(logins.finish, logins.refuse).routes(),
            *dashboard(_given(service, configuration, shared=shared)),
        ]
        with serving(routes, http.host, http.port, http.trusted_proxies) as address:
            _log.info("listening", address=address)
            yield address


def _given(service: Service, configuration: Configuration, *, shared: bool) -> Given:
    installation = service.installation
    # What pages do holds a pair in a name of its own: never at the same time as a cycle of the service.
    own = replace(installation, holder=new_holder())
    return Given(
        _made_once(
            lambda: list(service.served.values()),
            lambda served: _one_pair(served, own, _editing(service, own, configuration, served, shared=shared)),
        ),
        service.health,
        installation.settings.service.http,
        installation.settings.alerts.silent_after,
        installation.clock.now,
    )


def _one_pair(served: Served, own: Installation, editing: Editing | None) -> OnePair:
    turn = served.turn  # its section may be another one after an edit
    return OnePair(
        turn.section.name,
        served.store,
        served.desk.want,
        turn.working,
        plan=lambda mode, progress: plan_pair(own, turn.section, mode, progress),
        explain=lambda who, progress: explain_pair(own, turn.section, who, progress),
        follow=lambda plan, progress: follow_plan(own, turn.section, plan, progress, wait=_FOR_THE_PAIR_S),
        undo_run=lambda run_id, delete: undo_of_run(own, [turn.section], run_id, deletes_created=delete),
        undo_conflict=lambda row, key: undo_of_conflict(own, turn.section, row, key),
        editing=editing,
    )


def _editing(
    service: Service, own: Installation, configuration: Configuration, served: Served, *, shared: bool
) -> Editing | None:
    name = served.turn.section.name
    if shared and isinstance(configuration.place_of(name), Path):
        return None
    return Editing(
        lambda: PairEditor(_text_of(own, configuration, name), configuration, name),
        sample=lambda: sample(own, served.turn.section),
        plan=lambda section, progress: plan_pair(own, section, Mode.FULL, progress),
        take=service.take,
    )


def _text_of(own: Installation, configuration: Configuration, name: str) -> PairText:
    place = configuration.place_of(name)
    if isinstance(place, Path):
        return ConfigurationFile(place)
    return StoredText(own.store.configured_pairs, place)


def _made_once(of: Callable[[], Iterable[S]], make: Callable[[S], T]) -> Callable[[], Sequence[T]]:
    """What is made of each of some things, kept as long as they are the same: there may be hundreds."""
    made: dict[int, tuple[S, T]] = {}

    def all_of_them() -> Sequence[T]:
        nonlocal made
        kept = made
        made = {id(one): kept[id(one)] if id(one) in kept else (one, make(one)) for one in of()}
        return [found for _, found in made.values()]

    return all_of_them


@contextmanager
def _intake(service: Service) -> Iterator[Intake]:
    intake = Intake(lambda pair, told: _save(service.served.get(pair), told), service.told)
    intake.start()
    try:
        yield intake
    finally:
        intake.stop()


def _save(served: Served | None, told: Sequence[WebhookEvent | Occasion]) -> None:
    """Keep what webhooks told: hints at contacts, and what rules ask about; of a pair that has just gone, nothing."""
    if served is None:
        return
    store = served.store
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

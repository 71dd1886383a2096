"""What `run` and `worker` share: pairs taken up and followed, everything answered over HTTP, until told to stop."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from sync_daemon.commands.options import Chosen
from sync_daemon.commands.serving import answering
from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.service.working import Hands
from sync_daemon.settings.configuration import NO_CHANGES, Changes, Configuration
from sync_daemon.wiring.alerts import Alerts, open_alerts
from sync_daemon.wiring.installation import Installation, open_installation
from sync_daemon.wiring.stopping import asked_within, told_to_stop

_TO_FINISH_S = 8.0
"""How long the records in hand may take once the process is told to stop; it is ended on the spot after ten."""
_LOOK_EVERY_S = 3.0
"""How often it is looked whether the configuration was changed: a change is in force after two looks."""
_log = structlog.get_logger(__name__)


def keep_equal(
    chosen: Chosen,
    hands: Callable[[Installation, Metrics], Hands],
    *,
    only: str | None = None,
    shared: bool = False,
) -> None:
    """Keep pairs equal by some hands, until SIGTERM or Ctrl-C, as they are configured at any time.

    `only` names the one pair that was chosen; `shared` says that other processes work over the same database.
    """
    metrics, settings, configuration = Metrics(), chosen.settings, chosen.configuration
    with (
        open_installation(settings, metrics.request_ended, shared=shared) as installation,
        open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
    ):
        configuration.follow(installation.store.configured_pairs)
        service = Service(installation, metrics, alerts, hands(installation, metrics))
        service.open(chosen.pairs)
        with answering(service, configuration, shared=shared):
            service.start()
            asked = False
            while not told_to_stop():
                changes = _only(only, _look(configuration, alerts, at_once=asked))
                service.follow(changes, configuration.settings.pairs)
                asked = asked_within(_LOOK_EVERY_S)
            finished = service.stop(_TO_FINISH_S)
    _log.info("service_stopped", finished=finished)


def _look(configuration: Configuration, alerts: Alerts, *, at_once: bool) -> Changes:
    """What was changed; nothing while it can't be read or has mistakes, which is told once for each change."""
    try:
        changes = configuration.look(at_once=at_once)
    except ConfigurationError as error:
        _log.error("configuration_refused", why=str(error), advice="the service goes on with what it had")
        alerts.heed_configuration(error)
        return NO_CHANGES
    except StateStoreError as error:
        _log.warning("configuration_not_looked_at", why=str(error))
        return NO_CHANGES
    if changes is not NO_CHANGES:
        alerts.heed_configuration(None)
    if changes.outside:
        _log.warning(
            "configuration_needs_a_new_start", keys=", ".join(changes.outside), advice="start the service again"
        )
    return changes


def _only(pair: str | None, changes: Changes) -> Changes:
    """The changes that concern the pair that was chosen, if one was."""
    if pair is None:
        return changes
    return replace(
        changes,
        added=tuple(one for one in changes.added if one.name == pair),
        changed=tuple(one for one in changes.changed if one.name == pair),
        removed=tuple(name for name in changes.removed if name == pair),
    )

"""`sync-daemon run`: the service, until it is told to stop."""

from dataclasses import replace

import structlog

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, PairName, choose
from sync_daemon.commands.serving import answering
from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.settings.configuration import NO_CHANGES, Changes, Configuration
from sync_daemon.wiring.alerts import Alerts, open_alerts
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.stopping import asked_within, told_to_stop

_TO_FINISH_S = 8.0
"""How long the records in hand may take once the process is told to stop; it is ended on the spot after ten."""
_LOOK_EVERY_S = 3.0
"""How often it is looked whether the configuration was changed: a change is in force after two looks."""
_log = structlog.get_logger(__name__)


def run(*, config: Config = DEFAULT_CONFIG, pair: PairName = None) -> None:
    """Keep the pairs equal, by webhooks and by polls, until SIGTERM or Ctrl-C; its dashboard is at `/`.

    Pairs that are added, changed or removed meanwhile are followed within seconds, on SIGHUP at once. What stands
    outside the pairs takes a new start.
    """
    chosen = choose(config, pair)
    metrics = Metrics()
    settings, configuration = chosen.settings, chosen.configuration
    with (
        open_installation(settings, metrics.request_ended) as installation,
        open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
    ):
        configuration.follow(installation.store.configured_pairs)
        service = Service(installation, metrics, alerts)
        service.open(chosen.pairs)
        with answering(service, configuration):
            service.start()
            asked = False
            while not told_to_stop():
                service.follow(_only(pair, _look(configuration, alerts, at_once=asked)))
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

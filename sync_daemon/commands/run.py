"""`sync-daemon run`: the service, until it is told to stop."""

from pathlib import Path

import structlog

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, PairName, choose
from sync_daemon.commands.serving import answering
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.service.threads import Threads
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.stopping import told_to_stop, woken_within

_TO_FINISH_S = 8.0
"""How long the records in hand may take once the process is told to stop; it is ended on the spot after ten."""
_log = structlog.get_logger(__name__)


def run(*, config: Config = DEFAULT_CONFIG, pair: PairName = None) -> None:
    """Keep the pairs equal, by webhooks and by polls, until SIGTERM or Ctrl-C; its dashboard is at `/`."""
    chosen = choose(config, pair)
    metrics = Metrics()
    settings = chosen.settings
    with (
        open_installation(settings, metrics.request_ended) as installation,
        open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
    ):
        service = Service(installation, metrics, alerts, Threads(installation))
        service.open(chosen.pairs)
        with answering(service, config, Variables.of_process(Path())):
            service.start()
            while not told_to_stop():
                woken_within(3600)
            finished = service.stop(_TO_FINISH_S)
    _log.info("service_stopped", finished=finished)

"""What `run` and `worker` share: pairs taken up, everything answered over HTTP, until the process is told to stop."""

from collections.abc import Callable
from pathlib import Path

import structlog

from sync_daemon.commands.options import Chosen
from sync_daemon.commands.serving import answering
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.service.working import Hands
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.installation import Installation, open_installation
from sync_daemon.wiring.stopping import told_to_stop, woken_within

_TO_FINISH_S = 8.0
"""How long the records in hand may take once the process is told to stop; it is ended on the spot after ten."""
_log = structlog.get_logger(__name__)


def keep_equal(
    chosen: Chosen, config: Path, hands: Callable[[Installation, Metrics], Hands], *, shared: bool = False
) -> None:
    """Keep pairs equal by some hands, until SIGTERM or Ctrl-C; `shared` with other processes over one database."""
    metrics, settings = Metrics(), chosen.settings
    with (
        open_installation(settings, metrics.request_ended, shared=shared) as installation,
        open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
    ):
        service = Service(installation, metrics, alerts, hands(installation, metrics))
        service.open(chosen.pairs)
        with answering(service, config, Variables.of_process(Path()), editable=not shared):
            service.start()
            while not told_to_stop():
                woken_within(3600)
            finished = service.stop(_TO_FINISH_S)
    _log.info("service_stopped", finished=finished)

"""The demo's last act, which doesn't end: the service with its dashboard, while life goes on."""

import random
import socket
import time
from pathlib import Path

from sync_daemon.commands.demo.outside import Event, mishap, one_more
from sync_daemon.commands.demo.sides import Sides
from sync_daemon.commands.printing import console
from sync_daemon.commands.sandbox import send_webhooks
from sync_daemon.commands.serving import answering
from sync_daemon.sandbox.server import RunningSandbox
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.service import Service
from sync_daemon.service.threads import Threads
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.stopping import finish_soon

_BETWEEN_EVENTS_S = (4.0, 15.0)
_EMPTIED = 30
"""More than the guard lets through in a day: it waits for a word."""
_TO_FINISH_S = 5.0


def free_port(wanted: int) -> int:
    """A port that can be listened on: the wanted one, or 0 for any when somebody else has it."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def stay_up(settings: Settings, config: Path, running: RunningSandbox) -> None:
    """Keep both sides equal and show it, until Ctrl-C; somebody acts on one of the sides every few seconds."""
    metrics = Metrics()
    with (
        open_installation(settings, metrics.request_ended) as installation,
        open_alerts(settings.alerts, installation.store, installation.clock) as alerts,
    ):
        service = Service(installation, metrics, alerts, Threads(installation))
        service.open(settings.pairs)
        with answering(service, Configuration(config, Variables({}))) as address:
            send_webhooks(running, address)
            service.start()
            try:
                _live_on(Sides(running.sandbox, settings.pairs[0].policy().fields), address)
            except KeyboardInterrupt:
                finish_soon()
            service.stop(_TO_FINISH_S)
    console().print("\nStopped. The two sandboxes and their people are gone.")


def _live_on(sides: Sides, address: str) -> None:
    out = console()
    out.print(f"\nThe service runs. Its dashboard: {address}/", style="bold")
    out.print("Nobody else can see it, and no login is needed. Ctrl-C stops it. Meanwhile:")
    _tell(mishap(sides, _EMPTIED))
    dice = random.Random(1)
    while True:
        time.sleep(dice.uniform(*_BETWEEN_EVENTS_S))
        _tell(one_more(sides, dice))


def _tell(event: Event) -> None:
    console().print(f"  {event.where}: {event.who} {event.what}")

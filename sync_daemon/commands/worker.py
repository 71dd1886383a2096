"""`sync-daemon worker`: one of several processes that share the work of all pairs, until it is told to stop."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from sync_daemon.commands.keeping_equal import keep_equal
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, choose
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.service.metrics import Metrics
from sync_daemon.service.shared import Shared
from sync_daemon.store.engine import parse_url
from sync_daemon.wiring.installation import Installation

Concurrency = Annotated[
    int, Parameter(name="--concurrency", help="How many pairs this process works on at once.", validator=Number(gte=1))
]


def worker(*, config: Config = DEFAULT_CONFIG, concurrency: Concurrency = 8) -> None:
    """Work on the pairs together with other workers on the same PostgreSQL, until SIGTERM or Ctrl-C.

    Each pair is worked on by one of them at a time, and by another one within a minute of its death. Each answers
    webhooks, /healthz, /readyz, /metrics and the dashboard for all of them, as `run` does.
    """
    chosen = choose(config, None)
    url = chosen.settings.database_url.get_secret_value()
    if parse_url(url).get_backend_name() != "postgresql":
        raise ConfigurationError(
            "`worker` needs PostgreSQL, and database_url names a SQLite file. With one process, use `sync-daemon run`; "
            "for several, move the state with `sync-daemon db copy` and name the new database."
        )
    keep_equal(chosen, lambda *given: _shared(url, concurrency, *given), shared=True)


def _shared(url: str, concurrency: int, installation: Installation, metrics: Metrics) -> Shared:
    try:
        from sync_daemon.workers.queue import JobQueue  # noqa: PLC0415 - an extra that only this command needs
    except ModuleNotFoundError as error:
        raise ConfigurationError("`worker` needs Procrastinate: pip install 'sync-daemon[cluster]'") from error
    queue = JobQueue(url, concurrency)
    metrics.watch_jobs(queue.waiting)
    return Shared(installation, queue, metrics.taken_over)

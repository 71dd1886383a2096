"""Several locations and lists of one account, and workers that share them over PostgreSQL."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from sync_daemon.sandbox.server import RunningSandbox
from sync_daemon.store.engine import open_engine, reading, writing
from tests.e2e.trial import Answer, Process, finished, start
from tests.plain import PLAIN

PATIENCE_S = 120.0
_PAIR = """\
  - name: {name}
    ghl: {{location_id: {location_id}, token: {token}}}
    emailoctopus: {{list_id: {list_id}, api_key: {key}}}
    fields:
      - {{ghl: firstName, emailoctopus: FirstName}}
"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One pair's two sides."""

    name: str
    location_id: str
    list_id: str
    api_key: str


@dataclass
class Office:
    """The tenants, and the database that workers share. Only EmailOctopus's limit is on: they share its account."""

    folder: Path
    running: RunningSandbox
    database_url: str
    tenants: list[Tenant] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.running.sandbox.ghl.limiter.settings.enabled = False
        self._engine = open_engine(self.database_url)

    def close(self) -> None:
        self._engine.dispose()

    def add(self, name: str, people: int, api_key: str = "") -> Tenant:
        """One more location and list; nobody is on the list yet. An `api_key` of its own is an account of its own."""
        ghl, emailoctopus = self.running.sandbox.ghl.world, self.running.sandbox.emailoctopus.world
        api_key = api_key or self.running.sandbox.emailoctopus_key
        emailoctopus.api_keys.add(api_key)
        tenant = Tenant(name, ghl.add_location().id, emailoctopus.create_list(name).id, api_key)
        for number in range(people):
            ghl.create(location_id=tenant.location_id, email=f"{name}{number}@example.com", firstName=f"First {number}")
        self.tenants.append(tenant)
        return tenant

    def write(self, service: str) -> Path:
        """The configuration of every worker but its port."""
        sandbox = self.running.sandbox
        head = [
            f"database_url: {self.database_url}",
            "secret_key: a secret of at least 32 characters, for workers",
            f"ghl: {{base_url: {self.running.ghl_url}, webhook_public_key: {sandbox.ghl.webhooks.key}}}",
            f"emailoctopus: {{base_url: {self.running.emailoctopus_url}}}",
            f"service: {service}",
            "pairs:\n",
        ]
        pairs = [
            _PAIR.format(
                name=one.name,
                location_id=one.location_id,
                token=sandbox.ghl.world.private_token(location_id=one.location_id),
                list_id=one.list_id,
                key=one.api_key,
            )
            for one in self.tenants
        ]
        path = self.folder / "sync.yaml"
        path.write_text("\n".join(head) + "".join(pairs), encoding="utf-8")
        return path

    def people(self, tenant: Tenant) -> list[Any]:
        return [one for one in self.running.sandbox.ghl.world.contacts if one.location_id == tenant.location_id]

    def subscribers(self, tenant: Tenant) -> list[Any]:
        return list(self.running.sandbox.emailoctopus.world.lists[tenant.list_id].contacts)

    def is_equal(self, tenant: Tenant) -> bool:
        """Whether both sides of a pair hold the same people under the same names."""
        names = {one.email: one.fields.get("firstName") for one in self.people(tenant)}
        return names == {one.email_address: one.fields.get("FirstName") for one in self.subscribers(tenant)}

    def rename(self, tenant: Tenant, how_many: int, name: str) -> None:
        """Somebody edits some people in GHL."""
        for one in self.people(tenant)[:how_many]:
            self.running.sandbox.ghl.world.edit(one.id, firstName=f"{name} {one.email}")

    def rows(self, query: str, **parameters: object) -> list[Any]:
        with reading(self._engine) as connection:
            return list(connection.execute(text(query), parameters).all())

    def execute(self, *statements: str) -> None:
        with writing(self._engine) as connection:
            for one in statements:
                connection.execute(text(one))

    def holder(self, tenant: Tenant) -> int:
        """The process that holds a pair now."""
        rows = self.rows("SELECT name, holder FROM leases JOIN pairs ON pairs.id = pair_id")
        return next(int(row.holder.split(":")[1]) for row in rows if row.name == tenant.name)

    def let_the_holder_be_given_up(self) -> None:
        """What half a minute does to whoever stands still."""
        self.execute(
            "UPDATE leases SET expires_at = 0",
            "UPDATE workers.agendas SET taken_at = 0",
            "UPDATE workers.procrastinate_workers SET last_heartbeat = now() - interval '1 minute'",
        )

    def overlaps(self) -> list[Any]:
        """Runs of one pair that were under way at the same time."""
        return self.rows(
            "SELECT one.run_id, other.run_id FROM runs AS one JOIN runs AS other ON one.pair_id = other.pair_id "
            "AND one.run_id < other.run_id AND one.started < other.ended AND other.started < one.ended"
        )


@dataclass
class Worker:
    """A worker under way."""

    process: Process
    log: Path
    url: str = ""

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def has_begun(self) -> bool:
        """Whether it listens, or has ended before."""
        return self.process.poll() is not None or bool(self.events("listening"))

    def figure(self, name: str) -> float:
        """The sum of a figure's series in `/metrics`."""
        told = httpx.get(f"{self.url}/metrics", verify=PLAIN).text
        return sum(map(float, re.findall(rf"^sync_daemon_{name}(?:{{.*}})? (\S+)$", told, re.MULTILINE)))

    def stop(self) -> Answer:
        self.process.send_signal(signal.SIGTERM)
        return finished(self.process, seconds=30)


@contextmanager
def workers(
    office: Office,
    *names: str,
    service: str = "http: {port: 0}, poll_every: 1h",
    concurrency: int = 2,
    command: Sequence[str] = (),
) -> Iterator[list[Worker]]:
    """Workers on one office, each listening; killed at the end if they still are."""
    path, started = office.write(f"{{{service}}}"), list[Worker]()
    try:
        for name in names:
            log = office.folder / f"{name}.log"
            line = ("worker", "--config", str(path), "--concurrency", str(concurrency))
            process = start(*line, folder=office.folder, stderr=log, command=command)
            started.append(Worker(process, log))
        for one in started:
            until(one.has_begun, "listening")
            assert one.process.poll() is None, one.log.read_text(encoding="utf-8")
            one.url = one.events("listening")[0]["address"]
        yield started
    finally:
        for one in started:
            one.process.kill()
            one.process.communicate()


def until(holds: Callable[[], object], what: str) -> float:
    """Wait for something that is bound to come; how long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S, f"it didn't come to pass: {what}"
        time.sleep(0.05)
    return time.monotonic() - began

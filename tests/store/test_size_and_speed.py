"""A link costs about a kilobyte, and a first load is stored in seconds."""

import random
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from sync_daemon.model.contact import Consent
from sync_daemon.model.state import Baseline, KnownContact, Link
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.engine import reading
from tests.store.examples import EMAILOCTOPUS, GHL, NOON

LINKS = 10_000
BATCH = 500
FIELDS = [
    "firstName=FirstName",
    "lastName=LastName",
    "phone=Phone",
    "custom.membership_plan=MembershipPlan",
    "postalCode=PostalCode",
    "dateOfBirth=DateOfBirth",
]


class Load:
    """Contacts of a large location as they are after a first load: digests of 12 bytes, ids of the vendors' length."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._generation = self._digest()
        self._ids = [(self._ghl_id(), str(uuid.UUID(int=self._random.getrandbits(128)))) for _ in range(LINKS)]

    def batches(self) -> Iterator[Commit]:
        for start in range(0, LINKS, BATCH):
            batch = self._ids[start : start + BATCH]
            yield Commit(
                contacts=[contact for ids in batch for contact in self._contacts(*ids)],
                links=[Link(*ids, scope_generation=self._generation) for ids in batch],
            )

    def _contacts(self, ghl_id: str, emailoctopus_id: str) -> Iterator[KnownContact]:
        address = self._digest()
        yield self._contact(GHL, ghl_id, address)
        yield self._contact(EMAILOCTOPUS, emailoctopus_id, address)

    def _contact(self, system: SystemName, contact_id: str, address: bytes) -> KnownContact:
        return KnownContact(
            system,
            contact_id,
            updated_at=NOON + timedelta(seconds=self._random.random() * 1e6),
            consent=Consent.GRANTED,
            address=address,
            seen=self._digest(),
            baseline=Baseline(
                fields={key: self._digest() for key in FIELDS},
                tags=frozenset(self._digest() for _ in range(5)),
                consent=Consent.GRANTED,
                address=address,
                generation=1,
            ),
            written_at=NOON,
            generation=self._generation,
            scan=1,
        )

    def _digest(self) -> bytes:
        return self._random.randbytes(12)

    def _ghl_id(self) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=20))


def test_a_link_costs_about_a_kilobyte(
    pair: PairStore, engine: Engine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = _stored_bytes(engine, database_url)
    load = Load(seed=20261101)
    started = time.monotonic()
    for commit in load.batches():
        pair.commit(commit)
    seconds = time.monotonic() - started

    each = (_stored_bytes(engine, database_url) - empty) / LINKS
    with capsys.disabled():
        sys.stdout.write(
            f"\n{engine.dialect.name}: {each:.0f} bytes a link; {2 * LINKS} contacts and {LINKS} links "
            f"in {seconds:.1f} s, {3 * LINKS / seconds:.0f} rows a second\n"
        )
    assert each < {"sqlite": 1024, "postgresql": 1536}[engine.dialect.name]
    assert pair.totals().links == LINKS


def test_thirty_thousand_contacts(pair: PairStore, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    contacts = [KnownContact(GHL, f"contact-{number}", updated_at=NOON, scan=1) for number in range(30_000)]
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        for start in range(0, len(contacts), 1000):
            pair.commit(Commit(contacts=contacts[start : start + 1000]))
        seconds.append(time.monotonic() - started)
    with capsys.disabled():
        first, again = (len(contacts) / taken for taken in seconds)
        sys.stdout.write(f"\n{engine.dialect.name}: {first:.0f} contacts inserted a second, {again:.0f} replaced\n")

    assert pair.count_contacts(GHL) == {"unknown": 30_000}


def _stored_bytes(engine: Engine, database_url: str) -> int:
    """What the tables of contacts and links and their indexes take, checkpointed or vacuumed."""
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(make_url(database_url).database or "").stat().st_size
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

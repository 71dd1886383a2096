"""Nothing that could tell something about a person is in the database in clear (contract, law L9)."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from sync_daemon.model.alarm import Condition
from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.engagement import Kind, ReportRead, seen
from sync_daemon.model.oauth import Login, OwnerKind, TokenOwner, Tokens
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Call, Cause, Change, KnownTag
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.ports import Commit, PairStore
from sync_daemon.reconcile.alerting import Standing
from sync_daemon.store.engine import reading
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.store.tables import metadata
from tests.store.conftest import SECRET
from tests.store.examples import (
    EMAILOCTOPUS,
    GHL,
    NOON,
    deed,
    digest,
    full_link,
    held,
    known,
    parked,
    replaced,
    shown,
    snapshot,
    staged,
    tombstone,
)

ACCESS, REFRESH, STATE = "an access token", "a refresh token", "the state of a login"
PERSONAL = (
    ACCESS,
    REFRESH,
    STATE,
    "Jane.Roe@example.org",
    "jane.roe@example.org",
    "j.roe@example.com",
    "Jané-Margarethe",
    "Zürich-Seebach",
    "VIP customer",
    "vip customer",
    "very important",
    "+1 555 0100",
    "isn't valid",
    "status oddly spelt",
    "former patient",
    SECRET,
)
"""Each long enough not to turn up in a random text by chance."""

FLAGS = {"revoked", "moved", "absent"}


@pytest.fixture
def full_pair(pair: SqlPairStore, store: StateStore) -> PairStore:
    """A pair that has stored something of everything, and taken most of it back."""
    everything = Commit(
        contacts=[known("g1"), known("e1", EMAILOCTOPUS)],
        additional_addresses={"g1": (digest(1),)},
        links=[full_link("g1", "e1")],
        staged=[staged("g1", revoked=True), staged("e1", EMAILOCTOPUS), staged("g2")],
        parked=[parked("g1", "e1"), parked("g2", None)],
        held=[held("g1", "e1")],
        tombstones=[tombstone("g1", "e1")],
        tags=[
            KnownTag("vip customer", GHL, "VIP customer"),
            KnownTag("very important", EMAILOCTOPUS, "very important"),
        ],
        revoked_addresses={digest(1): Cause.PERSON_GHL},
        watermarks={"ghl.contacts": NOON},
        looked_at={"counts": NOON},
        changes=[Change("written", GHL, "g1", "e1", "firstName", "changed in EmailOctopus")],
        mass_changes={"deletion": 2},
        replaced=[replaced("g1", "e1")],
        activity=[shown("g1", "e1")],
        deeds=[deed("automation:a:t1", message="Jané-Margarethe isn't valid")],
        occasions=[seen(Kind.TAG_ADDED, "e1", "very important", NOON, digest(5))],
        reports=[ReportRead("k1", Kind.CLICKED, 3, NOON)],
        calls=[Call("main", GHL, "g1")],
    )
    pair.save_schema(AccountSchema(GHL, {"custom.plan": FieldSpec("custom.plan", "x", "TEXT")}))
    pair.commit(everything, run_id="run-1")
    pair.weigh_alerts(lambda _: {Condition.HELD: Standing("1 contact waits.", NOON, told=True)})
    pair.save_events([WebhookEvent(GHL, "event-1", "g1", EventKind.CHANGED, NOON)])
    done = pair.next_staged(GHL, 0, 1)
    pair.commit(Commit(done=done, unparked=[parked("g2", None)]))
    pair.save_run(CycleReport("main", "run-1", Mode.FULL), NOON, NOON)
    pair.forget(digest(99), [(GHL, "somebody-else")])
    tokens = Tokens(client_id="app", access_token=ACCESS, refresh_token=REFRESH, ends_at=NOON)
    store.oauth.put(TokenOwner(OwnerKind.LOCATION, "location"), tokens)
    store.oauth.begin(STATE, Login(client_id="app", redirect_uri="http://127.0.0.1/", agency=False), 60)
    store.configured_pairs.save({"other": f"ghl: {{token: {ACCESS}}}"}, instead_of={})
    return pair


def as_stored(engine: Engine, database_url: str) -> Iterator[bytes]:
    """Everything the database holds: each value, and for SQLite each file as it lies on the disk."""
    with reading(engine) as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(table.select()):
                for value in row:
                    yield value if isinstance(value, bytes) else str(value).encode()
    if database_url.startswith("sqlite"):
        path = Path(make_url(database_url).database or "")
        files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
        assert len(files) >= 2, "the database and its log"
        yield from (file.read_bytes() for file in files)


def disguises(text: str) -> Iterator[bytes]:
    """A text as it might lie in a database without being secret."""
    for encoding in ("utf-8", "utf-16-le"):
        plain = text.encode(encoding)
        yield plain
        yield plain.hex().encode()
        yield base64.b64encode(plain).rstrip(b"=")[:-1]
    yield text.encode("unicode_escape")


def test_no_personal_data_lies_in_clear(full_pair: PairStore, engine: Engine, database_url: str) -> None:
    assert full_pair.parked(everything=True)[0].message == "Phone +1 555 0100 isn't valid", "it is there, encrypted"
    held_values = list(as_stored(engine, database_url))

    assert any(b"g1" in value for value in held_values), "ids are there to be found"
    found = {text for text in PERSONAL for form in disguises(text) if any(form in value for value in held_values)}
    assert found == set()


def test_every_table_was_filled(full_pair: PairStore, engine: Engine) -> None:
    with reading(engine) as connection:
        empty = {table.name for table in metadata.sorted_tables if not connection.execute(table.select()).first()}

    assert empty == set()


def test_what_is_staged_says_nothing_by_its_row_but_its_flags(full_pair: PairStore, engine: Engine) -> None:
    with reading(engine) as connection:
        rows = connection.execute(metadata.tables["inbox"].select()).mappings().all()

    assert {row["contact_id"] for row in rows} == {"e1", "g2"}
    for row in rows:
        assert set(row) == {"pair_id", "system", "contact_id", "sequence", "updated_at", *FLAGS, "payload"}
        assert str(snapshot("g2").address).encode() not in row["payload"]

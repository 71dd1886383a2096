"""Random commits against a model in memory: whatever is stored, replaced and removed, both agree."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from sync_daemon.model.contact import Consent
from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import Baseline, Cause, KnownContact, Link, Sent, Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.installation import StateStore
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import GHL, NOON, snapshot

IDS = ["a", "b", "c", "d"]
STREAMS = ["ghl.contacts", "emailoctopus.pending"]

ids = st.sampled_from(IDS)
digests = st.binary(min_size=12, max_size=16)
moments = st.integers(-5, 5).map(lambda seconds: NOON + timedelta(seconds=seconds))
systems = st.sampled_from(SystemName)
keys = st.sampled_from(["firstName=FirstName", "phone=Phone", "custom.plan=Plan", "city=City"])
baselines = st.builds(
    Baseline,
    fields=st.dictionaries(keys, digests),
    tags=st.none() | st.frozensets(digests),
    consent=st.none() | st.sampled_from(Consent),
    address=st.none() | digests,
    generation=st.integers(0, 2**31),
)
sents = st.builds(
    Sent,
    fields=st.dictionaries(keys, digests),
    tags=st.frozensets(digests),
    consent=st.none() | st.sampled_from(Consent),
    address=st.none() | digests,
    creation=st.booleans(),
)
contacts = st.builds(
    KnownContact,
    system=systems,
    contact_id=ids,
    updated_at=st.none() | moments,
    consent=st.none() | st.sampled_from(Consent),
    address=st.none() | digests,
    seen=st.none() | digests,
    unlinked=st.none() | st.sampled_from(Unlinked),
    duplicate_of=st.none() | ids,
    baseline=st.none() | baselines,
    sent=st.none() | sents,
    written_at=st.none() | moments,
    generation=digests | st.just(b""),
    scan=st.integers(0, 2**31 - 1),
)
links = st.builds(
    Link,
    ghl_id=ids,
    emailoctopus_id=ids,
    cause=st.none() | st.sampled_from(Cause),
    dnd_by_us=st.booleans(),
    diverged=st.frozensets(keys),
)
staged_rows = st.builds(
    lambda system, contact_id, at, revoked: Staged(
        system, contact_id, snapshot(contact_id, system, at=at) if at else None, revoked=revoked
    ),
    systems,
    ids,
    st.none() | moments,
    st.booleans(),
)
commits = st.builds(
    Commit,
    contacts=st.lists(contacts, max_size=3),
    additional_addresses=st.dictionaries(ids, st.lists(digests, max_size=2).map(tuple), max_size=2),
    links=st.lists(links, max_size=2),
    unlink=st.lists(links, max_size=2),
    staged=st.lists(staged_rows, max_size=3),
    revoked_addresses=st.dictionaries(st.sampled_from([b"1" * 12, b"2" * 12]), st.sampled_from(Cause)),
    regranted_addresses=st.lists(st.sampled_from([b"1" * 12, b"2" * 12]), max_size=1),
    watermarks=st.dictionaries(st.sampled_from(STREAMS), moments),
)


class Model:
    """What the port's docstrings promise, in dictionaries."""

    def __init__(self) -> None:
        self.contacts: dict[tuple[SystemName, str], KnownContact] = {}
        self.additional: dict[str, set[bytes]] = {}
        self.links: dict[str, Link] = {}
        self.inbox: dict[tuple[SystemName, str], Staged] = {}
        self.newest: dict[tuple[SystemName, str], datetime] = {}
        self.revoked: dict[bytes, str] = {}
        self.watermarks: dict[str, datetime] = {}

    def linked(self, commit: Commit) -> dict[str, Link] | None:
        """The links after a commit, None when two would share a contact, be it for a moment."""
        gone = {(link.ghl_id, link.emailoctopus_id) for link in commit.unlink}
        kept = {ghl: link for ghl, link in self.links.items() if (ghl, link.emailoctopus_id) not in gone}
        for new in commit.links:
            kept[new.ghl_id] = new
            if sum(link.emailoctopus_id == new.emailoctopus_id for link in kept.values()) > 1:
                return None
        return kept

    def commit(self, commit: Commit) -> None:
        self.links = self.linked(commit) or {}
        self.contacts |= {(contact.system, contact.contact_id): contact for contact in commit.contacts}
        self.additional |= {ghl_id: set(addresses) for ghl_id, addresses in commit.additional_addresses.items()}
        for row in commit.done:
            stands = self.inbox.get((row.system, row.contact_id))
            if stands is not None and stands.sequence == row.sequence:
                del self.inbox[row.system, row.contact_id]
                self.newest.pop((row.system, row.contact_id), None)
        for row in commit.staged:
            key = row.system, row.contact_id
            if row.snapshot is None or row.snapshot.updated_at >= self.newest.get(key, row.snapshot.updated_at):
                self.inbox[key] = row
                if row.snapshot:
                    self.newest[key] = row.snapshot.updated_at
        for address in commit.regranted_addresses:
            self.revoked.pop(address, None)
        for address, cause in commit.revoked_addresses.items():
            if cause != Cause.POLICY or address not in self.revoked:
                self.revoked[address] = cause
        for stream, reached in commit.watermarks.items():
            self.watermarks[stream] = max(reached, self.watermarks.get(stream, reached))


def stored(pair: PairStore) -> Model:
    """What a store holds, as a model."""
    model = Model()
    for system in SystemName:
        model.contacts |= {(system, contact_id): row for contact_id, row in pair.contacts(system, IDS).items()}
        model.inbox |= {(system, contact_id): row for contact_id, row in pair.staged(system, IDS).items()}
    model.links = {link.ghl_id: link for link in pair.links(ghl=IDS)}
    model.revoked = pair.revoked_at([b"1" * 12, b"2" * 12])
    model.watermarks = dict(pair.state().watermarks)
    return model


@pytest.fixture
def fresh_pairs(engine: Engine, clock: StoppedClock) -> Iterator[PairStore]:
    """As many new pairs as a test wants, in one store: they must not see each other."""
    store = StateStore(engine, Secrets(SECRET), clock)
    return (store.open_pair(f"pair {number}", "location", "list") for number in range(10**9))


def check_same(pair: PairStore, model: Model) -> None:
    found = stored(pair)
    assert found.contacts == model.contacts
    assert found.links == model.links
    assert {key: replace(row, sequence=0) for key, row in found.inbox.items()} == {
        key: replace(row, sequence=0) for key, row in model.inbox.items()
    }
    assert found.revoked == model.revoked
    assert found.watermarks == model.watermarks
    addresses = {address for those in model.additional.values() for address in those}
    assert pair.holders_of_additional(addresses) == {
        address: sorted(ghl_id for ghl_id, those in model.additional.items() if address in those)
        for address in addresses
    }
    assert pair.count_staged() == {name: sum(system is name for system, _ in model.inbox) for name in SystemName}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_commits(fresh_pairs: Iterator[PairStore], data: st.DataObject) -> None:
    pair, model, read = next(fresh_pairs), Model(), list[Staged]()
    for commit in data.draw(st.lists(commits, min_size=1, max_size=6), label="commits"):
        commit.done += [row for row in read if data.draw(st.booleans(), label="done")]
        if model.linked(commit) is None:
            with pytest.raises(StateStoreError, match="can't be linked"):
                pair.commit(commit)
        else:
            pair.commit(commit)
            model.commit(commit)
        check_same(pair, model)
        model.inbox = stored(pair).inbox
        read += pair.next_staged(GHL, 0, 2)

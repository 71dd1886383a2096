"""Pairs whose settings are in the database: encrypted, never overwritten unseen, told by a number that only rises."""

import pytest
from sqlalchemy import Engine

from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.store.configured_pairs import are_there, names_in, remove_from
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import reading
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import configured_pairs
from tests.store.conftest import SECRET, StoppedClock

SECOND = "the second secret, of the same fair length"
BERLIN, BONN = "name: berlin\nghl: {token: pit-1}\n", "name: bonn\n"


def test_what_changed_is_told_by_a_number(store: StateStore, engine: Engine) -> None:
    pairs = store.configured_pairs
    assert (pairs.revision(), list(pairs.names()), are_there(engine)) == (0, [], True)
    pairs.save({"berlin": BERLIN, "bonn": BONN}, {})
    seen = pairs.revision()
    assert pairs.changed_since(0) == {"berlin": BERLIN, "bonn": BONN}
    assert pairs.changed_since(seen) == {}

    pairs.save({"bonn": f"{BONN}# more\n"}, {"bonn": BONN})
    assert pairs.changed_since(seen) == {"bonn": f"{BONN}# more\n"}
    assert pairs.text("bonn") == f"{BONN}# more\n"
    before = pairs.revision()
    assert remove_from(engine, "bonn")
    assert not remove_from(engine, "bonn")
    assert pairs.revision() > before
    assert names_in(engine) == ["berlin"]
    assert pairs.text("bonn") is None


def test_nothing_of_it_is_in_the_clear(store: StateStore, engine: Engine) -> None:
    store.configured_pairs.save({"berlin": BERLIN}, {})
    with reading(engine) as connection:
        (row,) = connection.execute(configured_pairs.select()).all()
    assert b"pit-1" not in row.settings
    assert b"ghl" not in row.settings


def test_who_saves_has_seen_what_was_there(store: StateStore) -> None:
    pairs = store.configured_pairs
    pairs.save({"berlin": BERLIN}, {})
    for texts, before in (
        ({"berlin": BONN, "bonn": BONN}, {}),
        ({"berlin": BONN}, {"berlin": "something else"}),
        ({"bonn": BONN}, {"bonn": "it was there"}),
    ):
        with pytest.raises(ConfigurationError, match="changed in the database by somebody else meanwhile"):
            pairs.save(texts, before)
    assert pairs.changed_since(0) == {"berlin": BERLIN}


def test_a_changed_secret_renews_them_and_a_lost_one_is_said(engine: Engine, clock: StoppedClock) -> None:
    StateStore(engine, Secrets(SECRET), clock).configured_pairs.save({"berlin": BERLIN}, {})
    store = StateStore(engine, Secrets(SECOND, [SECRET]), clock)
    assert store.configured_pairs.text("berlin") == BERLIN
    assert store.renew()
    again = StateStore(engine, Secrets(SECOND), clock)
    assert again.configured_pairs.text("berlin") == BERLIN
    with again.private_copy("main") as copy:
        assert list(copy.configured_pairs.names()) == []

    lost = type(again.configured_pairs)(engine, Secrets(SECRET), clock)
    with pytest.raises(StateStoreError, match="settings of the pair berlin in the database were stored with another"):
        lost.changed_since(0)
    assert remove_from(engine, "berlin")

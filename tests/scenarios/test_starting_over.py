"""Contract, section 7: what `reset` and `adopt` keep of who revoked, and that a new secret changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sync_daemon.changes.digests import Digester
from sync_daemon.model.policy import OnLeaveScope, ScopeRule
from sync_daemon.model.state import Cause
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.store.starting_over import LockedStore, NewStart
from tests.worlds import EMAILOCTOPUS, SECRET, World, world

ADA = "ada@example.com"
NEW_SECRET = "another secret for tests, long enough too"


def start_over(here: World, database_url: str, *, adopt: bool) -> None:
    """`adopt` or `reset` at the same place."""
    engine = open_engine(database_url)
    store = LockedStore(engine, here.pair.clock)
    [pair] = store.pairs()
    store.start_over([NewStart(pair, pair.location_id, pair.list_id, None if adopt else ())])
    engine.dispose()


def unsubscribed_by_policy(here: World) -> str:
    """Somebody who left the scope, which unsubscribed him; no person ever did."""
    ghl_id, _ = here.linked()
    here.later(minutes=30)
    here.ghl.add_tags(ghl_id, ["gone"])
    here.reconcile()
    assert here.status(ADA) == "unsubscribed"
    return ghl_id


@pytest.mark.parametrize("adopt", [True, False])
def test_what_a_policy_revoked_is_not_taken_for_a_persons_revocation(database_url: str, *, adopt: bool) -> None:
    with world(database_url, scope=ScopeRule(tags_none=("gone",)), on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ghl_id = unsubscribed_by_policy(here)
        start_over(here, database_url, adopt=adopt)
        here.reconcile()
        here.settle()
        assert not here.blocked(ADA)
        assert here.status(ADA) == "unsubscribed"
        # Nobody subscribes him again because he comes back.
        here.clock.advance(1)
        here.ghl.remove_tags(ghl_id, ["gone"])
        here.reconcile()
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (False, "unsubscribed")
        [link] = here.pair_store.links(ghl=[ghl_id])
        assert link.cause is Cause.POLICY


@pytest.mark.parametrize("adopt", [True, False])
def test_a_revocation_whose_contact_is_gone_stays_remembered(database_url: str, *, adopt: bool) -> None:
    with world(database_url) as here:
        here.linked("bob@example.com", "Bob")
        eve = here.subscriber("eve@example.com")
        here.emailoctopus.unsubscribe(eve)
        here.reconcile()
        here.emailoctopus.delete(eve)
        start_over(here, database_url, adopt=adopt)
        here.reconcile()
        here.person("eve@example.com")
        here.reconcile()
        here.settle()
        assert here.blocked("eve@example.com")
        assert not here.has(EMAILOCTOPUS, "eve@example.com")


def test_adopted_tags_go_on_under_the_names_they_had(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        start_over(here, database_url, adopt=True)
        here.reconcile()
        here.assert_quiet()
        here.later(minutes=30)
        here.emailoctopus.remove_tags(subscriber_id, ["vip"])
        here.reconcile()
        assert here.people()[ghl_id]["tags"] == []


@contextmanager
def opened_with(secrets: Secrets, here: World, database_url: str) -> Iterator[StateStore]:
    """The same pair in a process that has these secrets."""
    with StateStore(open_engine(database_url), secrets, here.pair.clock) as store:
        use(here, store)
        yield store


def use(here: World, store: StateStore) -> None:
    pair_store = store.open_pair("main", here.sandbox.location_id, here.sandbox.list_id)
    lease = replace(here.pair.lease, store=pair_store)
    here.pair = replace(
        here.pair, store=pair_store, lease=lease, systems=here.connect(lease), digester=Digester(*store.digest_keys)
    )


def test_what_happened_before_a_renewal_is_decided_after_it_as_if_there_were_none(database_url: str) -> None:
    with world(database_url) as here:
        ada, bob = here.linked(ADA, tags=["vip"]), here.linked("bob@example.com", "Bob", tags=["vip", "club"])
        eve = here.subscriber("eve@example.com")
        here.emailoctopus.unsubscribe(eve)
        here.reconcile()
        here.emailoctopus.delete(eve)
        here.later(minutes=30)
        here.edit_person(ada[0], firstName="Augusta")
        here.emailoctopus.remove_tags(bob[1], ["club"])
        here.edit_person(bob[0], lastName=None)
        with opened_with(Secrets(NEW_SECRET, [SECRET]), here, database_url) as store:
            assert store.renew()
        with opened_with(Secrets(NEW_SECRET), here, database_url):
            after_a_renewal(here)


def after_a_renewal(here: World) -> None:
    here.person("eve@example.com")
    report = here.reconcile()
    assert report.conflicts == 0
    assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
    assert here.in_ghl("bob@example.com")["tags"] == ["vip"], "a removal travels, nothing is united"
    assert "LastName" not in here.in_emailoctopus("bob@example.com")["fields"], "and so does a blank"
    assert here.blocked("eve@example.com"), "who revoked is still known by the address"
    here.settle()
    here.full()
    here.assert_quiet()

"""A location with several lists: consent joins at the location. Several people live through one world together."""

from dataclasses import replace

import pytest

from sync_daemon.model.grants import ContactKey
from sync_daemon.model.policy import DeletedInEmailOctopus, DeleteRule, OnLeaveScope, Resubscribe, ScopeRule
from sync_daemon.model.report import Mode
from sync_daemon.model.sharing import UnsubscribeMeans
from sync_daemon.model.state import Link
from sync_daemon.store.pair import SqlPairStore
from tests.neighbourhood import ADA, Neighbourhood, Spec, neighbourhood
from tests.worlds import world

A, B = Spec("X", "A"), Spec("X", "B")
BACKWARDS = ("X-B", "X-A")
"""Another order of cycles than that of the file; `python -m tests.machine --several` draws all kinds."""
ON_BOTH = (False, "subscribed", "subscribed")
ON_A, ON_B = (False, "subscribed", "unsubscribed"), (False, "unsubscribed", "subscribed")
ON_NONE = (True, "unsubscribed", "unsubscribed")


def consent(hood: Neighbourhood, who: str) -> tuple[bool, str, str]:
    """Whether GHL blocks somebody, and the status in both lists."""
    email = f"{who}@example.com"
    return hood.blocked("X", email), hood.status("A", email), hood.status("B", email)


def unsubscribe(hood: Neighbourhood, who: str, *lists: str) -> None:
    for of in lists:
        hood.unsubscribe(of, f"{who}@example.com")


def people(hood: Neighbourhood, *names: str) -> dict[str, str]:
    """So many people in X and, by a first round, in both lists."""
    ids = {name: hood.person("X", f"{name}@example.com") for name in names}
    hood.settle(*BACKWARDS)
    return ids


def test_consent_joins_at_the_location(database_url: str) -> None:
    policy = {"resubscribe": Resubscribe.ALLOW}
    with neighbourhood(database_url, replace(A, policy=policy), replace(B, policy=policy)) as hood:
        ids = people(hood, "one", "one-by-one", "both", "blocked")
        unsubscribe(hood, "one", "A")
        unsubscribe(hood, "one-by-one", "A")
        unsubscribe(hood, "both", "A", "B")
        hood.dnd("X", ids["blocked"], "active")
        hood.settle(*BACKWARDS)
        assert (consent(hood, "one"), consent(hood, "one-by-one")) == (ON_B, ON_B)  # another list has them: no DND
        assert (consent(hood, "both"), consent(hood, "blocked")) == (ON_NONE, ON_NONE)

        unsubscribe(hood, "one-by-one", "B")  # the last list that had the person
        hood.sign_up("A", "both@example.com")  # GHL's block was this program's: it is lifted, and B stays as it was
        hood.dnd("X", ids["blocked"], "inactive")  # a person's: `resubscribe` says what follows, pair by pair
        hood.settle(*BACKWARDS)
        assert (consent(hood, "one-by-one"), consent(hood, "both")) == (ON_NONE, ON_A)
        assert (consent(hood, "one"), consent(hood, "blocked")) == (ON_B, ON_BOTH)

        unsubscribe(hood, "both", "A")
        hood.settle(*BACKWARDS)
        assert consent(hood, "both") == ON_NONE
        hood.assert_quiet()


def test_a_list_that_the_person_isnt_on_any_more_doesnt_count(database_url: str) -> None:
    lets_go = {
        "scope": ScopeRule(tags_none=("left",)),
        "on_leave_scope": OnLeaveScope.UNSUBSCRIBE,
        "deletes": DeleteRule(in_emailoctopus=DeletedInEmailOctopus.IGNORE),
        "create_in_ghl": False,
    }
    with neighbourhood(database_url, A, replace(B, policy=lets_go)) as hood:
        hood.person("X", "never@example.com", tags=["left"])
        ids = people(hood, "leaves-scope", "deleted", "deleted-from-a", *(f"n{number}" for number in range(5)))
        assert not [row for row in hood.subscribers("B") if row["email_address"] == "never@example.com"]
        for who in ("never", "leaves-scope", "deleted"):
            unsubscribe(hood, who, "A")
        hood.mail.emailoctopus.world.delete(str(hood.subscriber("A", "deleted-from-a@example.com")["id"]))
        hood.round(*BACKWARDS, mode=Mode.FULL)
        hood.settle(*BACKWARDS)
        assert hood.blocked("X", "never@example.com")
        assert (consent(hood, "leaves-scope"), consent(hood, "deleted")) == (ON_B, ON_B)
        assert not hood.blocked("X", "deleted-from-a@example.com")  # B has the person
        assert "deleted-in-emailoctopus" in hood.contact("X", "deleted-from-a@example.com")["tags"]

        hood.places["X"].ghl.world.add_tags(ids["leaves-scope"], ["left"])
        hood.mail.emailoctopus.world.delete(str(hood.subscriber("B", "deleted@example.com")["id"]))
        hood.round(*BACKWARDS, mode=Mode.FULL)
        hood.settle(*BACKWARDS)
        assert consent(hood, "leaves-scope") == ON_NONE
        assert hood.blocked("X", "deleted@example.com")
        hood.assert_quiet()


def test_unsubscribing_can_mean_everything(database_url: str) -> None:
    with neighbourhood(database_url, replace(A, means=UnsubscribeMeans.EVERYTHING), B) as hood:
        people(hood, "ada", "bob")
        unsubscribe(hood, "ada", "A")
        unsubscribe(hood, "bob", "B")  # B is a pair of its own, and means itself
        hood.settle(*BACKWARDS)
        assert (consent(hood, "ada"), consent(hood, "bob")) == (ON_NONE, ON_A)
        hood.assert_quiet()


def test_a_list_that_nobody_has_read_yet_counts_as_one_that_has_the_person(database_url: str) -> None:
    with neighbourhood(database_url, A, B) as hood:
        hood.person("X")
        for name in "AB":
            hood.mail.emailoctopus.world.add(hood.lists[name], ADA, {"FirstName": "Ada"})
        hood.unsubscribe("A")
        hood.round("X-A")
        hood.settle()
        assert consent(hood, "ada") == ON_B

        # Later B is taken out of the configuration: A is the only list that counts.
        alone = replace(hood.pairs["X-A"], neighbours=replace(hood.pairs["X-A"].neighbours, lists=()))
        hood.pairs = {"X-A": alone}
        hood.settle()
        assert hood.blocked("X")
        hood.assert_quiet()


def test_a_pair_that_shares_nothing_asks_nothing_of_others(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def called(_: SqlPairStore) -> list[ContactKey]:
        asked.append("called")
        return []

    def shared_links(_: SqlPairStore) -> list[Link]:
        asked.append("shared_links")
        return []

    monkeypatch.setattr(SqlPairStore, "called", called)
    monkeypatch.setattr(SqlPairStore, "shared_links", shared_links)
    with world(database_url) as here:
        here.linked()
        here.full()
    assert asked == []

"""Contract, section 5: tags, sentence by sentence."""

from time import monotonic
from typing import Literal

import pytest
from structlog.testing import capture_logs

from sync_daemon.changes.tagbook import COLLIDES, collisions
from sync_daemon.model.policy import TagRule
from sync_daemon.model.state import KnownTag
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA, BOB = "ada@example.com", "bob@example.com"


def tags(here: World, email: str = ADA) -> tuple[list[str], list[str]]:
    """The tags in GHL and in EmailOctopus."""
    return sorted(here.in_ghl(email)["tags"]), sorted(here.in_emailoctopus(email)["tags"])


def tag_both(here: World, *names: str) -> tuple[str, str]:
    """Ada in both systems with the tags; the ids."""
    ids = here.linked(ADA, tags=list(names))
    here.forget_requests()
    return ids


def tag(here: World, system: SystemName, ids: tuple[str, str], *names: str) -> None:
    here.clock.advance(1)
    if system is GHL:
        here.ghl.add_tags(ids[0], list(names))
    else:
        here.emailoctopus.add_tags(ids[1], list(names))


def untag(here: World, system: SystemName, ids: tuple[str, str], *names: str) -> None:
    here.clock.advance(1)
    if system is GHL:
        here.ghl.remove_tags(ids[0], list(names))
    else:
        here.emailoctopus.remove_tags(ids[1], list(names))


@pytest.mark.parametrize("system", list(SystemName))
def test_a_tag_added_on_one_side_is_added_on_the_other(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "old")
        tag(here, system, ids, "new")
        here.reconcile()
        assert tags(here) == (["new", "old"], ["new", "old"])
        assert here.writes(system) == []
        here.assert_quiet()


@pytest.mark.parametrize("system", list(SystemName))
def test_a_tag_removed_here_and_untouched_there_is_removed_there(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "old", "stays")
        untag(here, system, ids, "old")
        here.reconcile()
        assert tags(here) == (["stays"], ["stays"])
        assert here.writes(system) == []
        here.assert_quiet()


def test_every_spelling_of_a_removed_tag_is_removed_from_emailoctopus(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "stays", "news")
        tag(here, EMAILOCTOPUS, ids, "News", "NEWS")
        here.settle()
        untag(here, GHL, ids, "news")
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("ok", 0)
        assert tags(here) == (["stays"], ["stays"])
        here.assert_quiet()


def test_a_spelling_that_is_removed_while_another_stays_changes_nothing(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "news")
        tag(here, EMAILOCTOPUS, ids, "News")
        here.settle()
        untag(here, EMAILOCTOPUS, ids, "news")
        here.reconcile()
        assert tags(here) == (["news"], ["News"])
        here.assert_quiet()


def test_changes_on_both_sides_are_merged_name_by_name(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "a", "b", "c", "d")
        untag(here, GHL, ids, "a", "c")
        tag(here, GHL, ids, "from-ghl", "both")
        untag(here, EMAILOCTOPUS, ids, "b", "c")
        tag(here, EMAILOCTOPUS, ids, "from-emailoctopus", "both")
        here.reconcile()
        merged = ["both", "d", "from-emailoctopus", "from-ghl"]
        assert tags(here) == (merged, merged)
        here.assert_quiet()


def test_a_tag_changed_on_both_sides_alike_moves_both_baselines(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "old")
        tag(here, GHL, ids, "new")
        tag(here, EMAILOCTOPUS, ids, "new")
        assert not here.reconcile().written
        untag(here, EMAILOCTOPUS, ids, "new")
        here.reconcile()
        assert tags(here) == (["old"], ["old"])
        here.assert_quiet()


def test_comparison_ignores_case(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["VIP"])  # GHL keeps it in lower case
        here.subscriber(ADA, tags=["Vip", "Web Inar"])
        here.reconcile()
        assert tags(here) == (["vip", "web inar"], ["Vip", "Web Inar"])
        here.assert_quiet()
        # In EmailOctopus a tag keeps the spelling that it has there.
        ghl_id = here.person(BOB, tags=["web inar"])
        here.reconcile()
        assert here.in_emailoctopus(BOB)["tags"] == ["Web Inar"]
        here.edit_person(ghl_id, tags=[])
        here.reconcile()
        assert here.in_emailoctopus(BOB)["tags"] == []
        here.assert_quiet()


def test_a_tag_is_removed_as_its_contact_spells_it(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber(ADA, tags=["VIP"])
        here.subscriber(BOB, tags=["Vip"])
        here.reconcile()
        for address in (ADA, BOB):
            here.clock.advance(1)
            here.ghl.remove_tags(here.in_ghl(address)["id"], ["vip"])
        here.reconcile()
        here.later(minutes=2)
        assert here.reconcile().outcome == "ok"
        assert (tags(here, ADA), tags(here, BOB)) == (([], []), ([], []))
        here.assert_quiet()


def test_a_first_meeting_unites(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["here", "both"])
        here.subscriber(ADA, tags=["there", "both"])
        here.reconcile()
        assert tags(here) == (["both", "here", "there"], ["both", "here", "there"])
        here.assert_quiet()


def test_tags_outside_the_filter_are_never_touched(database_url: str) -> None:
    rule = TagRule(include=("News*", "vip"), exclude=("*-Internal",))
    with world(database_url, tags=rule) as here:
        here.person(ADA, tags=["news-may", "news-internal", "plumber"])
        here.subscriber(ADA, tags=["VIP", "News-Internal", "Campaign X"])
        here.person(BOB, tags=["plumber", "vip"])
        here.subscriber("eve@example.com", tags=["Campaign X", "NEWS-May"])
        here.reconcile()
        assert tags(here) == (
            ["news-internal", "news-may", "plumber", "vip"],
            ["Campaign X", "NEWS-May", "News-Internal", "VIP"],
        )
        assert here.in_emailoctopus(BOB)["tags"] == ["VIP"]
        assert here.in_ghl("eve@example.com")["tags"] == ["news-may"]
        [(ghl_id, subscriber_id)] = [
            (link.ghl_id, link.emailoctopus_id) for link in here.pair_store.links(ghl=[here.in_ghl(ADA)["id"]])
        ]
        untag(here, GHL, (ghl_id, subscriber_id), "news-internal", "plumber")
        untag(here, EMAILOCTOPUS, (ghl_id, subscriber_id), "Campaign X")
        assert not here.reconcile().written
        here.full()
        assert tags(here) == (["news-may", "vip"], ["NEWS-May", "News-Internal", "VIP"])
        here.assert_quiet()


def test_a_tag_that_leaves_the_filter_meets_anew_if_it_returns(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "vip", "stays")
        here.with_policy(tags=TagRule(exclude=("vip",)))
        untag(here, EMAILOCTOPUS, ids, "vip")
        assert not here.reconcile().written
        here.with_policy(tags=TagRule())
        here.later(minutes=1)
        here.full()
        # With its old baseline, the tag would be taken for one that EmailOctopus lost, and be taken from GHL.
        assert tags(here) == (["stays", "vip"], ["stays", "vip"])
        here.assert_quiet()


def test_a_tag_that_left_the_filter_and_stayed_away_is_gone_for_nobody(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "vip")
        here.with_policy(tags=TagRule(exclude=("vip",)))
        untag(here, GHL, ids, "vip")
        here.reconcile()
        here.full()
        assert tags(here) == ([], ["vip"])
        here.assert_quiet()


def test_with_tag_sync_off_no_tag_travels(database_url: str) -> None:
    with world(database_url, tags=TagRule(sync=False)) as here:
        here.person(ADA, tags=["here"])
        here.subscriber(ADA, tags=["there"])
        here.person(BOB, tags=["here"])
        here.reconcile()
        here.full()
        assert tags(here) == (["here"], ["there"])
        assert tags(here, BOB) == (["here"], [])
        here.assert_quiet()


def test_the_tag_of_the_delete_policy_is_outside_tag_sync(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "deleted-in-emailoctopus")
        assert tags(here) == (["deleted-in-emailoctopus"], [])
        tag(here, EMAILOCTOPUS, ids, "Deleted-in-EmailOctopus")
        here.reconcile()
        untag(here, GHL, ids, "deleted-in-emailoctopus")
        here.reconcile()
        assert tags(here) == ([], ["Deleted-in-EmailOctopus"])
        here.assert_quiet()


def test_tags_of_existing_ghl_contacts_are_changed_by_their_own_routes_only(database_url: str) -> None:
    with world(database_url) as here:
        many = [here.subscriber(f"p{number}@example.com", f"P{number}", tags=["old"]) for number in range(4)]
        ids = tag_both(here, "old")
        here.forget_requests()
        for subscriber_id in many:
            here.emailoctopus.add_tags(subscriber_id, ["campaign"])
            here.emailoctopus.remove_tags(subscriber_id, ["old"])
        here.edit_subscriber(ids[1], FirstName="Augusta")
        tag(here, EMAILOCTOPUS, ids, "only-hers")
        untag(here, EMAILOCTOPUS, ids, "old")
        here.reconcile()
        log = here.sandbox.ghl.log.exchanges()
        puts = [one.request for one in log if one.method == "PUT"]
        assert puts == [{"firstName": "Augusta"}]
        routes = sorted((one.method, one.path) for one in log if "tags" in one.path)
        assert routes == [
            ("DELETE", f"/contacts/{ids[0]}/tags"),
            ("POST", "/contacts/bulk/tags/update/add"),
            ("POST", "/contacts/bulk/tags/update/remove"),
            ("POST", f"/contacts/{ids[0]}/tags"),
        ]
        assert tags(here) == (["only-hers"], ["only-hers"])
        assert here.in_ghl("p0@example.com")["tags"] == ["campaign"]
        here.assert_quiet()


@pytest.mark.parametrize("unknown", ["created", "dropped", "refused"])
def test_missing_emailoctopus_tags_are_created_first(
    database_url: str, unknown: Literal["created", "dropped", "refused"]
) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.unknown_tag = unknown
        ids = tag_both(here, "at-creation")
        assert tags(here) == (["at-creation"], ["at-creation"])
        tag(here, GHL, ids, "later")
        here.person(BOB, tags=["later", "at-creation"])
        here.reconcile()
        written = here.writes(EMAILOCTOPUS)
        assert [path.rpartition("/")[2] for _, path in written][:1] == ["tags"]
        assert len([path for _, path in written if path.endswith("/tags")]) == 1
        assert tags(here) == (["at-creation", "later"], ["at-creation", "later"])
        assert here.in_emailoctopus(BOB)["tags"] == ["at-creation", "later"]
        here.assert_quiet()


def test_missing_emailoctopus_tags_are_created_side_by_side(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.person(ADA, tags=[f"tag {number}" for number in range(16)])
        slow = Fault(kind="latency", method="POST", path="/tags$", seconds=0.5, times=16)
        here.sandbox.emailoctopus.weather.faults = [slow]
        began = monotonic()
        here.reconcile()
        assert monotonic() - began < 16 * 0.5 / 2
        assert len(here.in_emailoctopus(ADA)["tags"]) == 16


def test_a_tag_that_emailoctopus_refuses_parks_the_tags_of_its_contacts_alone(database_url: str) -> None:
    with world(database_url) as here:
        ids = tag_both(here, "one")
        other = here.linked(BOB, "Bob")
        here.emailoctopus.quirks.tag_limit = 1
        tag(here, GHL, ids, "two")
        here.edit_person(ids[0], firstName="Augusta")
        tag(here, GHL, other, "one")
        report = here.reconcile()
        assert report.outcome == "parked"
        assert [(entry.ghl_id, entry.what) for entry in here.pair_store.parked(everything=True)] == [(ids[0], "tags")]
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert here.in_emailoctopus(BOB)["tags"] == ["one"]
        here.emailoctopus.quirks.tag_limit = None
        here.later(minutes=20)  # polls don't reach back that far
        assert here.reconcile().outcome == "ok"
        assert tags(here) == (["one", "two"], ["one", "two"])
        here.assert_quiet()


def test_a_tag_that_emailoctopus_refuses_does_not_keep_the_contacts_other_tags_out(database_url: str) -> None:
    with world(database_url) as here:
        ids = here.linked(ADA)
        here.linked(BOB, "Bob", tags=["one"])
        here.emailoctopus.quirks.tag_limit = 1
        here.later(minutes=20)
        for name in ("one", "two"):
            tag(here, GHL, ids, name)
        assert here.reconcile().outcome == "parked"
        assert [(entry.ghl_id, entry.what) for entry in here.pair_store.parked(everything=True)] == [(ids[0], "tags")]
        assert here.in_emailoctopus(ADA)["tags"] == ["one"]
        here.clock.advance(1)
        here.emailoctopus.remove_tags(ids[1], ["one"])  # what has arrived is agreed about
        here.reconcile()
        assert (here.in_emailoctopus(ADA)["tags"], here.in_ghl(ADA)["tags"]) == ([], ["two"])
        here.emailoctopus.quirks.tag_limit = None
        here.later(days=1)
        assert here.reconcile().outcome == "ok"
        assert tags(here) == (["two"], ["two"])
        here.assert_quiet()


def test_a_tag_that_emailoctopus_refuses_does_not_keep_a_new_contact_out(database_url: str) -> None:
    with world(database_url) as here:
        here.linked(tags=["one"])
        here.emailoctopus.quirks.tag_limit = 1
        bob = here.person(BOB, "Bob", tags=["one", "two"])
        report = here.reconcile()
        assert (report.outcome, report.written) == ("parked", {(EMAILOCTOPUS, "created"): 1})
        assert [(entry.ghl_id, entry.what) for entry in here.pair_store.parked(everything=True)] == [(bob, "tags")]
        assert here.in_emailoctopus(BOB)["fields"]["FirstName"] == "Bob"
        assert here.in_emailoctopus(BOB)["tags"] == ["one"]
        assert sorted(here.in_ghl(BOB)["tags"]) == ["one", "two"]
        here.emailoctopus.quirks.tag_limit = None
        here.later(minutes=20)
        assert here.reconcile().outcome == "ok"
        assert sorted(here.in_emailoctopus(BOB)["tags"]) == sorted(here.in_ghl(BOB)["tags"]) == ["one", "two"]
        here.assert_quiet()


# With a prefix


PREFIX = TagRule(prefix="eo: ")


def test_with_a_prefix_the_names_of_the_two_systems_correspond_one_to_one(database_url: str) -> None:
    with world(database_url, tags=PREFIX) as here:
        here.person(ADA, tags=["vip"])
        here.subscriber(ADA, tags=["Summer"])
        here.reconcile()
        assert tags(here) == (["eo: summer", "vip"], ["Summer", "vip"])
        here.assert_quiet()
        link = here.pair_store.links(ghl=[here.in_ghl(ADA)["id"]])[0]
        ids = (link.ghl_id, link.emailoctopus_id)
        untag(here, GHL, ids, "eo: summer")
        untag(here, EMAILOCTOPUS, ids, "vip")
        here.reconcile()
        assert tags(here) == ([], [])
        tag(here, GHL, ids, "eo: summer")
        tag(here, EMAILOCTOPUS, ids, "vip")
        here.reconcile()
        assert tags(here) == (["eo: summer", "vip"], ["Summer", "vip"])
        here.assert_quiet()


def test_a_name_belongs_for_ever_to_the_system_where_it_was_first_seen(database_url: str) -> None:
    with world(database_url, tags=PREFIX) as here:
        ids = tag_both(here, "vip")
        untag(here, GHL, ids, "vip")
        here.reconcile()
        here.ghl.location.forget_tag(here.ghl.location.tag_id("vip"))
        # Nobody has it any more and GHL doesn't define it, and still "vip" is GHL's.
        here.subscriber(BOB, "Bob", tags=["vip"])
        here.later(minutes=1)
        here.full()
        assert here.in_ghl(BOB)["tags"] == ["vip"]
        here.assert_quiet()


def test_a_name_that_both_systems_have_at_first_sight_is_ghls(database_url: str) -> None:
    with world(database_url, tags=PREFIX) as here:
        here.ghl.location.define_tags(["vip"])  # defined, though nobody has it
        here.subscriber(ADA, tags=["VIP"])
        here.reconcile()
        assert here.in_ghl(ADA)["tags"] == ["vip"]
        here.assert_quiet()


def test_under_another_prefix_emailoctopuss_names_meet_anew(database_url: str) -> None:
    with world(database_url, tags=PREFIX) as here:
        here.person(ADA, tags=["vip"])
        here.subscriber(ADA, tags=["Summer"])
        here.reconcile()
        here.with_policy(tags=TagRule(prefix="octopus: "))
        here.full()
        # The former name stays where it is: a tag of GHL's own from now on, which travels like every other.
        assert tags(here) == (["eo: summer", "octopus: summer", "vip"], ["Summer", "eo: summer", "vip"])
        here.assert_quiet()


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_tag_that_would_collide_is_left_alone_and_reported(database_url: str, mode: str) -> None:
    with world(database_url, tags=PREFIX) as here, capture_logs() as logs:
        ids = tag_both(here, "eo: summer")
        assert tags(here) == (["eo: summer"], ["eo: summer"])
        # EmailOctopus's own "Summer" would be "eo: summer" in GHL, which is another tag.
        tag(here, EMAILOCTOPUS, ids, "Summer")
        here.later(minutes=1)
        report = here.full() if mode == "full" else here.reconcile()
        assert not report.written
        assert tags(here) == (["eo: summer"], ["Summer", "eo: summer"])
        assert [entry for entry in logs if entry["event"] == "tags_collide"] == [
            {"event": "tags_collide", "log_level": "warning", "pair": "main", "tags": 1}
        ]
        assert "summer" not in str(logs).lower()
        assert collisions(here.pair_store.tags()) == [KnownTag("summer", EMAILOCTOPUS, "Summer", COLLIDES)]
        untag(here, EMAILOCTOPUS, ids, "Summer")
        assert not here.reconcile().written
        here.assert_quiet()


def test_the_filter_is_over_the_name_in_ghl(database_url: str) -> None:
    with world(database_url, tags=TagRule(include=("eo: *",), prefix="eo: ")) as here:
        here.person(ADA, tags=["vip"])
        here.subscriber(ADA, tags=["Summer"])
        here.reconcile()
        assert tags(here) == (["eo: summer", "vip"], ["Summer"])
        here.assert_quiet()

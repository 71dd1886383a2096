"""A list that several locations feed: fields, tags, deletions, scope, revocations. Several people live in one world."""

from dataclasses import replace
from typing import Any

from sync_daemon.model.policy import (
    ConflictRule,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    OnLeaveScope,
    Resubscribe,
    ScopeRule,
)
from sync_daemon.model.report import Mode
from tests.neighbourhood import Neighbourhood, Spec, neighbourhood

X, Y = Spec("X", "L"), Spec("Y", "L")
BACKWARDS = ("Y-L", "X-L")
"""Another order of cycles than that of the file; `python -m tests.machine --several` draws all kinds."""
Ids = tuple[str, str]


def address(who: str) -> str:
    return f"{who}@example.com"


def names(hood: Neighbourhood, who: str) -> tuple[Any, Any, Any]:
    """Somebody's first name in both locations, and in the list."""
    return (
        hood.contact("X", address(who)).get("firstName") or None,
        hood.contact("Y", address(who)).get("firstName") or None,
        hood.subscriber("L", address(who))["fields"].get("FirstName"),
    )


def tags(hood: Neighbourhood, who: str) -> tuple[set[str], set[str], set[str]]:
    places = (set(hood.contact(place, address(who))["tags"]) for place in "XY")
    return (*places, set(hood.subscriber("L", address(who))["tags"]))  # type: ignore[return-value]  # two and one


def both(hood: Neighbourhood, who: str, x: str | None = "Ada", y: str | None = "Augusta", **given: Any) -> Ids:
    """The same address in both locations."""
    ids = (hood.person(place, address(who), firstName=name, **given) for place, name in zip("XY", (x, y), strict=True))
    return next(ids), next(ids)


def consent(hood: Neighbourhood, who: str) -> tuple[bool, bool, str]:
    """Whether each location blocks somebody, and the status in the list."""
    return hood.blocked("X", address(who)), hood.blocked("Y", address(who)), hood.status("L", address(who))


def test_the_list_shows_the_value_of_the_first_pair_in_the_file_that_has_one(database_url: str) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        both(hood, "stays")
        both(hood, "filled", None)
        in_x, _ = both(hood, "in-x")
        _, in_y = both(hood, "in-y")
        both(hood, "in-list")
        cleared, _ = both(hood, "cleared")
        nobodys = both(hood, "nobodys")
        hood.person("X", "x-alone@example.com")
        hood.person("Y", "y-alone@example.com")
        hood.settle(*BACKWARDS)
        assert names(hood, "stays") == ("Ada", "Augusta", "Ada")
        assert names(hood, "filled") == (None, "Augusta", "Augusta")
        # Whom one location gave the list isn't made in the other one.
        assert [len(hood.people(place)) for place in "XY"] == [8, 8]

        hood.edit("X", in_x, firstName="Adele")
        hood.edit("Y", in_y, firstName="Gusti")
        hood.edit_subscriber("L", address("in-list"), FirstName="Countess")
        hood.edit("X", cleared, firstName="")
        for place, one in zip("XY", nobodys, strict=True):
            hood.edit(place, one, firstName="")
        hood.settle(*BACKWARDS)
        assert names(hood, "in-x") == ("Adele", "Augusta", "Adele")
        assert names(hood, "in-y") == ("Ada", "Gusti", "Ada")
        assert names(hood, "in-list") == ("Countess", "Countess", "Countess")
        assert names(hood, "cleared") == (None, "Augusta", "Augusta")
        assert names(hood, "nobodys") == (None, None, None)

        hood.edit("X", cleared, firstName="Ada")
        hood.settle(*BACKWARDS)
        assert names(hood, "cleared") == ("Ada", "Augusta", "Ada")
        hood.assert_quiet()
        assert names(hood, "stays") == ("Ada", "Augusta", "Ada")


def test_each_location_has_its_own_rows_of_the_mapping(database_url: str) -> None:
    """The field of the list is what counts: another one of GHL may feed it, or it may lead the other way."""
    back = FieldRule("firstName", "FirstName", Direction.TO_GHL)
    other = FieldRule("lastName", "FirstName", conflict=ConflictRule.EMAILOCTOPUS)
    with neighbourhood(database_url, replace(X, fields=(back,)), replace(Y, fields=(other,))) as hood:
        both(hood, "ada", lastName="Byron")
        hood.settle(*BACKWARDS)
        assert hood.subscriber("L")["fields"]["FirstName"] == "Byron"
        assert hood.contact("Y")["lastName"] == "Byron"
        hood.assert_quiet()


def test_the_list_has_the_tags_of_all_its_locations(database_url: str) -> None:
    with neighbourhood(database_url, X, Y) as hood:
        hood.person("X", address("own"), tags=["red", "shared"])
        hood.person("Y", address("own"), tags=["blue", "shared"])
        one_by_one = both(hood, "one-by-one", tags=["vip"])
        at_once = both(hood, "at-once", tags=["vip"])
        both(hood, "in-list")
        hood.settle(*BACKWARDS)
        assert tags(hood, "own") == ({"red", "shared"}, {"blue", "shared"}, {"red", "blue", "shared"})

        in_list = str(hood.subscriber("L", address("in-list"))["id"])
        hood.clock.advance(1)
        hood.mail.emailoctopus.world.add_tags(in_list, ["vip"])
        hood.places["X"].ghl.world.remove_tags(one_by_one[0], ["vip"])
        for place, one in zip("XY", at_once, strict=True):
            hood.places[place].ghl.world.remove_tags(one, ["vip"])
        hood.settle(*BACKWARDS)
        assert tags(hood, "in-list") == ({"vip"}, {"vip"}, {"vip"})
        assert tags(hood, "one-by-one") == (set(), {"vip"}, {"vip"})
        assert tags(hood, "at-once") == (set(), set(), set())

        hood.clock.advance(1)
        hood.mail.emailoctopus.world.remove_tags(in_list, ["vip"])
        hood.places["Y"].ghl.world.remove_tags(one_by_one[1], ["vip"])
        hood.settle(*BACKWARDS)
        assert tags(hood, "in-list") == tags(hood, "one-by-one") == (set(), set(), set())
        hood.assert_quiet()


def test_policies_apply_when_no_location_has_the_address(database_url: str) -> None:
    policy = {"scope": ScopeRule(tags_none=("left",)), "on_leave_scope": OnLeaveScope.UNSUBSCRIBE}
    deletes = {**policy, "deletes": DeleteRule(in_ghl=DeletedInGhl.DELETE)}
    with neighbourhood(database_url, replace(X, policy=policy), replace(Y, policy=deletes)) as hood:
        deleted, at_once = both(hood, "deleted"), both(hood, "at-once")
        leaves, leave_at_once = both(hood, "leaves"), both(hood, "leave-at-once")
        for number in range(5):
            both(hood, f"n{number}")
        hood.settle(*BACKWARDS)

        hood.delete("X", deleted[0])
        hood.places["X"].ghl.world.add_tags(leaves[0], ["left"])
        for place, one, another in zip("XY", at_once, leave_at_once, strict=True):
            hood.delete(place, one)
            hood.places[place].ghl.world.add_tags(another, ["left"])
        hood.round(*BACKWARDS, mode=Mode.FULL)
        hood.settle(*BACKWARDS)
        assert hood.status("L", address("deleted")) == hood.status("L", address("leaves")) == "subscribed"
        assert hood.subscriber("L", address("deleted"))["fields"]["FirstName"] == "Augusta"  # Y is the first one now
        assert not hood.pairs["X-L"].store.links(ghl=[deleted[0]])
        assert _lost(hood, "at-once")
        assert consent(hood, "leave-at-once") == (False, False, "unsubscribed")  # a policy's isn't carried

        hood.delete("Y", deleted[1])
        hood.places["Y"].ghl.world.add_tags(leaves[1], ["left"])
        hood.round(*BACKWARDS, mode=Mode.FULL)
        hood.settle(*BACKWARDS)
        assert _lost(hood, "deleted")
        assert consent(hood, "leaves") == (False, False, "unsubscribed")
        hood.assert_quiet()


def _lost(hood: Neighbourhood, who: str) -> bool:
    """Whether somebody isn't in the list any more, or not subscribed: each pair's policy says which."""
    rows = [row for row in hood.subscribers("L") if row["email_address"] == address(who)]
    return all(row["status"] == "unsubscribed" for row in rows)


def test_a_revocation_goes_to_all_locations(database_url: str) -> None:
    policy = {"resubscribe": Resubscribe.ALLOW}
    with neighbourhood(database_url, replace(X, policy=policy), replace(Y, policy=policy)) as hood:
        both(hood, "leaves")
        blocked, _ = both(hood, "blocked")
        _, lifted = both(hood, "lifted")
        early = hood.person("X", address("early"))
        hood.dnd("X", early, "active")
        hood.settle("X-L")
        hood.person("Y", address("early"))  # blocked in X before the list ever had the address
        hood.settle(*BACKWARDS)
        assert hood.blocked("Y", address("early"))
        assert not [row for row in hood.subscribers("L") if row["email_address"] == address("early")]

        hood.unsubscribe("L", address("leaves"))
        hood.dnd("X", blocked, "active")
        hood.dnd("X", hood.contact("X", address("lifted"))["id"], "active")
        hood.settle(*BACKWARDS)
        revoked = (True, True, "unsubscribed")
        assert consent(hood, "leaves") == consent(hood, "blocked") == consent(hood, "lifted") == revoked

        hood.sign_up("L", address("leaves"))
        hood.dnd("Y", lifted, "inactive")  # nobody is subscribed while X blocks him
        hood.settle(*BACKWARDS)
        assert consent(hood, "leaves") == (False, False, "subscribed")
        assert consent(hood, "lifted") == (True, False, "unsubscribed")
        hood.assert_quiet()

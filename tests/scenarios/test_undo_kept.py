"""What the undo journal holds after a cycle: what each write replaced, as it was (contract, section 2)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sync_daemon.model.plan import Action
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Replaced, Swap
from tests.worlds import EMAILOCTOPUS, GHL, NoProgress, World, world

FIRST = "firstName=FirstName"


@pytest.fixture
def here(database_url: str) -> Iterator[World]:
    with world(database_url, keeps_undo=True) as made:
        yield made


def journal(here: World) -> list[Replaced]:
    """What the last cycle replaced."""
    return here.pair_store.replaced(here.reports[-1].run_id, None, 1000)


def test_a_written_field_leaves_what_it_was(here: World) -> None:
    ghl_id, emailoctopus_id = here.linked(first="Ada")
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Augusta")
    here.reconcile()

    (row,) = journal(here)

    assert (row.system, row.action) == (EMAILOCTOPUS, Action.UPDATE)
    assert (row.ghl_id, row.emailoctopus_id) == (ghl_id, emailoctopus_id)
    assert row.fields == {FIRST: Swap("Ada", "Augusta")}
    assert (row.unread, row.conflicts) == (frozenset(), frozenset())


def test_in_ghl_too(here: World) -> None:
    _, emailoctopus_id = here.linked(first="Ada")
    here.later(minutes=11)
    here.edit_subscriber(emailoctopus_id, FirstName="Augusta")
    here.reconcile()
    (row,) = journal(here)
    assert (row.system, row.fields) == (GHL, {FIRST: Swap("Ada", "Augusta")})


def test_it_costs_one_read_of_each_contact_that_is_overwritten(here: World) -> None:
    ghl_id, emailoctopus_id = here.linked(first="Ada")
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Augusta", lastName="King")
    here.reconcile()
    reads = [one for one in here.requests(EMAILOCTOPUS) if one[0] == "GET" and one[1].endswith(emailoctopus_id)]
    assert len(reads) == 1


def test_nothing_is_read_where_a_field_was_blank(here: World) -> None:
    ghl_id, emailoctopus_id = here.linked(first="Ada", last="")
    here.later(minutes=11)
    here.edit_person(ghl_id, lastName="King")
    here.reconcile()
    assert not [one for one in here.requests(EMAILOCTOPUS) if one[0] == "GET" and one[1].endswith(emailoctopus_id)]
    (row,) = journal(here)
    assert row.fields == {"lastName=LastName": Swap(None, "King")}


class EditsMeanwhile(NoProgress):
    """Lets the outside act once, when everything was read and nothing is decided yet."""

    def __init__(self, act: Callable[[], object], pages: int) -> None:
        self._act, self._left = act, pages

    def pages_read(self, system: SystemName, records: int) -> None:
        del system, records
        self._left -= 1
        if self._left == 0:
            self._act()


@pytest.mark.parametrize("people", [1, 5], ids=["read by id", "listed"])
def test_an_edit_that_no_poll_has_told_is_not_overwritten(here: World, people: int) -> None:
    """The read that the journal needs shows it: the two are a conflict, decided and told as one."""
    ids = [here.linked(f"p{each}@example.com", first=f"P{each}") for each in range(people)]
    here.later(minutes=11)
    for ghl_id, _ in ids:
        here.edit_person(ghl_id, firstName="Augusta")
    last = ids[-1][1]
    pages = 1 + len(here.pair.systems[EMAILOCTOPUS].reader.streams)
    here.pair = replace(
        here.pair, progress=EditsMeanwhile(lambda: here.edit_subscriber(last, FirstName="Adele", LastName="K"), pages)
    )

    assert here.reconcile().conflicts == 1

    lost = [row for row in journal(here) if row.conflicts]
    assert [(row.emailoctopus_id, row.fields[FIRST]) for row in lost] == [(last, Swap("Adele", "Augusta"))]
    assert here.in_ghl(f"p{people - 1}@example.com")["lastName"] == "K", "what else was edited travels"


def test_many_are_listed_and_not_read_one_by_one(here: World) -> None:
    ids = [here.linked(f"p{each}@example.com", first=f"P{each}") for each in range(8)]
    here.later(minutes=11)
    for ghl_id, _ in ids:
        here.edit_person(ghl_id, firstName="Same")
    here.forget_requests()
    here.reconcile()
    asked = here.requests(EMAILOCTOPUS)
    assert not [path for method, path in asked if method == "GET" and any(path.endswith(one) for _, one in ids)]
    assert {row.fields[FIRST].before for row in journal(here)} == {f"P{each}" for each in range(8)}
    here.assert_quiet()


def test_many_in_ghl_as_well(here: World) -> None:
    ids = [here.linked(f"p{each}@example.com", first=f"P{each}") for each in range(8)]
    here.later(minutes=11)
    for _, emailoctopus_id in ids:
        here.edit_subscriber(emailoctopus_id, FirstName="Same")
    here.reconcile()
    assert {row.fields[FIRST].before for row in journal(here)} == {f"P{each}" for each in range(8)}
    here.assert_quiet()


def test_a_conflict_leaves_both_values(here: World) -> None:
    ghl_id, emailoctopus_id = here.linked(first="Ada")
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Augusta")
    here.edit_subscriber(emailoctopus_id, FirstName="Adele")
    assert here.reconcile().conflicts == 1

    (row,) = here.pair_store.conflicts(10)

    assert row.conflicts == {FIRST}
    assert row.fields == {FIRST: Swap("Adele", "Augusta")}


def test_what_was_created_is_told_by_its_ids_alone(here: World) -> None:
    ghl_id = here.person("ada@example.com")
    here.reconcile()
    (row,) = journal(here)
    emailoctopus_id = here.in_emailoctopus("ada@example.com")["id"]
    assert (row.action, row.system, row.ghl_id, row.emailoctopus_id) == (
        Action.CREATE, EMAILOCTOPUS, ghl_id, emailoctopus_id,
    )  # fmt: skip
    assert (row.fields, row.address, row.tags) == ({}, None, ())
    assert row.digest is not None


def test_tags_are_those_that_were_added_or_removed(here: World) -> None:
    ghl_id, _ = here.linked(tags=["old"])
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new"])
    here.reconcile()
    assert {(row.action, row.tags) for row in journal(here)} == {
        (Action.ADD_TAGS, ("new",)),
        (Action.REMOVE_TAGS, ("old",)),
    }


def test_an_address_leaves_the_old_one(here: World) -> None:
    ghl_id, _ = here.linked("ada@example.com")
    here.later(minutes=11)
    here.edit_person(ghl_id, email="augusta@example.com")
    here.reconcile()
    (row,) = journal(here)
    assert row.address == Swap("ada@example.com", "augusta@example.com")


def test_an_unsubscribe_is_told(here: World) -> None:
    ghl_id, _ = here.linked("ada@example.com")
    here.later(minutes=11)
    here.edit_person(ghl_id, dndSettings={"Email": {"status": "active"}})
    here.reconcile()
    (row,) = journal(here)
    assert (row.action, row.system) == (Action.SET_STATUS, EMAILOCTOPUS)
    assert here.status("ada@example.com") == "unsubscribed"


def test_a_quiet_cycle_reads_nobody_and_keeps_nothing(here: World) -> None:
    here.linked()
    here.later(minutes=11)
    here.settle()
    here.forget_requests()
    here.reconcile()
    assert journal(here) == []
    assert not [one for one in here.requests(EMAILOCTOPUS) if "/contacts/" in one[1]]


def test_nothing_is_kept_or_read_where_nothing_is_to_be_kept(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, emailoctopus_id = here.linked(first="Ada")
        here.later(minutes=11)
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        assert journal(here) == []
        assert not [one for one in here.requests(EMAILOCTOPUS) if one[0] == "GET" and one[1].endswith(emailoctopus_id)]

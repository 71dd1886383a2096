from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Bundle, Operation
from sync_daemon.model.system import SystemName
from sync_daemon.systems.emailoctopus.bundles import bundle
from tests import grants


def operation(action: Action, contact: str | None = "e1", **changes: Any) -> Operation:
    return grants.operation(SystemName.EMAILOCTOPUS, action, "g1", contact, "why", **changes)


def update(contact: str, **fields: Any) -> Operation:
    return operation(Action.UPDATE, contact, fields=fields or {"FirstName": contact})


def revocation(contact: str) -> Operation:
    return operation(Action.SET_STATUS, contact, consent=Consent.REVOKED)


def shape(bundles: list[Bundle]) -> list[tuple[str, int]]:
    return [(each.route, len(each.operations)) for each in bundles]


def test_updates_go_together_up_to_the_size_of_a_batch() -> None:
    updates = [update(f"e{n}") for n in range(7)]
    assert shape(bundle(updates, 3)) == [("batch", 3), ("batch", 3), ("update", 1)]


def test_no_batch_is_larger_than_the_most() -> None:
    assert shape(bundle([update(f"e{n}") for n in range(150)], 9999)) == [("batch", 100), ("batch", 50)]


def test_fields_and_tags_of_one_contact_are_one_item() -> None:
    operations = [
        update("e1"),
        update("e2"),
        operation(Action.ADD_TAGS, "e1", tags=("a",)),
        operation(Action.REMOVE_TAGS, "e1", tags=("b",)),
    ]
    assert shape(bundle(operations, 2)) == [("batch", 4)]


def test_revocations_come_first_and_alone() -> None:
    operations = [update("e1"), revocation("e1"), update("e2"), revocation("e2"), revocation("e3")]
    bundles = bundle(operations, 50)
    assert shape(bundles) == [("batch", 3), ("batch", 2)]
    assert [each.revokes for each in bundles] == [True, False]


def test_what_a_batch_may_not_carry_goes_alone() -> None:
    operations = [
        update("e1", FirstName=None),
        update("e2", Likes=()),
        operation(Action.UPDATE, "e3", address="new@example.com"),
        operation(Action.SET_STATUS, "e4", consent=Consent.PENDING),
        operation(Action.DELETE, "e5"),
        operation(Action.CREATE, None, address="a@example.com"),
        operation(Action.CREATE, None, address="b@example.com"),
    ]
    assert shape(bundle(operations, 50)) == [("update", 1)] * 4 + [("delete", 1), ("create", 1), ("create", 1)]


def test_the_order_of_a_contacts_writes_is_kept() -> None:
    operations = [
        operation(Action.SET_STATUS, "e1", consent=Consent.GRANTED),
        update("e2"),
        update("e1"),
        update("e3"),
        operation(Action.DELETE, "e1"),
    ]
    bundles = bundle(operations, 50)
    assert [op.action for each in bundles for op in each.operations if op.target_id == "e1"] == [
        Action.SET_STATUS,
        Action.UPDATE,
        Action.DELETE,
    ]


contacts = st.sampled_from(["e1", "e2", "e3", "e4"])
operations_strategy = st.lists(
    st.one_of(
        st.builds(update, contacts),
        st.builds(lambda contact: update(contact, FirstName=None), contacts),
        st.builds(revocation, contacts),
        st.builds(lambda contact: operation(Action.SET_STATUS, contact, consent=Consent.GRANTED), contacts),
        st.builds(lambda contact: operation(Action.ADD_TAGS, contact, tags=("a",)), contacts),
        st.builds(lambda contact: operation(Action.DELETE, contact), contacts),
        st.builds(lambda n: operation(Action.CREATE, None, address=f"{n}@example.com"), st.integers(0, 3)),
    ),
    max_size=30,
)


@given(operations=operations_strategy, size=st.integers(1, 5))
def test_nothing_is_lost_mixed_or_turned_round(operations: list[Operation], size: int) -> None:
    bundles = bundle(operations, size)
    sent = [each for part in bundles for each in part.operations]
    assert sorted(map(id, sent)) == sorted(map(id, operations))
    for part in bundles:
        assert len({each.revokes for each in part.operations}) == 1
        assert len({each.target_id for each in part.operations}) <= size
    by_contact: dict[str, list[int]] = defaultdict(list)
    for each in sent:
        if each.target_id and not each.revokes:
            by_contact[each.target_id].append(next(n for n, other in enumerate(operations) if other is each))
    assert all(places == sorted(places) for places in by_contact.values())

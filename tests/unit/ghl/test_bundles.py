"""Which operations share a request."""

from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.plan import Action, Bundle, Operation
from sync_daemon.systems.ghl.bundles import MAX_BULK, bundle
from tests.unit.ghl.operations import operation


def routes(bundles: list[Bundle]) -> list[tuple[str, int]]:
    return [(one.route, len(one.operations)) for one in bundles]


def test_each_action_has_its_route() -> None:
    actions = [action for action in Action if action not in (Action.SET_STATUS, Action.START_AUTOMATION)]
    assert [route for route, _ in routes(bundle([operation(action) for action in actions], 100))] == [
        "create",
        "update",
        "add_tags",
        "remove_tags",
        "dnd",
        "dnd",
        "delete",
    ]


def test_the_same_tags_of_several_contacts_share_a_request() -> None:
    changes = [
        operation(Action.ADD_TAGS, "c1", tags=("a", "b")),
        operation(Action.UPDATE, "c2"),
        operation(Action.ADD_TAGS, "c2", tags=("b", "a")),
        operation(Action.ADD_TAGS, "c3", tags=("b", "a")),
        operation(Action.ADD_TAGS, "c4", tags=("a",)),
        operation(Action.REMOVE_TAGS, "c5", tags=("a",)),
        operation(Action.REMOVE_TAGS, "c6", tags=("a",)),
    ]
    assert routes(bundle(changes, 100)) == [
        ("add_tags", 1),
        ("update", 1),
        ("bulk_add_tags", 2),
        ("add_tags", 1),
        ("bulk_remove_tags", 2),
    ]


def test_a_shared_request_has_its_largest_size() -> None:
    changes = [operation(Action.ADD_TAGS, f"c{n}", tags=("a",)) for n in range(MAX_BULK + 1)]
    assert routes(bundle(changes, 500)) == [("bulk_add_tags", MAX_BULK), ("add_tags", 1)]
    assert routes(bundle(changes[:5], 2)) == [("bulk_add_tags", 2), ("bulk_add_tags", 2), ("add_tags", 1)]
    assert routes(bundle(changes[:2], 0)) == [("add_tags", 1), ("add_tags", 1)]


operations = st.builds(
    operation,
    st.sampled_from([Action.UPDATE, Action.ADD_TAGS, Action.REMOVE_TAGS, Action.SET_DND, Action.DELETE]),
    st.sampled_from(["c1", "c2", "c3"]),
    tags=st.sampled_from([("a",), ("b",), ("a", "b")]),
)


@given(st.lists(operations, max_size=30), st.integers(0, 5))
def test_nothing_is_lost_and_each_contact_keeps_its_order(changes: list[Operation], batch_size: int) -> None:
    bundles = bundle(changes, batch_size)
    sent = [one for each in bundles for one in each.operations]
    assert sorted(map(id, sent)) == sorted(map(id, changes))
    for contact in ("c1", "c2", "c3"):
        mine = [id(one) for one in changes if one.ghl_id == contact]
        assert [id(one) for one in sent if one.ghl_id == contact] == mine
    for each in bundles:
        ids = [one.ghl_id for one in each.operations]
        assert len(set(ids)) == len(ids) <= max(1, batch_size)
        assert len({(one.action, frozenset(one.tags)) for one in each.operations}) == 1
        assert each.revokes == any(one.revokes for one in each.operations)

"""Whatever a run wrote, its undo leaves fields and tags as they were before it, and no consent wider (law L4)."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_daemon.cycle import Task, undo
from sync_daemon.model.policy import Blanks, ConflictRule, Direction, FieldRule, GuardLimits
from sync_daemon.model.report import CycleOutcome
from sync_daemon.reconcile.undo.inverse import Wish
from tests.worlds import World, world

PEOPLE = ("ada", "bob", "eve")
NAMES = ("", "Ada", "Bob", "Zoë")
TAGS = ("a", "b", "c")
ROOMY = GuardLimits(100, 1000, 100, 1000)

values = st.sampled_from(NAMES)
tags = st.sets(st.sampled_from(TAGS))
person = st.sampled_from(PEOPLE)
edits = st.one_of(
    st.tuples(st.just("ghl field"), person, st.sampled_from(("firstName", "lastName")), values),
    st.tuples(st.just("emailoctopus field"), person, st.sampled_from(("FirstName", "LastName")), values),
    st.tuples(st.just("ghl tags"), person, tags, st.none()),
    st.tuples(st.just("emailoctopus tags"), person, tags, tags),
    st.tuples(
        st.sampled_from(("block", "unsubscribe", "new in ghl", "new in emailoctopus")), person, values, st.none()
    ),
)
rules = st.builds(
    lambda direction, conflict, blanks: (
        FieldRule("firstName", "FirstName", direction, conflict, blanks),
        FieldRule("lastName", "LastName"),
    ),
    st.sampled_from(Direction),
    st.sampled_from(ConflictRule),
    st.sampled_from(Blanks),
)


def act(here: World, edit: tuple[Any, ...], ids: Mapping[str, tuple[str, str]], new: list[str]) -> None:
    """One change by the outside."""
    what, who, first, second = edit
    ghl_id, emailoctopus_id = ids[who]
    here.clock.advance(1)
    match what:
        case "ghl field":
            here.ghl.edit(ghl_id, **{first: second})
        case "emailoctopus field":
            here.emailoctopus.edit(emailoctopus_id, {first: second or None})
        case "ghl tags":
            here.ghl.edit(ghl_id, tags=sorted(first))
        case "emailoctopus tags":
            here.emailoctopus.add_tags(emailoctopus_id, sorted(first))
            here.emailoctopus.remove_tags(emailoctopus_id, sorted(second))
        case "block":
            here.ghl.edit(ghl_id, dndSettings={"Email": {"status": "active"}})
        case "unsubscribe":
            here.emailoctopus.unsubscribe(emailoctopus_id)
        case _:
            new.append(f"new{len(new)}@example.com")
            (here.person if what == "new in ghl" else here.subscriber)(new[-1], first or "New")


def contents(here: World, ids: Mapping[str, tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """The mapped fields and the tags of those with a link, on both sides."""
    people, subscribers = here.people(), here.subscribers()
    found = {}
    for who, (ghl_id, emailoctopus_id) in ids.items():
        one, other = people[ghl_id], subscribers[emailoctopus_id]
        fields = other["fields"]
        found["ghl", who] = (one.get("firstName") or "", one.get("lastName") or "", sorted(one["tags"]))
        found["emailoctopus", who] = (
            fields.get("FirstName") or "",
            fields.get("LastName") or "",
            sorted(map(str.lower, other["tags"])),
        )
    return found


def revoked(here: World) -> set[str]:
    """Who may not be mailed, on either side."""
    blocked = {ghl_id for ghl_id in here.people() if here.blocks(ghl_id)}
    return blocked | {one for one, row in here.subscribers().items() if row["status"] == "unsubscribed"}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=rules, before=st.lists(edits, max_size=4), during=st.lists(edits, min_size=1, max_size=8))
def test_an_undo_at_once_is_the_inverse(
    sqlite_template: Path,
    fields: tuple[FieldRule, ...],
    before: list[tuple[Any, ...]],
    during: list[tuple[Any, ...]],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sync.db"
        shutil.copyfile(sqlite_template, path)
        with world(f"sqlite:///{path}", keeps_undo=True, fields=fields, guard=ROOMY) as here:
            _undo_what_one_run_did(here, before, during)


def _undo_what_one_run_did(here: World, before: list[tuple[Any, ...]], during: list[tuple[Any, ...]]) -> None:
    ghl_ids = {who: here.person(f"{who}@example.com", who.title(), tags=["a"]) for who in PEOPLE}
    here.full()
    ids = {who: (ghl_id, here.pair_store.links(ghl=[ghl_id])[0].emailoctopus_id) for who, ghl_id in ghl_ids.items()}
    new: list[str] = []
    for edit in before:
        act(here, edit, ids, new)
    here.settle()
    here.later(minutes=11)
    for edit in during:
        act(here, edit, ids, new)
    was = contents(here, ids)
    run = here.reconcile()
    after = revoked(here)

    report, _ = undo(here.pair, Task(here.pair_store, run.run_id, Wish()))

    assert report.outcome is CycleOutcome.OK
    assert contents(here, ids) == was
    assert revoked(here) == after, "consent is as the run left it"
    written = report.written
    assert not [word for (_, word), count in written.items() if count and word != "updated"], written
    here.assert_quiet()
    here.later(minutes=11)
    assert here.full().written == {}
    assert contents(here, ids) == was
    undo(here.pair, Task(here.pair_store, report.run_id, Wish()))
    again = contents(here, ids)
    here.assert_quiet()
    assert contents(here, ids) == again

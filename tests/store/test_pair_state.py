"""The pair as a whole: generations, scans, watermarks that only grow, schemas, tags, revocations, totals."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.state import (
    Cause,
    Change,
    KnownContact,
    KnownTag,
    Link,
    PairState,
    Tombstone,
    Totals,
    Unlinked,
)
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.engine import reading
from sync_daemon.store.tables import changes, tombstones
from tests.store.conftest import StoppedClock
from tests.store.examples import EMAILOCTOPUS, GHL, NOON, digest, full_link, held, later, parked, staged, tombstone


def test_a_new_pair_remembers_nothing(pair: PairStore) -> None:
    assert pair.state() == PairState("main", "location", "list")
    assert pair.totals() == Totals()
    assert GHL not in pair.schemas()
    assert pair.last_runs(10) == []


def test_only_a_changed_tag_filter_counts_the_generation_up(pair: PairStore) -> None:
    def generation_with(tag_filter: int, generation: int = 1) -> int:
        state = pair.configure(generation=digest(generation), scope_generation=digest(2), tag_filter=digest(tag_filter))
        assert state == pair.state()
        assert (state.generation, state.scope_generation) == (digest(generation), digest(2))
        assert state.tag_filter == digest(tag_filter)
        return state.tag_generation

    first = generation_with(1)
    assert generation_with(1, generation=5) == first
    assert generation_with(2) == first + 1
    assert generation_with(2) == first + 1
    assert generation_with(1) == first + 2


def test_scans_are_counted(pair: PairStore, other_pair: PairStore) -> None:
    assert [pair.begin_scan(), pair.begin_scan()] == [1, 2]
    assert pair.state().scan == 2
    assert other_pair.begin_scan() == 1


def test_watermarks_only_move_forward(pair: PairStore) -> None:
    pair.commit(Commit(watermarks={"ghl.contacts": NOON, "emailoctopus.pending": NOON}))
    pair.commit(Commit(watermarks={"ghl.contacts": later(-1), "emailoctopus.pending": later(0.000001)}))

    assert pair.state().watermarks == {"ghl.contacts": NOON, "emailoctopus.pending": later(0.000001)}


def test_look_ups_are_replaced_whatever_the_time(pair: PairStore) -> None:
    pair.commit(Commit(looked_at={"counts": NOON, "schema": NOON}, batch_size=40))
    pair.commit(Commit(looked_at={"counts": later(-60)}))

    state = pair.state()
    assert state.looked_at == {"counts": later(-60), "schema": NOON}
    assert state.batch_size == 40


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    ],
)
def test_times_are_kept_to_the_microsecond(pair: PairStore, moment: datetime) -> None:
    pair.commit(Commit(looked_at={"counts": moment}))

    assert pair.state().looked_at == {"counts": moment}


def test_schemas_come_back(pair: PairStore, other_pair: PairStore) -> None:
    schema = AccountSchema(
        GHL,
        {"custom.plan": FieldSpec("custom.plan", "x7", "SINGLE_OPTIONS", "Plan", ("a", "ß"), writable=False)},
        aliases={"custom.x7": "custom.plan"},
        title="A location",
        double_opt_in=True,
        country="US",
        time_zone="America/New_York",
        counts={"subscribed": 3},
    )
    pair.save_schema(AccountSchema(GHL, {}))
    pair.save_schema(schema)
    pair.save_schema(AccountSchema(EMAILOCTOPUS, {}))

    assert pair.schemas()[GHL] == schema
    assert pair.schemas()[EMAILOCTOPUS] == AccountSchema(EMAILOCTOPUS, {})
    assert GHL not in other_pair.schemas()


def test_tags_come_back_and_are_replaced_by_owner_and_name(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(Commit(tags=[KnownTag("vip", GHL), KnownTag("vip", EMAILOCTOPUS, "VIP", 3), KnownTag("ä\x00ö", GHL)]))
    pair.commit(Commit(tags=[KnownTag("vip", GHL, "ViP", -1)]))

    assert pair.tags() == [
        KnownTag("vip", EMAILOCTOPUS, "VIP", 3),
        KnownTag("vip", GHL, "ViP", -1),
        KnownTag("ä\x00ö", GHL),
    ]
    assert other_pair.tags() == []


def test_a_persons_revocation_is_never_replaced_by_a_policys(pair: PairStore, other_pair: PairStore) -> None:
    def revoke(cause: Cause) -> str:
        pair.commit(Commit(revoked_addresses={digest(1): cause}))
        return pair.revoked_at([digest(1), digest(2)])[digest(1)]

    assert revoke(Cause.POLICY) == "policy"
    assert revoke(Cause.PERSON_GHL) == "person_ghl"
    assert revoke(Cause.POLICY) == "person_ghl"
    assert revoke(Cause.PERSON_EMAILOCTOPUS) == "person_emailoctopus"
    assert other_pair.revoked_at([digest(1)]) == {}

    other_pair.commit(Commit(regranted_addresses=[digest(1)]))
    assert pair.revoked_at([digest(1)]) == {digest(1): "person_emailoctopus"}
    pair.commit(Commit(regranted_addresses=[digest(1)]))
    assert pair.revoked_at([digest(1)]) == {}


def test_revoked_and_regranted_in_one_step_is_revoked(pair: PairStore) -> None:
    pair.commit(Commit(revoked_addresses={digest(1): Cause.POLICY}, regranted_addresses=[digest(1)]))

    assert pair.revoked_at([digest(1)]) == {digest(1): "policy"}


def test_tombstones_and_changes_are_written_down(pair: PairStore, engine: Engine, clock: StoppedClock) -> None:
    bare = Tombstone(None, "e2", EMAILOCTOPUS, later(1), "nothing", None, None)
    pair.commit(
        Commit(
            tombstones=[tombstone("g1", "e1"), bare],
            changes=[
                Change("written", GHL, "g1", "e1", "phone", "changed there"),
                Change("held", None, None, "e1", "deletion", "guard"),
            ],
        ),
        run_id="run-1",
    )

    with reading(engine) as connection:
        buried = connection.execute(select(tombstones).order_by(tombstones.c.id)).all()
        logged = connection.execute(select(changes).order_by(changes.c.id)).all()
    noon, at = 1793534400123456, 1793534400000000
    assert [row[2:] for row in buried] == [
        ("g1", "e1", "ghl", noon, "unsubscribe", "revoked", digest(1)),
        ("", "e2", "emailoctopus", noon + 1_000_000, "nothing", None, None),
    ]
    assert [row[2:] for row in logged] == [
        ("run-1", at, "written", "ghl", "g1", "e1", "phone", "changed there"),
        ("run-1", at, "held", None, "", "e1", "deletion", "guard"),
    ]


def test_totals_count_contacts(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(
        Commit(
            links=[full_link("g1", "e1"), Link("g2", "e2"), Link("g3", "e3", consent_held=True)],
            contacts=[
                KnownContact(GHL, "g4", unlinked=Unlinked.DUPLICATE),
                KnownContact(EMAILOCTOPUS, "e4", unlinked=Unlinked.DUPLICATE),
                KnownContact(GHL, "g5", unlinked=Unlinked.NO_EMAIL),
                KnownContact(GHL, "g6"),
            ],
            staged=[staged("g1"), staged("e1", EMAILOCTOPUS)],
            parked=[
                parked("g1", "e1"),
                parked("g1", "e1", "tags"),
                parked("g1", None),
                parked(None, "e9"),
                parked("e9", ""),
            ],
            held=[held("g1", "e1"), held("g1", "e1", "set_status")],
        )
    )

    assert pair.totals() == Totals(
        links=3, staged=2, parked=3, held=1, diverged=1, consent_held=2, unlinked={"duplicate": 2, "no_email": 1}
    )
    assert other_pair.totals() == Totals()

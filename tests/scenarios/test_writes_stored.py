"""Contract, section 2, "What is stored": a row for every contact seen, digests, and no person's data in clear."""

from collections.abc import Iterator

from sqlalchemy import MetaData, select

from sync_daemon.model.contact import Consent
from sync_daemon.model.policy import FieldRule, ScopeRule
from sync_daemon.model.state import Unlinked
from sync_daemon.sandbox.weather import Fault
from sync_daemon.store.engine import open_engine
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world


def whys(here: World) -> dict[str, Unlinked | None]:
    """Why each GHL contact has no link, by first name; None for one that has."""
    people = here.people()
    known = here.pair_store.contacts(GHL, list(people))
    return {row["firstName"]: known[ghl_id].unlinked for ghl_id, row in people.items()}


def test_every_contact_seen_has_a_row_that_tells_why_it_is_not_linked(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_none=("supplier",))) as here:
        here.person("ada@example.com", "Linked")
        here.person(None, "Nobody")
        here.person("not an address", "Wrong")
        here.person("bob@example.com", "Supplier", tags=["supplier"])
        here.person("eve@example.com", "Older")
        here.person("eve@example.com", "Newer")
        suppressed = here.person("kim@example.com", "Suppressed")
        here.ghl.unsubscribe(suppressed)
        pending = here.subscriber("zoe@example.com", "Pending", status="pending")
        left = here.subscriber("max@example.com", "Left", status="unsubscribed")
        here.reconcile()
        assert whys(here) == {
            "Linked": None,
            "Nobody": Unlinked.NO_EMAIL,
            "Wrong": Unlinked.INVALID_EMAIL,
            "Supplier": Unlinked.OUT_OF_SCOPE,
            "Older": Unlinked.DUPLICATE,
            "Newer": None,
            "Suppressed": Unlinked.SUPPRESSED,
        }
        there = here.pair_store.contacts(EMAILOCTOPUS, [pending, left])
        assert {one.unlinked for one in there.values()} == {Unlinked.PENDING, Unlinked.SUPPRESSED}
        assert there[left].consent is Consent.REVOKED
        assert here.pair_store.totals().staged == 0
        here.assert_quiet()


def stored(database_url: str) -> Iterator[bytes]:
    """Every value of every row of the database, as bytes."""
    engine = open_engine(database_url)
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        for table in metadata.tables.values():
            for row in connection.execute(select(table)):
                for value in row:
                    yield value if isinstance(value, bytes) else str(value).encode()
    engine.dispose()


def test_no_name_address_value_or_tag_is_stored_in_clear(database_url: str) -> None:
    fields = (*NAMES, FieldRule("source", "Remark"), FieldRule("phone", "Phone"))
    with world(database_url, fields=fields) as here:
        for tag in ("Remark", "Phone"):
            add_field(here.sandbox, tag, "text")
        ghl_id, _ = here.linked("quixote@example.com", "Alonso", tags=["Knighthood"], phone="+14155550123")
        here.subscriber("dulcinea@example.com", "Aldonza", "Toboso", tags=["Windmills"])
        here.person("sancho@example.com", "Panza", source="Rocinante" * 80)  # parked: too long
        here.reconcile()
        # An edit on each side, one of them parked, and rows left in the inbox by a side that can't be written.
        here.edit_person(ghl_id, firstName="Amadis", source="Rocinante" * 90)
        here.reconcile()
        here.edit_person(ghl_id, lastName="Barataria")
        here.sandbox.emailoctopus.weather.faults = [
            Fault(kind="error", method="GET", path="/contacts$", status=500, times=99)
        ]
        here.reconcile()
        assert here.pair_store.totals().staged > 0
        assert here.pair_store.totals().parked > 0
        secrets = (
            "quixote dulcinea sancho Alonso Aldonza Toboso Panza Rocinante Amadis Barataria knighthood windmills "
            "4155550123 Lovelace"
        ).lower()
        kept = b"\n".join(stored(database_url)).lower()
        assert [word for word in secrets.split() if word.encode() in kept] == []


def test_a_link_that_moves_to_another_contact_meets_it_anew(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked("ada@example.com")
        # The same values as in the old partner's baseline, but for one: digests of one contact are worth nothing
        # for another, so that GHL's word counts in all.
        here.subscriber("new@example.com", "Ada", "Byron", tags=["there"])
        here.edit_person(ghl_id, email="new@example.com")
        here.reconcile()
        here.settle()
        there = here.in_emailoctopus("new@example.com")
        assert there["fields"] == {"FirstName": "Ada", "LastName": "Lovelace"}
        assert here.in_ghl("new@example.com")["tags"] == ["there"]
        here.assert_quiet()

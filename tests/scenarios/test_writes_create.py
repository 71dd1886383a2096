"""Contract, section 2, "Idempotent upserts": creating is create-if-absent, and may be repeated without harm."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sync_daemon.cycle import reconcile
from sync_daemon.model.policy import ConflictRule, FieldRule
from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault, FaultKind
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, NoProgress, World, add_field, world

ADA = "ada@example.com"
WITH_PHONE = (*NAMES, FieldRule("phone", "Phone"))
WITH_NOTE = (*NAMES, FieldRule("custom.note", "Note"))
LOOK = "/contacts/search/duplicate"


def with_phone(sandbox: Sandbox) -> None:
    add_field(sandbox, "Phone", "text")


def with_note(sandbox: Sandbox) -> None:
    add_field(sandbox, "Note", "text")
    sandbox.ghl.world.add_field("Note", "TEXT")


def note_in_ghl(here: World) -> object:
    return next((entry["value"] for entry in here.in_ghl(ADA)["customFields"]), None)


def creations(here: World, system: SystemName) -> list[tuple[str, str]]:
    end = "/contacts/" if system is GHL else "/contacts"
    log = here.sandbox.ghl.log if system is GHL else here.sandbox.emailoctopus.log
    return [(one.method, one.path) for one in log.exchanges() if one.method == "POST" and one.path.endswith(end)]


def parked(here: World) -> list[tuple[str, str]]:
    return [(entry.what, entry.code) for entry in here.pair_store.parked(everything=True)]


def linked(here: World) -> list[tuple[str, str]]:
    return [(link.ghl_id, link.emailoctopus_id) for link in here.pair_store.links(ghl=list(here.people()))]


def test_creation_is_one_post_that_carries_the_tags(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["vip"], city="Turin")
        here.subscriber("bob@example.com", "Bob", "Builder", tags=["News"])
        report = here.reconcile()
        assert report.written == {(GHL, "created"): 1, (EMAILOCTOPUS, "created"): 1}
        assert here.bodies(GHL) == [
            {
                "locationId": here.sandbox.location_id,
                "email": "bob@example.com",
                "firstName": "Bob",
                "lastName": "Builder",
                "tags": ["news"],
            }
        ]
        assert here.bodies(EMAILOCTOPUS)[-1] == {
            "email_address": ADA,
            "fields": {"FirstName": "Ada", "LastName": "Lovelace"},
            "tags": ["vip"],
            "status": "subscribed",
        }
        here.assert_quiet()


def test_no_write_to_an_existing_emailoctopus_contact_carries_a_status(database_url: str) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.omitted_status_kept = True
        ghl_id, _ = here.linked()
        for turn in range(3):
            here.edit_person(ghl_id, firstName=f"Ada {turn}", lastName=None if turn else "King", tags=[f"t{turn}"])
            here.reconcile()
        bodies = here.bodies(EMAILOCTOPUS)
        assert len(bodies) >= 3
        assert not [body for body in bodies if "status" in body]


def test_an_address_that_emailoctopus_has_already_is_read_and_met(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, "Ada", "Lovelace")

        def somebody_signs_up() -> None:
            here.subscriber(ADA, "Augusta", "", tags=["form"])

        here.before_writing(somebody_signs_up)
        report = here.reconcile()
        assert report.outcome == "ok"
        [(_, subscriber_id)] = linked(here)
        assert here.in_emailoctopus(ADA)["id"] == subscriber_id
        # A first meeting: GHL's name by policy, which is a conflict; blanks lose; tags are united.
        assert here.in_emailoctopus(ADA)["fields"] == {"FirstName": "Ada", "LastName": "Lovelace"}
        assert here.in_ghl(ADA)["tags"] == ["form"]
        assert report.conflicts == 1
        here.assert_quiet()


@pytest.mark.parametrize("slug", ["conflict", "already-exists"])
def test_an_unsubscribed_contact_met_at_its_creation_is_never_subscribed(database_url: str, slug: str) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.conflict_slug = slug
        here.person(ADA)
        here.before_writing(lambda: here.subscriber(ADA, status="unsubscribed"))
        here.reconcile()
        assert here.in_emailoctopus(ADA)["status"] == "unsubscribed"
        assert here.in_ghl(ADA)["dndSettings"]["Email"]["status"] == "active"
        here.assert_quiet()


def test_an_address_that_ghl_has_already_is_read_and_met(database_url: str) -> None:
    with world(database_url) as here:
        here.sandbox.ghl.weather.index_lag_s = 300.0
        ghl_id = here.person(ADA, "Ada", "Lovelace", tags=["vip"])  # the search doesn't know the contact yet
        subscriber_id = here.subscriber(ADA, "Augusta", "")
        report = here.reconcile()
        assert report.outcome == "ok"
        assert linked(here) == [(ghl_id, subscriber_id)]
        assert here.in_emailoctopus(ADA)["fields"] == {"FirstName": "Ada", "LastName": "Lovelace"}
        assert here.in_emailoctopus(ADA)["tags"] == ["vip"]
        assert len(here.people()) == 1
        here.settle()
        here.assert_quiet()


def test_a_ghl_contact_that_has_the_address_only_as_a_further_one_is_not_met(database_url: str) -> None:
    with world(database_url) as here:
        here.sandbox.ghl.weather.index_lag_s = 300.0
        ghl_id = here.person("work@example.com")
        here.ghl.add_email(ghl_id, ADA)
        here.subscriber(ADA)
        report = here.reconcile()
        assert report.outcome == "parked"
        assert parked(here) == [("creation", "address_taken")]
        assert here.people().keys() == {ghl_id}
        # The search catches up: the address is known for a further one, and nothing is parked any more.
        here.later(minutes=10)
        here.reconcile()
        assert parked(here) == []
        assert sorted(row["email_address"] for row in here.subscribers().values()) == [ADA, "work@example.com"]
        here.assert_quiet()


def test_a_phone_that_another_contact_has_parks_the_creation_with_the_others_id(database_url: str) -> None:
    with world(database_url, fields=WITH_PHONE, prepare=with_phone) as here:
        other = here.person("eve@example.com", phone="+14155550100")
        here.subscriber(ADA, fields={"Phone": "+14155550100"})
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == (CycleOutcome.PARKED, 1)
        [entry] = here.pair_store.parked(everything=True)
        assert (entry.what, entry.code) == ("creation", "phone_taken")
        assert other in entry.message
        assert not here.has(GHL, ADA)
        # Without the phone, the contact can be created.
        here.edit_subscriber(here.in_emailoctopus(ADA)["id"], Phone=None)
        assert here.reconcile().outcome == "ok"
        assert here.in_ghl(ADA).get("phone") is None
        here.assert_quiet()


def test_with_create_without_phone_the_contact_is_created_without_it(database_url: str) -> None:
    with world(database_url, fields=WITH_PHONE, prepare=with_phone, create_without_phone=True) as here:
        here.person("eve@example.com", phone="+14155550100")
        here.subscriber(ADA, "Augusta", fields={"Phone": "+14155550100"})
        here.reconcile()
        row = here.in_ghl(ADA)
        assert (row["firstName"], row.get("phone")) == ("Augusta", None)
        assert parked(here) == [("phone=Phone", "phone_taken")]
        assert here.in_emailoctopus(ADA)["fields"]["Phone"] == "+14155550100"


def test_a_changed_phone_that_another_contact_has_parks_the_phone_alone(database_url: str) -> None:
    with world(database_url, fields=WITH_PHONE, prepare=with_phone) as here:
        other, _ = here.linked("eve@example.com", "Eve", phone="+14155550100")
        _, subscriber_id = here.linked(ADA, phone="+14155550199")
        here.edit_subscriber(subscriber_id, Phone="+14155550100", FirstName="Augusta")
        assert here.reconcile().outcome == "parked"
        row = here.in_ghl(ADA)
        assert (row["firstName"], row["phone"]) == ("Augusta", "+14155550199")
        [entry] = here.pair_store.parked(everything=True)
        assert (entry.what, entry.code) == ("phone=Phone", "phone_taken")
        assert other in entry.message


@pytest.mark.parametrize("fault", ["lost_answer", "truncate"])
def test_a_ghl_creation_without_an_answer_is_looked_for_before_it_is_sent_again(
    database_url: str, fault: FaultKind
) -> None:
    with world(database_url) as here:
        here.subscriber(ADA, tags=["News"])
        here.sandbox.ghl.weather.faults = [Fault(kind=fault, method="POST", path="/contacts/$")]
        report = here.reconcile()
        requests = here.requests(GHL)
        assert ("GET", LOOK) in requests
        assert requests.count(("POST", "/contacts/")) == 1
        assert report.outcome == "ok"
        assert len(here.people()) == len(linked(here)) == 1
        here.assert_quiet()


def test_a_ghl_creation_that_never_arrived_is_sent_again_after_the_look(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber(ADA)
        here.sandbox.ghl.weather.faults = [Fault(kind="drop", method="POST", path="/contacts/$")]
        assert here.reconcile().outcome == "ok"
        requests = [one for one in here.requests(GHL) if one in (("POST", "/contacts/"), ("GET", LOOK))]
        assert requests == [("POST", "/contacts/"), ("GET", LOOK), ("POST", "/contacts/")]
        assert len(here.people()) == len(linked(here)) == 1
        here.assert_quiet()


def test_a_ghl_creation_refused_although_it_created_is_found(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.create_fails_though_created = True
        here.subscriber(ADA)
        assert here.reconcile().outcome == "ok"
        assert len(here.people()) == len(linked(here)) == 1
        here.assert_quiet()


def test_an_emailoctopus_creation_without_an_answer_converges(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["vip"])
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="lost_answer", method="POST", path="/contacts$")]
        assert here.reconcile().outcome == "ok"
        assert len(here.subscribers()) == len(linked(here)) == 1
        here.assert_quiet()


class Killed(BaseException):
    """The process is gone."""


class Killer(NoProgress):
    """Kills the process when a request was answered, before anything is stored about it."""

    def __init__(self, due: Callable[[], bool]) -> None:
        self._due = due

    def sent(self, system: SystemName, requests: int) -> None:
        del system, requests
        if self._due():
            raise Killed


def kill(here: World, due: Callable[[], bool]) -> None:
    """A cycle that dies; the next one has connections of its own."""
    with pytest.raises(Killed):
        reconcile(replace(here.pair, progress=Killer(due)), Mode.INCREMENTAL)
    here.pair = replace(here.pair, systems=here.connect())


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_a_creation_cut_off_by_a_kill_is_looked_for_by_the_next_run(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        if system is GHL:
            here.subscriber(ADA, tags=["News"])
        else:
            here.person(ADA, tags=["vip"])
        # The search, too, doesn't know the new contact for a while.
        here.sandbox.ghl.weather.index_lag_s = 300.0
        here.later(minutes=6)
        kill(here, lambda: len(creations(here, system)) == 1)
        here.forget_requests()
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        if system is GHL:
            requests = here.requests(GHL)
            assert ("GET", LOOK) in requests
            assert ("POST", "/contacts/") not in requests
        assert len(here.people()) == len(here.subscribers()) == len(linked(here)) == 1
        here.settle()
        here.assert_quiet()


def test_a_block_that_a_creation_cut_off_by_a_kill_had_set_is_our_own(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.subscriber(ADA, status="unsubscribed")
        kill(here, lambda: len(here.people()) == 1)
        here.later(minutes=1)
        here.reconcile()
        assert here.blocked(ADA)
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.reconcile()
        assert (here.status(ADA), here.blocked(ADA)) == ("subscribed", False)
        here.settle()


Edit = Callable[[World, str, str], None]


def name_in_emailoctopus(here: World, ghl_id: str, subscriber_id: str) -> None:
    del ghl_id
    before = here.in_emailoctopus(ADA)["fields"]["FirstName"]
    here.edit_subscriber(subscriber_id, FirstName="Ada" if before == "Augusta" else "Augusta")


def name_in_ghl(here: World, ghl_id: str, subscriber_id: str) -> None:
    del subscriber_id
    before = here.in_ghl(ADA)["firstName"]
    here.edit_person(ghl_id, firstName="Ada" if before == "Augusta" else "Augusta")


def tag_in_emailoctopus(here: World, ghl_id: str, subscriber_id: str) -> None:
    del ghl_id
    here.clock.advance(1)
    there = "new" in here.in_emailoctopus(ADA)["tags"]
    (here.emailoctopus.remove_tags if there else here.emailoctopus.add_tags)(subscriber_id, ["new"])


def old_tag_in_ghl(here: World, ghl_id: str, subscriber_id: str) -> None:
    del subscriber_id
    here.clock.advance(1)
    there = "old" in here.in_ghl(ADA)["tags"]
    (here.ghl.remove_tags if there else here.ghl.add_tags)(ghl_id, ["old"])


@pytest.mark.parametrize("mode", [Mode.INCREMENTAL, Mode.FULL])
@pytest.mark.parametrize("edit", [name_in_emailoctopus, name_in_ghl, tag_in_emailoctopus, old_tag_in_ghl])
def test_an_edit_that_is_taken_back_after_a_kill_is_taken_back_on_the_other_side(
    database_url: str, edit: Edit, mode: Mode
) -> None:
    with world(database_url) as here:
        ids = here.linked(ADA, tags=["old"])
        here.later(minutes=30)
        edit(here, *ids)
        kill(here, lambda: True)  # with the first write, which has arrived
        edit(here, *ids)
        here.reconcile(mode)
        assert (here.in_ghl(ADA)["firstName"], here.in_ghl(ADA)["tags"]) == ("Ada", ["old"])
        there = here.in_emailoctopus(ADA)
        assert (there["fields"]["FirstName"], there["tags"]) == ("Ada", ["old"])
        here.assert_quiet()


def test_a_value_that_ghl_had_cut_before_a_kill_is_no_edit_of_ghl(database_url: str) -> None:
    with world(database_url, fields=WITH_NOTE, prepare=with_note) as here:
        _, subscriber = here.linked(ADA)
        here.later(minutes=30)
        here.edit_subscriber(subscriber, Note="x" * 300)
        kill(here, lambda: True)
        assert note_in_ghl(here) == "x" * 256
        here.edit_subscriber(subscriber, Note="What I meant")
        assert here.reconcile().conflicts == 0
        assert note_in_ghl(here) == "What I meant"
        assert here.in_emailoctopus(ADA)["fields"]["Note"] == "What I meant"
        here.assert_quiet()


def test_a_value_that_emailoctopus_had_trimmed_before_a_kill_is_no_edit_of_emailoctopus(database_url: str) -> None:
    names = (FieldRule("firstName", "FirstName", conflict=ConflictRule.EMAILOCTOPUS),)
    with world(database_url, fields=names) as here:
        ghl_id, _ = here.linked(ADA)
        here.later(minutes=30)
        here.edit_person(ghl_id, firstName=" Augusta ")
        kill(here, lambda: True)
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        here.edit_person(ghl_id, firstName="Byron")
        assert here.reconcile().conflicts == 0
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == here.in_ghl(ADA)["firstName"] == "Byron"
        here.assert_quiet()

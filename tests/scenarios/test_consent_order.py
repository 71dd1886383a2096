"""Contract, section 4: revocations go out before every other write, alone, and whatever else is the matter."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sync_daemon.cycle import Timing
from sync_daemon.model.policy import Blanks, FieldRule, ScopeRule
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.limits import GhlWindow
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, NoProgress, World, add_field, world

ADA, BOB, EVE, KIM = "ada@example.com", "bob@example.com", "eve@example.com", "kim@example.com"
BLOCK = {"dndSettings": {"Email": {"status": "active"}}}
UNSUBSCRIBE = {"status": "unsubscribed"}


class Witness(NoProgress):
    """Looks at the world each time requests were planned or answered."""

    def __init__(self, look: Callable[[], tuple[bool, bool]]) -> None:
        self._look = look
        self.seen: list[tuple[bool, bool]] = []

    def planned(self, system: SystemName, requests: int) -> None:
        self.seen.append(self._look())

    def sent(self, system: SystemName, requests: int) -> None:
        self.seen.append(self._look())


def witness(here: World, look: Callable[[], tuple[bool, bool]]) -> Witness:
    one = Witness(look)
    here.pair = replace(here.pair, progress=one)
    return one


def linked(here: World, *addresses: str) -> list[tuple[str, str]]:
    """People in both systems; both ids of each."""
    ids = [here.person(address, first=address.partition("@")[0].title()) for address in addresses]
    here.reconcile()
    here.forget_requests()
    return [(ghl_id, str(here.in_emailoctopus(address)["id"])) for ghl_id, address in zip(ids, addresses, strict=True)]


def first_name(here: World, address: str) -> str:
    return str(here.in_emailoctopus(address)["fields"]["FirstName"])


def test_revocations_go_out_before_every_other_write_to_either_system(database_url: str) -> None:
    with world(database_url) as here:
        (ada, _), (bob, _), (eve, eves) = linked(here, ADA, BOB, EVE)
        here.edit_person(bob, firstName="Robert")
        here.subscriber(KIM, first="Kim")
        here.edit_person(ada, firstName="Augusta")
        here.edit_subscriber(eves, FirstName="Eva")
        here.ghl.set_dnd(ada)
        here.emailoctopus.unsubscribe(eves)

        def look() -> tuple[bool, bool]:
            names = (first_name(here, BOB), first_name(here, ADA), here.people()[eve]["firstName"])
            anything_else = names != ("Bob", "Ada", "Eve") or here.has(GHL, KIM)
            return here.blocked(EVE) and here.status(ADA) == "unsubscribed", anything_else

        seen = witness(here, look).seen
        here.reconcile()
        assert (False, True) not in seen
        assert (True, False) in seen
        assert (first_name(here, ADA), first_name(here, BOB)) == ("Augusta", "Robert")
        assert here.has(GHL, KIM)
        here.settle()
        here.assert_quiet()


def test_a_revocation_is_a_request_that_carries_nothing_else(database_url: str) -> None:
    with world(database_url) as here:
        (ada, _), (_, bobs) = linked(here, ADA, BOB)
        here.edit_person(ada, firstName="Augusta", tags=["vip"])
        here.ghl.set_dnd(ada)
        here.edit_subscriber(bobs, FirstName="Robert")
        here.emailoctopus.unsubscribe(bobs)
        here.reconcile()
        assert here.bodies(GHL) == [BLOCK, {"firstName": "Robert"}]
        bodies = [body for body in here.bodies(EMAILOCTOPUS) if "tag" not in body]
        assert bodies[0] == UNSUBSCRIBE
        assert all("status" not in body for body in bodies[1:])
        here.assert_quiet()


def test_several_unsubscriptions_share_a_batch_of_their_own(database_url: str) -> None:
    with world(database_url) as here:
        (ada, adas), (bob, bobs), (eve, _) = linked(here, ADA, BOB, EVE)
        here.edit_person(ada, firstName="Augusta")
        here.edit_person(eve, firstName="Eva")
        here.ghl.set_dnd(ada)
        here.ghl.set_dnd(bob)
        here.reconcile()
        batch, rest = here.bodies(EMAILOCTOPUS)
        assert sorted(batch["contacts"], key=str) == sorted(
            [{"id": one, **UNSUBSCRIBE} for one in (adas, bobs)], key=str
        )
        assert all("status" not in item for item in rest["contacts"])
        here.assert_quiet()


def test_an_address_that_moves_and_a_revocation_are_two_requests(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _)] = linked(here, ADA)
        here.edit_person(ada, email=EVE)
        here.ghl.set_dnd(ada)
        here.reconcile()
        here.settle()
        bodies = here.bodies(EMAILOCTOPUS)
        assert bodies[0] == UNSUBSCRIBE
        assert {"email_address": EVE} in bodies
        assert here.status(EVE) == "unsubscribed"
        here.assert_quiet()


# whatever else is the matter with the record


def test_the_revocation_of_a_parked_record_goes_out(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _)] = linked(here, ADA)
        here.edit_person(ada, firstName="Augusta")
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", status=422, times=2)]
        assert here.reconcile().parked == 1
        here.sandbox.emailoctopus.weather.faults = []
        here.clock.advance(1)
        here.ghl.set_dnd(ada)
        here.forget_requests()
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS)[0] == UNSUBSCRIBE
        here.settle()
        assert (here.status(ADA), first_name(here, ADA)) == ("unsubscribed", "Augusta")
        here.assert_quiet()


def spoil(here: World, subscriber_id: str) -> None:
    """A structure stands where a text belongs, so that EmailOctopus's record can't be read."""
    here.emailoctopus.contact(subscriber_id).fields["FirstName"] = {"deep": "down"}
    here.clock.advance(1)
    here.emailoctopus.add_tags(subscriber_id, ["touched"])


def test_the_revocation_of_a_record_that_is_malformed_on_the_other_side_goes_out(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas)] = linked(here, ADA)
        spoil(here, adas)
        assert here.reconcile().parked == 1
        here.clock.advance(1)
        here.ghl.set_dnd(ada)
        here.forget_requests()
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS) == [UNSUBSCRIBE]
        assert here.status(ADA) == "unsubscribed"


def test_the_revocation_in_a_malformed_record_goes_out_and_nothing_else_of_it(database_url: str) -> None:
    with world(database_url, fields=(FieldRule("firstName", "FirstName", blanks=Blanks.PROPAGATE),)) as here:
        [(ada, adas)] = linked(here, ADA)
        spoil(here, adas)
        here.emailoctopus.unsubscribe(adas)
        report = here.reconcile()
        assert (report.written, report.parked) == ({(GHL, "dnd_set"): 1}, 1)
        here.later(days=1)
        report = here.full()
        assert (dict(report.written), report.parked) == ({}, 1)
        here.emailoctopus.edit(adas, {"FirstName": "Augusta"})
        here.later(days=1)
        here.reconcile()
        assert (here.blocks(ada), here.people()[ada]["firstName"]) == (True, "Augusta")
        here.settle()
        here.assert_quiet()


def test_the_revocation_in_a_malformed_record_of_ghl_goes_out(database_url: str) -> None:
    fields = (FieldRule("firstName", "FirstName"), FieldRule("custom.visits", "Visits"))

    def with_number(sandbox: Sandbox) -> None:
        add_field(sandbox, "Visits", "number")
        sandbox.ghl.world.add_field("Visits", "NUMERICAL")

    with world(database_url, fields=fields, prepare=with_number) as here:
        [(ada, _)] = linked(here, ADA)
        contact = here.ghl.contacts.get(ada)
        contact.custom[next(iter(here.ghl.location.custom_fields))] = {"deep": "down"}
        here.clock.advance(1)
        here.ghl.set_dnd(ada)
        report = here.reconcile()
        assert (report.written, report.parked) == ({(EMAILOCTOPUS, "unsubscribed"): 1}, 1)
        here.later(days=1)
        assert not here.full().written


def test_the_revocation_of_a_parked_record_that_can_not_be_read_by_id_goes_out(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas)] = linked(here, ADA)
        here.edit_person(ada, firstName="Augusta")
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", status=422, times=2)]
        assert here.reconcile().parked == 1
        here.sandbox.ghl.weather.faults = [
            Fault(kind="error", method="GET", path=f"/contacts/{ada}", status=422, times=9)
        ]
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(adas)
        assert here.reconcile().written == {(GHL, "dnd_set"): 1}
        assert here.blocks(ada)


def test_the_revocation_of_a_held_record_goes_out(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        ada = here.person(ADA)
        here.subscriber(ADA)
        here.reconcile()
        here.edit_person(ada, email=EVE)
        assert here.reconcile().held == 1
        here.forget_requests()
        here.clock.advance(1)
        here.ghl.set_dnd(ada)
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS)[0] == UNSUBSCRIBE
        here.settle()
        here.assert_quiet()


def test_the_revocation_of_an_orphan_to_be_is_not_lost(database_url: str) -> None:
    with world(database_url) as here:
        (ada, adas), (bob, _) = linked(here, ADA, BOB)
        here.edit_person(ada, email=BOB)  # becomes Bob's duplicate
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(adas)
        here.reconcile()
        here.settle()
        assert here.status(ADA) == "unsubscribed"
        # Should that address ever come back to GHL, a person had revoked it.
        here.edit_person(bob, email="robert@example.com")
        here.edit_person(ada, email=ADA)
        here.reconcile()
        here.settle()
        assert (here.status(ADA), here.blocks(ada)) == ("unsubscribed", True)


def test_the_revocation_of_who_leaves_the_scope_goes_out(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_any=("vip",))) as here:
        ada, _ = here.linked(tags=["vip"])
        here.clock.advance(1)
        here.ghl.edit(ada, tags=[], firstName="Augusta", dndSettings={"Email": {"status": "active"}})
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS) == [UNSUBSCRIBE]
        here.assert_quiet()


# although one side can't be read


def test_a_revocation_goes_out_although_emailoctopus_could_not_be_read(database_url: str) -> None:
    with world(database_url) as here:
        (ada, _), (bob, _) = linked(here, ADA, BOB)
        here.edit_person(bob, firstName="Robert")
        here.clock.advance(1)
        here.ghl.set_dnd(ada)
        fails = Fault(kind="error", method="GET", path="/contacts$", status=422, times=3)
        here.sandbox.emailoctopus.weather.faults = [fails]
        report = here.reconcile()
        assert report.outcome is CycleOutcome.INCOMPLETE
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert (here.status(ADA), first_name(here, BOB)) == ("unsubscribed", "Bob")
        here.reconcile()
        assert first_name(here, BOB) == "Robert"
        here.assert_quiet()


def test_a_revocation_goes_out_although_ghl_could_not_be_read(database_url: str) -> None:
    with world(database_url) as here:
        (ada, adas), (bob, bobs) = linked(here, ADA, BOB)
        here.edit_subscriber(bobs, FirstName="Robert")
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(adas)
        fails = Fault(kind="error", method="POST", path="/contacts/search$", status=422, times=2)
        here.sandbox.ghl.weather.faults = [fails]
        report = here.reconcile()
        assert report.outcome is CycleOutcome.INCOMPLETE
        assert report.written == {(GHL, "dnd_set"): 1}
        assert here.blocks(ada)
        assert here.people()[bob]["firstName"] == "Bob"
        here.reconcile()
        assert here.people()[bob]["firstName"] == "Robert"
        here.assert_quiet()


# quotas and long cycles


def test_what_is_left_of_a_daily_quota_is_kept_for_revocations(database_url: str) -> None:
    with world(database_url) as here:
        (_, adas), (bob, bobs) = linked(here, ADA, BOB)
        here.sandbox.ghl.limiter = GhlWindow(here.clock, per_day=101)
        here.edit_subscriber(bobs, FirstName="Robert")
        here.emailoctopus.unsubscribe(adas)
        report = here.reconcile()
        assert report.outcome is CycleOutcome.QUOTA
        assert report.written == {(GHL, "dnd_set"): 1}
        assert here.people()[bob]["firstName"] == "Bob"
        here.later(days=1)
        here.sandbox.ghl.limiter = GhlWindow(here.clock)
        here.reconcile()
        assert here.people()[bob]["firstName"] == "Robert"
        here.assert_quiet()


def test_revocations_go_out_although_the_quota_was_used_up_before_the_cycle(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas)] = linked(here, ADA)
        here.sandbox.ghl.limiter = GhlWindow(here.clock, per_day=101)
        here.reconcile()  # from here on only the reserve is left
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(adas)
        report = here.reconcile()
        assert report.outcome is CycleOutcome.QUOTA
        assert report.written == {(GHL, "dnd_set"): 1}
        assert here.blocks(ada)


def many(sandbox: Sandbox, count: int = 120) -> None:
    """So many people that creating them takes longer than the time between two polls."""
    for number in range(count):
        sandbox.ghl.world.create(firstName="Some", lastName="Body", email=f"p{number}@example.com")


def test_a_cycle_that_lasts_longer_than_poll_every_polls_again_and_sends_revocations_first(database_url: str) -> None:
    with world(database_url, limits=True) as here:
        (ada, adas), (bob, _) = linked(here, ADA, BOB)
        many(here.sandbox)
        here.pair = replace(here.pair, timing=Timing(poll_every=timedelta(seconds=1)))
        here.clock.advance(60)
        people = len(here.people())

        def look() -> tuple[bool, bool]:
            revoked = here.blocks(ada) and here.status(BOB) == "unsubscribed"
            return revoked, len(here.subscribers()) == people

        class Meanwhile(Witness):
            """Once a few were created, one person unsubscribes and another is blocked."""

            acted = False

            def sent(self, system: SystemName, requests: int) -> None:
                if not self.acted and len(here.subscribers()) > 10:
                    self.acted = True
                    here.emailoctopus.unsubscribe(adas)
                    here.ghl.set_dnd(bob)
                super().sent(system, requests)

        one = Meanwhile(look)
        here.pair = replace(here.pair, progress=one)
        here.reconcile()
        assert one.acted
        assert (True, False) in one.seen  # revoked before everybody was created
        assert look() == (True, True)
        here.settle()
        here.assert_quiet()


def test_a_first_load_that_lasts_longer_than_poll_every_finishes_those_whose_revocation_went_ahead(
    database_url: str,
) -> None:
    with world(database_url, limits=True) as here:
        many(here.sandbox, 180)
        here.ghl.set_dnd(here.person(ADA, first="Ada"))
        here.emailoctopus.unsubscribe(here.subscriber(BOB, first="Robert"))
        here.subscriber(ADA, first="Augusta")
        here.person(BOB, first="Bob")
        here.pair = replace(here.pair, timing=Timing(poll_every=timedelta(seconds=1)))
        here.reconcile()
        assert (here.status(ADA), first_name(here, ADA)) == ("unsubscribed", "Ada")
        assert (here.blocked(BOB), first_name(here, BOB)) == (True, "Bob")
        here.pair = replace(here.pair, timing=Timing())
        here.assert_quiet()


class Polls(NoProgress):
    """Notes how many contacts each system has when a page is read after writing has begun."""

    def __init__(self, look: Callable[[], dict[SystemName, int]]) -> None:
        self._look = look
        self._wrote = False
        self.seen: list[dict[SystemName, int]] = []

    def sent(self, system: SystemName, requests: int) -> None:
        self._wrote = True

    def pages_read(self, system: SystemName, records: int) -> None:
        if self._wrote:
            self.seen.append(self._look())


def test_the_system_that_is_written_fast_does_not_wait_for_the_slow_one(database_url: str) -> None:
    def trial(sandbox: Sandbox) -> None:
        sandbox.ghl.limiter = GhlWindow(sandbox.clock, per_window=25)

    with world(database_url, limits=True, prepare=trial) as here:
        for number in range(180):
            here.ghl.create(firstName="Some", email=f"p{number}@example.com")
            here.emailoctopus.add(here.sandbox.list_id, f"s{number}@example.com", {"FirstName": "Some"})
        polls = Polls(lambda: {GHL: len(here.people()) - 180, EMAILOCTOPUS: len(here.subscribers()) - 180})
        here.pair = replace(here.pair, progress=polls)
        report = here.reconcile()
        first = polls.seen[0]
        assert 100 < first[GHL] < 180  # as many as its limit lets through before the next poll
        assert first[EMAILOCTOPUS] == 180
        assert report.written == {(GHL, "created"): 180, (EMAILOCTOPUS, "created"): 180}

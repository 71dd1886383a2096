"""The plan says what reconcile then does: the same operations, the same number of requests."""

from sync_daemon.model.plan import Action
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.seed import Population
from tests.machine.laws import writes_of
from tests.worlds import add_field, neighbours, world

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def test_a_first_load_sends_exactly_the_requests_that_its_plan_counted(database_url: str) -> None:
    with world(database_url) as w:
        w.sandbox.populate(Population(ghl=60, emailoctopus=50, shared=40))
        planned = w.plan()
        for context in (w.sandbox.ghl, w.sandbox.emailoctopus):
            context.log.clear()
        report = w.reconcile()

        tags = [path for _, path in writes_of(w) if path.endswith("/tags") and path.startswith("/lists/")]
        assert len(writes_of(w)) - len(tags) == sum(planned.requests.values())
        unsubscribed = [op for op in planned.operations if op.system is EMAILOCTOPUS and op.action == "set_status"]
        assert report.written[EMAILOCTOPUS, "unsubscribed"] == len(unsubscribed) > 0
        assert not w.settle().written


def test_a_plan_writes_to_neither_system(database_url: str) -> None:
    with world(database_url, prepare=lambda sandbox: add_field(sandbox, "City", "text")) as w:
        w.sandbox.populate(Population(ghl=20, emailoctopus=20, shared=10))
        people, subscribers = w.people(), w.subscribers()
        assert w.plan().operations
        assert (w.people(), w.subscribers()) == (people, subscribers)
        assert writes_of(w) == []


def test_a_plan_says_of_two_that_meet_what_only_one_has_and_of_a_link_what_changed(database_url: str) -> None:
    with world(database_url) as w:
        ghl_id = w.person("ada@example.com", "Ada", tags=["customer"])
        w.subscriber("ada@example.com", "", "Lovelace", tags=["blog"])
        reasons = {op.action: op.reason for op in w.plan().operations if op.system is EMAILOCTOPUS}
        assert reasons[Action.UPDATE] == "only GoHighLevel has firstName"
        assert reasons[Action.ADD_TAGS] == "GoHighLevel has the tag; two that meet unite theirs"

        w.settle()
        w.edit_person(ghl_id, firstName="Augusta")
        w.ghl.add_tags(ghl_id, ["vip"])
        w.later(minutes=11)
        reasons = {op.action: op.reason for op in w.plan().operations}
        assert reasons == {"update": "firstName changed in GoHighLevel", "add_tags": "tag changed in GoHighLevel"}


def test_who_is_deleted_after_his_address_moved_is_planned_once(database_url: str) -> None:
    with world(database_url) as w:
        ghl_id, there = w.linked()
        neighbours(w)
        w.ghl.delete(ghl_id)
        w.emailoctopus.change_address(there, "moved@example.com")
        w.later(minutes=11)

        assert [one.action for one in w.foresee(Mode.FULL).operations] == ["set_status"]

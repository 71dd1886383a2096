"""What is drawn for a life: policies, facts about the systems that are uncertain, people, tags, faults."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from sync_daemon.model.activity import ActivityPolicy, AppointmentFields, NoteFields, TaskFields
from sync_daemon.model.policy import (
    AddressChange,
    Blanks,
    ConflictRule,
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    GuardLimits,
    NewContactStatus,
    OnLeaveScope,
    PairPolicy,
    Resubscribe,
    ScopeRule,
    TagRule,
)
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault
from tests.machine.rulings import Rulings, rulings

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
FIELDS = {
    GHL: ("firstName", "lastName", "website", "city"),
    EMAILOCTOPUS: ("FirstName", "LastName", "Site", "Shoe"),
}
EXCLUDED, STRANGER = "private-*", "stranger"
WHO = st.sampled_from([f"{name}@example.com" for name in ("ada", "bob", "eve", "Zoë", "kim")])
TAG = st.sampled_from(["vip", "News", "Web Inar", "private-x", STRANGER])
TAGS = st.sets(st.sampled_from(["vip", "News", "Web Inar", "private-x"]), max_size=2).map(sorted)
PICK = st.integers(0, 6)
"""Which of those who are there: counted round and round."""
SYSTEM = st.sampled_from(list(SystemName))
MODE = st.sampled_from([Mode.INCREMENTAL, Mode.FULL, Mode.HINTS])
KIND = st.sampled_from(list(EventKind))
POINT = st.integers(0, 40)
"""After how many requests, or points at which a process can be killed, something happens."""


@dataclass(frozen=True)
class Busyness:
    """What is shown of activity in a life, and facts about it that are uncertain."""

    tasks: bool
    notes: bool
    appointments: bool
    automations: bool
    patterns: bool
    max_length: int
    window_days: int
    touches: bool
    as_texts: bool
    field_limit: int | None

    def prepare(self, sandbox: Sandbox) -> ActivityPolicy:
        """Make the accounts ready, and give the pair's policy."""
        sandbox.ghl.world.quirks.activity_touches = self.touches
        emailoctopus = sandbox.emailoctopus.world
        emailoctopus.quirks.field_limit = self.field_limit
        for tag in ("OpenTasks", "NextTaskDue", "LastApptOn") if self.as_texts else ():
            emailoctopus.add_field(sandbox.list_id, Field(tag=tag, type="text", label=tag))
        completed, booked = (
            str(emailoctopus.create_automation(sandbox.list_id, "api", repeats=True).id) if self.automations else None
            for _ in range(2)
        )
        tasks = TaskFields("OpenTasks", "NextTask", "NextTaskDue", "TaskDone", "TaskDoneOn", completed)
        include = ("share*",) if self.patterns else None
        shown = ("NextAppt", "NextApptOn", "NextApptTime", "NextApptStatus", "LastApptOn")
        window = timedelta(days=self.window_days)
        return ActivityPolicy(
            tasks=tasks if self.tasks else None,
            notes=NoteFields("LastNote", "LastNoteOn", self.max_length, include) if self.notes else None,
            appointments=AppointmentFields(*shown, window, booked) if self.appointments else None,
        )


@dataclass(frozen=True)
class Terms:
    """What is drawn for a whole life: policies, and facts about the systems that are uncertain."""

    prefix: str
    conflict: ConflictRule
    blanks: Blanks
    resubscribe: Resubscribe
    deletes: DeleteRule
    on_leave_scope: OnLeaveScope
    new_contact_status: NewContactStatus
    address_change: AddressChange
    create_suppressed: bool
    double_opt_in: bool
    hits_carry_dnd: Any
    duplicates_allowed: bool
    opt_outs_touch: bool
    guard: GuardLimits
    skew_s: int
    busyness: Busyness | None
    rulings: Rulings

    def policy(self) -> PairPolicy:
        """The pair's policy."""
        return PairPolicy(
            "main",
            fields=(
                FieldRule("firstName", "FirstName", conflict=self.conflict, blanks=self.blanks),
                FieldRule("lastName", "LastName", conflict=ConflictRule.NEWEST),
                FieldRule("website", "Site", direction=Direction.TO_EMAILOCTOPUS),
            ),
            tags=TagRule(exclude=(EXCLUDED,), prefix=self.prefix),
            scope=ScopeRule(tags_none=(STRANGER,)),
            on_leave_scope=self.on_leave_scope,
            create_suppressed=self.create_suppressed,
            new_contact_status=self.new_contact_status,
            resubscribe=self.resubscribe,
            address_change=self.address_change,
            deletes=self.deletes,
            double_opt_in=self.double_opt_in,
            guard=self.guard,
        )


@st.composite
def busyness(draw: Callable[[Any], Any]) -> Busyness:
    """What could be configured: one of the three kinds at least."""
    tasks, notes, appointments = draw(
        st.sampled_from([(True, True, True), (True, False, True), (True, False, False), (False, True, True)])
    )
    return Busyness(
        tasks=tasks,
        notes=notes,
        appointments=appointments,
        automations=draw(st.sampled_from([True, True, False])),
        patterns=draw(st.booleans()),
        max_length=draw(st.sampled_from([20, 300])),
        window_days=draw(st.sampled_from([90, 2])),
        touches=draw(st.booleans()),
        as_texts=draw(st.booleans()),
        field_limit=draw(st.sampled_from([None, None, None, 9])),
    )


@st.composite
def terms(draw: Callable[[Any], Any]) -> Terms:
    """Terms that a configuration could have: nobody is asked on a list without double opt-in."""
    double_opt_in = draw(st.booleans())
    asks = [NewContactStatus.PENDING] if double_opt_in else []
    return Terms(
        prefix=draw(st.sampled_from(["", "", "eo "])),
        conflict=draw(st.sampled_from(list(ConflictRule))),
        blanks=draw(st.sampled_from(list(Blanks))),
        resubscribe=draw(st.sampled_from(list(Resubscribe))),
        deletes=DeleteRule(
            draw(st.sampled_from(list(DeletedInGhl))), draw(st.sampled_from(list(DeletedInEmailOctopus)))
        ),
        on_leave_scope=draw(st.sampled_from(list(OnLeaveScope))),
        new_contact_status=draw(st.sampled_from([NewContactStatus.LIST_DEFAULT, NewContactStatus.SUBSCRIBED, *asks])),
        address_change=draw(st.sampled_from(list(AddressChange))),
        create_suppressed=draw(st.booleans()),
        double_opt_in=double_opt_in,
        hits_carry_dnd=draw(st.sampled_from(["when_set", "always", "never"])),
        duplicates_allowed=draw(st.booleans()),
        opt_outs_touch=draw(st.sampled_from([True, True, False])),
        guard=draw(st.sampled_from([GuardLimits()] * 3 + [GuardLimits(10, 1, 50, 1), GuardLimits(10, 0, 10, 0)])),
        skew_s=draw(st.sampled_from([0, 90, -90, 7200, -7200])),
        busyness=draw(st.one_of(st.none(), busyness(), busyness())),
        rulings=draw(st.one_of(st.just(Rulings()), rulings())),
    )


@st.composite
def faults(draw: Callable[[Any], Any]) -> tuple[SystemName, Fault]:
    """A system and what befalls some of its next requests."""
    return draw(SYSTEM), Fault(
        kind=draw(st.sampled_from(["error", "lost_answer", "truncate", "throttle", "drop", "html_error"])),
        method=draw(st.sampled_from(["", "POST", "PUT"])),
        status=503,
        after=draw(st.integers(0, 6)),
        times=draw(st.integers(1, 6)),
    )

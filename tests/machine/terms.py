"""What is drawn for a life: policies, facts about the systems that are uncertain, people, tags, faults."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

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
from sync_daemon.sandbox.weather import Fault

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
MODE = st.sampled_from(list(Mode))
KIND = st.sampled_from(list(EventKind))
POINT = st.integers(0, 40)
"""After how many requests, or points at which a process can be killed, something happens."""


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

"""What people do with tasks, notes and appointments, in any order; only where the pair shows any."""

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.sandbox.weather import Fault
from tests.machine.acts import Acts
from tests.machine.doings import ahead
from tests.machine.house import TALLY
from tests.machine.terms import PICK, SYSTEM

GHL = SystemName.GHL
HOURS = st.sampled_from([-30, -1, 1, 3, 26, 60])
"""When something is due, or takes place."""
ACT = st.sampled_from(["task", "complete", "complete", "reopen", "book", "book", "cancelled", "confirmed", "note"])
LOOKED_AT = st.sampled_from(["", "told", "polled", "scanned"])
TOLD = st.booleans()
"""Whether a webhook tells of it at once."""


class Busy(Acts):
    """The outside's part of a life with activity."""

    @precondition(lambda life: life.is_busy)
    @rule(pick=PICK, hours=HOURS, completed=st.sampled_from([False, False, False, True]), told=TOLD)
    def somebody_has_a_task(self, pick: int, hours: int, completed: bool, told: bool) -> None:
        """Somebody writes a task, of nobody where there is nobody."""
        person = self._person(pick)
        self.doings.add_task(person, ahead(self.outside, hours), completed=completed)
        self._tell(person, told=told)

    @precondition(lambda life: life.is_busy)
    @rule(pick=PICK, how=st.sampled_from(["complete", "complete", "reopen", "move", "delete"]), hours=HOURS, told=TOLD)
    def a_task_changes(self, pick: int, how: str, hours: int, told: bool) -> None:
        """A task is ticked off, on again, given more time, or deleted."""
        self._tick()
        if tasks := self.doings.tasks():
            task = tasks[pick % len(tasks)]
            self.doings.change_task(task, how, ahead(self.outside, hours))
            self._tell(task.contact_id, told=told)

    @precondition(lambda life: life.is_busy)
    @rule(pick=PICK, how=st.sampled_from(["write", "write", "write anew", "delete"]), shared=st.booleans(), told=TOLD)
    def a_note_is_written(self, pick: int, how: str, shared: bool, told: bool) -> None:
        """Somebody writes a note, which may be for the customer's eyes or not; or an old one changes, or is gone."""
        person, notes = self._person(pick), self.doings.notes()
        if how == "write" and person:
            self.doings.write_note(person, shared=shared)
            self._tell(person, told=told)
        elif how != "write" and notes:
            note = notes[pick % len(notes)]
            self.doings.change_note(note, how, shared=shared)
            self._tell(note.contact_id, told=told)

    @precondition(lambda life: life.is_busy)
    @rule(pick=PICK, hours=HOURS, told=TOLD)
    def somebody_books(self, pick: int, hours: int, told: bool) -> None:
        """An appointment, or one that is entered afterwards."""
        if person := self._person(pick):
            self.doings.book(person, ahead(self.outside, hours))
            self._tell(person, told=told)

    @precondition(lambda life: life.is_busy)
    @rule(
        pick=PICK,
        how=st.sampled_from(["cancelled", "confirmed", "new", "noshow", "showed", "move", "delete"]),
        hours=HOURS,
        told=TOLD,
    )
    def an_appointment_changes(self, pick: int, how: str, hours: int, told: bool) -> None:
        """An appointment is called off, confirmed, kept or not, moved, or deleted."""
        self._tick()
        if appointments := self.doings.appointments():
            event = appointments[pick % len(appointments)]
            self.doings.change_appointment(event, how, ahead(self.outside, hours))
            self._tell(event.contact_id, told=told)

    @precondition(lambda life: life.is_busy)
    @rule(pick=PICK, acts=st.lists(st.tuples(ACT, LOOKED_AT), min_size=2, max_size=6))
    def a_working_day(self, pick: int, acts: list[tuple[str, str]]) -> None:
        """Much is done about somebody who gets mail; the program looks on the way, or doesn't."""
        if not self.starts.active:
            self._cycle(Mode.FULL)
        willing = sorted(ghl_id for ghl_id, _ in self.starts.standing_now())
        person = willing[pick % len(willing)] if willing else None
        for act, looked_at in acts if person else ():
            self.the_house.clock.advance(61)
            self._work(act, str(person))
            if looked_at == "told":
                self._tell(person, told=True)
                self._cycle(Mode.HINTS)
            elif looked_at:
                self.the_house.clock.advance(900)
                self._cycle(Mode.INCREMENTAL if looked_at == "polled" else Mode.FULL)

    def _work(self, act: str, person: str) -> None:
        world, soon = self.outside.ghl, ahead(self.outside, 26)
        tasks, events = world.tasks.of(person), world.calendars.of_contact(person)
        match act:
            case "task":
                self.doings.add_task(person, soon, completed=False)
            case "book":
                self.doings.book(person, soon)
            case "note":
                self.doings.write_note(person, shared=True)
            case "complete" | "reopen" if tasks:
                self.doings.change_task(tasks[-1], act, soon)
            case "cancelled" | "confirmed" if events:
                self.doings.change_appointment(events[0], act, soon)

    @precondition(lambda life: life.is_busy)
    @rule(hours=st.sampled_from([1, 4, 30]))
    def hours_pass(self, hours: int) -> None:
        """So long that something is due or takes place meanwhile."""
        self.the_house.clock.advance(hours * 3600)
        self._cycle(Mode.INCREMENTAL)

    @precondition(lambda life: life.is_busy)
    @rule(
        system=SYSTEM,
        path=st.sampled_from(["/queue$", "/fields$", "/tasks", "/calendars", "/notes$", "/contacts/"]),
        kind=st.sampled_from(["error", "lost_answer", "drop", "truncate"]),
        times=st.integers(1, 6),
        mode=st.sampled_from([Mode.FULL, Mode.HINTS, Mode.INCREMENTAL]),
    )
    def activity_meets_trouble(self, system: SystemName, path: str, kind: str, times: int, mode: Mode) -> None:
        """Requests about activity fare badly in the next look."""
        self._weather(system).faults.append(Fault(kind=kind, path=path, times=times, status=503))  # type: ignore[arg-type]
        self.the_house.clock.advance(900)
        self._cycle(mode)

    def work_goes_on(self, pick: int) -> None:
        """Somebody books, and a task is done, in the middle of a cycle."""
        if not self.is_busy:
            return
        if person := self._person(pick):
            self.doings.book(person, ahead(self.outside, 26))
        if tasks := self.doings.tasks():
            self.doings.change_task(tasks[pick % len(tasks)], "complete", ahead(self.outside, 1))

    def _tell(self, contact_id: str | None, *, told: bool) -> None:
        if contact_id is not None and told:
            self._hear(GHL, contact_id, EventKind.ACTIVITY, self.the_house.clock.now())

    def _hear(
        self, system: SystemName, contact_id: str, kind: EventKind, at: datetime, *, verified: bool = True
    ) -> None:
        """A webhook says something. Some ids come again: those events have no effect."""
        TALLY["webhooks"] += 1
        told = WebhookEvent(system, f"event {TALLY['webhooks'] % 50}", contact_id, kind, at, verified=verified)
        self.the_house.process.pair.store.save_events([told])

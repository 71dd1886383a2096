"""Tasks, notes and appointments over real HTTP against the sandbox, each exchange held against the official OpenAPI."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import pytest

from sync_daemon.model.activity import Task
from sync_daemon.model.errors import CredentialsRefused, NotFound, Refused
from sync_daemon.ports import ActivityReader
from sync_daemon.sandbox.weather import Fault
from tests.contract.ghl_documented import Recorder
from tests.contract.ghl_place import Place, Stage, served_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Stage, str]]:
    with served_stage() as served:
        yield served


@pytest.fixture(params=["2021-07-28", "v3"])
def place(stage: tuple[Stage, str], request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place, asked in each version; every exchange is as documented when the test is over."""
    place, recorder = Place.on(*stage), Recorder()
    place.version, place.transport = request.param, recorder
    yield place
    recorder.close()
    assert recorder.violations() == []


def activity(place: Place, **more: object) -> ActivityReader:
    source = place.bare(**more).activity
    assert source is not None
    return source


def in_days(place: Place, days: float) -> datetime:
    return (place.clock.now() + timedelta(days=days)).replace(microsecond=0)


def titles(tasks: list[Task]) -> set[str]:
    return {task.title for task in tasks}


def test_every_task_of_the_location_page_by_page(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    for number in range(103):
        place.world.add_task(ada, f"open {number}", in_days(place, 1))
    place.world.add_task(ada, "done", in_days(place, 1), completed=True)
    place.world.add_task(None, "nobody's", in_days(place, 1))
    source = activity(place)
    assert titles(list(source.tasks(completed=False))) == {*(f"open {number}" for number in range(103)), "nobody's"}
    (done,) = source.tasks(completed=True)
    assert (done.title, done.contact_id, done.due, done.completed) == ("done", ada, in_days(place, 1), True)
    assert done.updated_at == done.added_at == place.clock.now().replace(microsecond=0)


def test_a_full_last_page_is_followed_by_an_empty_one(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    for number in range(100):
        place.world.add_task(ada, f"open {number}", in_days(place, 1))
    assert len(list(activity(place).tasks(completed=False))) == 100


def test_the_tasks_of_a_contact_with_the_time_of_completion(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    task = place.world.add_task(ada, "call", in_days(place, 1))
    place.world.add_task(ada, "write", in_days(place, 2))
    place.clock.advance(60)
    place.world.complete_task(task.id)
    at = place.clock.now().replace(microsecond=0)
    place.clock.advance(60)
    told = {one.title: (one.completed, one.updated_at) for one in activity(place).tasks_of(ada)}
    assert told == {"call": (True, at), "write": (False, None)}


def test_a_completion_that_the_index_does_not_know_yet_has_no_time(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    task = place.world.add_task(ada, "call", in_days(place, 1))
    place.clock.advance(60)
    place.weather.index_lag_s = 30
    place.world.complete_task(task.id)
    (told,) = activity(place).tasks_of(ada)
    assert (told.completed, told.updated_at) == (True, None)


def test_the_notes_of_a_contact(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    at = place.clock.now().replace(microsecond=0)
    place.world.add_note(ada, "<p>likes tea</p>")
    (note,) = activity(place).notes_of(ada)
    assert (note.body, note.added_at) == ("<p>likes tea</p>", at)


def test_the_appointments_of_every_calendar_within_a_window(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    calls, fittings = (str(place.world.add_calendar(name)["id"]) for name in ("Calls", "Fittings"))
    place.world.book(ada, calls, in_days(place, 1), title="call")
    place.world.set_appointment(place.world.book(ada, fittings, in_days(place, -1), title="fitting").id, "noshow")
    place.world.book(ada, calls, in_days(place, 40), title="far away")
    now = place.clock.now()
    told = {one.title: one for one in activity(place).appointments(now - timedelta(days=30), now + timedelta(days=30))}
    assert {title: (one.contact_id, one.start, one.status) for title, one in told.items()} == {
        "call": (ada, in_days(place, 1), "confirmed"),
        "fitting": (ada, in_days(place, -1), "noshow"),
    }
    assert told["call"].added_at == now.replace(microsecond=0)


@pytest.mark.parametrize("times", ["location", "utc"])
@pytest.mark.parametrize("envelope", ["appointment", "event"])
def test_the_appointments_of_a_contact_whatever_zone_their_list_means(
    place: Place, times: Literal["location", "utc"], envelope: Literal["appointment", "event"]
) -> None:
    place.quirks.appointment_times, place.quirks.appointment_envelope = times, envelope
    ada = place.world.create(firstName="Ada").id
    place.world.book(ada, str(place.world.add_calendar("Calls")["id"]), in_days(place, 1), title="call")
    (call,) = activity(place).appointments_of(ada)
    assert (call.title, call.start, call.status) == ("call", in_days(place, 1), "confirmed")


def test_nobody_has_no_activity(place: Place) -> None:
    source = activity(place)
    for read in (source.tasks_of, source.notes_of, source.appointments_of):
        with pytest.raises(NotFound):
            read("nobody")


def test_a_missing_scope_is_named(place: Place) -> None:
    token = place.world.private_token(["contacts.readonly", "calendars.readonly"])
    source, now = activity(place, token=token), place.clock.now()
    place.world.add_calendar("Calls")
    with pytest.raises(CredentialsRefused, match=r"locations/tasks\.readonly"):
        list(source.tasks(completed=False))
    with pytest.raises(CredentialsRefused, match=r"calendars/events\.readonly"):
        list(source.appointments(now, now))


def test_an_answer_of_another_form_is_refused(place: Place) -> None:
    ada = place.world.create(firstName="Ada").id
    place.weather.faults = [Fault(kind="error", method="GET", path=f"/contacts/{ada}/tasks", status=422)]
    with pytest.raises(Refused):
        activity(place).tasks_of(ada)

"""An action of a rule as a call of GHL's catalogue, and in words. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sync_daemon.changes.digests import Digester
from sync_daemon.model.activity import Note, Task
from sync_daemon.model.plan import MassChange
from sync_daemon.model.rules import Action, AddTag, AddToWorkflow, CallOperation, CreateNote, CreateTask, RemoveTag
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.templates import Values, named_in, render, rendered, texts_in

CREATE_TASK, CREATE_NOTE = "Create Contact Task", "Create Contact Note"
CONTACT = "contactId"


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the catalogue, with all its values."""

    operation: str
    values: Mapping[str, Any]


def call_of(action: Action, contact_id: str, values: Values, intended: datetime) -> Call:
    """The call that carries an action out for one contact; a task's time counts from when it was intended."""
    contact = {CONTACT: contact_id}
    match action:
        case AddTag(tag):
            return Call("Add Tags to Contact", {**contact, "tags": [render(tag, values)]})
        case RemoveTag(tag):
            return Call("Remove Tags from Contact", {**contact, "tags": [render(tag, values)]})
        case CreateTask(title, due_in, body):
            task = {"title": render(title, values), "dueDate": _iso(intended + due_in), "completed": False}
            more = {} if body is None else {"body": render(body, values)}
            return Call(CREATE_TASK, {**contact, **task, **more})
        case CreateNote(body):
            return Call(CREATE_NOTE, {**contact, "body": render(body, values)})
        case AddToWorkflow(workflow_id):
            return Call("Add Contact to Workflow", {**contact, "workflowId": workflow_id})
        case CallOperation(operation, given, takes_contact):
            return Call(operation, {**(contact if takes_contact else {}), **rendered(given, values)})


def name_of(action: Action) -> str:
    """What the configuration calls an action; of an operation its name."""
    match action:
        case AddTag():
            return "add_tag"
        case RemoveTag():
            return "remove_tag"
        case CreateTask():
            return "create_task"
        case CreateNote():
            return "create_note"
        case AddToWorkflow():
            return "add_to_workflow"
        case CallOperation(operation):
            return operation


def in_words(action: Action, values: Values) -> str:
    """What an action would do, for a person."""
    match action:
        case AddTag(tag):
            return f"add the tag {render(tag, values)}"
        case RemoveTag(tag):
            return f"remove the tag {render(tag, values)}"
        case CreateTask(title):
            return f"create the task {render(title, values)!r}"
        case CreateNote(body):
            return f"create the note {render(body, values)!r}"
        case AddToWorkflow(workflow_id):
            return f"add to the workflow {workflow_id}"
        case CallOperation(operation):
            return f"call {operation}"


def kind_of(action: Action) -> MassChange:
    """As what a guard counts an action."""
    removes = isinstance(action, RemoveTag) or (isinstance(action, CallOperation) and action.destructive)
    return MassChange.RULE_REMOVAL if removes else MassChange.RULE_ACTION


def templates_of(action: Action) -> list[str]:
    """The texts of an action that may name values."""
    match action:
        case AddTag(text) | RemoveTag(text) | CreateNote(text):
            return [text]
        case CreateTask(title, _, body):
            return [title] if body is None else [title, body]
        case AddToWorkflow():
            return []
        case CallOperation(_, values):
            return list(texts_in(values))


def asks_contact(actions: Iterable[Action]) -> bool:
    """Whether some text names a value of the contact."""
    places = (place for action in actions for text in templates_of(action) for place in named_in(text))
    return any(place.name in ("first_name", "last_name", "email", "field") for place in places)


def digest_of(call: Call, digester: Digester) -> bytes:
    """What a task or note is known again by in its contact's list; nothing for other calls."""
    match call.operation:
        case "Create Contact Task":
            return _of_task(str(call.values["title"]), _moment(call.values["dueDate"]), call.values[CONTACT], digester)
        case "Create Contact Note":
            return _of_note(str(call.values["body"]), call.values[CONTACT], digester)
        case _:
            return b""


def task_digests(tasks: Iterable[Task], contact_id: str, digester: Digester) -> list[bytes]:
    """The digests of tasks that are there, one each."""
    return [_of_task(one.title, one.due, contact_id, digester) for one in tasks]


def note_digests(notes: Iterable[Note], since: datetime, contact_id: str, digester: Digester) -> list[bytes]:
    """The digests of notes that were written since then, one each."""
    return [_of_note(one.body, contact_id, digester) for one in notes if one.added_at is None or one.added_at >= since]


def _of_task(title: str, due: datetime | None, contact_id: str, digester: Digester) -> bytes:
    when = _iso(due) if due is not None else ""
    return digester.sent_field(SystemName.GHL, contact_id, "task", f"{when} {title}")


def _of_note(body: str, contact_id: str, digester: Digester) -> bytes:
    return digester.sent_field(SystemName.GHL, contact_id, "note", body)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _iso(moment: datetime) -> str:
    """A moment in UTC, in whole seconds: no system rounds those."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

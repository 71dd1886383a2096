"""What `forget` says: what would be done in both systems, what was erased, and what that means from now on."""

from collections.abc import Iterator
from typing import Any

from sync_daemon.commands.printing import console, plural, print_json, table
from sync_daemon.cycle.parting import Record, operations
from sync_daemon.model.plan import Action, Operation
from sync_daemon.wiring.forgetting import Forgetting, Place

_TO_DO = {Action.DELETE: "delete", Action.SET_DND: "set_dnd", Action.SET_STATUS: "unsubscribe"}
_WORDS = {
    "delete": "deleted",
    "set_dnd": "e-mail DND is set",
    "unsubscribe": "unsubscribed",
    "none": "nothing: it is unsubscribed already",
    "kept": "nothing: it has the address as an additional one only, and isn't deleted",
}
_LOG = ("changes", "events")


def show_plan(person: Forgetting, *, delete: bool) -> None:
    """What would be done in both systems."""
    rows = [
        (place.name, record.system.label, record.contact_id, _WORDS[what])
        for place in person.places
        for record, what in _planned(place, delete=delete)
    ]
    if rows:
        console().print(table(("pair", "system", "contact", "what is done there"), rows))
    else:
        console().print("Neither system has a contact with this address.")


def show_forgotten(person: Forgetting, *, everywhere: bool, files_keep_rows: bool) -> None:
    """What was erased, and what follows."""
    out = console()
    for place in person.places:
        out.print(f"{place.name}: {_erased(place)}")
    for sentence in _meaning(everywhere=everywhere, files_keep_rows=files_keep_rows):
        out.print(sentence)


def show_json(person: Forgetting, *, everywhere: bool, delete: bool, done: bool, why: str | None = None) -> None:
    """The one JSON object."""
    print_json(
        {
            "pairs": [_as_json(place, delete=delete) for place in person.places],
            "everywhere": ("delete" if delete else "unsubscribe") if everywhere else None,
            "done": done,
            "why": why,
        }
    )


def _erased(place: Place) -> str:
    rows = {name: count for name, count in place.erased.items() if count}
    if not rows:
        known = "it was forgotten before" if place.was_forgotten else "it is remembered as forgotten all the same"
        return f"nothing is stored of this address; {known}."
    counted = [
        plural(rows.get("contacts", 0), "contact"),
        plural(rows.get("links", 0), "link"),
        plural(sum(rows.get(name, 0) for name in _LOG), "line of the logs", "lines of the logs"),
    ]
    others = sum(count for name, count in rows.items() if name not in (*_LOG, "contacts", "links"))
    return f"erased {', '.join(counted)}, {plural(others, 'other row')}."


def _meaning(*, everywhere: bool, files_keep_rows: bool) -> Iterator[str]:
    yield (
        "The records are skipped from now on, whoever shows them: nothing of the person is stored or written, and an "
        "opt-out in one system is no longer carried to the other."
    )
    if not everywhere:
        yield "Both systems keep their contacts; --everywhere unsubscribes them there too, with --delete deletes them."
    if files_keep_rows:
        yield "PostgreSQL drops the deleted rows from its files when it next vacuums."
    yield "Backups of the database aren't touched. `sync-daemon forget EMAIL --undo`, should the person come back."


def _planned(place: Place, *, delete: bool) -> Iterator[tuple[Record, str]]:
    to_do = {_key(one): _TO_DO[one.action] for one in operations(place.records, delete=delete)}
    for record in place.records:
        yield record, to_do.get((record.system, record.contact_id), "none" if record.own or not delete else "kept")


def _key(operation: Operation) -> tuple[Any, str]:
    return operation.system, operation.target_id or ""


def _as_json(place: Place, *, delete: bool) -> dict[str, Any]:
    return {
        "pair": place.name,
        "was_forgotten": place.was_forgotten,
        "erased": {name: count for name, count in place.erased.items() if count},
        "outside": [
            {"system": str(record.system), "contact_id": record.contact_id, "action": what}
            for record, what in _planned(place, delete=delete)
        ],
    }

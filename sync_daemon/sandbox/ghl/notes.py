"""Notes on contacts and on appointments (facts: GHL §6.1); they have no dateUpdated and are listed whole."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sync_daemon.sandbox.ghl.errors import not_found
from sync_daemon.sandbox.ghl.moments import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One version of a note. `owner` is the id of the contact or appointment it hangs on."""

    id: str
    owner: str
    contact_id: str
    date_added: int
    body: str
    user_id: str | None = None
    title: str | None = None
    color: str | None = None
    pinned: bool = False

    def document(self) -> dict[str, Any]:
        """The note as the API tells it."""
        shown = {
            "id": self.id,
            "body": self.body,
            "userId": self.user_id,
            "dateAdded": iso(self.date_added),
            "contactId": self.contact_id,
            "title": self.title,
            "color": self.color,
            "pinned": self.pinned,
        }
        return {key: value for key, value in shown.items() if value is not None}

    def changed(self, body: Mapping[str, Any]) -> "Note":
        """Give the note with what a validated body names."""
        changes = {attribute: body[key] for key, attribute in _WRITABLE.items() if body.get(key) is not None}
        return replace(self, **changes)


_WRITABLE = {"body": "body", "userId": "user_id", "title": "title", "color": "color", "pinned": "pinned"}


class NoteBook:
    """Notes by the record they hang on, newest first."""

    def __init__(self) -> None:
        self._notes: dict[str, dict[str, Note]] = {}

    def of(self, owner: str) -> list[Note]:
        """List the notes of a contact or appointment."""
        return list(reversed(self._notes.get(owner, {}).values()))

    def find(self, owner: str, note_id: str) -> Note | None:
        """Find a note."""
        return self._notes.get(owner, {}).get(note_id)

    def get(self, owner: str, note_id: str) -> Note:
        """Read a note. Raises ApiError 404."""
        note = self.find(owner, note_id)
        if note is None:
            raise not_found("Note not found")
        return note

    def save(self, note: Note) -> Note:
        """Store a note, new or changed."""
        self._notes.setdefault(note.owner, {})[note.id] = note
        return note

    def remove(self, owner: str, note_id: str) -> None:
        """Delete a note. Raises ApiError 404."""
        self.get(owner, note_id)
        del self._notes[owner][note_id]

    def forget(self, owner: str) -> None:
        """Delete every note of a record that is gone."""
        self._notes.pop(owner, None)

    def hand_over(self, owner: str, heir: str) -> None:
        """Hang the notes of a contact on the one it was merged into."""
        for note in self._notes.pop(owner, {}).values():
            self.save(replace(note, owner=heir, contact_id=heir))

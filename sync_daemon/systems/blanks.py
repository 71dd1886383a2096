"""What clears a field: null is tried first and "" once where null didn't; remembered for each kind of field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sync_daemon.model.errors import Refused
from sync_daemon.model.plan import Returned

NULL, TEXT, NOTHING = "null", "text", "nothing"
"""What was found: null clears fields of a kind, an empty text does, neither does."""


@dataclass(slots=True)
class Blanks:
    """What was found out, by kind of field: the outcome of a clear that a returned contact showed."""

    found: dict[str, str] = field(default_factory=dict)

    def sent(self, kinds: Iterable[str]) -> dict[str, str | None]:
        """What to send to clear fields of these kinds, as far as is known now."""
        return {kind: "" if self.found.get(kind) == TEXT else None for kind in kinds}

    def verify(
        self,
        kinds: Mapping[str, str],
        sent: Mapping[str, str | None],
        returned: Returned,
        send_text: Callable[[list[str]], Returned],
    ) -> Returned:
        """Learn from the answer to a write that was to clear fields, `kinds` by their names; the last answer.

        Where null left some of a kind uncleared, `send_text` tries "" on them, unless neither is known to work.
        """
        for kind in sorted(sent):
            names = [name for name, its in kinds.items() if its == kind]
            if returned.contact is None:  # nobody knows
                break
            left = _held(names, returned)
            if not left:
                self.found[kind] = NULL if sent[kind] is None else TEXT
            elif sent[kind] is not None:
                self.found[kind] = NOTHING
            elif self.found.get(kind) != NOTHING:
                returned, cleared = _try(left, returned, send_text)
                self.found[kind] = TEXT if cleared else NOTHING
        return returned


def _try(left: list[str], returned: Returned, send_text: Callable[[list[str]], Returned]) -> tuple[Returned, bool]:
    try:
        again = send_text(left)
    except Refused:  # the first request was applied: what it left uncleared shows in its answer
        return returned, False
    return (again, not _held(left, again)) if again.contact is not None else (returned, False)


def _held(names: Iterable[str], returned: Returned) -> list[str]:
    fields = returned.contact.fields if returned.contact else {}
    return [name for name in names if fields.get(name) is not None]

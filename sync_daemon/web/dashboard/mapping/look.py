"""A form looked at: what is wrong with it, what it changes, what would be made for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.mapping_check import NewField, missing_fields, new_fields, objections
from sync_daemon.settings.complaints import Complaint
from sync_daemon.settings.editing import Edited, Original, PairEditor
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.web.dashboard.mapping.form import MappingForm
from sync_daemon.web.dashboard.mapping.naming import said_of
from sync_daemon.web.dashboard.mapping.wanted import changes, wanted
from sync_daemon.wiring.sampling import Sides
from sync_daemon.wiring.set_up import once_seen


@dataclass(frozen=True, slots=True)
class Look:
    """`wrong` are the name of an input, what people call it, and what is wrong with it; `changes` are in words."""

    edited: Edited
    wrong: Sequence[tuple[str, str, str]]
    changes: Sequence[str]
    new: Sequence[NewField] = ()

    @property
    def may_be_planned(self) -> bool:
        """Whether it changes something, and nothing is wrong with it."""
        return not self.wrong and bool(self.changes) and self.edited.section is not None

    def about(self, name: str) -> list[tuple[str, str, str]]:
        """What is wrong with an input, or with one inside it."""
        return [one for one in self.wrong if one[0] == name or one[0].startswith(f"{name}.")]


NOTHING_SEEN = Look(Edited("", None), (), ())


def look(editor: PairEditor, original: Original, form: MappingForm, sides: Sides, store: SqlPairStore) -> Look:
    """Hold a form against the rules of the file, and against what both accounts have as far as that is known."""
    value, problems = wanted(original, form)
    edited = Edited("", None, tuple(problems)) if problems else editor.edited(original, value)
    complaints, new = list(edited.complaints), list[NewField]()
    if edited.section is not None:
        met, new = _accounts(edited.section, sides, store)
        complaints += met
    return Look(edited, said_of(complaints, form), list(changes(original, form)), new)


def _accounts(section: PairSection, sides: Sides, store: SqlPairStore) -> tuple[list[Complaint], list[NewField]]:
    """What the accounts object to, and the fields that would be made; nothing while one of them isn't known."""
    schemas = {name: side.schema for name, side in sides.items() if side.schema is not None}
    if len(schemas) < len(SystemName):
        return [], []
    ghl, emailoctopus = schemas[SystemName.GHL], schemas[SystemName.EMAILOCTOPUS]
    policy = section.policy(double_opt_in=emailoctopus.double_opt_in, country=ghl.country)
    gone = missing_fields(policy, schemas) & once_seen(store)
    made = new_fields(policy, schemas, gone) if policy.create_missing_fields else []
    return [Complaint(path, text) for path, text in objections(policy, schemas, gone)], made

"""From texts of pairs to settings in force: checked with everything else, planned, agreed to, stored."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sync_daemon.commands.asking import ask
from sync_daemon.commands.exits import BAD_USAGE, DONE
from sync_daemon.commands.options import known_names, opened, outside_pairs
from sync_daemon.commands.plan import show_plan
from sync_daemon.commands.printing import console, print_json
from sync_daemon.commands.progress import shown_progress
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.report import Mode
from sync_daemon.settings.configuration import Configuration, Place
from sync_daemon.settings.document import Document
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.configuration import stored_pairs
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.planning import FullPlan, as_json, plan_pair
from sync_daemon.wiring.state import open_store

SAVE = "save"
IN_FORCE = "A service that runs takes it up within seconds."
NOT_SAVED = "Nothing was saved: say it with --yes."


@dataclass(frozen=True, slots=True)
class Draft:
    """Pairs as they would be in the database: texts by name, those that were there, and all that is configured then."""

    texts: Mapping[str, str]
    before: Mapping[str, str]
    settings: Settings

    def section(self, name: str) -> PairSection:
        """One of its pairs."""
        return next(section for section in self.settings.pairs if section.name == name)


def checked(config: Path, texts: Mapping[str, str], before: Mapping[str, str], read: Mapping[str, Document]) -> Draft:
    """Texts, and what they `read`, checked together with every other pair. Raises `ConfigurationError`."""
    instead: dict[Place, Document] = dict(read.items())
    configuration = Configuration(config, Variables.of_process(Path()), stored_pairs, instead)
    return Draft(texts, before, configuration.settings)


def planned(draft: Draft, name: str) -> FullPlan:
    """What a full reconcile of a pair would do by the draft; nothing is written. Raises `SyncError`."""
    with open_installation(draft.settings) as installation, shown_progress() as progress:
        return plan_pair(installation, draft.section(name), Mode.FULL, progress)


def save(draft: Draft) -> None:
    """Store the texts, all or none. Raises `ConfigurationError` where somebody else changed one meanwhile."""
    with open_store(draft.settings) as store:
        store.configured_pairs.save(draft.texts, draft.before)


def finish(draft: Draft, name: str, said: str, *, yes: bool, json: bool) -> int:
    """Show what one pair's draft would do, ask, save and say it; `yes` saves at once. Gives the exit status."""
    plan = None if yes else planned(draft, name)
    if plan is not None and not json:
        show_plan(plan)
    done = yes or (not json and ask(SAVE))
    if done:
        save(draft)
    if json:
        print_json({"pair": name, "plan": as_json([plan]) if plan is not None else None, "done": done})
    else:
        console().print(f"{said} {IN_FORCE}" if done else NOT_SAVED)
    return DONE if done else BAD_USAGE


def stored_text(config: Path, name: str) -> str | None:
    """The text of a pair of the database; None where there is none of that name. Raises `StateStoreError`."""
    return stored_pairs(outside_pairs(config)).texts.get(name)


def refuse_elsewhere(config: Path, name: str, what: str) -> NoReturn:
    """Raise `ConfigurationError` for a pair that isn't in the database: it says where it is, and what to do there."""
    pairs = opened(config).settings.pairs
    found = next((pair for pair in pairs if pair.name == name), None)
    if found is not None:
        raise ConfigurationError(f"The pair {name} isn't in the database, it stands in {found.place(())}: {what}.")
    raise ConfigurationError(f"There is no pair {name}; {known_names(name, [pair.name for pair in pairs])}.")


def given_text(file: str) -> str:
    """The text of a file, or of standard input for `-`. Raises `ConfigurationError`."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
        raise ConfigurationError(f"{file} can't be read: {reason}.") from None

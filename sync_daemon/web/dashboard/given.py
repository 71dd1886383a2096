"""What the dashboard is given by whoever serves it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync_daemon.model.explanation import Explanation
from sync_daemon.model.health import PairHealth
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.working import Working
from sync_daemon.ports import CycleProgress, Progress
from sync_daemon.settings.editing import PairEditor
from sync_daemon.settings.installation import HttpSection
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.planning import FullPlan
from sync_daemon.wiring.sampling import Sides
from sync_daemon.wiring.undoing import Undoing


@dataclass(frozen=True, slots=True)
class Editing:
    """How a pair's section is changed where it is written: its editor, which raises `ConfigurationError` where it isn't
    there any more, what both sides hold now, what another section would do, and having the service work by one from
    its next cycle on.
    """

    editor: Callable[[], PairEditor]
    sample: Callable[[], Sides]
    plan: Callable[[PairSection, CycleProgress], FullPlan]
    take: Callable[[PairSection], None]


@dataclass(frozen=True, slots=True)
class OnePair:
    """A pair that the service works on: its state, how to wish for a cycle, what the one under way has come to, and
    what one would do; how to do what a plan holds, and to take back what a run wrote, or one conflict of the undo
    journal. All but `want` and `working` ask the systems, and take their time. `editing` is None where the
    configuration is in no file of its own.
    """

    name: str
    store: SqlPairStore
    want: Callable[[Mode], None]
    working: Callable[[], Working | None]
    plan: Callable[[Mode, CycleProgress], FullPlan]
    explain: Callable[[str, Progress], Explanation]
    follow: Callable[[PlannedPair, CycleProgress], CycleReport]
    undo_run: Callable[[str, bool], Undoing]
    undo_conflict: Callable[[int, str], Undoing]
    editing: Editing | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """Everything the pages are made of. `health` raises `StateStoreError` when the database doesn't answer."""

    pairs: Callable[[], Sequence[OnePair]]
    health: Callable[[], Sequence[PairHealth]]
    http: HttpSection
    silent_after: timedelta
    now: Callable[[], datetime]

    def by_slug(self) -> Mapping[str, OnePair]:
        """The pairs by what stands for them in addresses: their names, as far as these can."""
        slugs: dict[str, OnePair] = {}
        numbers: dict[str, int] = {}
        for pair in self.pairs():
            plain = re.sub(r"[^a-z0-9]+", "-", pair.name.lower()).strip("-") or "pair"
            number = numbers[plain] = numbers.get(plain, 0) + 1
            slugs[f"{plain}--{number}" if number > 1 else plain] = pair
        return slugs

"""The options that commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.load import load
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.variables import Variables

DEFAULT_CONFIG = Path("config/sync.yaml")


def _named(_type: object, path: Path) -> None:
    if path == Path():
        raise ValueError("name a file, or leave --config and SYNC_DAEMON_CONFIG away.")


Config = Annotated[Path, Parameter(env_var="SYNC_DAEMON_CONFIG", help="The configuration file.", validator=_named)]
PairName = Annotated[str | None, Parameter(name="--pair", help="Only this pair.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object instead of tables.")]
Full = Annotated[bool, Parameter(name="--full", negative="", help="Read every contact, not only what changed.")]

ApplyScope = Annotated[
    bool,
    Parameter(
        name="--apply-scope",
        negative="",
        help="Do what on_leave_scope says to those, too, who left because the scope was narrowed; implies --full.",
    ),
]


def _at_least_none(_type: object, wait: float) -> None:
    if not wait >= 0:  # which NaN isn't either
        raise ValueError("it must be 0 seconds or more.")


Wait = Annotated[
    float,
    Parameter(
        name="--wait", help="Seconds to wait for a pair that another process works on.", validator=_at_least_none
    ),
]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A configuration, and those of its pairs that a command is about."""

    settings: Settings
    pairs: tuple[PairSection, ...]


def choose(config: Path, pair: str | None) -> Chosen:
    """Load the configuration and pick one pair, or all. Raises `ConfigurationError`."""
    settings = load(config, Variables.of_process(Path()))
    if pair is None:
        return Chosen(settings, settings.pairs)
    found = tuple(section for section in settings.pairs if section.name == pair)
    if not found:
        names = ", ".join(section.name for section in settings.pairs)
        raise ConfigurationError(f"{config} has no pair {pair}; it has {names}.")
    return Chosen(settings, found)

"""The options that commands share."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.installation import InstallationSection, Settings
from sync_daemon.settings.load import load_outside_pairs
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.configuration import configuration_of

_NAMES_SHOWN = 20
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

    configuration: Configuration
    pairs: tuple[PairSection, ...]

    @property
    def settings(self) -> Settings:
        """The whole configuration."""
        return self.configuration.settings


def choose(config: Path, pair: str | None) -> Chosen:
    """Load the configuration and pick one pair, or all. Raises `ConfigurationError`, `StateStoreError`."""
    configuration = opened(config)
    configuration.demand_pairs()
    pairs = configuration.settings.pairs
    if pair is None:
        return Chosen(configuration, pairs)
    found = tuple(section for section in pairs if section.name == pair)
    if not found:
        raise ConfigurationError(
            f"{config} has no pair {pair}; {known_names(pair, [section.name for section in pairs])}."
        )
    return Chosen(configuration, found)


def opened(config: Path) -> Configuration:
    """The configuration, though it may have no pair. Raises `ConfigurationError`, `StateStoreError`."""
    return configuration_of(config, Variables.of_process(Path()))


def outside_pairs(config: Path) -> InstallationSection:
    """What stands outside the pairs, for commands that need no credentials. Raises `ConfigurationError`."""
    return load_outside_pairs(config, Variables.of_process(Path()))


def known_names(pair: str, names: list[str]) -> str:
    """What to say of the names that there are to somebody who named another one."""
    if not names:
        return "there is none yet"
    close = get_close_matches(pair, names, n=3)
    if len(names) <= _NAMES_SHOWN:
        return f"it has {', '.join(names)}"
    return f"of its {len(names):,} {'the nearest are ' + ', '.join(close) if close else 'none has a similar name'}"

"""Reading a configuration once."""

from pathlib import Path

from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.document import Document, parse, read
from sync_daemon.settings.installation import InstallationSection, Settings
from sync_daemon.settings.layers import DEFAULTS, PAIRS, TEMPLATES
from sync_daemon.settings.reading import checked, demand_pairs, pairs_of, read_main, together
from sync_daemon.settings.variables import Variables


def load(path: Path, variables: Variables) -> Settings:
    """The whole configuration but for pairs in the database.

    Raises `ConfigurationError` that tells every mistake by key path, file and line.
    """
    configuration = Configuration(path, variables)
    configuration.demand_pairs()
    return configuration.settings


def load_text(text: str, name: str, variables: Variables) -> Settings:
    """A configuration that isn't in a file yet; `name` is what errors call it. Raises as `load`."""
    main, told = read_main(parse(text, name), variables)
    settings = together(main, [pairs_of(main.document, main)], told)
    demand_pairs(main, settings)
    return settings


def load_outside_pairs(path: Path | None, variables: Variables) -> InstallationSection:
    """What stands outside the pairs, for commands that need no credentials; without a file, what variables say."""
    document = Document("the environment") if path is None else read(path)
    for key in (PAIRS, DEFAULTS, TEMPLATES):
        document.data.pop(key, None)
    return checked(document, variables, InstallationSection)

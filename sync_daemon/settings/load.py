"""Reading the configuration: file, variables, checks, in that order."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sync_daemon.settings.complaints import Refusal, of_validation
from sync_daemon.settings.consistency import disagreements
from sync_daemon.settings.document import Document, parse, read
from sync_daemon.settings.environment import overlay
from sync_daemon.settings.installation import InstallationSection, Settings
from sync_daemon.settings.variables import Variables, expand

M = TypeVar("M", bound=InstallationSection)


def load(path: Path, variables: Variables) -> Settings:
    """The whole configuration. Raises `ConfigurationError` that tells every mistake by key path, file and line."""
    return load_document(read(path), variables)


def load_text(text: str, name: str, variables: Variables) -> Settings:
    """A configuration that isn't in a file yet; `name` is what errors call it. Raises as `load`."""
    return load_document(parse(text, name), variables)


def load_document(document: Document, variables: Variables) -> Settings:
    """A configuration that was parsed; its data gives way to what variables make of it. Raises as `load`."""
    settings = _checked(document, variables, Settings)
    if complaints := list(disagreements(settings)):
        raise Refusal(document, complaints)
    for index, pair in enumerate(settings.pairs):
        pair.remember(document, ("pairs", index))
    return settings


def load_outside_pairs(path: Path | None, variables: Variables) -> InstallationSection:
    """What stands outside the pairs, for commands that need no credentials; without a file, what variables say."""
    document = Document("the environment") if path is None else read(path)
    document.data.pop("pairs", None)
    return _checked(document, variables, InstallationSection)


def _checked(document: Document, variables: Variables, model: type[M]) -> M:
    expand(document, variables, literal=overlay(document, variables))
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise Refusal(document, list(of_validation(error, model))) from None

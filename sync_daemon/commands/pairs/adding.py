"""`sync-daemon pairs add`: one more pair, into the database."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sync_daemon.commands.asking import Yes
from sync_daemon.commands.init.questions import Questions
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json
from sync_daemon.commands.pairs.credentials import ApiKey, GhlToken, credential
from sync_daemon.commands.pairs.saving import Draft, checked, finish, given_text, stored_text
from sync_daemon.commands.pairs.texts import COLUMNS, named, text_of
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.complaints import Refusal
from sync_daemon.settings.reading import read_pairs

_OPTIONS = {"token": "--ghl-token", "api_key": "--api-key"}
_QUESTIONS = {"token": "GHL's token (a private integration of the location)", "api_key": "EmailOctopus's API key"}
_HOW = (
    "A credential is given with --ghl-token and --api-key: - is a line of standard input, '${NAME}' a variable. Or it "
    "stands in the template, or in `defaults`."
)

File = Annotated[
    str | None,
    Parameter(
        name="--file",
        allow_leading_hyphen=True,
        help="The pair's settings as YAML in this file; - is standard input.",
    ),
]


def add(
    name: str,
    /,
    *,
    config: Config = DEFAULT_CONFIG,
    file: File = None,
    location: Annotated[str | None, Parameter(help="The id of the GHL location.")] = None,
    list_: Annotated[str | None, Parameter(name="--list", help="The id of the EmailOctopus list.")] = None,
    template: Annotated[str | None, Parameter(help="A template of the configuration file.")] = None,
    ghl_token: GhlToken = None,
    api_key: ApiKey = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Put one more pair into the database; the service takes it up within seconds.

    Shows first what a full reconcile would do, and asks; `--yes` saves without either. Credentials that are given
    nowhere are asked for, without showing them.
    """
    given = {"location_id": location, "list_id": list_, "template": template, "token": ghl_token, "api_key": api_key}
    values = {column: value for column, value in given.items() if value is not None}
    if file is not None and values:
        raise ConfigurationError("--file has all of the pair's settings: leave the other options away.")
    if stored_text(config, name) is not None:
        raise ConfigurationError(f"There is a pair {name} in the database already: `sync-daemon pairs edit {name}`.")
    if file is not None:
        called = "standard input" if file == "-" else file
        text = named(given_text(file), name, called)
        draft = checked(config, {name: text}, {}, {name: read_pairs(text, called)})
    else:
        values |= {column: credential(_OPTIONS[column], values[column]) for column in _OPTIONS if column in values}
        draft = _completed(config, name, {"name": name, **values})
    return finish(draft, name, f"The pair {name} is added.", yes=yes, json=json)


def _completed(config: Path, name: str, values: Mapping[str, str]) -> Draft:
    """A draft of values; credentials that are missing are asked for where somebody is. Raises `ConfigurationError`."""
    text = text_of(values)
    try:
        return checked(config, {name: text}, {}, {name: read_pairs(text, f"pair {name} as given")})
    except Refusal as refusal:
        missing = [column for column in _OPTIONS if _is_missing(refusal, name, column)]
        if not missing:
            raise
        if len(missing) < len(refusal.told) or not sys.stdin.isatty():
            raise ConfigurationError(f"{refusal}\n{_HOW}") from None
    questions = Questions(anybody=True)
    asked = {column: questions.secret(_QUESTIONS[column], _OPTIONS[column]) for column in missing}
    return _completed(config, name, {**values, **asked})


def _is_missing(refusal: Refusal, name: str, column: str) -> bool:
    """Whether all that is wrong about a credential is that it isn't there, or nothing that it stands in."""
    path = COLUMNS[column]
    wrong = [told.complaint for told in refusal.told if told.pair == name]
    return any(one.path in (path, path[:1]) and one.text == "is missing" for one in wrong)

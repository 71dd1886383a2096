"""A pair's credentials as options name them: never themselves, as a shell remembers what was typed."""

import re
import sys
from typing import Annotated

from cyclopts import Parameter

from sync_daemon.commands.init.questions import Questions
from sync_daemon.model.errors import ConfigurationError

GhlToken = Annotated[
    str | None,
    Parameter(
        name="--ghl-token",
        allow_leading_hyphen=True,
        help="`-` reads GHL's token from standard input; '${NAME}' names a variable.",
    ),
]
ApiKey = Annotated[
    str | None,
    Parameter(
        name="--api-key",
        allow_leading_hyphen=True,
        help="`-` reads EmailOctopus's key from standard input; '${NAME}' names a variable.",
    ),
]
_VARIABLE = re.compile(r"\$\{\w+(:-)?\}", re.ASCII)


def credential(option: str, given: str) -> str:
    """What an option means: a variable's name as it is, `-` a line of standard input. Raises `ConfigurationError`."""
    if _VARIABLE.fullmatch(given):
        return given
    if given != "-":
        raise ConfigurationError(
            f"{option} takes no credential itself, as a shell remembers what was typed. Write - to give it on standard "
            "input, or '${NAME}' for a variable that the service has, too."
        )
    if sys.stdin.isatty():
        return Questions(anybody=True).secret(f"{option} (not shown)", option)
    if not (line := sys.stdin.readline().strip()):
        raise ConfigurationError(f"{option} -: nothing came on standard input.")
    return line

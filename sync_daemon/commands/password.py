"""`sync-daemon password`: a user of the dashboard, as the configuration names one; asks no system and no file."""

import getpass
import json
import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.passwords import Hash

_SHORTEST = 10


def password(
    name: Annotated[str | None, Parameter(help="Who it is for; without, the hash alone is printed.")] = None,
    *,
    role: Annotated[
        Literal["admin", "reader"], Parameter(help="A reader sees everything and orders nothing.")
    ] = "admin",
) -> None:
    """Ask for a password, twice on a terminal, and print its hash; from a pipe, its first line is taken."""
    hashed = str(Hash.of(_asked() if sys.stdin.isatty() else _piped()))
    if name is None:
        print(hashed)
        return
    print(f"- {{name: {json.dumps(name, ensure_ascii=False)}, password: {json.dumps(hashed)}, role: {role}}}")
    sys.stdout.flush()
    sys.stderr.write("Put this line under service.http.users of the configuration, and restart the service.\n")


def _asked() -> str:
    given = _long_enough(getpass.getpass("Password: "))
    if getpass.getpass("Once more: ") != given:
        raise ConfigurationError("The two passwords differ: nothing was made.")
    return given


def _piped() -> str:
    return _long_enough(sys.stdin.readline().rstrip("\r\n"))


def _long_enough(given: str) -> str:
    if len(given) < _SHORTEST:
        raise ConfigurationError(f"A password needs at least {_SHORTEST} characters, this one has {len(given)}.")
    return given

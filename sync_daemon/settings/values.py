"""The types of single settings: durations, shares, secrets, addresses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.store.crypto import checked
from sync_daemon.store.engine import parse_url

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_LONGEST_DAYS = 3650
_ID = re.compile(r"[\w-]+", re.ASCII)
_HOST = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?|[0-9a-f:.]+", re.ASCII)
_CREDENTIAL = re.compile(r"[!-~]*")


class Section(BaseModel):
    """A mapping of the configuration: unknown keys are errors, nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _duration(value: Any) -> Any:
    """Read `90s`, `10m`, `24h`, `90d`."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("expected a duration such as 90s, 10m, 24h or 90d")
    number, unit = match.groups()
    if float(number) * _SECONDS[unit] > _LONGEST_DAYS * _SECONDS["d"]:
        raise ValueError(f"must be at most {_LONGEST_DAYS}d")
    return timedelta(seconds=float(number) * _SECONDS[unit])


def _above_zero(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        raise ValueError("expected an address that starts with https:// (or http:// for a server of your own)")
    try:
        parts = urlsplit(value)
        named = bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise ValueError("the host or the port in this address can't be one")
    return value.rstrip("/")


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("an id has letters, digits, - and _ only; copy the id alone, without the address around it")
    return value


def _credential(value: SecretStr) -> SecretStr:
    if not _CREDENTIAL.fullmatch(value.get_secret_value()):
        raise ValueError("holds spaces or characters that no key or token has; copy it again")
    return value


def _database_url(value: str) -> str:
    with _told_as_value_error():
        parse_url(value)
    return value


def _secret_key(value: SecretStr) -> SecretStr:
    if text := value.get_secret_value():
        with _told_as_value_error():
            checked(text, "a secret")
    return value


@contextmanager
def _told_as_value_error() -> Iterator[None]:
    """Let the store's own objections come out with the key's path and line, as pydantic's do."""
    try:
        yield
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Interval = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_above_zero)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Text = Annotated[str, Field(min_length=1)]
Texts = tuple[Text, ...]
Id = Annotated[Text, AfterValidator(_id)]
Url = Annotated[str, AfterValidator(_url)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database_url)]
"""A database's address can hold a password, so it never shows in a message."""
SecretKey = Annotated[SecretStr, AfterValidator(_secret_key)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Credential = Annotated[Secret, AfterValidator(_credential)]
"""What is sent in a header."""

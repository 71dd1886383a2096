"""Logs: named events to standard error, for people on a terminal, as JSON otherwise, and never a secret.

Personal data and credentials are cut out of every text before it is written, whatever a caller logged.
"""

import os
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from sync_daemon.model.errors import ConfigurationError

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_SECRET_NAME = re.compile(r"token|secret|password|authori[sz]ation|api_?key|credential", re.IGNORECASE)
_REDACTIONS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 [secret]"),
    (re.compile(r"\b(?:pit-|eo_)[\w-]{4,}"), "[secret]"),
    (re.compile(r"\beyJ[\w-]{10,}(?:\.[\w-]+)*"), "[secret]"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), "://[secret]@"),
    (re.compile(r"[^\s@<>\"'(),;:=\[\]]+@[^\s@<>\"'(),;:=\[\]]+\.[^\s@<>\"'(),;:=\[\]]+"), "[address]"),
    (re.compile(r"(?<![\w+])\+\d[\d\s().-]{5,}\d"), "[phone]"),
    (re.compile(r"(?<![\w.-])(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?![\w-])"), "[phone]"),
    (re.compile(r"(?<![\w.-])\d{9,15}(?![\w.-])"), "[number]"),
)


def configure(environment: Mapping[str, str] = os.environ) -> None:
    """Set logging up for the process.

    `SYNC_DAEMON_LOG_FORMAT` is `console` or `json`, by default what standard error is; `SYNC_DAEMON_LOG_LEVEL`
    is `debug`, `info` (the default), `warning` or `error`. Raises `ConfigurationError` for another word.
    """
    form = _word(environment, "SYNC_DAEMON_LOG_FORMAT", ("console", "json"))
    level = _word(environment, "SYNC_DAEMON_LOG_LEVEL", tuple(_LEVELS)) or "info"
    readable = form == "console" if form else sys.stderr.isatty()
    structlog.configure(
        processors=_processors(readable=readable),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )


def leave_out_foretold(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say nothing of what is only foretold, on a copy: it isn't done, parked or reported (structlog processor)."""
    if event.pop("foretold", False):
        raise structlog.DropEvent
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut credentials, e-mail addresses and phone numbers out of an event (structlog processor)."""
    return {name: _redacted(name, value) for name, value in event.items()}


def redacted(text: str) -> str:
    """A text without credentials, e-mail addresses and phone numbers."""
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


class _StandardError:
    """Writes to what standard error is at that moment, so that a progress bar can step aside."""

    def __init__(self, *_: Any) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.exception = self.msg

    def msg(self, message: str) -> None:
        """Write one line."""
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


def _processors(*, readable: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        leave_out_foretold,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(_where),
    ]
    if readable:
        colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        console = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
        return [*shared, redact, structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False), console]
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [*shared, redact, stamp, structlog.processors.JSONRenderer()]


def _where(exc_info: ExcInfo) -> str:
    """Where an exception came from, and through what: without its words, in which any value could stand."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        frames = traceback.format_tb(error.__traceback__)
        parts.append("".join([*frames, f"{type(error).__module__}.{type(error).__qualname__}"]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich was raised on\n".join(parts)


def _redacted(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name):
        return "[secret]"
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {key: _redacted(str(key), child) for key, child in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(name, child) for child in value]
    return value if isinstance(value, (int, float, bool, type(None))) else redacted(str(value))


def _word(environment: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    word = environment.get(name) or None
    if word is not None and word not in known:
        raise ConfigurationError(f"{name} must be one of {', '.join(known)}.")
    return word

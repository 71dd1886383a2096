"""What can go wrong between a client and an API: rates of trouble, and single faults played from a script."""

import re
from collections.abc import Iterator
from random import Random
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FaultKind = Literal["error", "html_error", "throttle", "lost_answer", "truncate", "drop", "latency"]
"""error: the API's own error body with `status`; html_error: a page from the edge instead of JSON;
throttle: 429 as documented; lost_answer: the request is applied, then the connection breaks unanswered;
truncate: the same, but half of the body arrives; drop: the connection breaks before anything is applied;
latency: the answer takes `seconds` longer."""

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
ErrorStatus = Annotated[int, Meta(ge=400, le=599)]
Lag = Annotated[float, Meta(ge=0, le=3600)]
"""Seconds that an index can run behind: no change older than an hour is remembered."""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One scripted fault: hits `times` requests that match, after letting `after` of them pass."""

    kind: FaultKind
    method: str = ""  # any, when empty
    path: str = ""  # a regular expression searched in the path
    status: ErrorStatus = 500
    seconds: Seconds = 0.0
    times: Annotated[int, Meta(ge=1)] = 1
    after: Annotated[int, Meta(ge=0)] = 0
    echo: bool = False  # error: the message repeats what was sent, credentials and all

    def __post_init__(self) -> None:
        """Refuse a path that is no regular expression. Raises ValueError."""
        try:
            re.compile(self.path)
        except re.error as problem:
            raise ValueError(f"path is no regular expression: {problem}") from None

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is one that this fault waits for."""
        return (not self.method or self.method.upper() == method) and re.search(self.path, path) is not None


class Weather(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The weather of one API. Rates lie between 0 and 1; each request draws for each rate."""

    error_rate: Share = 0.0
    error_status: ErrorStatus = 500
    throttle_rate: Share = 0.0
    drop_rate: Share = 0.0
    lost_answer_rate: Share = 0.0
    truncate_rate: Share = 0.0
    latency_s: Seconds = 0.0
    faults: list[Fault] = msgspec.field(default_factory=list)

    index_lag_s: Lag = 0.0  # GHL's search answers from documents as they looked this long ago
    flicker: Share = 0.0  # the share of search hits left out at random
    short_listing: Share = 0.0  # the share of rows missing at the end of every listing
    repeated_cursor: bool = False  # whether the second page of a listing says that it goes on where it began
    short_total: bool = False  # whether the total tells the short number as well
    plan_limit: Annotated[int, Meta(ge=0)] | None = None  # EmailOctopus: how many subscribed contacts the plan allows

    def strike(self, random: Random, method: str, path: str) -> Fault | None:
        """Choose what befalls one request: the first scripted fault that is due, else what the rates draw."""
        return self._scripted(method, path) or next(self._drawn(random), None)

    def delay(self, fault: Fault | None) -> float:
        """Tell how many seconds a request waits before it is answered."""
        return self.latency_s + (fault.seconds if fault is not None and fault.kind == "latency" else 0.0)

    def _scripted(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if not fault.matches(method, path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
            return fault
        return None

    def _drawn(self, random: Random) -> Iterator[Fault]:
        if self.drop_rate and random.random() < self.drop_rate:
            yield Fault(kind="drop")
        if self.throttle_rate and random.random() < self.throttle_rate:
            yield Fault(kind="throttle")
        if self.error_rate and random.random() < self.error_rate:
            yield Fault(kind="error", status=self.error_status)
        if self.lost_answer_rate and random.random() < self.lost_answer_rate:
            yield Fault(kind="lost_answer")
        if self.truncate_rate and random.random() < self.truncate_rate:
            yield Fault(kind="truncate")

"""How cycles ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, or_, select

from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.run_report import as_json
from sync_daemon.store.tables import runs
from sync_daemon.store.upsert import Upsert

_NEWEST = (
    select(runs)
    .where(runs.c.pair_id == bindparam("pair"))
    .order_by(runs.c.started.desc(), runs.c.ended.desc(), runs.c.run_id.desc())
    .limit(bindparam("limit"))
)
_NEWEST_OF = _NEWEST.where(runs.c.mode == bindparam("of"))
_OLDER = _NEWEST.where(
    or_(
        runs.c.started < bindparam("before"),
        and_(runs.c.started == bindparam("before"), runs.c.run_id < bindparam("before_id")),
    )
)
_BY_ID = select(runs).where(runs.c.pair_id == bindparam("pair"), runs.c.run_id == bindparam("run"))
_SINCE = (
    select(runs.c.started, runs.c.ended, runs.c.mode, runs.c.outcome, runs.c.report)
    .where(runs.c.pair_id == bindparam("pair"), runs.c.started >= bindparam("since"))
    .order_by(runs.c.started)
)
_QUOTA = "quota_left"
_QUOTA_LIMIT = "quota_limit"
_MESSAGE = "message"
_UPSERT = Upsert(runs, ("pair_id", "run_id"))


class _Counted(msgspec.Struct):
    """Of a stored report what charts show."""

    requests: dict[str, int] = {}
    written: dict[str, dict[str, int]] = {}
    quota_left: dict[str, int] = {}
    quota_limit: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What charts show of a run: requests and writes by system, and the daily quotas that it was told of."""

    started: datetime
    ended: datetime
    mode: Mode
    outcome: CycleOutcome
    requests: Mapping[str, int]
    written: Mapping[str, int]
    quota_left: Mapping[str, int]
    quota_limit: Mapping[str, int]


class Runs(Room):
    """The rows of runs."""

    def save_run(self, report: CycleReport, started: datetime, ended: datetime) -> None:
        """Write down how a cycle ended; a run saved again is replaced."""
        quotas = {_QUOTA: report.quota_left, _QUOTA_LIMIT: report.quota_limit}
        row = {
            "run_id": report.run_id,
            "mode": report.mode,
            "outcome": report.outcome,
            "started": to_micros(started),
            "ended": to_micros(ended),
            "report": msgspec.json.encode({**_everything(report), **quotas, _MESSAGE: report.message}).decode(),
        }
        with self._writing() as connection:
            _UPSERT.write(connection, self._rows([row]))

    def last_runs(self, limit: int, mode: Mode | None = None) -> list[Mapping[str, object]]:
        """The newest runs, of one mode or all, newest first.

        Each has run_id, mode, outcome, started, ended (aware), report, quota_left, quota_limit,
        message (what went wrong, "" for nothing).
        """
        rows = self._read(_NEWEST, limit=limit) if mode is None else self._read(_NEWEST_OF, limit=limit, of=mode)
        return [_run(row) for row in rows]

    def runs_before(self, started: datetime, run_id: str, limit: int) -> list[Mapping[str, object]]:
        """The newest runs older than one of them, newest first; as `last_runs`."""
        return [_run(row) for row in self._read(_OLDER, before=to_micros(started), before_id=run_id, limit=limit)]

    def run(self, run_id: str) -> Mapping[str, object] | None:
        """One run, as `last_runs` tells it; None for one that has no row (any more, or yet)."""
        return next(map(_run, self._read(_BY_ID, run=run_id)), None)

    def figures_since(self, since: datetime) -> Iterator[RunFigures]:
        """What charts show of every run that began since then, oldest first."""
        for row in self._read(_SINCE, since=to_micros(since)):
            counted = msgspec.json.decode(row.report, type=_Counted)
            yield RunFigures(
                to_datetime(row.started),
                to_datetime(row.ended),
                Mode(row.mode),
                CycleOutcome(row.outcome),
                counted.requests,
                {system: sum(words.values()) for system, words in counted.written.items()},
                counted.quota_left,
                counted.quota_limit,
            )


def _everything(report: CycleReport) -> dict[str, Any]:
    """The documented words, and beside them what rules did and whatever else was counted."""
    told = as_json(report)
    for (system, word), count in report.written.items():
        told["written"][str(system)].setdefault(word, count)
    return told


def _run(row: AnyRow) -> Mapping[str, object]:
    report = msgspec.json.decode(row.report)
    return {
        "run_id": row.run_id,
        "mode": row.mode,
        "outcome": row.outcome,
        "started": to_datetime(row.started),
        "ended": to_datetime(row.ended),
        _QUOTA: report.pop(_QUOTA, {}),
        _QUOTA_LIMIT: report.pop(_QUOTA_LIMIT, {}),
        _MESSAGE: report.pop(_MESSAGE, ""),
        "report": report,
    }

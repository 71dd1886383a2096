"""How cycles ended."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, select

from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.store.engine import writing
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
_BY_ID = select(runs).where(runs.c.pair_id == bindparam("pair"), runs.c.run_id == bindparam("run"))
_QUOTA = "quota_left"
_UPSERT = Upsert(runs, ("pair_id", "run_id"))


class Runs(Room):
    """The rows of runs."""

    def save_run(self, report: CycleReport, started: datetime, ended: datetime) -> None:
        """Write down how a cycle ended; a run saved again is replaced."""
        row = {
            "run_id": report.run_id,
            "mode": report.mode,
            "outcome": report.outcome,
            "started": to_micros(started),
            "ended": to_micros(ended),
            "report": msgspec.json.encode({**as_json(report), _QUOTA: report.quota_left}).decode(),
        }
        with writing(self._engine) as connection:
            _UPSERT.write(connection, self._rows([row]))

    def last_runs(self, limit: int, mode: Mode | None = None) -> list[Mapping[str, object]]:
        """The newest runs, of one mode or all, newest first.

        Each has run_id, mode, outcome, started, ended (aware), report, quota_left.
        """
        rows = self._read(_NEWEST, limit=limit) if mode is None else self._read(_NEWEST_OF, limit=limit, of=mode)
        return [_run(row) for row in rows]

    def run(self, run_id: str) -> Mapping[str, object] | None:
        """One run, as `last_runs` tells it; None for one that has no row (any more, or yet)."""
        return next(map(_run, self._read(_BY_ID, run=run_id)), None)


def _run(row: AnyRow) -> Mapping[str, object]:
    report = msgspec.json.decode(row.report)
    return {
        "run_id": row.run_id,
        "mode": row.mode,
        "outcome": row.outcome,
        "started": to_datetime(row.started),
        "ended": to_datetime(row.ended),
        _QUOTA: report.pop(_QUOTA, {}),
        "report": report,
    }

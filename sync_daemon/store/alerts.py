"""What somebody was, or is to be, alerted to and that isn't over: no other process, now or later, tells it again."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from sync_daemon.model.alarm import Condition
from sync_daemon.reconcile.alerting import Standing, Standings
from sync_daemon.store.engine import writing
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import alerts

_OF_PAIR = alerts.c.pair_id == bindparam("pair")
_OPEN = select(alerts).where(_OF_PAIR)
_CLEAR = delete(alerts).where(_OF_PAIR)
_ADD = insert(alerts)


class Alerts(Room):
    """The rows of alerts, shared by all processes that alert."""

    def standings(self) -> dict[Condition, Standing]:
        """Each condition that is so, or isn't over yet."""
        return {Condition(row.condition): _standing(row) for row in self._read(_OPEN)}

    def open_alerts(self) -> dict[Condition, datetime]:
        """Each condition that was told and isn't over, and since when it is so."""
        return {condition: one.since for condition, one in self.standings().items() if one.told}

    def weigh_alerts(self, weigh: Callable[[Standings], Standings]) -> None:
        """Put in the place of what stands what `weigh` makes of it; one process at a time does so."""
        with writing(self._engine) as connection:
            self._lock(connection)
            rows = connection.execute(_OPEN, {"pair": self._pair_id})
            before = {Condition(row.condition): _standing(row) for row in rows}
            after = weigh(before)
            if after != before:
                connection.execute(_CLEAR, {"pair": self._pair_id})
            if after and after != before:
                connection.execute(_ADD, self._rows([_row(condition, one) for condition, one in after.items()]))


def _standing(row: AnyRow) -> Standing:
    return Standing(row.sentence, to_datetime(row.since), row.told, to_datetime(row.gone_since))


def _row(condition: Condition, one: Standing) -> dict[str, object]:
    return {
        "condition": condition,
        "sentence": one.sentence,
        "since": to_micros(one.since),
        "told": one.told,
        "gone_since": None if one.gone_since is None else to_micros(one.gone_since),
    }

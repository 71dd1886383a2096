"""What somebody was alerted to and that isn't over: a service that starts anew doesn't tell it again."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from sync_daemon.model.alarm import Condition
from sync_daemon.store.engine import writing
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import Room
from sync_daemon.store.tables import alerts

_OF_PAIR = alerts.c.pair_id == bindparam("pair")
_OPEN = select(alerts.c.condition, alerts.c.since).where(_OF_PAIR)
_CLEAR = delete(alerts).where(_OF_PAIR)
_ADD = insert(alerts)


class Alerts(Room):
    """The rows of alerts, written by the one process that alerts."""

    def open_alerts(self) -> dict[Condition, datetime]:
        """Each condition that was told and isn't over, and since when it is so."""
        return {Condition(row.condition): to_datetime(row.since) for row in self._read(_OPEN)}

    def save_alerts(self, told: Mapping[Condition, datetime]) -> None:
        """Remember exactly these conditions as told."""
        with writing(self._engine) as connection:
            connection.execute(_CLEAR, {"pair": self._pair_id})
            if told:
                rows = [{"condition": condition, "since": to_micros(since)} for condition, since in told.items()]
                connection.execute(_ADD, self._rows(rows))

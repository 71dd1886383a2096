"""The state of one pair: its rooms under one roof, and the transaction that writes through all of them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, exists, func, or_, select

from sync_daemon.model.engagement import Occasion
from sync_daemon.model.state import Totals, Unlinked
from sync_daemon.ports import Commit
from sync_daemon.store.activity import Activity
from sync_daemon.store.agendas import Agendas
from sync_daemon.store.alerts import Alerts
from sync_daemon.store.audit import Audit
from sync_daemon.store.calls import Calls
from sync_daemon.store.contacts import Contacts
from sync_daemon.store.deeds import Deeds
from sync_daemon.store.engagement import Engagement
from sync_daemon.store.engine import writing
from sync_daemon.store.events import Events
from sync_daemon.store.forgetting import Forgetting
from sync_daemon.store.inbox import Inbox
from sync_daemon.store.journal import Journal
from sync_daemon.store.links import COUNT_CONSENT_HELD, COUNT_DIVERGED, Links
from sync_daemon.store.moments import to_micros
from sync_daemon.store.pair_state import PairRow
from sync_daemon.store.revocations import Revocations
from sync_daemon.store.runs import Runs
from sync_daemon.store.tables import ORDERED, contacts, held, inbox, parked
from sync_daemon.store.tags import Tags
from sync_daemon.store.undo_journal import UndoJournal
from sync_daemon.store.waiting import COUNT_HELD, COUNT_PARKED, DUE, Waiting

_UNLINKED = (
    select(contacts.c.unlinked, func.count().label("contacts"))
    .where(contacts.c.pair_id == bindparam("pair"), contacts.c.unlinked.is_not(None))
    .group_by(contacts.c.unlinked)
)
_TOTALS_WAITING = select(
    COUNT_PARKED.scalar_subquery().label("parked"),
    COUNT_HELD.scalar_subquery().label("held"),
    COUNT_DIVERGED.scalar_subquery().label("diverged"),
    COUNT_CONSENT_HELD.scalar_subquery().label("consent_held"),
)
_HAS_WORK = select(
    or_(
        exists().where(inbox.c.pair_id == bindparam("pair")),
        exists().where(parked.c.pair_id == bindparam("pair"), DUE),
        exists().where(held.c.pair_id == bindparam("pair"), ORDERED),
    )
)


class SqlPairStore(
    PairRow,
    Contacts,
    Links,
    Inbox,
    Waiting,
    Tags,
    Revocations,
    Journal,
    Audit,
    Forgetting,
    Runs,
    Events,
    Alerts,
    Activity,
    Deeds,
    Engagement,
    UndoJournal,
    Agendas,
    Calls,
):
    """`PairStore` on SQLite or PostgreSQL; made by `StateStore.open_pair`, safe to share between threads.

    A copy that holds the rows of one person alone has the number of links of the pair that it was made of.
    """

    links_in_all: int | None = None

    def save_occasions(self, told: Collection[Occasion]) -> None:
        """Keep what webhooks told for rules, safe from a power cut when this returns; one that is known stays."""
        if told:
            with writing(self._engine, durable=True) as connection:
                self._write_occasions(connection, told, self._clock.now())

    def count_links(self) -> int:
        """How many links there are; where one person's rows alone are stored, in the whole pair."""
        return super().count_links() if self.links_in_all is None else self.links_in_all

    def totals(self) -> Totals:
        """What waits or differs, and how much there is of everything; that takes long where there is much."""
        forgotten = self._count_forgotten()
        return replace(
            self.totals_waiting(),
            links=self.count_links(),
            staged=sum(self.count_staged().values()),
            unlinked={row.unlinked: row.contacts for row in self._read(_UNLINKED)}
            | ({Unlinked.FORGOTTEN: forgotten} if forgotten else {}),
        )

    def totals_waiting(self) -> Totals:
        """Of `totals` what is parked, held, diverged or `consent_held`, the rest 0: quick where little of it is so."""
        (row,) = self._read(_TOTALS_WAITING)
        return Totals(parked=row.parked, held=row.held, diverged=row.diverged, consent_held=row.consent_held)

    def has_work(self, now: datetime) -> bool:
        """Whether anything waits in the inbox, is parked and due, or is held and was decided about by a person."""
        return bool(self._read(_HAS_WORK, due=to_micros(now))[0][0])

    def commit(self, commit: Commit, run_id: str = "", holder: str | None = None) -> None:
        """Store everything in one transaction; `run_id` is the run that the changes are logged under.

        Raises `PairBusy`, and stores nothing, when `holder` lost the lease; nothing is asked when there is nothing.
        """
        if commit == Commit():
            return
        numbers = self._numbers.of(commit.contacts)
        with self._writing(holder) as connection:  # one at a time, so that no two can block each other half way
            self._remove_done(connection, commit.done)
            self._remove_waiting(connection, commit.unparked, commit.unheld)
            self._remove_links(connection, commit.unlink)
            self._regrant(connection, commit.regranted_addresses)
            self._write_contacts(connection, commit.contacts, numbers)
            self._write_seen_again(connection, commit.seen_again)
            self._write_additional(connection, commit.additional_addresses)
            self._write_links(connection, commit.links)
            self._write_staged(connection, commit.staged)
            self._write_waiting(connection, commit.parked, commit.held)
            self._write_tags(connection, commit.tags)
            self._write_revoked(connection, commit.revoked_addresses)
            self._write_tombstones(connection, commit.tombstones)
            self._write_watermarks(connection, commit.watermarks)
            self._write_looked_at(connection, commit.looked_at)
            self._write_batch_size(connection, commit.batch_size)
            self._write_heeded(connection, commit.heeded, self._clock.now())
            self._remove_activity(connection, commit.activity_over)
            self._write_activity(connection, commit.activity)
            self._write_deeds(connection, commit.deeds)
            self._write_occasions(connection, commit.occasions, self._clock.now())
            self._write_judged(connection, commit.judged, self._clock.now())
            self._write_reports(connection, commit.reports)
            self._write_changes(connection, commit.changes, run_id)
            self._write_replaced(connection, commit.replaced, run_id)
            self._write_mass_changes(connection, commit.mass_changes)
            self._remove_heard(connection, commit.heard)
            self._write_calls(connection, commit.calls)

"""Many contacts that are about to be overwritten are listed, not read one by one: the undo journal asks for them.

A listing of all costs a request for each page, a read by id one for each contact (contract, law L8: reads are cheap).
"""

from functools import partial

from sync_daemon.cycle.intake import readable, stage
from sync_daemon.cycle.pair import Run, log
from sync_daemon.model.contact import Page, Source
from sync_daemon.model.errors import StopSystem
from sync_daemon.model.state import Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.streams import Listing, StreamKey, side_by_side


def read_ahead(run: Run) -> None:
    """Put the contacts whose partners wait in the inbox there as well, where listing them costs less than reading them.

    A listing that breaks off leaves the rest to be read by id.
    """
    if not run.pair.keeps_undo or not any(run.pair.store.count_staged().values()):
        return
    listings: dict[StreamKey, Listing] = {}
    for name in readable(run):
        if _is_cheaper(run, name):
            reader = run.systems[name].reader
            listings.update({(name, stream): partial(reader.scan, stream) for stream in reader.streams})
    for key, item in side_by_side(listings, run.tick, run.pair.workers):
        if isinstance(item, Page):
            page = item.whole()
            stage(run, key[0], page)
            _keep(run, key[0], page)
        elif item.error is not None:
            log.warning("read_failed", pair=run.pair.name, system=key[0], error=type(item.error).__name__)
            if isinstance(item.error, StopSystem):
                run.sender.stopped.setdefault(key[0], item.error)


def _is_cheaper(run: Run, name: SystemName) -> bool:
    """Whether listing everybody takes fewer requests than reading those that may be overwritten."""
    reader = run.systems[name].reader
    waiting = run.pair.store.count_to_be_overwritten(name)
    if waiting <= len(reader.streams):
        return False
    everybody = sum(run.pair.store.count_contacts(name).values())
    return waiting > everybody // reader.per_page + len(reader.streams)


def _keep(run: Run, name: SystemName, page: Page) -> None:
    """Stage those of a page that may be overwritten, although nothing of them is new: they were read."""
    store = run.pair.store
    wanted = store.to_be_overwritten(name, [one.contact_id for one in page.snapshots])
    known = store.contacts(name, wanted)
    rows = []
    for one in page.snapshots:
        newest = known[one.contact_id].updated_at if one.contact_id in wanted and one.contact_id in known else None
        is_old = one.source is Source.HINT and newest is not None and one.updated_at < newest
        if one.contact_id in wanted and not is_old:
            rows.append(Staged(name, one.contact_id, one))
    if rows:
        run.commit(Commit(staged=rows))

"""The pairs that have run, for commands that look into the store and ask no system."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sync_daemon.model.errors import StateStoreError
from sync_daemon.ports import PairStore
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.installation import StateStore


@contextmanager
def known_pairs(store: StateStore | None, sections: Sequence[PairSection]) -> Iterator[list[tuple[str, PairStore]]]:
    """Those of the pairs that have run, by name.

    Raises `StateStoreError` for a pair that can't be looked at, once the others were answered if there are any.
    """
    if store is None:
        yield []
        return
    refused: list[StateStoreError] = []
    found: list[tuple[str, PairStore]] = []
    for section in sections:
        try:
            one = store.look_at_pair(section.name, section.ghl.location_id, section.emailoctopus.list_id)
        except StateStoreError as error:
            refused.append(error)
        else:
            found += [(section.name, one)] if one is not None else []
    if len(refused) < len(sections):
        yield found
    if refused:
        raise refused[0]

"""Several listings read side by side, page by page, in bounded memory."""

import queue
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sync_daemon.model.contact import Page
from sync_daemon.model.system import SystemName
from sync_daemon.threads import Threads

StreamKey = tuple[SystemName, str]
Listing = Callable[[], Iterator[Page]]
_WAITING_PAGES = 4


@dataclass(frozen=True, slots=True)
class Ended:
    """A listing came to its end: well, or with the error that ended it."""

    error: Exception | None = None


class _Arrivals:
    """The bounded queue between the threads that read and the one that stores."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[StreamKey, Page | Ended]] = queue.Queue(maxsize=_WAITING_PAGES)
        self.abandoned = False

    def read(self, key: StreamKey, listing: Listing) -> None:
        """Put every page of a listing, and how it ended, until nobody wants them any more."""
        try:
            for page in listing():
                if not self._put(key, page):
                    return
        except Exception as error:  # noqa: BLE001 - handed to the one who takes it and knows what it means
            self._put(key, Ended(error))
        else:
            self._put(key, Ended())

    def take(self) -> tuple[StreamKey, Page | Ended] | None:
        """The next arrival, None when there was none for a second."""
        try:
            return self._queue.get(timeout=1.0)
        except queue.Empty:
            return None

    def _put(self, key: StreamKey, item: Page | Ended) -> bool:
        while not self.abandoned:
            try:
                self._queue.put((key, item), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


def side_by_side(
    listings: Mapping[StreamKey, Listing], tick: Callable[[], None], at_once: int
) -> Iterator[tuple[StreamKey, Page | Ended]]:
    """Pages of all listings as they arrive, each listing in its own order, and its end.

    Each is read by a thread of its own, and not more than a few pages wait, unless one request `at_once` is all that
    is allowed: then they are read one after another. `tick` is called while waiting.
    """
    return _one_by_one(listings, tick) if at_once == 1 else _in_threads(listings, tick)


def _one_by_one(
    listings: Mapping[StreamKey, Listing], tick: Callable[[], None]
) -> Iterator[tuple[StreamKey, Page | Ended]]:
    for key, listing in listings.items():
        pages, ended = iter(listing()), None
        while ended is None:
            tick()
            try:
                page = next(pages)
            except StopIteration:
                ended = Ended()
            except Exception as error:  # noqa: BLE001 - handed on, as the threads do
                ended = Ended(error)
            yield key, page if ended is None else ended


def _in_threads(
    listings: Mapping[StreamKey, Listing], tick: Callable[[], None]
) -> Iterator[tuple[StreamKey, Page | Ended]]:
    arrivals = _Arrivals()
    with Threads(max_workers=max(1, len(listings)), thread_name_prefix="read") as pool:
        for key, listing in listings.items():
            pool.submit(arrivals.read, key, listing)
        open_listings = len(listings)
        try:
            while open_listings:
                tick()
                arrival = arrivals.take()
                if arrival is not None:
                    open_listings -= isinstance(arrival[1], Ended)
                    yield arrival
        finally:
            arrivals.abandoned = True

"""Look-ups with intervals of their own: the list's counts, and who is blocked in GHL (contract, section 4).

Polls may be blind to opt-outs (whether timestamps move is undocumented), so blindness is measured.
"""

from datetime import timedelta
from functools import partial

from sync_daemon.cycle.intake import sweep
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Run, log
from sync_daemon.model.contact import Consent
from sync_daemon.model.errors import StopSystem
from sync_daemon.ports import Commit
from sync_daemon.read.streams import Listing, StreamKey

_STREAMS = {"subscribed": Consent.GRANTED, "pending": Consent.PENDING, "unsubscribed": Consent.REVOKED}
COUNTS, SWEEP = "counts", "consent_sweep"


def look(run: Run) -> None:
    """Do what is due; a full scan has just seen everything, so after one nothing is."""
    timing = run.pair.timing
    listings: dict[StreamKey, Listing] = {}
    if _due(run, COUNTS, timing.counts_every) and EMAILOCTOPUS not in run.stopped:
        listings.update(_unexplained(run))
    if _due(run, SWEEP, timing.consent_sweep_every) and GHL not in run.stopped:
        listings[GHL, "revoked"] = run.systems[GHL].reader.scan_revoked
        _note(run, SWEEP)
    if listings:
        sweep(run, listings)


def _unexplained(run: Run) -> dict[StreamKey, Listing]:
    """Sweeps of the statuses that hold more contacts than the polls have told of."""
    try:
        counts = run.systems[EMAILOCTOPUS].read_schema().counts
    except StopSystem as error:
        run.sender.stopped.setdefault(EMAILOCTOPUS, error)
        return {}
    _note(run, COUNTS)
    known = run.pair.store.count_contacts(EMAILOCTOPUS)
    reader = run.systems[EMAILOCTOPUS].reader
    sweeps: dict[StreamKey, Listing] = {}
    for stream, consent in _STREAMS.items():
        if counts.get(stream, 0) > known.get(consent, 0):
            log.warning("counts_unexplained", pair=run.pair.name, status=stream, told=counts[stream])
            sweeps[EMAILOCTOPUS, stream] = partial(reader.scan, stream)
    return sweeps


def _due(run: Run, what: str, every: timedelta) -> bool:
    if run.full:
        _note(run, what)
        return False
    last = run.state.looked_at.get(what)
    return last is None or run.pair.clock.now() - last >= every


def _note(run: Run, what: str) -> None:
    run.commit(Commit(looked_at={what: run.pair.clock.now()}))

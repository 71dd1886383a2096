"""Look-ups with intervals of their own: the list's counts, and who is blocked in GHL (contract, section 4).

Polls may be blind to opt-outs (whether timestamps move is undocumented), so blindness is measured.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from sync_daemon.cycle.intake import sweep
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Run, log
from sync_daemon.model.contact import AccountSchema, Consent
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
        told = run.systems[EMAILOCTOPUS].read_schema()
    except StopSystem as error:
        run.sender.stopped.setdefault(EMAILOCTOPUS, error)
        return {}
    _note(run, COUNTS)
    _heed_opt_in(run, told)
    counts = told.counts
    known = run.pair.store.count_contacts(EMAILOCTOPUS)
    reader = run.systems[EMAILOCTOPUS].reader
    sweeps: dict[StreamKey, Listing] = {}
    for stream, consent in _STREAMS.items():
        if counts.get(stream, 0) > known.get(consent, 0):
            log.warning("counts_unexplained", pair=run.pair.name, status=stream, told=counts[stream])
            sweeps[EMAILOCTOPUS, stream] = partial(reader.scan, stream)
    return sweeps


def _heed_opt_in(run: Run, told: AccountSchema) -> None:
    """Who is created from here on is asked first, or isn't, as the list's setting says now."""
    known = run.schemas[EMAILOCTOPUS]
    if known.double_opt_in != told.double_opt_in:
        log.warning("double_opt_in_changed", pair=run.pair.name, double_opt_in=told.double_opt_in)
        run.schemas[EMAILOCTOPUS] = replace(known, double_opt_in=told.double_opt_in)
        run.pair.store.save_schema(run.schemas[EMAILOCTOPUS])


def _due(run: Run, what: str, every: timedelta) -> bool:
    if run.full:
        _note(run, what)
        return False
    last = run.state.looked_at.get(what)
    return last is None or run.pair.clock.now() - last >= every


def _note(run: Run, what: str) -> None:
    run.commit(Commit(looked_at={what: run.pair.clock.now()}))

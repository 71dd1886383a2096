"""Look-ups with intervals of their own: the list's counts, and who is blocked in GHL (contract, section 4).

Polls may be blind to opt-outs (whether timestamps move is undocumented), so blindness is measured.
"""

from collections.abc import Mapping
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
_UNSUBSCRIBED = "unsubscribed"
COUNTS, SWEEP, _LEFT = "counts", "consent_sweep", "counts_left:"


def look(run: Run) -> None:
    """Do what is due; a full scan has just seen everything, so after one nothing is.

    A look is noted when what it found is staged: one that the process didn't survive is taken again.
    """
    timing, done = run.pair.timing, list[str]()
    listings: dict[StreamKey, Listing] = {}
    told: Mapping[str, int] | None = None
    if _due(run, COUNTS, timing.counts_every) and EMAILOCTOPUS not in run.stopped:
        told = _counts(run)
        if told is not None:
            listings.update(_unexplained(run, told))
            done.append(COUNTS)
    if _due(run, SWEEP, timing.consent_sweep_every) and GHL not in run.stopped:
        listings[GHL, "revoked"] = run.systems[GHL].reader.scan_revoked
        done.append(SWEEP)
    if listings:
        sweep(run, listings)
    if told is not None and EMAILOCTOPUS not in run.failed:
        _leave(run, _differences(run, told))
    for what in done:
        _note(run, what)


def _counts(run: Run) -> Mapping[str, int] | None:
    """How many contacts of each status the list says it has."""
    try:
        told = run.systems[EMAILOCTOPUS].read_schema()
    except StopSystem as error:
        run.sender.stopped.setdefault(EMAILOCTOPUS, error)
        return None
    _heed_opt_in(run, told)
    return told.counts


def _unexplained(run: Run, told: Mapping[str, int]) -> dict[StreamKey, Listing]:
    """Sweeps, where the list's counts differ from what is known in another way than the last sweep had left.

    Whoever unsubscribed unseen can be made up for by a deletion there: so those are read at any new difference, the
    other statuses when they hold more than is known. A deletion that nobody has proven leaves a difference.
    """
    found, left = _differences(run, told), _left(run)
    if found == left:
        return {}
    reader = run.systems[EMAILOCTOPUS].reader
    sweeps: dict[StreamKey, Listing] = {}
    for stream in _STREAMS:
        if stream == _UNSUBSCRIBED or found[stream] > max(0, left[stream]):
            log.warning("counts_unexplained", pair=run.pair.name, status=stream, told=told.get(stream, 0))
            sweeps[EMAILOCTOPUS, stream] = partial(reader.scan, stream)
    return sweeps


def _differences(run: Run, told: Mapping[str, int]) -> dict[str, int]:
    """By status, how many more contacts the list says it has than are known."""
    known = run.pair.store.count_contacts(EMAILOCTOPUS)
    return {stream: told.get(stream, 0) - known.get(consent, 0) for stream, consent in _STREAMS.items()}


def _left(run: Run) -> dict[str, int]:
    """The differences that the last look had left; at first none. They stand in the name of a look-up."""
    noted = {name: at for name, at in run.state.looked_at.items() if name.startswith(_LEFT)}
    if not noted:
        return dict.fromkeys(_STREAMS, 0)
    latest = max(noted, key=lambda name: noted[name])
    return dict(zip(_STREAMS, map(int, latest.removeprefix(_LEFT).split(",")), strict=True))


def _leave(run: Run, differences: Mapping[str, int]) -> None:
    """Remember what the sweeps couldn't explain, so that they aren't made again for it."""
    if differences != _left(run):
        _note(run, _LEFT + ",".join(map(str, differences.values())))


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

"""Activity in a list that several locations feed: each field shows that of the first pair in the file that has any."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sync_daemon.cycle.neighbours import Shared
from sync_daemon.cycle.pair import EMAILOCTOPUS, Run
from sync_daemon.model.activity import UNKNOWN, KnownActivity
from sync_daemon.model.contact import Value
from sync_daemon.model.state import Link
from sync_daemon.ports import Commit
from sync_daemon.reconcile.activity_seen import Shown

Look = tuple[Link, KnownActivity, Shown]
_NOTHING: tuple[Value, ...] = (None, 0)


def apart(run: Run, looks: Sequence[Look]) -> list[Look]:
    """The looks without the fields that show another location's activity: those are told again when it has none."""
    locations = run.pair.neighbours.locations
    if not locations or not looks:
        return list(looks)
    there = [link.emailoctopus_id for link, _, _ in looks]
    shown = [(one.neighbour.earlier, _shown(one, there)) for one in locations]
    found = [
        _apart(run, look, [(earlier, written.get(look[0].emailoctopus_id, {})) for earlier, written in shown])
        for look in looks
    ]
    changed = [after for (_, before, _), (_, after, _) in zip(looks, found, strict=True) if after != before]
    if changed:
        run.commit(Commit(activity=changed))
    return found


def _apart(run: Run, look: Look, others: Sequence[tuple[bool, Mapping[str, bytes]]]) -> Look:
    link, before, seen = look
    theirs = {name: value for name, value in seen.values.items() if _is_others(run, link, name, value, others)}
    mine = {name: value for name, value in seen.values.items() if name not in theirs}
    if before.emailoctopus_id != link.emailoctopus_id or not theirs:
        return link, before, replace(seen, values=mine)
    written = {**before.written, **{name: _mark(run, link, name, value) for name, value in theirs.items()}}
    known = replace(seen.known, written=written)
    return link, replace(before, written=written), replace(seen, values=mine, known=known)


def _is_others(
    run: Run, link: Link, name: str, value: Value, others: Sequence[tuple[bool, Mapping[str, bytes]]]
) -> bool:
    """Whether a field is another location's: of one before this one in the file, or, without a value here, of any."""
    nothing = [_digest(run, link, name, blank) for blank in _NOTHING]
    return any(
        (earlier or value in _NOTHING) and written.get(name) is not None and written[name] not in nothing
        for earlier, written in others
    )


def _mark(run: Run, link: Link, name: str, value: Value) -> bytes:
    """What is remembered of a field that another location shows: nothing, or that what it shows isn't this one's."""
    return _digest(run, link, name, None) if value in _NOTHING else UNKNOWN


def _digest(run: Run, link: Link, name: str, value: Value) -> bytes:
    text = str(value) if isinstance(value, int) else value
    return run.pair.digester.field(EMAILOCTOPUS, link.emailoctopus_id, name, text)


def _shown(one: Shared, there: Sequence[str]) -> Mapping[str, Mapping[str, bytes]]:
    """What another location shows in each of some EmailOctopus contacts, as digests by field."""
    if (store := one.store) is None:
        return {}
    links = [link for link in store.links(emailoctopus=there) if link.in_scope]
    known = store.activity([link.ghl_id for link in links])
    return {
        link.emailoctopus_id: known[link.ghl_id].written
        for link in links
        if link.ghl_id in known and known[link.ghl_id].emailoctopus_id == link.emailoctopus_id
    }

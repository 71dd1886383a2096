"""What was shown of activity in contacts that are somebody else's by now, or nobody's (contract, section 9)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sync_daemon.cycle.pair import EMAILOCTOPUS, Run, log
from sync_daemon.cycle.showing import Answer, sent
from sync_daemon.model.activity import KnownActivity
from sync_daemon.model.contact import FieldSpec
from sync_daemon.model.plan import Operation
from sync_daemon.model.state import Change
from sync_daemon.ports import Commit
from sync_daemon.reconcile.activity import clearing

_WHY = "activity of a contact that it isn't linked with any more"


@dataclass(slots=True)
class LeftBehind:
    """Activity whose link is over or has moved; the links of the contacts in which it was shown, if they have new ones.

    `linked` are the GHL contacts among them that still have a link.
    """

    known: list[KnownActivity] = field(default_factory=list)
    heirs: dict[str, str] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)

    def clearings(self, specs: Mapping[str, FieldSpec]) -> list[Operation]:
        """The writes that clear what is shown in contacts that are nobody's."""
        nobodys = [one for one in self.known if one.emailoctopus_id and one.emailoctopus_id not in self.heirs]
        named = ((one, [name for name in one.written if name in specs]) for one in nobodys)
        return [clearing(one.ghl_id, one.emailoctopus_id, names, _WHY) for one, names in named if names]


def left_behind(run: Run, ids: Collection[str]) -> LeftBehind:
    """What was shown of these GHL contacts elsewhere than in their link's contact."""
    store = run.pair.store
    links = {link.ghl_id: link.emailoctopus_id for link in store.links(ghl=ids)}
    left = LeftBehind(linked=set(links))
    for one in store.activity(ids).values():
        if one.ghl_id not in links or one.emailoctopus_id not in ("", links[one.ghl_id]):
            left.known.append(one)
    shown_in = [one.emailoctopus_id for one in left.known if one.emailoctopus_id]
    left.heirs = {link.emailoctopus_id: link.ghl_id for link in store.links(emailoctopus=shown_in)} if shown_in else {}
    return left


def take_back(run: Run, specs: Mapping[str, FieldSpec], ids: Collection[str]) -> None:
    """Clear what is shown of these contacts in what is nobody's by now; whose it is by now is to be shown all anew."""
    left = left_behind(run, ids)
    if not left.known:
        return
    operations = left.clearings(specs)
    answers = sent(run, specs, operations)
    unsent = {one.ghl_id for one in operations} - answers.keys()
    done = [one.ghl_id for one in left.known if one.ghl_id not in unsent]
    anew = {*left.heirs.values(), *(one for one in done if one in left.linked)}
    known = run.pair.store.activity(anew)
    blank = (replace(known.get(one) or KnownActivity(one, ""), emailoctopus_id="", written={}) for one in sorted(anew))
    changes = [change for ghl_id, answer in answers.items() for change in _told(run, ghl_id, answer)]
    over = [one for one in done if one not in left.linked]
    run.commit(Commit(activity_over=over, activity=list(blank), changes=changes))


def _told(run: Run, ghl_id: str, answer: Answer) -> Iterator[Change]:
    """What people are told of a contact that was cleared; one that is refused may be gone, and is nobody's anyway."""
    there = answer.results[0].operation.emailoctopus_id
    if answer.refusal is not None:
        names = {"ghl_id": ghl_id, "emailoctopus_id": there, "code": answer.refusal.code}
        log.warning("activity_not_cleared", pair=run.pair.name, **names)
        return
    run.report.written[EMAILOCTOPUS, "updated"] += 1
    yield from (Change("written", EMAILOCTOPUS, ghl_id, there, name, _WHY) for name in answer.done)

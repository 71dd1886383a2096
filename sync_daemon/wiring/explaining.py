"""One person explained: what the store knows, what both systems say now, and what the next cycle does about it."""

from collections.abc import Mapping
from dataclasses import replace

from sync_daemon.cycle.explaining import Question, explain
from sync_daemon.model.errors import ConfigurationError, StopSystem, Unreachable
from sync_daemon.model.explanation import Explanation
from sync_daemon.model.person import NOBODY
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Progress
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.foreseen import foresee
from sync_daemon.wiring.installation import Installation
from sync_daemon.wiring.set_up import SetUp
from sync_daemon.wiring.systems import Systems

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def explain_pair(
    installation: Installation, section: PairSection, asked: str, progress: Progress, *, offline: bool = False
) -> Explanation:
    """The answer of one pair about an address, or an id of either system.

    Writes nothing, neither to a system nor to the store; a system that can't be asked is named in the answer, and so
    are both when `offline`. Raises `ConfigurationError` for a mapping that can't work, a store of another location or
    list, and for a question that can't be one.
    """
    asked = asked.strip()
    if not asked or any(map(str.isspace, asked)):
        raise ConfigurationError("name one person: by an e-mail address, a GHL id or an EmailOctopus id")
    place = (section.name, section.ghl.location_id, section.emailoctopus.list_id)
    store = installation.store
    known = store.look_at_pair(*place)
    with store.copy_of_person(*place, NOBODY) as empty:
        set_up = installation.set_up_on(section, empty)
        policy, systems, unread = _checked(set_up, offline=offline)
        pair = installation.pair_of(set_up, policy, systems, progress, store)
        schemas = empty.schemas()
        pair = replace(pair, store=known or empty)
        return explain(pair, Question(asked, schemas, unread), lambda person: store.copy_of_person(*place, person))


def _checked(set_up: SetUp, *, offline: bool) -> tuple[PairPolicy, Systems, Mapping[SystemName, StopSystem]]:
    """The policy in force and the systems as the next cycle will have them; and those that can't be asked."""
    if offline:
        why = "not asked (--offline)"
        return _as_stored(set_up), set_up.systems, {name: Unreachable(name, why) for name in SystemName}
    try:
        policy, new = set_up.check()
    except StopSystem as error:
        return _as_stored(set_up), set_up.systems, {error.system: error}
    return policy, foresee(set_up.systems, new, set_up.store) if new else set_up.systems, {}


def _as_stored(set_up: SetUp) -> PairPolicy:
    """The policy with what was last known of both accounts."""
    schemas = set_up.store.schemas()
    ghl, emailoctopus = schemas.get(GHL), schemas.get(EMAILOCTOPUS)
    return set_up.section.policy(
        double_opt_in=emailoctopus is not None and emailoctopus.double_opt_in, country=ghl.country if ghl else None
    )

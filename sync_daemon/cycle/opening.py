"""What a cycle starts from: the pair's state, the configuration in force, schemas and tag names."""

from sync_daemon.changes.forgotten import Forgotten
from sync_daemon.changes.tagbook import TagBook
from sync_daemon.cycle import intake
from sync_daemon.cycle.following import Following
from sync_daemon.cycle.guard import Guard
from sync_daemon.cycle.neighbours import FIRST_LOADED
from sync_daemon.cycle.pair import SCANNED, TELLS_CONSENT, Pair, Run
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import PairState
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.planned import planned_field


def open_run(pair: Pair, report: CycleReport, stored: PairState, *, apply_scope: bool = False) -> Run:
    """Everything a cycle starts from, of which `stored` is what the store remembers.

    A pair that was never read to its end is read in full, as for `apply_scope`.
    """
    policy, digester, store = pair.policy, pair.digester, pair.store
    state = _configured(pair, stored)
    streams = ((name, stream) for name in SystemName for stream in pair.systems[name].reader.streams)
    if apply_scope or any(intake.watermark_key(*stream) not in state.watermarks for stream in streams):
        report.mode = Mode.FULL
    schemas = store.schemas()
    book = TagBook(store.tags(), policy.tags, state.tag_generation, frozenset({policy.deletes.tag.lower()}))
    book.apply_filter()
    run = Run(
        pair, report, state, schemas, dict(pair.systems), book, state.generation, state.scope_generation,
        search_tells_consent=_search_tells_consent(state),
        forgotten=Forgotten(digester, store.forgotten()),
        guard=Guard(policy, store, pair.clock, first_load=FIRST_LOADED not in state.looked_at),
        following=_following(pair),
        apply_scope=apply_scope,
    )  # fmt: skip
    if len(schemas) == len(SystemName):
        run.use_schemas(schemas)
    return run


def _configured(pair: Pair, state: PairState) -> PairState:
    """The pair's state under the configuration in force, which is written down where it wasn't the last cycle's."""
    policy, digest = pair.policy, pair.digester.configuration
    generation, scope_generation = digest(policy), digest(policy.scope)
    tag_filter = digest(policy.tags, policy.deletes.tag)
    if (state.generation, state.scope_generation, state.tag_filter) == (generation, scope_generation, tag_filter):
        return state
    return pair.store.configure(generation=generation, scope_generation=scope_generation, tag_filter=tag_filter)


def _following(pair: Pair) -> Following | None:
    """The plan that is to be carried out, with the fields that opening the pair made."""
    if pair.plan is None:
        return None
    following = Following(pair.plan, pair.digester)
    for new in pair.made:
        following.done(planned_field(new, pair.digester))
    return following


def _search_tells_consent(state: PairState) -> bool:
    """Whether a hit carried `dndSettings` since the last full scan began."""
    told, scanned = state.looked_at.get(TELLS_CONSENT), state.looked_at.get(SCANNED)
    return told is not None and (scanned is None or told >= scanned)

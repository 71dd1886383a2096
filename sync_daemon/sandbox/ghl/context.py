"""GHL's world with its limits and its way of wording errors."""

from random import Random

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.ghl.errors import edge_body
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.webhooks import GhlWebhooks
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.limits import GhlWindow


def ghl_context(clock: Clock, seed: int, quirks: GhlQuirks | None = None) -> Context[GhlWorld]:
    """Make an agency with one empty location; ids, weather and webhook keys are drawn from the seed."""
    world = GhlWorld(clock, seed, quirks)
    return Context(
        world=world,
        clock=clock,
        limiter=GhlWindow(clock),
        error_body=edge_body,
        random=Random(f"{seed} ghl weather"),
        webhooks=GhlWebhooks(world, seed),
    )

"""EmailOctopus's world with its limits and its way of wording errors."""

from random import Random

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.emailoctopus.errors import error_body
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.emailoctopus.webhooks import EmailOctopusWebhooks
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.limits import TokenBucket
from sync_daemon.sandbox.weather import Weather


def emailoctopus_context(clock: Clock, seed: int, quirks: Quirks | None = None) -> Context[EmailOctopusWorld]:
    """Make an empty account; ids, weather and the webhook secret are drawn from the seed."""
    weather = Weather()
    world = EmailOctopusWorld(clock, Random(f"{seed} emailoctopus ids"), quirks, weather)
    return Context(
        world=world,
        clock=clock,
        limiter=TokenBucket(clock, world.quirks),
        error_body=error_body,
        random=Random(f"{seed} emailoctopus weather"),
        webhooks=EmailOctopusWebhooks(world, seed),
        weather=weather,
    )

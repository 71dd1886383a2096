"""A sandbox once more."""

import copy

from sync_daemon.sandbox.emailoctopus.app import build_app as build_emailoctopus
from sync_daemon.sandbox.ghl.app import build_app as build_ghl
from sync_daemon.sandbox.server import Sandbox


def twin_of(sandbox: Sandbox) -> Sandbox:
    """The same two accounts once more, to go another way from here."""
    other = Sandbox(sandbox.seed)
    other.ghl, other.emailoctopus = copy.deepcopy((sandbox.ghl, sandbox.emailoctopus))
    other.ghl_app, other.emailoctopus_app = build_ghl(other.ghl), build_emailoctopus(other.emailoctopus)
    other.ghl_token, other.emailoctopus_key = sandbox.ghl_token, sandbox.emailoctopus_key
    other.location_id, other.list_id = sandbox.location_id, sandbox.list_id
    return other

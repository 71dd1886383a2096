"""`sync-daemon reset`: after a changed location, list or secret_key (contract, section 7)."""

from sync_daemon.commands.asking import Yes
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName
from sync_daemon.commands.starting_over import LoseRevocations, start_over


def reset(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    yes: Yes = False,
    lose_revocations: LoseRevocations = False,
    json: Json = False,
) -> int:
    """Drop links, baselines and watermarks of a pair: its next cycle starts anew.

    Shows first what would be lost, and asks. Who revoked, tombstones and who was forgotten stay remembered.
    """
    return start_over("reset", config, pair, yes=yes, lose_revocations=lose_revocations, json=json)

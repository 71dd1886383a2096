"""`sync-daemon adopt`: after a changed location, list or secret_key (contract, section 7)."""

from sync_daemon.commands.asking import Yes
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName
from sync_daemon.commands.starting_over import LoseRevocations, start_over


def adopt(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    yes: Yes = False,
    lose_revocations: LoseRevocations = False,
    json: Json = False,
) -> int:
    """Keep what still holds after the location, the list or the secret_key was changed.

    Shows first what would be kept and lost, and asks. Links stay whose contacts exist on both sides, with who revoked;
    all of them meet anew.
    """
    return start_over("adopt", config, pair, yes=yes, lose_revocations=lose_revocations, json=json)

"""A process of its own that wants a location's token: at each line on standard input it reads the location once.

It answers `ok` or the kind of an error. Told to die, it does so when GHL has answered its refresh, before storing it.
"""

import os
import signal
import sys

from sync_daemon import logs
from sync_daemon.model.errors import SyncError
from sync_daemon.model.oauth import KeptTokens, OwnerKind, TokenOwner, Tokens
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.systems.ghl.oauth.authority import Authority
from sync_daemon.systems.ghl.settings import GhlSettings
from sync_daemon.systems.ghl.system import connect
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.oauth.bearers import Locations
from tests.oauth.keys import ADVICE, APP, SECRET


class Dying(OAuthStore):
    """A store whose process ends when new tokens come."""

    def replace(self, before: KeptTokens, tokens: Tokens) -> KeptTokens | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return None


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(url: str, database_url: str, location_id: str, dies: str) -> None:
    logs.configure({"SYNC_DAEMON_LOG_LEVEL": "error"})
    clock = SystemClock()
    kind = Dying if dies == "dies" else OAuthStore
    store = kind(open_engine(database_url), Secrets(SECRET), clock)
    authority = Authority(url, "2021-07-28", APP, clock)
    store.find(TokenOwner(OwnerKind.LOCATION, location_id))
    say("ready")
    for _ in sys.stdin:
        bearer = Locations(store, authority, clock, ADVICE).bearer(location_id)
        try:
            connect(GhlSettings("main", location_id, "", url, bearer=bearer), clock).read_schema()
            say("ok")
        except SyncError as error:
            say(type(error).__name__)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Contract, section 8: what must not be done twice is written down before it is sent.

That it is looked for before it is sent again is proved by test_writes_create and test_consent_again.
"""

import re
from collections.abc import Callable
from random import Random

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Sent
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault, Weather
from tests.scenarios.test_consent_again import freed_in_ghl, opted_in_again
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"


class Witness(Weather, kw_only=True):
    """Weather that looks into the state store while a request is on its way, before the API does anything."""

    method: str
    path: str
    look: Callable[[], Sent | None]
    seen: list[Sent | None] = []  # noqa: RUF012 - msgspec copies it for each

    def strike(self, random: Random, method: str, path: str) -> Fault | None:
        """Look, and let the request pass."""
        if method == self.method and re.search(self.path, path):
            self.seen.append(self.look())
        return super().strike(random, method, path)


def seen_by(here: World, system: SystemName, method: str, path: str, of: tuple[SystemName, str]) -> list[Sent | None]:
    """What the store says was sent to a contact, at each request of a kind in the next cycle."""

    def look() -> Sent | None:
        [known] = here.pair_store.contacts(of[0], [of[1]]).values()
        return known.sent

    witness = Witness(method=method, path=path, look=look)
    (here.sandbox.ghl if system is GHL else here.sandbox.emailoctopus).weather = witness
    assert here.reconcile().outcome == "ok"
    return witness.seen


def test_a_creation_in_ghl_is_written_down_first(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        subscriber = here.subscriber(ADA)
        [sent] = seen_by(here, GHL, "POST", "/contacts/$", (EMAILOCTOPUS, subscriber))
        assert sent is not None
        assert sent.creation


def test_a_creation_in_emailoctopus_is_written_down_first(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        person = here.person(ADA)
        [sent] = seen_by(here, EMAILOCTOPUS, "POST", "/contacts$", (GHL, person))
        assert sent is not None
        assert sent.creation


@pytest.mark.parametrize("system", list(SystemName))
def test_a_step_toward_consent_is_written_down_first(database_url: str, system: SystemName) -> None:
    with world(database_url, sockets=True, resubscribe=Resubscribe.ALLOW) as here:
        ids = opted_in_again(here) if system is GHL else freed_in_ghl(here)
        of = (system, ids[0 if system is GHL else 1])
        [sent] = seen_by(here, system, "PUT", f"/contacts/{of[1]}$", of)
        assert sent is not None
        assert sent.consent is Consent.GRANTED


def test_a_revocation_by_the_delete_policy_is_written_down_first(database_url: str) -> None:
    with world(database_url, sockets=True, create_in_ghl=False) as here:
        ghl_id, left = here.linked(ADA)
        here.subscriber("new@example.com", last="")
        here.edit_person(ghl_id, email="new@example.com")
        [sent] = seen_by(here, EMAILOCTOPUS, "PUT", f"/contacts/{left}$", (EMAILOCTOPUS, left))
        assert sent is not None
        assert sent.consent is Consent.REVOKED

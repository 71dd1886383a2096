"""Operations on GHL contacts for tests, in one word each."""

from typing import Any

from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName
from tests import grants


def operation(action: Action, contact_id: str | None = "c1", **more: Any) -> Operation:
    return grants.operation(SystemName.GHL, action, contact_id, "e1", "because", **more)

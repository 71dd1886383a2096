"""Plans as files: ids, field names and keyed digests, sealed with the installation's key; no values."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from sync_daemon.changes.digests import Digester
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.system import SystemName
from sync_daemon.settings.files import put
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.planning import configuration_of, digest_of

_FORMAT: Literal["sync-daemon plan"] = "sync-daemon plan"
_VERSION = 1


class _Head(msgspec.Struct):
    """What every version of the format begins with."""

    format: Literal["sync-daemon plan"]
    version: int


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan's file. `digest` is what `plan` printed; `installation` and `seal` are digests under this one's key."""

    format: Literal["sync-daemon plan"]
    version: int
    made_at: datetime
    digest: str
    installation: bytes
    pairs: tuple[PlannedPair, ...]
    seal: bytes = b""


def make_plan_file(pairs: tuple[PlannedPair, ...], made_at: datetime, digester: Digester) -> PlanFile:
    """Plans, sealed."""
    bare = PlanFile(_FORMAT, _VERSION, made_at.replace(microsecond=0), digest_of(pairs), _own(digester), pairs)
    return replace(bare, seal=_seal(bare, digester))


def write_plan(plan: PlanFile, path: Path) -> None:
    """Put a plan in a file that its owner alone may read, whole or not at all; an older plan there gives way to it.

    Raises `ConfigurationError` when it can't be written, or when anything but a plan is there.
    """
    check_target(path)
    try:
        put(path, msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n", 0o600)
    except OSError as error:
        raise ConfigurationError(f"The plan can't be written to {path}: {error.strerror}.") from None


def check_target(path: Path) -> None:
    """Raise `ConfigurationError` unless a plan may be written there."""
    if not path.parent.is_dir():
        raise ConfigurationError(f"The plan can't be written to {path}: there is no folder {path.parent}.")
    if path.exists() or path.is_symlink():
        try:
            _head(path.read_bytes() if path.is_file() else b"")
        except (OSError, msgspec.MsgspecError):
            raise ConfigurationError(
                f"{path} is there and isn't a plan: it isn't overwritten. Name another file after --out."
            ) from None


def read_plan(path: Path, digester: Digester) -> PlanFile:
    """A plan as this installation wrote it.

    Raises `ConfigurationError` for what isn't a plan, is damaged, was made by another installation or a newer version.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The plan {path} can't be read: {error.strerror}.") from None
    try:
        head = _head(text)
    except msgspec.MsgspecError:
        raise ConfigurationError(f"{path} isn't a plan. `plan --out FILE` writes one.") from None
    if head.version != _VERSION:
        raise ConfigurationError(
            f"{path} is a plan of format {head.version}, made by another version of sync-daemon: this one reads format "
            f"{_VERSION}. Make a new plan."
        )
    try:
        plan = msgspec.json.decode(text, type=PlanFile)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"The plan {path} is damaged: {error}. Make a new plan.") from None
    if plan.installation != _own(digester):
        raise ConfigurationError(
            f"The plan {path} was made by another installation, or with another secret_key: it can't be compared with "
            "what is there. Make a new plan."
        )
    if plan.seal != _seal(plan, digester):
        raise ConfigurationError(f"The plan {path} was changed since it was made, or is damaged. Make a new plan.")
    return plan


def chosen_plan(plan: PlanFile, section: PairSection, digester: Digester) -> PlannedPair:
    """The plan of one pair. Raises `ConfigurationError` where it isn't one, or the configuration is another by now."""
    found = next((one for one in plan.pairs if one.pair == section.name), None)
    if found is None:
        names = ", ".join(one.pair for one in plan.pairs)
        raise ConfigurationError(f"The plan has no pair {section.name}; it has {names}.")
    if (found.location_id, found.list_id) != (section.ghl.location_id, section.emailoctopus.list_id):
        raise ConfigurationError(
            f"The plan of pair {section.name} is for location {found.location_id} and list {found.list_id}; the "
            f"configuration names location {section.ghl.location_id} and list {section.emailoctopus.list_id}. "
            "Make a new plan."
        )
    if found.configuration != configuration_of(section, digester):
        raise ConfigurationError(
            f"The configuration of pair {section.name} has changed since the plan was made. Make a new plan."
        )
    return found


def _head(text: bytes) -> _Head:
    return msgspec.json.decode(text, type=_Head)


def _own(digester: Digester) -> bytes:
    return digester.field(SystemName.GHL, "", "plans of", "this installation")


def _seal(plan: PlanFile, digester: Digester) -> bytes:
    text = msgspec.json.encode(replace(plan, seal=b""), order="deterministic")
    return digester.field(SystemName.GHL, "", "seal of a plan", hashlib.sha256(text).hexdigest())

"""Configurations for tests: a whole one in as few lines as it takes, and a way to load any text."""

from collections.abc import Mapping
from pathlib import Path

from sync_daemon.settings.installation import Settings
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables

SMALL = """\
pairs:
  - name: main
    ghl: {location_id: ve9EPM428h8vShlRW1KT, token: pit-abc}
    emailoctopus: {list_id: 00000000-0000-0000-0000-000000000001, api_key: eo_abc}
"""


def loaded(folder: Path, text: str, variables: Mapping[str, str] | None = None) -> Settings:
    """The settings that a configuration file with this text gives."""
    path = folder / "sync.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, Variables(variables or {}))

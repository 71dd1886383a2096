"""What is of others stands there unchanged, with its licence."""

import re
from hashlib import sha256

from sync_daemon.web.dashboard.rendering import STATIC

VENDOR = STATIC / "vendor"
ROW = re.compile(r"^\| ([\w.-]+) \| \S+ \| [\d.]+ \| [^`|]+`([^`]+)` \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def test_every_file_is_listed_and_is_what_was_published() -> None:
    rows = ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8"))
    listed = {name: digest for name, _, digest in rows}
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.*s")}
    assert there == listed
    assert all((VENDOR / licence).exists() for _, licence, _ in rows)

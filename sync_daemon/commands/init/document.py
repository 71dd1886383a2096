"""The configuration file that is written: the commented example, filled in."""

import re
from collections.abc import Iterator

from sync_daemon.commands.init.mapping import Mapping
from sync_daemon.reconcile.mapping_proposal import Proposal
from sync_daemon.settings.document import example
from sync_daemon.settings.rewriting.rendering import row, scalar
from sync_daemon.systems.emailoctopus.settings import BASE_URL as EMAILOCTOPUS_URL
from sync_daemon.systems.ghl.settings import BASE_URL as GHL_URL

_HEADER = """\
# The configuration of sync-daemon, as `sync-daemon init` wrote it for the location {location}
# and the list {list}. Ask whether it is right with: sync-daemon check
#
# What isn't about these two shows the value that counts when the line is left out.
#
"""
_FROM = "# ${NAME} is taken from the environment"
"""Where the example's own words go on below that."""
_ROWS = re.compile(r"(?<=^    fields:\n)(?:      - \{.*\}\n)+", re.MULTILINE)


def render(
    location: tuple[str, str], mailing_list: tuple[str, str], urls: tuple[str, str], fields: str, *, text: str = ""
) -> str:
    """YAML text. `location` and `mailing_list` are an id and a name each, `urls` those of GHL and EmailOctopus.

    Raises `ValueError` where the example isn't what this fills in: a fault of this program.
    """
    text = text or example().read_text(encoding="utf-8")
    header = _HEADER.format(location=_said(location[1]), list=_said(mailing_list[1]))
    text = header + _FROM + text.partition(_FROM)[2]
    for old, new in (
        (f"  base_url: {GHL_URL}\n", f"  base_url: {scalar(urls[0])}\n"),
        (f"  base_url: {EMAILOCTOPUS_URL}\n", f"  base_url: {scalar(urls[1])}\n"),
        ("location_id: ${GHL_LOCATION_ID}\n", f"location_id: {scalar(location[0])}\n"),
        ("list_id: ${EMAILOCTOPUS_LIST_ID}\n", f"list_id: {scalar(mailing_list[0])}\n"),
    ):
        if text.count(old) != 1:
            raise ValueError(f"the example configuration has no line {old.strip()}, or more than one")
        text = text.replace(old, new)
    text, found = _ROWS.subn(lambda _: fields, text)
    if found != 1:
        raise ValueError("the example configuration has no fields, or more than once")
    return text.replace("# <<< ", "# ")


def field_lines(mapping: Mapping, proposal: Proposal) -> str:
    """The rows of `fields`; what was left out, or would make a field, as comments below them."""
    return "".join(f"{line}\n" for line in _lines(mapping, proposal))


def _lines(mapping: Mapping, proposal: Proposal) -> Iterator[str]:
    for taken in mapping.taken:
        yield f"      - {row(taken.rule)}" + (f"  # {_said(taken.remark)}" if taken.remark else "")
    if not mapping.taken:
        yield "      []"
    if mapping.left_out:
        yield "      # Left out:"
        yield from (f"      # - {row(one.rule)}" for one in mapping.left_out)
    if proposal.possible:
        yield "      # Fields that only GHL has. Without the # in front, reconcile makes them in EmailOctopus:"
    for one in proposal.possible:
        yield f"      # - {row(one.rule)}  # {one.emailoctopus_type}"
    if proposal.unmapped:
        yield f"      # Fields that only EmailOctopus has: {', '.join(_said(spec.name) for spec in proposal.unmapped)}"


def _said(text: str) -> str:
    """A text in a comment: on one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())

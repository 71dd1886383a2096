"""Words from outside that nobody expected: they may hold anything, a person's data too. Pure."""

import re

_IDENTIFIER = re.compile(r"[a-z_-]{0,24}")


def shown(word: str) -> str:
    """An unknown word as it may be logged and stored: in quotes where it is a short identifier, else its length."""
    return repr(word) if _IDENTIFIER.fullmatch(word) else f"of {len(word)} characters"

"""Ids as GHL makes them, drawn from a seed so that a run can be repeated."""

import string
from random import Random

_LETTERS = string.ascii_letters + string.digits


class Ids:
    """Draws ids; traces have dice of their own, so that a request more doesn't shift the ids of records."""

    def __init__(self, seed: int) -> None:
        self._records = Random(seed)
        self._traces = Random(seed + 1)

    def record(self) -> str:
        """Draw an id of 20 letters and digits, as every record of GHL has."""
        return "".join(self._records.choices(_LETTERS, k=20))

    def secret(self) -> str:
        """Draw a token, code or refresh token."""
        return f"{self._records.getrandbits(256):064x}"

    def trace(self) -> str:
        """Draw the traceId of one answer, in the form of a UUID."""
        text = f"{self._traces.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

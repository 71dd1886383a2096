"""How commands ask before they do what can't be taken back."""

import sys
from typing import Annotated

from cyclopts import Parameter

Yes = Annotated[bool, Parameter(name="--yes", negative="", help="Do it without asking: for scripts.")]


def ask(word: str) -> bool:
    """Ask on a terminal whether to do it; nobody is there to be asked elsewhere."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    sys.stdout.write(f"Type `{word}` to do it: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == word

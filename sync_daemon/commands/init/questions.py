"""Asking somebody at a terminal, or saying which flag would have answered."""

import sys
from collections.abc import Callable
from getpass import getpass

from rich.console import Console
from rich.prompt import Confirm, Prompt

from sync_daemon.model.errors import ConfigurationError

YES = "--yes"


class Questions:
    """Asks on standard error. Where there is no `anybody` to ask, a question is a `ConfigurationError` that names what
    answers it instead. Every question may raise `EOFError` and `KeyboardInterrupt`.
    """

    def __init__(self, *, anybody: bool) -> None:
        self.anybody = anybody
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def tell(self, text: str) -> None:
        """Say something beside the answer."""
        self._console.print(text, soft_wrap=True)

    def secret(self, question: str, instead: str, *, empty: bool = False) -> str:
        """A text that isn't shown while it is typed; an `empty` one only where that means something."""
        # getpass itself writes the question once nothing is shown any more; rich would write it before.
        return self._ask(lambda: getpass(f"{question}: ", sys.stderr), instead, empty=empty)

    def text(self, question: str, instead: str, *, empty: bool = False) -> str:
        """A text."""
        return self._ask(lambda: Prompt.ask(question, console=self._console), instead, empty=empty)

    def agree(self, question: str) -> bool:
        """Yes or no."""
        self._demand(YES)
        return Confirm.ask(question, console=self._console, default=True)

    def _ask(self, ask: Callable[[], str], instead: str, *, empty: bool) -> str:
        self._demand(instead)
        while not (answer := ask().strip()) and not empty:
            self.tell("An answer is needed; Ctrl-C gives up, and nothing is written.")
        return answer

    def _demand(self, instead: str) -> None:
        if not self.anybody:
            raise ConfigurationError(f"Nobody can be asked here; what is missing is {instead}.")

"""The two credentials: taken from variables where they are set, else asked for; never shown, never an argument."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sync_daemon.commands.init.questions import Questions
from sync_daemon.model.errors import ConfigurationError, CredentialsRefused
from sync_daemon.settings.values import Credential
from sync_daemon.settings.variables import Variables

_AS_CREDENTIAL: TypeAdapter[Any] = TypeAdapter(Credential)


@dataclass(frozen=True, slots=True)
class Access:
    """One credential, the variable that holds it, and whether somebody typed it just now."""

    variable: str
    value: str
    typed: bool


def obtain(variable: str, question: str, about: str, questions: Questions, variables: Variables) -> Access:
    """A credential: the one that is set already, else as somebody types it, who is told first what it is `about`.

    Raises `ConfigurationError` for a set one that can't be one.
    """
    value = variables.get(variable)
    if value is None:
        questions.tell(about)
        return Access(variable, _typed(question, f"the variable {variable}", questions), typed=True)
    if (wrong := wrong_with(_AS_CREDENTIAL, value)) is not None:
        raise ConfigurationError(f"The variable {variable} {wrong}.")
    return Access(variable, value, typed=False)


def ask_again(access: Access, refusal: CredentialsRefused, questions: Questions) -> Access:
    """Another credential, or the same once more. Raises the refusal where nobody can type another one."""
    if not access.typed:
        raise CredentialsRefused(
            refusal.system,
            f"{refusal}\nIt is what the variable {access.variable} holds, in the environment or in .env.",
        ) from refusal
    questions.tell(str(refusal))
    value = _typed("Another one, or Enter to try the same again", access.variable, questions, empty=True)
    return replace(access, value=value or access.value)


def _typed(question: str, instead: str, questions: Questions, *, empty: bool = False) -> str:
    """What somebody types, asked for until it can be a credential; nothing where `empty` means something."""
    value = questions.secret(question, instead, empty=empty)
    while value and (wrong := wrong_with(_AS_CREDENTIAL, value)) is not None:
        questions.tell(f"What you typed {wrong}.")
        value = questions.secret(question, instead, empty=empty)
    return value


def wrong_with(kind: TypeAdapter[Any], value: str) -> str | None:
    """Why the configuration wouldn't take a value, as it says it; None where it would."""
    try:
        kind.validate_python(value)
    except ValidationError as error:
        return str(error.errors(include_input=False)[0]["msg"]).removeprefix("Value error, ")
    return None

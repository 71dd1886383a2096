"""The two credentials: taken from variables where they are set, else asked for; never shown, never an argument."""

from dataclasses import dataclass
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


def find(variable: str, variables: Variables) -> Access | None:
    """A credential that is set already. Raises `ConfigurationError` for one that can't be one."""
    value = variables.get(variable)
    if value is None:
        return None
    if (wrong := wrong_with(_AS_CREDENTIAL, value)) is not None:
        raise ConfigurationError(f"The variable {variable} {wrong}.")
    return Access(variable, value, typed=False)


def ask(variable: str, question: str, questions: Questions) -> Access:
    """A credential as somebody types it, asked for until it can be one."""
    value = questions.secret(question, f"the variable {variable}")
    while (wrong := wrong_with(_AS_CREDENTIAL, value)) is not None:
        questions.tell(f"What you typed {wrong}.")
        value = questions.secret(question, f"the variable {variable}")
    return Access(variable, value, typed=True)


def ask_again(access: Access, refusal: CredentialsRefused, questions: Questions) -> Access:
    """Another credential, or the same once more. Raises the refusal where nobody can type another one."""
    if not access.typed:
        raise CredentialsRefused(
            refusal.system,
            f"{refusal}\nIt is what the variable {access.variable} holds, in the environment or in .env.",
        ) from refusal
    questions.tell(str(refusal))
    value = questions.secret("Another one, or Enter to try the same again", access.variable, empty=True)
    while value and (wrong := wrong_with(_AS_CREDENTIAL, value)) is not None:
        questions.tell(f"What you typed {wrong}.")
        value = questions.secret("Another one, or Enter to try the same again", access.variable, empty=True)
    return Access(access.variable, value, typed=True) if value else access


def wrong_with(kind: TypeAdapter[Any], value: str) -> str | None:
    """Why the configuration wouldn't take a value, as it says it; None where it would."""
    try:
        kind.validate_python(value)
    except ValidationError as error:
        return str(error.errors(include_input=False)[0]["msg"]).removeprefix("Value error, ")
    return None

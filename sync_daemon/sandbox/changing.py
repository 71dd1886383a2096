"""How switches and settings are changed: by name, in place, checked first."""

from typing import Any

import msgspec


def change(target: Any, changes: dict[str, Any]) -> None:
    """Set the named fields of a struct or dataclass in place, checked by its types.

    Raises ValueError for a name that doesn't exist or a value of the wrong type; nothing is changed then.
    """
    current = msgspec.to_builtins(target)
    unknown = sorted(changes.keys() - current.keys())
    if unknown:
        raise ValueError(f"There is no {', '.join(unknown)} here; there are {', '.join(sorted(current))}.")
    checked = msgspec.convert({**current, **changes}, type(target))
    for name in changes:
        setattr(target, name, getattr(checked, name))

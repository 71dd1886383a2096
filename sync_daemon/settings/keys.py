"""Which keys the configuration knows at a path, read off the models."""

from typing import Any, get_args

from pydantic import BaseModel

from sync_daemon.settings.document import KeyPath


def known_keys(model: type[BaseModel], path: KeyPath) -> tuple[str, ...]:
    """The keys of the mapping at a path; empty where any key is allowed or none."""
    annotation = _annotation(model, path)
    section = _section(annotation)
    return tuple(section.model_fields) if section else ()


def _annotation(model: type[BaseModel], path: KeyPath) -> Any:
    annotation: Any = model
    for part in path:
        section = _section(annotation)
        if isinstance(part, int) or section is None:
            continue  # a list's or a union's own model is found by `_section`
        known = section.model_fields.get(part)
        if known is None:
            return None
        annotation = known.annotation
    return annotation


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model an annotation is about: itself, or that of its list or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section, get_args(annotation))), None)

"""The files that an operator starts from, read as data; and which variables the program knows."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from sync_daemon.settings.installation import InstallationSection

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


def yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@dataclass(frozen=True)
class Dockerfile:
    """Instructions in their order, a list for each stage."""

    stages: list[list[tuple[str, str]]]

    @classmethod
    def of_repository(cls) -> "Dockerfile":
        lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        whole = re.sub(r"\\\n\s*", "", "\n".join(line for line in lines if not line.startswith("#")))
        stages: list[list[tuple[str, str]]] = [[]]
        for line in filter(None, whole.splitlines()):
            word, _, rest = line.partition(" ")
            if word == "FROM":
                stages.append([])
            stages[-1].append((word, rest))
        return cls(stages)

    def last(self, word: str) -> str:
        """What an instruction of the image says that is given out."""
        (said,) = (rest for name, rest in self.stages[-1] if name == word)
        return said

    def words(self, word: str) -> list[str]:
        """An instruction in its exec form; ENV and LABEL have pairs instead."""
        return list(json.loads(self.last(word)))

    def pairs(self, word: str) -> dict[str, str]:
        return {name: value.strip('"') for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', self.last(word))}

    def copied(self) -> list[str]:
        """What is taken from the repository."""
        copies = [rest.split() for stage in self.stages for word, rest in stage if word == "COPY"]
        return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def known_variables() -> set[str]:
    """Every variable that has a meaning, to the program itself or to the example of a configuration."""
    example = (CONFIG / "sync.example.yaml").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "sync_daemon").rglob("*.py")]
    names = {*_settings(InstallationSection, "SYNC_DAEMON_"), *re.findall(r"\$\{([A-Z]\w+)", example)}
    names |= {name for text in sources for name in re.findall(r'"(SYNC_DAEMON_[A-Z]+(?:_[A-Z]+)*)"', text)}
    return names | {f"{name}_FILE" for name in names}


def _settings(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()

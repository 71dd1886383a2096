"""Invented people: names, addresses under example domains, and telephone numbers reserved for fiction."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

_FIRST = (
    "Ada Alma Amir Ana Arne Aylin Bela Carla Cem Clara Dario Dilek Edda Elif Emil Enzo Esra Farid Finn Gesa "
    "Hanna Ilse Ines Ivo Jana Jonas Kaan Katja Lale Lars Lea Levi Lina Luca Mara Milo Mina Nele Nils Noa "
    "Olga Oskar Otto Pia Rafa Rosa Selma Sven Tara Timo Ugo Uma Vera Wanda Yara Yusuf Zoe"
)
_LAST = (
    "Abel Acar Adler Amado Bach Bauer Beck Berg Blum Brandt Cano Castro Conti Demir Diaz Ernst Falk Faro "
    "Fink Frey Gallo Graf Haas Hahn Herz Hoff Ibsen Jansen Kaya Keller Klein Koch Kruse Lang Lenz Lima Lobo "
    "Marin Meyer Moreno Nolte Novak Ortiz Peters Pohl Quint Ramos Reis Rossi Sahin Sauer Seidel Silva Sommer "
    "Stein Thoma Toth Ulrich Vega Vogel Weber Winter Wolf Yilmaz Zander Zorn"
)
_DOMAINS = ("example.com", "example.org", "example.net")
_CITIES = ("Springfield", "Riverton", "Fairview", "Georgetown", "Salem", "Madison")
_AREA_CODES = (202, 206, 212, 213, 214, 215, 216, 303, 305, 312, 313, 314, 404, 412, 415, 503, 512, 602, 617, 702)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person; `number` tells it from all others of its crowd."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str | None  # E.164, while there are reserved numbers left
    city: str


def crowd(count: int, random: Random) -> Iterator[Person]:
    """Invent people, each with an address and a telephone number of its own."""
    firsts, lasts = _FIRST.split(), _LAST.split()
    for number in range(count):
        first, last = random.choice(firsts), random.choice(lasts)
        email = f"{first}.{last}{number}@{random.choice(_DOMAINS)}".lower()
        yield Person(number, first, last, email, _phone(number), random.choice(_CITIES))


def _phone(number: int) -> str | None:
    area, line = divmod(number, 100)  # 555-0100 to 555-0199 are nobody's
    return f"+1{_AREA_CODES[area]}5550{100 + line}" if area < len(_AREA_CODES) else None

"""The names of months and days, as people write them in six languages."""

from __future__ import annotations

import re
from collections import defaultdict

_MONTHS = (
    "january enero januar janvier janeiro gennaio ene jan jän jänner",
    "february febrero februar février fevereiro febbraio feb",
    "march marzo märz mars março marzo mrz",
    "april abril april avril abril aprile",
    "may mayo mai mai maio maggio",
    "june junio juni juin junho giugno",
    "july julio juli juillet julho luglio",
    "august agosto august août agosto agosto",
    "september septiembre september septembre setembro settembre setiembre sept",
    "october octubre oktober octobre outubro ottobre",
    "november noviembre november novembre novembro novembre",
    "december diciembre dezember décembre dezembro dicembre",
)
_ACCENTS = str.maketrans("áàâäãéèêíìóòôúùûüç", "aaaaaeeeiiooouuuuc")
_DAYS = (
    "mon tue wed thu fri sat sun lun mar mie jue vie sab dom mo di mi do fr sa so "
    "mer jeu ven sam dim seg ter qua qui sex gio lu ma ju vi"
)
_A_DAY = re.compile(rf"(?:{'|'.join(_DAYS.split())})[a-z]*\.?,? +(?=\S)")


def _by_name() -> dict[str, int]:
    """Return every name, and every beginning of one that has three letters and tells the month."""
    meant: dict[str, set[int]] = defaultdict(set)
    for month, names in enumerate(_MONTHS, 1):
        for name in names.translate(_ACCENTS).split():
            for length in range(3, len(name) + 1):
                meant[name[:length]].add(month)
    return {name: months.pop() for name, months in meant.items() if len(months) == 1}


_NUMBERS = _by_name()


def month_number(name: str) -> int:
    """Return 1 to 12 for a month's name or its beginning, in lower case; 0 where it is none."""
    return _NUMBERS.get(name, 0)


def without_accents(text: str) -> str:
    """Return a text in lower case whose letters have no accents."""
    return text.casefold().translate(_ACCENTS)


def without_weekday(text: str) -> str:
    """Return a text in lower case without the day of the week at its start."""
    return _A_DAY.sub("", text, count=1)

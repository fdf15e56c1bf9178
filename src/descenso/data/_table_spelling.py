"""Take texts that differ only in case and spaces for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descenso.language import N_

if TYPE_CHECKING:
    from pandas import Series

SPELLINGS = N_("{name}: different only in case or spaces, and taken for one: {spellings}")
_MOST = 1000  # more different texts are names, not levels
_SHOWN = 4


def one_spelling(texts: Series) -> tuple[Series, str]:
    """Return texts in the most frequent of the spellings of each, and which were put into one.

    Single signs stay apart, for a and A may be two letters.
    """
    counts = texts.value_counts()
    if len(counts) > _MOST:
        return texts, ""
    spelt: dict[str, list[str]] = {}
    for text in counts.index:  # from the most frequent down
        spelt.setdefault(" ".join(str(text).split()).casefold(), []).append(text)
    several = {key: forms for key, forms in spelt.items() if len(forms) > 1 and len(key) > 1}
    if not several:
        return texts, ""
    common = {form: forms[0] for forms in several.values() for form in forms[1:]}
    shown = "; ".join(", ".join(map(repr, forms)) for forms in list(several.values())[:_SHOWN])
    return texts.replace(common), shown

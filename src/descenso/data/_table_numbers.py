"""Read texts as numbers, where a comma may be a decimal sign or separate thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descenso.language import N_

if TYPE_CHECKING:
    from pandas import Series

MOSTLY = 0.9  # the share of texts that tells what all of them are meant to be

# Form of the numbers with a comma, what stands for it, what is said.
_THOUSANDS = (
    r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", "",
    N_("{name}: commas are taken to separate thousands"),
)  # fmt: skip
_DECIMAL = r"[+-]?\d+,\d+", ".", N_("{name}: commas are taken for decimal signs")
_FORMS = (_THOUSANDS, _DECIMAL)


def read_numbers(texts: Series) -> tuple[Series, str]:
    """Return texts as float64, NaN where they are no numbers, and what was told of commas.

    1,200 beside 800 is taken for thousands: a decimal comma would rarely leave three digits in
    every number that has one. What was told names the column as {name}; it is empty where there
    is no comma.
    """
    import pandas

    numbers = pandas.to_numeric(texts, errors="coerce").astype("float64")
    has_comma = numbers.isna() & texts.str.contains(",", regex=False, na=False)
    with_comma = texts[has_comma]
    if not len(with_comma):
        return numbers, ""
    # The more frequent form; thousands where both are, for they fit fewer texts.
    shares = [float(with_comma.str.fullmatch(form).mean()) for form, _s, _t in _FORMS]
    form, sign, told = _FORMS[shares.index(max(shares))]
    if max(shares) < MOSTLY:
        return numbers, ""
    fitting = with_comma.where(with_comma.str.fullmatch(form))
    values = numbers.to_numpy(copy=True)
    read = pandas.to_numeric(fitting.str.replace(",", sign, regex=False), errors="coerce")
    values[has_comma.to_numpy()] = read.to_numpy("float64")
    return pandas.Series(values, numbers.index, name=texts.name), told

"""A rule's formula as the page shows it: with these settings, as MathML, with what it corrects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from descenso.rules import Rule

_CORRECTED = re.compile(r"\\hat (\w)_t &?= (\w)_t / \(1-\\beta_(\d)\^t\)")


def formula_of(rule: Rule, settings: Mapping[str, Any]) -> str:
    """Return the LaTeX of a rule as it is with these settings.

    RMSprop's own formula leaves out its two switches; with one of them it would be another's.
    """
    formula = rule.formula
    if rule.name != "rmsprop" or not (settings["centered"] or settings["momentum"]):
        return formula
    average, step = formula.split(r"\\")
    lines = [average]
    if settings["centered"]:
        lines.append(r"m_t &= \beta m_{t-1} + (1-\beta)\, g_t ")
        step = step.replace(r"\sqrt{s_t ", r"\sqrt{\max(s_t - m_t^2, 0) ")
    if settings["momentum"]:
        scaled = step.partition(r"\eta\,")[2].strip()
        lines.append(rf"b_t &= \mu b_{{t-1}} + {scaled} ")
        step = r"\theta_t &= \theta_{t-1} - \eta\, b_t"
    return "\\\\\n".join([*lines, step])


def corrections(rule: Rule) -> dict[str, str]:
    """Return which averages a rule corrects for their start: the state, and the β that does it."""
    return {
        name: f"beta{number}"
        for name, state, number in _CORRECTED.findall(rule.formula)
        if name == state and f"beta{number}" in rule.hyperparameters
    }


@lru_cache(maxsize=256)  # a formula of one's own comes here too
def mathml(latex: str) -> str:
    r"""Return LaTeX as one ``<math>`` element; lines parted by ``\\`` become rows.

    A formula that cannot be translated comes back as its text.
    """
    if not latex:
        return ""
    lines = [line.replace("&", " ").strip() for line in latex.split("\\\\")]
    rows = [_row(line) for line in lines if line]
    if len(rows) == 1:
        return f'<math display="block">{rows[0]}</math>'
    table = "".join(f'<mtr><mtd columnalign="left">{row}</mtd></mtr>' for row in rows)
    return f'<math display="block"><mtable columnalign="left">{table}</mtable></math>'


def _row(line: str) -> str:
    from html import escape

    from latex2mathml.converter import convert

    try:
        whole = convert(" ".join(line.split()))
    except Exception:  # the translator raises many kinds; the text itself can still be read
        return f"<mtext>{escape(line)}</mtext>"
    return whole[whole.index(">") + 1 : whole.rindex("</math>")]

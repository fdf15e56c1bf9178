"""Formulas as MathML, which browsers draw and screen readers read without any script."""

from __future__ import annotations

from functools import cache


@cache
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

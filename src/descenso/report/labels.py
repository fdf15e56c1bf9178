"""Names beside the lines they belong to: where each stands so that none covers another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

LONGEST = 22  # letters of a name beside a line
_LONGEST_LINE = 16
END = "end"  # what the annotation of a name is called: narrow pages hide them


@dataclass(frozen=True)
class End:
    """A line's end: its height as a share of the axis, its name and its colour.

    A share below 0 or above 1 lies outside the axis; the name says so by ▾ or ▴.
    """

    share: float
    name: str
    colour: str

    @property
    def text(self) -> str:
        """Return the name, with a mark where the line has left the axis."""
        beyond = " ▾" if self.share < 0 else " ▴" if self.share > 1 else ""
        return self.name + beyond


def short(labels: Sequence[str]) -> dict[str, str]:
    """Return a short name for each label: without settings, where that tells them apart."""
    plain = {label: label.partition("(")[0].strip() for label in labels}
    if len(set(plain.values())) < len(plain):
        plain = {label: label for label in labels}
    return {
        label: name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        for label, name in plain.items()
    }


def in_lines(name: str) -> list[str]:
    """Return a method's name in lines short enough for a phone: it breaks where a setting begins."""
    lines = [""]
    for piece in re.findall(r"[^(,@]*[(,]?|@.*", name):
        if lines[-1] and len(lines[-1] + piece) > _LONGEST_LINE:
            lines.append("")
        lines[-1] += piece
    return lines


def spread_out(shares: Sequence[float], gap: float) -> list[float]:
    """Return heights (0 to 1) as near to ``shares`` as they can be at least ``gap`` apart."""
    if not shares:
        return []
    gap = min(gap, 1 / max(len(shares) - 1, 1))
    order = sorted(range(len(shares)), key=lambda i: shares[i])
    # Neighbours that are too near form a block around the mean of where they would like to be.
    blocks: list[list[float]] = []  # [sum of wished first heights, count]
    for rank, i in enumerate(order):
        wished = min(max(shares[i], 0.0), 1.0) - rank * gap
        blocks.append([wished, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            wished, count = blocks.pop()
            blocks[-1][0] += wished
            blocks[-1][1] += count
    first = [total / count for total, count in blocks for _one in range(int(count))]
    highest = 1 - (len(order) - 1) * gap
    placed = [0.0] * len(shares)
    for rank, i in enumerate(order):
        placed[i] = min(max(first[rank], 0.0), highest) + rank * gap
    return placed


def in_rows(places: Sequence[float], widths: Sequence[float]) -> list[int]:
    """Return the row, from 0, of each name that begins at a place, as a flag at its pole.

    Rows are filled from the right: no name covers another, and no pole crosses a name in a row
    below its own.
    """
    begins: list[float] = []  # of each row: where its leftmost name begins
    rows = [0] * len(places)
    order = sorted(range(len(places)), key=lambda i: -places[i])
    for rank, i in enumerate(order):
        right = places[i] + widths[i]
        poles = [rows[k] for k in order[:rank] if places[i] < places[k] < right]
        free = [
            r for r, begin in enumerate(begins) if right <= begin and r > max(poles, default=-1)
        ]
        row = free[0] if free else len(begins)
        begins[row : row + 1] = [places[i]]
        rows[i] = row
    return rows


def add_ends(made: Any, ends: Sequence[End], height: float, axes: str = "") -> None:
    """Name lines at the right rim of a panel of a Plotly figure.

    Parameters
    ----------
    height : of the panel, in pixels.
    axes : number of the panel's axes, as Plotly counts them: empty for the first, then ``2`` ...
    """
    placed = spread_out([end.share for end in ends], 17 / height)
    for end, at in zip(ends, placed, strict=True):
        share = min(max(end.share, 0.0), 1.0)
        made.add_annotation(
            xref=f"x{axes} domain", yref=f"y{axes} domain", x=1, y=share, ax=22,
            ay=(share - at) * height, xanchor="left", yanchor="middle", text=escape(end.text),
            name=END, arrowhead=0, arrowwidth=1.6, arrowcolor=end.colour, font={"size": 13},
        )  # fmt: skip


def room(names: Sequence[str]) -> int:
    """Return how many pixels the names take at the right rim of a figure."""
    return 36 + round(7.8 * max(map(len, names), default=0))

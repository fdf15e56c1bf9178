"""Colours, symbols and sizes: one look for every figure, one colour per method everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from descenso.errors import UnknownNameError, nearest
from descenso.language import _

# Okabe & Ito's palette, told apart by colour-blind readers too; without its black and yellow,
# which vanish on a dark or a light ground. Beyond seven methods the dash tells them apart.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
NEUTRAL = "#7a7a7a"  # readable on both grounds
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
FONT_SIZE = 15


@dataclass(frozen=True)
class Mark:
    """How one method is drawn."""

    colour: str
    symbol: str
    dash: str

    def band(self, alpha: float = 0.15) -> str:
        """Return its colour, see-through."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{alpha})"


@dataclass(frozen=True)
class Theme:
    """The ground and what is written on it."""

    ground: str
    text: str
    grid: str


THEMES = {
    "light": Theme(ground="#ffffff", text="#1d2329", grid="#dfe3e8"),
    "dark": Theme(ground="#15191e", text="#e6e9ed", grid="#343b44"),
}


def theme(name: str) -> Theme:
    """Return the theme of that name.

    Raises
    ------
    UnknownNameError
        If it is neither ``light`` nor ``dark``.
    """
    return THEMES[known(name, THEMES, _("there is no theme named {name!r}; there are {known}."))]


def known(name: str, names: Sequence[str] | dict[str, Theme], message: str) -> str:
    """Return ``name`` if it is one of ``names``; else raise ``message`` with the nearest one."""
    if name in names:
        return name
    close = nearest(name, names)
    hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
    raise UnknownNameError(message.format(name=name, known=", ".join(names)) + hint)


def marks(methods: Sequence[str]) -> dict[str, Mark]:
    """Return how each method is drawn; it depends on its place in the study's design alone."""
    return {name: _mark(place) for place, name in enumerate(methods)}


def _mark(place: int) -> Mark:
    # Each round through the colours shifts the symbols, so that a colour never keeps its symbol.
    around, colour = divmod(place, len(PALETTE))
    symbol = SYMBOLS[(colour + around) % len(SYMBOLS)]
    return Mark(PALETTE[colour], symbol, DASHES[around % len(DASHES)])

"""Colours, symbols and sizes: one look for every figure, one colour per method everywhere."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from descenso.errors import UnknownNameError
from descenso.language import _, did_you_mean

# Okabe & Ito's palette, told apart by colour-blind readers too; without its black and yellow,
# which vanish on a dark or a light ground. The last four are further colours that keep apart from
# them; where two are alike to a reader, symbol and dash differ.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#8C8C8C", "#8468C8", "#A0522D", "#8A9A12",
)  # fmt: skip
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
#: The place in the palette of each method that has a name of its own: its colour everywhere.
PLACES = {
    "sgd": 0, "batch": 1, "minibatch": 2, "momentum": 3, "rmsprop": 4, "adam": 5,
    "gradient_descent": 6, "nesterov": 7, "adamw": 8, "amsgrad": 9,
}  # fmt: skip
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
    hint = did_you_mean(name, names)
    raise UnknownNameError(message.format(name=name, known=", ".join(names)) + hint)


def marks(methods: Sequence[str]) -> dict[str, Mark]:
    """Return how each method is drawn: one colour for one method, in whatever company.

    The colour follows from the method's name without its settings. Where two methods of a picture
    would share one, as ``adam`` and ``adam(lr=0.1)``, the plain name keeps it and the other takes the
    next colour that is free; when all are taken, a dash and another symbol tell them apart.
    """
    names = list(dict.fromkeys(methods))
    names.sort(key=lambda name: (_base(name) not in PLACES, name != _base(name)))
    places: dict[str, int] = {}
    for name in names:
        if _own_place(name) not in places.values():
            places[name] = _own_place(name)
    for name in names:
        if name not in places:
            places[name] = _free(_own_place(name), set(places.values()))
    return {name: at_place(places[name]) for name in methods}


def _base(name: str) -> str:
    """Return a method's name without its settings."""
    match = re.match(r"\w+", name)
    return match[0] if match else name


def _own_place(name: str) -> int:
    """Return where in the palette a method's colour is; any text has a place."""
    return PLACES.get(_base(name), zlib.crc32(_base(name).encode()) % len(PALETTE))


def _free(place: int, taken: set[int]) -> int:
    """Return the first place from there on that is not taken, round by round."""
    size = len(PALETTE)
    around = 0
    while True:
        for step in range(size):
            found = around * size + (place + step) % size
            if found not in taken:
                return found
        around += 1


def at_place(place: int) -> Mark:
    """Return how the method at a place is drawn: the palette first, then round after round."""
    # Each round through the colours shifts the symbols, so that a colour never keeps its symbol.
    around, colour = divmod(place, len(PALETTE))
    symbol = SYMBOLS[(colour + around + colour // len(SYMBOLS)) % len(SYMBOLS)]
    return Mark(PALETTE[colour], symbol, DASHES[around % len(DASHES)])

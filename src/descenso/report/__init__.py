"""What a finished study looks like: data of each figure → figures → one HTML page.

Nothing here is computed twice: ``data`` makes the frames, ``lines`` and ``rows`` draw them,
``captions`` and ``words`` say what is seen in them, and ``html`` lays it all out.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Loaded when first used: pandas and Plotly take long to import, and most commands need neither.
_PUBLIC = {
    "figure": "figures",
    "names": "figures",
    "data": "data",
    "frame": "table",
    "render": "html",
    "write": "html",
}
__all__ = ["data", "figure", "frame", "names", "render", "write"]

if TYPE_CHECKING:
    from descenso.report import data
    from descenso.report.figures import figure, names
    from descenso.report.html import render, write
    from descenso.report.table import frame


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'descenso.report' has no attribute {name!r}")
    module = importlib.import_module(f"descenso.report.{_PUBLIC[name]}")
    return module if name == _PUBLIC[name] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Write a figure over several problems in the format its file name asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from descenso.report.pictures._save import save
from descenso.report.together._captions import caption
from descenso.report.together._figures import figure
from descenso.report.together._file import draw
from descenso.study.overview import Overview


def save_figure(found: Overview, name: str, path: str | Path, *, theme: str = "light") -> Path:
    """Write one figure over several problems, with its caption; see :func:`figure`."""

    def file(found: Overview, theme: str) -> Any:
        return draw(found, name, theme)

    def page(found: Overview, theme: str) -> Any:
        return figure(found, name, theme)

    title = ", ".join(found.problems)
    return save(file, page, found, path, theme, title, caption(found, name))

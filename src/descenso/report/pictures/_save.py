"""Write a picture in the format its file name asks for."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.errors import SettingError
from descenso.files import check_writable, write_whole
from descenso.language import _
from descenso.paths import Descents, SettingsMap
from descenso.report import style, templates
from descenso.report.pictures import _captions as captions
from descenso.report.pictures import _look as look
from descenso.report.pictures._ground import fitted as fitted_to

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descenso.paths.dynamics import Dynamics
    from descenso.paths.landscape import Landscape
    from descenso.study import StudyResult

FORMATS = ("png", "svg", "pdf", "html", "gif")


def format_of(path: str | Path) -> str:
    """Return the format that a file name asks for.

    Raises
    ------
    SettingError
        If it is none of :data:`FORMATS`.
    ReportError
        If the file cannot be written.
    """
    ending = Path(path).suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise SettingError(
            _("a picture's file name ends in one of {known}; got {path!r}").format(
                known=", ".join(f".{name}" for name in FORMATS), path=str(path)
            )
        )
    check_writable(path)
    return ending


def save_paths(
    descents: Descents,
    path: str | Path,
    *,
    theme: str = "light",
    three_d: bool = False,
    fitted: bool = True,
) -> Path:
    """Write the picture of paths: a still, a page with a slider (.html) or an animation (.gif)."""
    wanted = format_of(path)
    descents = fitted_to(descents) if fitted else descents
    how: dict[str, Any] = {"three_d": three_d, "fitted": False}
    if wanted == "html":
        from descenso.report.pictures._paths_page import figure

        body = _interactive(figure(descents, theme, **how))
        text = _page(_plain_title(descents), body, captions.paths(descents, not three_d), theme)
        return write_whole(path, text.encode())
    if wanted == "gif":
        from descenso.report.pictures._animation import gif

        return write_whole(path, gif(descents, theme, **how))
    from descenso.report.pictures._paths_file import draw

    return write_whole(path, _bytes(draw(descents, theme, **how), wanted, theme))


def save_decomposition(descents: Descents, path: str | Path, *, theme: str = "light") -> Path:
    """Write the picture of the arrows that make each step."""
    from descenso.report.pictures import _arrows_file, _arrows_page

    title, caption = _plain_title(descents), _arrows_file.caption(descents)
    return save(_arrows_file.draw, _arrows_page.figure, descents, path, theme, title, caption)


def save_map(found: SettingsMap, path: str | Path, *, theme: str = "light") -> Path:
    """Write the map of two settings."""
    from descenso.report.pictures import _map_file, _map_page

    title, caption = f"{found.surface.name} – {found.method.label}", captions.settings_map(found)
    return save(_map_file.draw, _map_page.figure, found, path, theme, title, caption)


def save_landscape(found: Landscape, path: str | Path, *, theme: str = "light") -> Path:
    """Write the picture of a network's landscape."""
    from descenso.report.pictures import _landscape_file as file
    from descenso.report.pictures import _landscape_page as page

    return save(file.draw, page.figure, found, path, theme, file.title(found), file.caption(found))


def save_dynamics(found: Dynamics, path: str | Path, *, theme: str = "light") -> Path:
    """Write the picture of how training moves."""
    from descenso.report.pictures import _dynamics_file as file
    from descenso.report.pictures import _dynamics_page as page

    return save(file.draw, page.figure, found, path, theme, file.title(found), file.caption(found))


def save_figure(
    result: StudyResult, name: str, path: str | Path, *, theme: str = "light", x: str = "epoch"
) -> Path:
    """Write one figure of a study, with its caption; see :func:`descenso.report.figure`."""
    from descenso.report import captions as study_captions
    from descenso.report import figures
    from descenso.report.pictures._study_file import draw

    def file(result: StudyResult, theme: str) -> Figure:
        return draw(result, name, theme, x)

    def page(result: StudyResult, theme: str) -> Any:
        return figures.figure(result, name, theme, x=x)

    title = result.design.problem
    style.known(name, figures.names(), _("there is no figure named {name!r}; there are {known}."))
    caption = study_captions.caption(result, name)
    return save(file, page, result, path, theme, title, caption)


def _plain_title(descents: Descents) -> str:
    return _("Paths on {surface}").format(surface=descents.surface.name)


def save(
    file: Callable[[Any, str], Figure],
    page: Callable[[Any, str], Any],
    found: Any,
    path: str | Path,
    theme: str,
    title: str,
    caption: str,
) -> Path:
    """Write what was found with Matplotlib into a file, or with Plotly into a page."""
    wanted = format_of(path)
    if wanted == "gif":
        raise SettingError(_("only paths can be animated; choose .png, .svg, .pdf or .html"))
    if wanted == "html":
        return write_whole(
            path, _page(title, _interactive(page(found, theme)), caption, theme).encode()
        )
    return write_whole(path, _bytes(file(found, theme), wanted, theme))


def _interactive(drawn: Any) -> str:
    """Return a Plotly figure as HTML that needs nothing else."""
    how = {"config": {"displaylogo": False, "responsive": True}, "auto_play": False}
    return str(drawn.to_html(full_html=False, include_plotlyjs=True, **how))


def _bytes(figure: Figure, wanted: str, theme: str) -> bytes:
    buffer = io.BytesIO()
    # Without a date, the same command writes the same file.
    dateless = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[wanted]
    with look.dressed(theme):
        figure.savefig(buffer, format=wanted, dpi=160, metadata=dateless)
    return buffer.getvalue()


def _page(title: str, body: str, caption: str, theme: str) -> str:
    return templates.render(
        "report/pictures", "page.html",
        title=title, body=body, caption=caption, look=style.theme(theme), font=style.FONT,
    )  # fmt: skip

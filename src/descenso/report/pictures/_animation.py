"""Draw paths as they grow, into a GIF."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from descenso.paths import Descents, Trace
from descenso.report.pictures import _paths_file as still
from descenso.report.pictures._ground import fitted as fitted_to

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_FRAMES = 48
_PAUSE_MS, _LAST_MS = 120, 2500


def gif(
    descents: Descents, theme: str = "light", *, three_d: bool = False, fitted: bool = True
) -> bytes:
    """Return an animation of the paths, step by step, that pauses at its end and starts anew."""
    if fitted:
        descents = fitted_to(descents)
    every = -(-descents.steps // _MOST_FRAMES)
    stops = [*range(0, descents.steps, every), descents.steps]
    drawn = [_frame(descents, stop, theme, three_d) for stop in stops]
    frames = _in_one_palette(drawn)
    buffer = io.BytesIO()
    frames[-1].save(
        buffer, "GIF", save_all=True, append_images=frames, loop=0, disposal=2,
        duration=[_LAST_MS // 4, *[_PAUSE_MS] * (len(frames) - 1), _LAST_MS],
    )  # fmt: skip
    return buffer.getvalue()


def _frame(descents: Descents, stop: int, theme: str, three_d: bool) -> Image:
    from PIL import Image

    cut = replace(descents, traces=tuple(_up_to(t, stop) for t in descents.traces))
    figure = still.draw(cut, theme, three_d=three_d, fitted=False, whole=descents)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return Image.open(buffer).convert("RGB")


def _in_one_palette(drawn: list[Image]) -> list[Image]:
    """Return the frames in the colours of the last, which holds all, so that none changes colour."""
    from PIL import Image

    palette = drawn[-1].quantize(255)
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in drawn]


def _up_to(trace: Trace, stop: int) -> Trace:
    path = trace.path
    if stop >= len(path):
        return trace
    shorter = replace(
        path,
        points=path.points[: stop + 1],
        values=path.values[: stop + 1],
        gradients=path.gradients[:stop],
        states={name: array[: stop + 1] for name, array in path.states.items()},
        diverged_at=None,
    )
    return replace(trace, path=shorter, end="ran")

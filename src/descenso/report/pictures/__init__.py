"""Pictures of paths: one place computes, another draws; Matplotlib for files, Plotly for pages."""

from descenso.report.pictures._ground import Ground, ground, level_text
from descenso.report.pictures._save import (
    FORMATS,
    format_of,
    save_decomposition,
    save_dynamics,
    save_figure,
    save_landscape,
    save_map,
    save_paths,
)

__all__ = [
    "FORMATS",
    "Ground",
    "format_of",
    "ground",
    "level_text",
    "save_decomposition",
    "save_dynamics",
    "save_figure",
    "save_landscape",
    "save_map",
    "save_paths",
]

"""What several studies of the same methods say together: data → figures → one HTML page."""

from descenso.report.together._data import gains, profile
from descenso.report.together._figures import figure, names
from descenso.report.together._html import write
from descenso.report.together._save import save_figure

__all__ = ["figure", "gains", "names", "profile", "save_figure", "write"]

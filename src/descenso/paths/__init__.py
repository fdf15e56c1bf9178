"""Paths: how methods move on a surface, what makes each step, and where settings diverge."""

from descenso.paths._decompose import Parts, decompose
from descenso.paths._duals import FUNCTIONS
from descenso.paths._formula import Window, from_formula
from descenso.paths._map import SettingsMap, settings_map, stability_boundary
from descenso.paths._settings import learning_rate, point, window
from descenso.paths._surfaces import REGRESSION, check_inside, examples, get, names, seen_through
from descenso.paths._trace import MOST_STEPS, Descents, Trace, descend
from descenso.paths._tuning import TRIED

__all__ = [
    "FUNCTIONS",
    "MOST_STEPS",
    "REGRESSION",
    "TRIED",
    "Descents",
    "Parts",
    "SettingsMap",
    "Trace",
    "Window",
    "check_inside",
    "decompose",
    "descend",
    "examples",
    "from_formula",
    "get",
    "learning_rate",
    "names",
    "point",
    "seen_through",
    "settings_map",
    "stability_boundary",
    "window",
]

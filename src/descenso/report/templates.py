"""Fill the templates of pages in the language in use."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

from descenso.language import _, current, ngettext


def render(folder: str, name: str, /, **values: Any) -> str:
    """Return the template ``name`` of a folder of this package, filled; a missing value is an error."""
    return _environment(folder).get_template(name).render(language=current(), **values)


@cache
def _environment(folder: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("descenso", folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=_, ngettext=ngettext)
    return environment

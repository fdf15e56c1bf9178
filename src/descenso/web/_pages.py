"""The pages, rendered in the language asked for."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from descenso.language import LANGUAGES
from descenso.report import style, templates
from descenso.web import _form as form
from descenso.web._playground import catalog
from descenso.web._texts import texts
from descenso.web._tours import tours

_MOST_MARKS = 40  # methods of one picture


def render(name: str, **values: Any) -> str:
    """Return a page in the language in use."""
    return templates.render(
        "web/templates", f"{name}.html", languages=LANGUAGES, page=name, **values
    )


def playground() -> str:
    """Return the playground's page."""
    data = {"texts": texts(), "tours": tours(), "catalog": catalog(), "marks": _marks()}
    return render("playground", data=as_data(data))


def studies(problems: list[str]) -> str:
    """Return the page of studies."""
    data = as_data({"texts": texts(), "marks": _marks()})
    return render("studies", data=data, problems=problems, fields=form.fields())


def _marks() -> dict[str, Any]:
    """Return what :func:`descenso.report.style.marks` goes by, for ``marksOf`` in common.js."""
    looks = [style.at_place(place) for place in range(_MOST_MARKS)]
    return {
        "places": style.PLACES,
        "size": len(style.PALETTE),
        "looks": [{"colour": look.colour, "dash": look.dash} for look in looks],
    }


def as_data(value: Any) -> Markup:
    """Return JSON that cannot end the element it stands in; browsers do not run it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)

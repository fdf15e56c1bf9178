"""What each figure over several problems shows, and what is seen in it."""

from __future__ import annotations

import math

from descenso.language import _, ngettext
from descenso.report.together._data import ranking, shown_gains
from descenso.study.overview import Overview
from descenso.study.words import listed


def caption(found: Overview, name: str) -> str:
    """Return the caption of a figure."""
    return " ".join(_gains(found) if name == "gains" else _profile(found))


def _profile(found: Overview) -> list[str]:
    runs = found.scores[found.methods[0]].shape
    text = [
        _(
            "Performance profile over {problems}, {runs} runs of each method: the share that "
            "reaches its target within so many times the epochs of the quickest method on the same "
            "problem and seed (Dolan and Moré 2002). Where a curve starts is how often the method "
            "is the quickest; where it ends, how often it gets there at all."
        ).format(problems=listed(found.problems), runs=runs[0] * runs[1])
    ]
    ends = {name: float(found.profile[name][-1]) for name in found.methods}
    starts = {name: float(found.profile[name][0]) for name in found.methods}
    if math.isfinite(max(ends.values())):
        text.append(
            _("Most often the quickest: {first}. Surest to get there: {surest}.").format(
                first=_leaders(starts), surest=_leaders(ends)
            )
        )
    return text


def _leaders(shares: dict[str, float]) -> str:
    most = max(shares.values())
    names = listed([name for name, share in shares.items() if share == most])
    return f"{names} ({most:.0%})"


def _gains(found: Overview) -> list[str]:
    text = [
        _(
            "Each point is a run on test: 0% is the untrained network, 100% the mean of the best "
            "method on the same problem. The bar is the interquartile mean over problems and seeds "
            "with its 95% interval."
        ),
        _("{method} has the highest mean.").format(method=ranking(found)[0]),
    ]
    low, _high = shown_gains(found)
    if any(found.iqm[name].low < low for name in found.methods):
        text.append(_("An arrowhead at the rim: the interval goes on beyond the axis."))
    beyond = sum(int((scores < low).sum()) for scores in found.scores.values())
    if beyond:
        text.append(
            ngettext(
                "{count} run lies further left than is drawn; it stands at the rim.",
                "{count} runs lie further left than is drawn; they stand at the rim.",
                beyond,
            ).format(count=beyond)
        )
    return text

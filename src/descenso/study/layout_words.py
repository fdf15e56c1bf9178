"""How members were laid on the machine, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from descenso.language import _


def sentences(layout: Mapping[str, Any]) -> list[str]:
    """Return what an engine says of itself, a text for each sentence.

    Parameters
    ----------
    layout : as :attr:`descenso.study.StudyResult.layout` holds it; one of an older version may
        lack fields.
    """
    said = []
    if {"engine", "streams", "platform", "arrangement"} <= layout.keys():
        arrangement = layout["arrangement"]
        said.append(
            _("Layout: {engine} on {streams} × {platform}, {arrangement}.").format(
                **{**layout, "arrangement": _(arrangement)}
            )
        )
    if layout.get("alone_because"):
        said.append(_("One process alone: {reason}.").format(reason=layout["alone_because"]))
    for size, way in layout.get("steps", {}).items():  # of the engine for PyTorch modules
        said.append(
            _("Steps at batch size {size}: {how}.").format(size=size, how=", ".join(_how(way)))
        )
    for size, reason in layout.get("why_one_by_one", {}).items():
        said.append(
            _("Members one by one at batch size {size}: {reason}.").format(
                size=size, reason=_(reason)
            )
        )
    return said


def headings() -> tuple[str, ...]:
    """Return the headings of :func:`rows`."""
    return (
        _("rule"), _("batch size"), _("seconds to compile"), _("µs a step"),
        _("members"),
    )  # fmt: skip


def rows(layout: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each compiled program: what it trains, and how fast it ran."""
    return [
        (
            program["rule"],
            str(program["batch_size"]),
            f"{program['compile_seconds']:.2f}",
            f"{micros:.4g}" if (micros := program["microseconds_per_member_step"]) else "–",
            _(program.get("arrangement", "one after another")),
        )
        for program in layout.get("programs", ())
    ]


def _how(way: Mapping[str, Any]) -> Iterator[str]:
    """Yield how the steps at a batch size are taken, in words."""
    reason = way["not_compiled_because"]
    if way["step_compiled"]:
        yield _("compiled as a whole")
    elif reason:
        yield _("not compiled ({reason})").format(reason=_(reason))
    else:
        yield _("as the module is")
    if way["rule_compiled"]:
        yield _("the rule compiled")
    if way["channels_last"]:
        yield _("images laid channels last")
    if way["pooling_first"]:
        yield _("pooling before ReLU")

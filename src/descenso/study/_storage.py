"""A finished study to and from JSON. The verdict's text is left out: it is said anew when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from descenso.errors import BudgetError, SettingError, StoreError
from descenso.language import _
from descenso.records import Comparison, Curve, Estimate, Verdict
from descenso.store.encoding import decode_curve, decode_number, encode_numbers
from descenso.study._results import (
    Confirmation,
    Look,
    MethodResult,
    MetricInfo,
    SearchPoint,
    StudyResult,
)
from descenso.study.design import Design
from descenso.study.statistics import ALPHA
from descenso.study.verdict import decide

T = TypeVar("T")
Stored = Mapping[str, Any]


def encode_result(result: StudyResult) -> dict[str, Any]:
    """Return the result ready for JSON."""
    encoded: dict[str, Any] = encode_numbers(asdict(result))
    encoded["verdict"]["text"] = ""
    return encoded


def decode_result(stored: Stored) -> StudyResult:
    """Return the result that :func:`encode_result` was given.

    Raises
    ------
    StoreError
        If ``stored`` is no such result.
    """
    try:
        return _study(stored)
    except (KeyError, TypeError, ValueError, AttributeError, BudgetError, SettingError) as error:
        raise StoreError(
            _(
                "a stored result cannot be read ({kind}: {error}); run its study with --fresh"
            ).format(kind=type(error).__name__, error=error)
        ) from error


def _study(stored: Stored) -> StudyResult:
    methods = tuple(_method(m) for m in stored["methods"])
    return StudyResult(
        **{
            **stored,
            "design": _plain(Design, stored["design"]),
            "metric": _plain(MetricInfo, stored["metric"]),
            "methods": methods,
            "verdict": _verdict(stored["verdict"]) or _judged_anew(stored, methods),
            "notes": tuple(stored["notes"]),
            "looks": tuple(_plain(Look, look) for look in stored.get("looks", ())),
        }
    )


def _plain(kind: type[T], stored: Stored) -> T:
    """Build a record of numbers, words and tuples of them."""
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _value(v) for name, v in stored.items() if name in known})


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _numbers(values: list[Any]) -> tuple[float, ...]:
    return tuple(decode_number(v) for v in values)


def _estimate(stored: Stored) -> Estimate:
    ends = {name: decode_number(stored[name]) for name in ("mean", "low", "high")}
    return Estimate(**ends, values=_numbers(stored["values"]))


def _curves(stored: list[Stored]) -> tuple[Curve, ...]:
    return tuple(decode_curve(curve) for curve in stored)


def _confirmation(stored: Stored) -> Confirmation:
    return Confirmation(
        **{
            **stored,
            "seeds": tuple(stored["seeds"]),
            "curves": _curves(stored["curves"]),
            "scores": _numbers(stored["scores"]),
            "test": _estimate(stored["test"]),
            "validation": _estimate(stored["validation"]),
            "epochs_to_target": _numbers(stored["epochs_to_target"]),
        }
    )


def _search_point(stored: Stored) -> SearchPoint:
    return SearchPoint(
        **{
            **stored,
            "values": _numbers(stored["values"]),
            "losses": _numbers(stored["losses"]),
        }
    )


def _method(stored: Stored) -> MethodResult:
    return MethodResult(
        **{
            **stored,
            "tuned": _confirmation(stored["tuned"]),
            "default": _confirmation(stored["default"]) if stored["default"] else None,
            "search": tuple(_search_point(p) for p in stored["search"]),
        }
    )


def _judged_anew(stored: Stored, methods: tuple[MethodResult, ...]) -> Verdict:
    """Judge a study that was stored before one of its ties was recommended."""
    design, looks = stored["design"], stored.get("looks", ())
    return decide(
        methods,
        _plain(MetricInfo, stored["metric"]),
        stored["examples"]["test"],
        alpha=looks[-1]["alpha"] if looks else ALPHA,
        margin=design.get("margin"),
    )


def _verdict(stored: Stored) -> Verdict | None:
    if "recommended" not in stored:
        return None
    comparisons = tuple(
        Comparison(
            other=c["other"],
            difference=_estimate(c["difference"]),
            p_value=decode_number(c["p_value"]),
            tied=c["tied"],
            chance=decode_number(c.get("chance", "nan")),
            equivalent=c.get("equivalent"),
        )
        for c in stored["comparisons"]
    )
    return Verdict(
        stored["best"],
        tuple(stored["tied"]),
        comparisons,
        text="",
        recommended=stored["recommended"],
        chosen_by=tuple(stored["chosen_by"]),
    )

"""A surface from a formula a user writes, such as ``x**2 + 10*y**2``.

The text is never evaluated. Python's own parser turns it into a tree; only the nodes of a closed
grammar are taken over, as functions of this package that carry a value and its two derivatives
along (:mod:`descenso.paths._duals`). No expression is ever expanded or simplified: what a formula
costs is its number of nodes times the number of points, whatever its exponents are.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from descenso.errors import ProblemError
from descenso.language import _
from descenso.paths import _duals as duals
from descenso.paths._duals import FUNCTIONS
from descenso.paths._formula_latex import latex
from descenso.paths._minima import find_minima
from descenso.problems.surfaces import Surface

Window = tuple[tuple[float, float], tuple[float, float]]

LONGEST = 300  # letters
MOST_NODES = 200
DEEPEST = 30
LARGEST_EXPONENT = 64
HIGHEST_DEGREE = 256  # beyond it, a double holds little but 0 and infinity
WINDOW: Window = ((-5.0, 5.0), (-5.0, 5.0))

_CONSTANTS = {"pi": math.pi, "e": math.e}
_FOLDED: dict[type[ast.AST], Callable[[float, float], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMBINED: dict[type[ast.AST], Callable[[duals.Dual, duals.Dual], duals.Dual]] = {
    ast.Add: duals.add,
    ast.Sub: duals.subtract,
    ast.Mult: duals.multiply,
    ast.Div: duals.divide,
    ast.Pow: duals.power,
}
_PRODUCT_WITHOUT_SIGN = re.compile(r"\d\s*[A-Za-z(]|\)\s*[\w(]|\b[xy]\s*[xy(]\b")


def from_formula(
    text: str, *, window: Window | None = None, start: tuple[float, float] | None = None
) -> Surface:
    """Return the surface of a formula in ``x`` and ``y``.

    Parameters
    ----------
    text : numbers, ``x``, ``y``, ``pi``, ``e``, ``+ - * / **`` (or ``^``), parentheses, and
        sin, cos, tan, sinh, cosh, tanh, exp, log, sqrt, abs. At most 300 letters and 200 parts,
        nested 30 deep; an exponent lies between −64 and 64, the whole degree is at most 256.
    window : the view; from −5 to 5 on both axes if not given.
    start : where descents begin; if not given, a point near the upper left of the view that has
        a value.

    Raises
    ------
    ProblemError
        If the text is no such formula, or has no finite value in the window.
    """
    tree = _parse(text)
    part = _read(text, tree)
    view = window or WINDOW
    surface = Surface(
        name=text.strip(),
        formula="f(x, y) = " + latex(tree),
        summary="",
        value=_value_of(part),
        slope=_slope_of(part),
        minima=(),
        start=start or _usual_start(_value_of(part), view),
        window=view,
    )
    return find_minima(surface)


def _usual_start(value: Callable[[Any], Any], view: Window) -> tuple[float, float]:
    """Return a point near the upper left; the nearest that has a value where that has none."""
    (left, right), (bottom, top) = view
    point = left + 0.15 * (right - left), bottom + 0.8 * (top - bottom)
    if np.isfinite(value(np.array(point))):
        return point
    shares = np.stack(np.meshgrid(*[np.linspace(0.05, 0.95, 19)] * 2))
    grid = np.array([[[left]], [[bottom]]]) + shares * np.array(
        [[[right - left]], [[top - bottom]]]
    )
    there = np.flatnonzero(np.isfinite(value(grid)))
    if not len(there):
        return point
    away = np.hypot(shares[0] - 0.15, shares[1] - 0.8).ravel()
    x, y = grid.reshape(2, -1)[:, there[np.argmin(away[there])]]
    return float(x), float(y)


def _value_of(part: _Part) -> Callable[[Any], Any]:
    def value(point: Any) -> Any:
        x, y = point
        with np.errstate(all="ignore"):
            return part.at(duals.Dual(x), duals.Dual(y)).value + np.zeros_like(x)

    return value


def _slope_of(part: _Part) -> Callable[[Any], Any]:
    def slope(point: Any) -> tuple[Any, Any]:
        x, y = point
        flat = np.zeros_like(x)
        with np.errstate(all="ignore"):
            found = part.at(duals.Dual(x, along_x=1.0), duals.Dual(y, along_y=1.0))
            along_x, along_y = found.along_x, found.along_y
            return (
                flat if along_x is None else along_x + flat,
                flat if along_y is None else along_y + flat,
            )

    return slope


# ---- reading ---------------------------------------------------------------------------------


def _parse(text: str) -> ast.expr:
    if not isinstance(text, str) or not text.strip():
        raise ProblemError(_("a function needs a formula; got {text!r}").format(text=text))
    if len(text) > LONGEST:
        raise ProblemError(
            _("a formula has at most {most} letters; this one has {count}").format(
                most=LONGEST, count=len(text)
            )
        )
    source = text.strip().replace("^", "**")
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise _refused(text, _where_it_fails(source, error)) from None
    except (ValueError, RecursionError, MemoryError):
        raise _refused(
            text, _("it holds signs that no formula has, or too many parentheses")
        ) from None
    if _too_large(tree):
        raise _refused(text, _("it is nested too deeply or has too many parts"))
    return tree


def _where_it_fails(source: str, error: SyntaxError) -> str:
    if _PRODUCT_WITHOUT_SIGN.search(source):
        return _("write every product with *, as in 2*x")
    if source.count("(") != source.count(")"):
        return _("its parentheses do not match")
    if source[-1] in "+-*/":
        return _("it ends too early")
    rest = source[max(0, (error.offset or 1) - 1) :]
    return _("it cannot be read from {rest!r} on").format(rest=rest[:20])


def _too_large(tree: ast.AST) -> bool:
    """Whether a tree is too deep or has too many nodes; level by level, so that none is too deep."""
    level, count, depth = [tree], 0, 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > MOST_NODES or depth > DEEPEST:
            return True
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return False


def _refused(text: str, reason: str) -> ProblemError:
    return ProblemError(
        _("{text!r} is not a formula in x and y: {reason}").format(
            text=text if len(text) <= 60 else text[:57] + "...", reason=reason
        )
    )


@dataclass(frozen=True)
class _Part:
    """A part of a formula that depends on x or y, and how fast it grows."""

    at: Callable[[duals.Dual, duals.Dual], duals.Dual]
    degree: float = 1.0


def _read(text: str, tree: ast.expr) -> _Part:
    try:
        return _as_part(_Reader(text).read(tree))
    except ProblemError:
        raise
    except (OverflowError, ZeroDivisionError, ValueError, TypeError) as error:
        raise _refused(text, _("a number in it cannot be computed")) from error


def _as_part(read: float | _Part) -> _Part:
    if isinstance(read, _Part):
        return read
    constant = duals.Dual(read)
    return _Part(lambda x, y: constant, 0.0)


class _Reader:
    """Takes the nodes of the closed grammar over, and refuses every other."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, node: ast.AST) -> float | _Part:
        """Return the number of a constant part, the function of another."""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return _finite(node.value)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
            return self._signed(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _COMBINED:
            return self._combine(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _refused(
            self.text,
            _("{part!r} is not allowed").format(part=ast.unparse(node)[:40]),
        )

    def _name(self, name: str) -> float | _Part:
        if name == "x":
            return _Part(lambda x, y: x)
        if name == "y":
            return _Part(lambda x, y: y)
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        raise _refused(
            self.text,
            _("{name!r} is unknown; it may use x, y, pi, e and {functions}").format(
                name=name, functions=", ".join(FUNCTIONS)
            ),
        )

    def _signed(self, node: ast.UnaryOp) -> float | _Part:
        inner = self.read(node.operand)
        if isinstance(node.op, ast.UAdd):
            return inner
        if isinstance(inner, float):
            return -inner
        return _Part(lambda x, y: duals.negative(inner.at(x, y)), inner.degree)

    def _combine(self, node: ast.BinOp) -> float | _Part:
        left, right = self.read(node.left), self.read(node.right)
        if isinstance(left, float) and isinstance(right, float):
            return _finite(_FOLDED[type(node.op)](left, right))
        if isinstance(right, float):
            self._check_number(node.op, right)
            if isinstance(node.op, ast.Pow):
                return self._to_a_number(_as_part(left), right)
        combine = _COMBINED[type(node.op)]
        one, other = _as_part(left), _as_part(right)
        return _Part(
            lambda x, y: combine(one.at(x, y), other.at(x, y)),
            self._degree(
                ast.Mult() if isinstance(node.op, ast.Pow) else node.op, one.degree, other.degree
            ),
        )

    def _to_a_number(self, base: _Part, exponent: float) -> _Part:
        return _Part(
            lambda x, y: duals.to_a_number(base.at(x, y), exponent),
            self._degree(ast.Pow(), base.degree, exponent),
        )

    def _check_number(self, op: ast.operator, number: float) -> None:
        if isinstance(op, ast.Pow) and abs(number) > LARGEST_EXPONENT:
            raise _refused(
                self.text,
                _("an exponent lies between −{most} and {most}").format(most=LARGEST_EXPONENT),
            )
        if isinstance(op, ast.Div) and number == 0:
            raise _refused(self.text, _("it divides by zero"))

    def _degree(self, op: ast.operator, left: float, right: float) -> float:
        """Return the degree of two combined parts; of a power with a number, ``right`` is that."""
        if isinstance(op, ast.Pow):
            degree = left * abs(right)
        elif isinstance(op, ast.Mult | ast.Div):
            degree = left + right
        else:
            degree = max(left, right)
        if degree > HIGHEST_DEGREE:
            raise _refused(
                self.text,
                _("its degree is {degree:g}; at most {most}").format(
                    degree=degree, most=HIGHEST_DEGREE
                ),
            )
        return degree

    def _call(self, node: ast.Call) -> float | _Part:
        known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        if not known or len(node.args) != 1 or node.keywords:
            if isinstance(node.func, ast.Constant | ast.BinOp) or _is_variable(node.func):
                raise _refused(self.text, _("write every product with *, as in 2*x"))
            raise _refused(
                self.text,
                _(
                    "{part!r} is not allowed; it may call {functions}, each with one argument"
                ).format(part=ast.unparse(node)[:40], functions=", ".join(FUNCTIONS)),
            )
        name = node.func.id  # type: ignore[attr-defined]
        argument = self.read(node.args[0])
        if isinstance(argument, float):
            with np.errstate(all="ignore"):
                return _finite(float(FUNCTIONS[name](argument)))
        return _Part(lambda x, y: duals.call(name, argument.at(x, y)), argument.degree)


def _is_variable(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("x", "y", *_CONSTANTS)


def _finite(number: Any) -> float:
    if isinstance(number, complex) or not math.isfinite(number):
        raise ValueError("not a finite real number")
    return float(number)

"""A surface from a formula a user writes, such as ``x**2 + 10*y**2``.

The text is never evaluated. Python's own parser turns it into a tree; only the nodes of a closed
grammar are taken over into SymPy, which differentiates; and what SymPy returns is walked by
functions of this file. Numbers are folded here, so that no text can ask for an endless power.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from descenso.errors import ProblemError
from descenso.language import _
from descenso.paths._minima import find_minima
from descenso.problems.surfaces import Surface

Window = tuple[tuple[float, float], tuple[float, float]]

LONGEST = 300  # letters
MOST_NODES = 200
DEEPEST = 30
LARGEST_EXPONENT = 64
WINDOW: Window = ((-5.0, 5.0), (-5.0, 5.0))

#: What may be called, and how NumPy computes it.
FUNCTIONS: dict[str, Any] = {
    name: getattr(np, name)
    for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs")
}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def from_formula(
    text: str, *, window: Window | None = None, start: tuple[float, float] | None = None
) -> Surface:
    """Return the surface of a formula in ``x`` and ``y``.

    Parameters
    ----------
    text : numbers, ``x``, ``y``, ``pi``, ``e``, ``+ - * / **`` (or ``^``), parentheses, and
        sin, cos, tan, sinh, cosh, tanh, exp, log, sqrt, abs. At most 300 letters.
    window : the view; from −5 to 5 on both axes if not given.
    start : where descents begin; a point near the upper left of the view if not given.

    Raises
    ------
    ProblemError
        If the text is no such formula, or has no finite value in the window.
    """
    expression = _read(text)
    view = window or WINDOW
    value, slope = _functions(expression)
    surface = Surface(
        name=text.strip(),
        formula="f(x, y) = " + _latex(expression),
        summary="",
        value=value,
        slope=slope,
        minima=(),
        start=start or _upper_left(view),
        window=view,
    )
    return find_minima(surface)


def _upper_left(view: Window) -> tuple[float, float]:
    (left, right), (bottom, top) = view
    return left + 0.15 * (right - left), bottom + 0.8 * (top - bottom)


def _read(text: str) -> Any:
    """Return the formula as a SymPy expression."""
    if not isinstance(text, str) or not text.strip():
        raise ProblemError(_("a function needs a formula; got {text!r}").format(text=text))
    if len(text) > LONGEST:
        raise ProblemError(
            _("a formula has at most {most} letters; this one has {count}").format(
                most=LONGEST, count=len(text)
            )
        )
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refused(text, getattr(error, "msg", None) or str(error)) from None
    count = sum(1 for _node in ast.walk(tree))
    if count > MOST_NODES or _depth(tree) > DEEPEST:
        raise _refused(text, _("it is nested too deeply or has too many parts"))
    try:
        expression = _Reader(text).read(tree)
    except ProblemError:
        raise
    except (OverflowError, ZeroDivisionError, ValueError, TypeError) as error:
        raise _refused(text, _("a number in it cannot be computed")) from error
    return _as_sympy(expression)


def _depth(node: ast.AST) -> int:
    """Return how deep the tree is; the length of the text bounds the recursion."""
    return 1 + max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)


def _refused(text: str, reason: str) -> ProblemError:
    return ProblemError(
        _("{text!r} is not a formula in x and y: {reason}").format(
            text=text if len(text) <= 60 else text[:57] + "...", reason=reason
        )
    )


class _Reader:
    """Takes the nodes of the closed grammar over, and refuses every other."""

    def __init__(self, text: str) -> None:
        import sympy

        self.text, self.sympy = text, sympy
        self.symbols = {name: sympy.Symbol(name, real=True) for name in ("x", "y")}

    def read(self, node: ast.AST) -> Any:
        """Return a Python number for a constant part, a SymPy expression for another."""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return _finite(node.value)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
            inner = self.read(node.operand)
            return -inner if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return self._combine(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _refused(
            self.text,
            _("{part!r} is not allowed").format(part=ast.unparse(node)[:40]),
        )

    def _name(self, name: str) -> Any:
        if name in self.symbols:
            return self.symbols[name]
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        raise _refused(
            self.text,
            _("{name!r} is unknown; it may use x, y, pi, e and {functions}").format(
                name=name, functions=", ".join(FUNCTIONS)
            ),
        )

    def _combine(self, node: ast.BinOp) -> Any:
        left, right = self.read(node.left), self.read(node.right)
        combine = _OPERATORS[type(node.op)]
        if isinstance(left, float) and isinstance(right, float):
            return _finite(combine(left, right))
        is_power = isinstance(node.op, ast.Pow) and isinstance(right, float)
        if is_power and abs(right) > LARGEST_EXPONENT:
            raise _refused(
                self.text,
                _("an exponent lies between −{most} and {most}").format(most=LARGEST_EXPONENT),
            )
        if isinstance(node.op, ast.Div) and right == 0:
            raise _refused(self.text, _("it divides by zero"))
        return combine(_as_sympy(left), _as_sympy(right))

    def _call(self, node: ast.Call) -> Any:
        known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        if not known or len(node.args) != 1 or node.keywords:
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
        return getattr(self.sympy, "Abs" if name == "abs" else name)(argument)


def _finite(number: Any) -> float:
    if isinstance(number, complex) or not math.isfinite(number):
        raise ValueError("not a finite real number")
    return float(number)


def _as_sympy(value: Any) -> Any:
    """Return a number as SymPy's own; small whole numbers stay whole, so that powers stay neat."""
    import sympy

    if not isinstance(value, float):
        return value
    return (
        sympy.Integer(int(value))
        if value.is_integer() and abs(value) <= 1e6
        else sympy.Float(value)
    )


def _latex(expression: Any) -> str:
    import sympy

    return str(sympy.latex(sympy.N(expression, 6) if expression.has(sympy.Float) else expression))


def _functions(expression: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    import sympy

    x, y = (sympy.Symbol(name, real=True) for name in ("x", "y"))
    value = _walkable(expression)
    along_x, along_y = (_walkable(sympy.diff(expression, symbol)) for symbol in (x, y))

    def at(point: Any) -> Any:
        with np.errstate(all="ignore"):
            return value(point[0], point[1]) + 0.0 * point[0]

    def slope(point: Any) -> tuple[Any, Any]:
        x, y = point
        with np.errstate(all="ignore"):
            return along_x(x, y) + 0.0 * x, along_y(x, y) + 0.0 * y

    return at, slope


_CALLED = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "exp": np.exp, "log": np.log, "Abs": np.abs, "sign": np.sign,
}  # fmt: skip


def _walkable(expression: Any) -> Callable[[Any, Any], Any]:
    """Return a function of (x, y) that walks a SymPy expression; no code is written or run."""
    if expression.is_Symbol:
        return (lambda x, y: x) if expression.name == "x" else (lambda x, y: y)
    if expression.is_number:
        number = float(expression)
        return lambda x, y: number
    parts = [_walkable(part) for part in expression.args]
    if expression.is_Add:
        return lambda x, y: sum(part(x, y) for part in parts)
    if expression.is_Mul:
        return lambda x, y: math.prod(part(x, y) for part in parts)
    if expression.is_Pow:
        return _power(expression, *parts)
    function = _CALLED[expression.func.__name__]
    return lambda x, y: function(parts[0](x, y))


def _power(
    expression: Any, base: Callable[[Any, Any], Any], exponent: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    if not expression.exp.is_number:
        return lambda x, y: np.power(base(x, y), exponent(x, y))
    number = float(expression.exp)
    if number == 0.5:
        return lambda x, y: np.sqrt(base(x, y))
    if number.is_integer():
        whole = int(number)
        if whole < 0:
            return lambda x, y: np.divide(1.0, base(x, y) ** -whole)
        return lambda x, y: base(x, y) ** whole
    return lambda x, y: np.power(base(x, y), number)

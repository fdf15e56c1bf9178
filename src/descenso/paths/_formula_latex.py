"""Write a formula's tree as LaTeX, as its author wrote it: nothing is reordered or simplified."""

from __future__ import annotations

import ast

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)
_NAMED = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log")


def latex(node: ast.AST) -> str:
    """Return the LaTeX of a tree that the grammar of formulas holds."""
    return _written(node)[0]


def _written(node: ast.AST) -> tuple[str, int]:
    """Return the text and how tightly its outermost operation binds."""
    if isinstance(node, ast.Constant):
        return _number(node.value)
    if isinstance(node, ast.Name):
        return {"pi": r"\pi"}.get(node.id, node.id), _ATOM
    if isinstance(node, ast.UnaryOp):
        inner = _bound(node.operand, _SIGN)
        return (f"-{inner}", _SIGN) if isinstance(node.op, ast.USub) else (inner, _SIGN)
    if isinstance(node, ast.BinOp):
        return _operation(node)
    assert isinstance(node, ast.Call)
    return _call(node)


def _bound(node: ast.AST, tightness: int) -> str:
    text, own = _written(node)
    return text if own >= tightness else rf"\left({text}\right)"


def _operation(node: ast.BinOp) -> tuple[str, int]:
    match node.op:
        case ast.Add():
            return f"{_bound(node.left, _SUM)} + {_bound(node.right, _PRODUCT)}", _SUM
        case ast.Sub():
            return f"{_bound(node.left, _SUM)} - {_bound(node.right, _PRODUCT)}", _SUM
        case ast.Mult():
            left, right = _bound(node.left, _PRODUCT), _bound(node.right, _POWER)
            sign = r"\cdot" if right[0].isdigit() else r"\,"
            return f"{left} {sign} {right}", _PRODUCT
        case ast.Div():
            return rf"\frac{{{latex(node.left)}}}{{{latex(node.right)}}}", _PRODUCT
    return _power(node), _POWER


def _power(node: ast.BinOp) -> str:
    exponent = latex(node.right)
    base = node.left
    if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id in _NAMED:
        return rf"\{base.func.id}^{{{exponent}}}\left({latex(base.args[0])}\right)"
    return f"{_bound(base, _ATOM)}^{{{exponent}}}"


def _call(node: ast.Call) -> tuple[str, int]:
    inner = latex(node.args[0])
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    match name:
        case "sqrt":
            return rf"\sqrt{{{inner}}}", _ATOM
        case "abs":
            return rf"\left|{inner}\right|", _ATOM
        case "exp":
            return rf"e^{{{inner}}}", _POWER
    return rf"\{name}\left({inner}\right)", _ATOM


def _number(value: object) -> tuple[str, int]:
    assert isinstance(value, int | float)
    text, _e, power = f"{float(value):.6g}".partition("e")
    if not power:
        return text, _ATOM
    return rf"{text} \cdot 10^{{{int(power)}}}", _PRODUCT

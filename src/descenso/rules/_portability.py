"""Find in a rule's text, or in its failure, what works in one framework only.

A rule is run on arrays of four frameworks, in compiled code and on symbols; whatever is not an
operator or an operation of ``xp`` fails in some of them, often not in the one it was tried in.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from descenso.errors import DescensoError, RuleError, in_a_line
from descenso.language import _, did_you_mean
from descenso.ops import OPERATIONS

# What arrays of every framework have, known before anything is computed.
_STATIC = ("shape", "ndim", "dtype")
# ``state`` is a dict, and so may be what a rule makes for its new state.
_OF_A_DICT = ("get", "items", "keys", "values", "update", "setdefault", "pop")
_VALUES = ("theta", "g", "t")


def check_portable(function: Callable[..., Any]) -> None:
    """Refuse a rule whose text calls what is not of ``xp``, or branches on a value.

    Raises
    ------
    RuleError
        Naming the file, the line and the operations there are.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):  # typed at a prompt: there is no text to read
        return
    ast.increment_lineno(tree, first - 1)
    file = inspect.getsourcefile(function) or ""
    outer = {*function.__globals__, *function.__code__.co_freevars}
    body = [node for made in tree.body for node in getattr(made, "body", [])]
    for line, fault in _faults(body, outer):
        raise RuleError(_where(function.__name__, file, line) + fault + _allowed())


def explain(name: str, file: str, error: Exception) -> RuleError | None:
    """Return the error of a rule whose own lines failed, or None if the fault is not the rule's."""
    if isinstance(error, DescensoError):
        return None
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    if not line:
        return None
    return RuleError(_where(name, file, line) + in_a_line(error).rstrip(".") + "." + _allowed())


def _where(name: str, file: str, line: int) -> str:
    return _("{file}, line {line}: rule {rule}: ").format(file=file, line=line, rule=name)


def _allowed() -> str:
    return _(
        " A rule uses operators and xp.{operations} alone, so that every framework can run it."
    ).format(operations=", xp.".join(OPERATIONS))


def _faults(body: list[ast.stmt], outer: set[str]) -> Iterator[tuple[int, str]]:
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.Attribute):
            fault = _attribute(node, outer)
        elif isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
            fault = _branch(node.test)
        elif isinstance(node, ast.BoolOp) or _is_chained(node):
            fault = _branch(node)
        else:
            continue
        if fault and isinstance(node, ast.expr | ast.stmt):
            yield node.lineno, fault


def _is_chained(node: ast.AST) -> bool:
    """Whether it is 0 < t < 2, which Python reads as a branch."""
    return isinstance(node, ast.Compare) and len(node.ops) > 1


def _attribute(node: ast.Attribute, outer: set[str]) -> str:
    root: ast.AST = node.value
    if isinstance(root, ast.Name) and root.id == "xp":
        if node.attr in OPERATIONS:
            return ""
        hint = did_you_mean(node.attr, OPERATIONS, prefix="xp.")
        return _("there is no operation xp.{name}.").format(name=node.attr) + hint
    while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
        root = root.func if isinstance(root, ast.Call) else root.value
    # A name from outside the rule, such as math, is the file's own affair; xp.sum(g).T is not.
    if isinstance(root, ast.Name) and root.id in outer:
        return ""
    if node.attr in (*_STATIC, *_OF_A_DICT):
        return ""
    return _("it asks an array for .{name}, which not every framework has.").format(name=node.attr)


def _branch(test: ast.AST) -> str:
    name = next(_values_in(test), "")
    if not name:
        return ""
    return _(
        "it branches on {name}, which compiled code knows only while it runs: write "
        "xp.where(condition, a, b)."
    ).format(name=name)


def _values_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in _STATIC:
        return
    if isinstance(node, ast.Name) and node.id in _VALUES:
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _values_in(child)

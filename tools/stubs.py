"""Keep what editors and mypy know of the rules' classes and functions in step with the rules.

Run as ``python tools/stubs.py update`` or ``check``. Each binding makes its names when they are
asked for; ``update`` writes them down in ``src/descenso/<binding>/_names.pyi``, with settings,
defaults and titles; ``check`` names the files that are not current.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from descenso import rules
from descenso.rules import Hyperparameter, Rule

SOURCE = Path(__file__).resolve().parent.parent / "src" / "descenso"
BINDINGS = ("jax", "keras", "numpy", "torch")

_HEAD = '''"""The names of the rules, written by ``tools/stubs.py``."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, SupportsFloat, TypeAlias

{imports}

# A number, an array of one number, or a schedule.
_Number: TypeAlias = SupportsFloat | Callable[[Any], Any]
'''
_CHOICES = {
    "nonfinite": 'Literal["pass", "skip", "raise"] = "pass"',
    "transforms": "Iterable[Transform] = ()",
}
_TRANSFORM = "from descenso.transforms import Transform"
_IMPORTS = {
    "jax": f"from descenso.jax._transformation import GradientTransformation\n{_TRANSFORM}",
    "keras": f"from descenso.keras._optimizer import RuleOptimizer\n{_TRANSFORM}",
    "numpy": f"from descenso.numpy._optimizer import Optimizer\n{_TRANSFORM}",
    "torch": "import torch\n\nfrom descenso.torch._optimizer import RuleOptimizer",
}


def stub(binding: str) -> str:
    """Return the text of one binding's file."""
    made = [_entry(binding, rules.get(n)) for n in rules.names() if rules.is_built_in(n)]
    return "\n".join([_HEAD.format(imports=_IMPORTS[binding]), *made]).replace("'", '"')


def _entry(binding: str, rule: Rule) -> str:
    options = dict(_CHOICES)
    if binding in ("jax", "numpy"):
        if binding == "jax":
            options["state_dtype"] = "Any = None"
        returned = "GradientTransformation" if binding == "jax" else "Optimizer"
        return _function(rule.name, rule, (), options, returned, "")
    if binding == "torch":
        options, first = _torch_options(), ("self", "params: Iterable[Any]")
    else:
        options, first = {**options, "learning_rate": "_Number | None = None"}, ("self",)
    init = _function("__init__", rule, first, options, "None", "    ", binding == "keras")
    return f'class {rules.class_name(rule)}(RuleOptimizer):\n    """{rule.title}."""\n\n{init}'


def _function(
    name: str, rule: Rule, first: tuple[str, ...], options: dict[str, str],
    returned: str, indent: str, more: bool = False,
) -> str:  # fmt: skip
    lr, *others = [_setting(h) for h in rule.hyperparameters.values()]
    lines = [*first, lr, "*", *others]
    lines += [f"{option}: {kind}" for option, kind in options.items()]
    lines += ["**options: Any"] if more else []  # what every optimizer of Keras takes
    body = "".join(f"{indent}    {line},\n" for line in lines)
    end = " ..." if name == "__init__" else f'\n{indent}    """{rule.title}."""'
    return f"{indent}def {name}(\n{body}{indent}) -> {returned}:{end}\n"


def _setting(h: Hyperparameter) -> str:
    kind = "bool" if h.is_switch else "_Number"
    return f"{h.name}: {kind} = {'...' if isinstance(h.default, str) else h.default}"


def _torch_options() -> dict[str, str]:
    """Return the options of every PyTorch optimizer, as its base class declares them."""
    tree = ast.parse((SOURCE / "torch" / "_optimizer.py").read_text(encoding="utf-8"))
    base = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "RuleOptimizer")
    init = next(n for n in base.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    given = zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    return {
        a.arg: f"{ast.unparse(a.annotation)} = {ast.unparse(default)}"
        for a, default in given
        if a.annotation is not None and default is not None
    }


def file(binding: str) -> Path:
    """Return where a binding's names are written down."""
    return SOURCE / binding / "_names.pyi"


def stale() -> list[str]:
    """Return the files that are not what the rules make of them."""
    return [
        str(file(binding).relative_to(SOURCE))
        for binding in BINDINGS
        if not file(binding).exists() or file(binding).read_text(encoding="utf-8") != stub(binding)
    ]


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    if arguments == ["update"]:
        for binding in BINDINGS:
            file(binding).write_text(stub(binding), encoding="utf-8")
    elif arguments != ["check"]:
        print(__doc__)
        return 2
    found = stale()
    print("\n".join(f"not current: {name}" for name in found) or "current")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

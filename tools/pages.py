"""Keep the pages of docs/reference/ in step with rules, schedules, transforms, problems and
the options of a study.

Run as ``python tools/pages.py update`` or ``check``. A page is made of the file that it documents:
nothing in it is written by hand.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from descenso import problems, rules, schedules, transforms
from descenso.conventions import native
from descenso.problems import surfaces
from descenso.rules import Hyperparameter, Rule
from descenso.study.design import OPTIONS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


def pages() -> dict[str, str]:
    """Return the text of each page by its name below docs/reference/."""
    built_in = [rules.get(name) for name in rules.names() if rules.is_built_in(name)]
    found = {f"rules/{rule.name}.md": _rule_page(rule) for rule in built_in}
    rows = [f"| [{r.name}](rules/{r.name}.md) | {r.title.partition(': ')[2]} |" for r in built_in]
    found["rules.md"] = "\n".join(["# Rules\n", "| rule | what it does |", "|---|---|", *rows, ""])
    found["schedules.md"] = _functions_page("Schedules", schedules)
    found["transforms.md"] = _functions_page("Transforms", transforms)
    found["problems.md"] = _problems_page()
    found["study.md"] = _study_page()
    return found


def _rule_page(rule: Rule) -> str:
    title, _line, rest = rule.doc.partition("\n")
    arrays = rule.state_names(dict.fromkeys(rule.hyperparameters, True))
    name = rules.class_name(rule)
    return "\n".join(
        [
            f"# {name}\n",
            f"{title}\n",
            f"{_markdown(rest)}\n",
            "## Settings\n",
            "| setting | default | range | scale | searched first | meaning |",
            "|---|---|---|---|---|---|",
            *(_setting_row(h) for h in rule.hyperparameters.values()),
            "",
            f"Arrays kept between steps, each of the parameter's shape: "
            f"{', '.join(f'`{a}`' for a in arrays) or 'none'}.\n",
            "## In each framework\n",
            "| framework | this rule | its own optimizer that takes the same steps |",
            "|---|---|---|",
            f"| PyTorch | `descenso.torch.{name}` | {_equals(rule, 'torch')} |",
            f"| Keras | `descenso.keras.{name}` | {_equals(rule, 'keras')} |",
            f"| JAX | `descenso.jax.{rule.name}` | {_equals(rule, 'optax')} |",
            f"| NumPy | `descenso.numpy.{rule.name}` | none |",
            "",
            f"## Source\n\n{rule.paper}.\n",
        ]
    )


def _setting_row(h: Hyperparameter) -> str:
    default = f"as `{h.default}`" if isinstance(h.default, str) else f"`{h.default}`"
    unit = "" if h.unit == "1" or h.is_switch else f" ({h.unit})"
    first = f"{h.search[0]:g} to {h.search[1]:g}" if h.search else "not searched"
    return f"| `{h.name}` | {default} | {h.range_text} | {h.scale} | {first} | {h.meaning}{unit} |"


def _equals(rule: Rule, framework: str) -> str:
    rows = [row for row in native.natives(rule.name) if row.framework == framework]
    return "; ".join(_condition(row) for row in rows) or "none"


def _condition(row: native.Native) -> str:
    known = rules.get(row.rule).hyperparameters
    needs = [f"`{n}` is {'off' if known[n].is_switch else 0}" for n in row.zero]
    needs += [f"`{n}` > 0" for n in row.positive]
    return f"`{row.name}`" + (f" where {' and '.join(needs)}" if needs else "")


def _functions_page(title: str, module: ModuleType) -> str:
    folder = Path(str(module.__file__)).parent
    names = sorted(path.stem for path in folder.glob("[!_]*.py"))
    sections = [_function_section(getattr(module, name)) for name in names]
    return "\n".join([f"# {title}\n", *sections])


def _function_section(make: Any) -> str:
    text, _line, rest = inspect.getdoc(make).partition("Parameters\n----------\n")
    declared, _line, source = rest.partition("\n\nSource: ")
    rows = [line.partition(" : ")[::2] for line in declared.splitlines()]
    signature = re.sub(r"\s+", " ", f"{make.__name__}{inspect.signature(make)}")
    return "\n".join(
        [
            f"## `{signature}`\n",
            f"{_markdown(text)}\n",
            "| argument | meaning |",
            "|---|---|",
            *(f"| `{name}` | {_markdown(meaning)} |" for name, meaning in rows if name),
            "",
            f"Source: {_markdown(source)}\n",
        ]
    )


def _problems_page() -> str:
    lines = ["# Problems\n", "| problem | what is trained |", "|---|---|"]
    for name in problems.names():
        surface = surfaces.is_surface(name)
        made = surfaces.get(name) if surface else problems.get(name)
        formula = f": ${made.formula}$" if surface else ""
        lines.append(f"| `{name}` | {made.summary}{formula} |")
    return "\n".join([*lines, ""])


def _study_page() -> str:
    lines = [
        "# Options of a study\n",
        "As arguments of `descenso.compare`, as options of `descenso compare` (`--until-decided`),",
        "and as fields of the page that `descenso serve` shows.\n",
        "| option | default | meaning |",
        "|---|---|---|",
    ]
    for name, option in OPTIONS.items():
        flag, usual = name.replace("_", "-"), option.usual
        off = f" / `--no-{flag}`" if option.no else ""
        choices = (
            f" One of {', '.join(f'`{c}`' for c in option.choices)}." if option.choices else ""
        )
        text = re.sub(r"(--[a-z-]+)", r"``\1``", f"{option.help}.{choices} {option.more}".strip())
        shown = "–" if usual is None else f"`{usual}`"
        lines.append(f"| `{name}`, `--{flag}`{off} | {shown} | {_markdown(text)} |")
    return "\n".join([*lines, ""])


def _markdown(text: str) -> str:
    """Return reStructuredText as Markdown that GitHub and MkDocs show, formulas too."""
    text = re.sub(r"\.\. math::\n?((?: .*\n| *\n)+)", _formula, text.strip() + "\n")
    text = re.sub(r":math:`(.+?)`", r"$`\1`$", text, flags=re.S)
    return re.sub(r"``(.+?)``", r"`\1`", text).strip()


def _formula(match: re.Match[str]) -> str:
    inside = inspect.cleandoc(match[1]).strip()
    if "&" in inside or "\\\\" in inside:
        inside = f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"
    return f"```math\n{inside}\n```\n\n"


def stale() -> list[str]:
    """Return the pages that are missing, are not what the files make of them, or have no file."""
    wanted = pages()
    there = {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*.md")
    }
    return sorted(n for n in {*wanted, *there} if wanted.get(n) != there.get(n))


def update() -> None:
    """Write the pages; remove those whose file is gone."""
    wanted = pages()
    for path in FOLDER.rglob("*.md"):
        if str(path.relative_to(FOLDER)) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    if arguments == ["update"]:
        update()
    elif arguments != ["check"]:
        print(__doc__)
        return 2
    found = stale()
    print("\n".join(f"not current: {name}" for name in found) or "current")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

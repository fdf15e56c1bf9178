"""The code that the documents show does what they say."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def block(document: str, containing: str) -> str:
    """Return the Python block of a document that holds ``containing``."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    return next(code for code in blocks if containing in code)


def run(code: str, folder: Path) -> str:
    """Run code in a process of its own, in ``folder``."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "XDG_DATA_HOME": str(folder)},  # not the user's own studies
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_rule_in_contributing_is_a_whole_rule_and_conforms(tmp_path):
    (tmp_path / "soft_lion.py").write_text(
        block("CONTRIBUTING.md", "def soft_lion("), encoding="utf-8"
    )
    code = block("CONTRIBUTING.md", "def test_soft_lion(").replace(
        'check_rule("soft_lion.py")', 'check_rule("soft_lion.py", ["numpy", "jax"])'
    )
    code += """
test_soft_lion()
import numpy as np, descenso
from descenso import rules
from descenso.ops import numpy as xp
rule = rules.get("soft_lion")
theta, state = rule.update(xp, np.array([1.0, 2.0]), np.array([0.5, -3.0]),
                           {"m": np.array([0.0, 0.1])}, 1, rule.settings(lr=0.1, eps=0.05))
assert np.allclose(theta, [0.95, 2.08076923]), theta
assert np.allclose(state["m"], [0.005, 0.069]), state
run, = descenso.train("line", "soft_lion(lr=0.02)", epochs=100)
print(run.curve.validation_loss[0] > 10 * run.curve.validation_loss[-1])
"""
    assert run(code, tmp_path).strip() == "True"


def test_one_command_draws_every_picture_of_the_documents():
    images = load_tool("images")
    there = {file.name for file in (ROOT / "docs" / "images").iterdir()}
    assert set(images.PICTURES) == there
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "docs").rglob("*.md")]
    texts.append((ROOT / "README.md").read_text(encoding="utf-8"))
    shown = {Path(place).name for text in texts for place in re.findall(r"!\[.*?\]\((.+?)\)", text)}
    assert shown == there


def test_the_picture_of_growth_is_drawn_from_the_published_tables(tmp_path):
    images = load_tool("images")
    members = images.published_growth("members")
    assert members[0] == {"value": 1, "seconds": 0.0138, "compile_seconds": 1.1}
    assert [len(images.published_growth(s)) for s in ("members", "parameters", "examples")] == [
        7,
        9,
        7,
    ]
    images.growth(tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def load_tool(name: str):
    """Return a script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_problem_in_the_readme_can_be_compared(tmp_path):
    data = "from sklearn.datasets import load_wine\ninputs, labels = load_wine(return_X_y=True)\n"
    data += "inputs = ((inputs - inputs.mean(0)) / inputs.std(0)).astype('float32')\n"
    (tmp_path / "mymodule.py").write_text(data + block("README.md", "def init(key)"))
    code = """
import descenso
study = descenso.compare("mymodule:problem", "adam", epochs=3, seeds=2, trials=2, store="s.db")
print(study.verdict.best)
"""
    assert run(code, tmp_path).strip() == "adam"


def test_the_python_in_the_readme_runs(tmp_path):
    code = block("README.md", "study.verdict.text").replace(
        "seeds=10", "seeds=2, epochs=2, trials=2"
    )
    run(code, tmp_path)
    assert (tmp_path / "report.html").is_file()


def test_both_setup_commands_and_their_pip_equivalents_are_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
    extras = re.search(r'-e "\.\[(.*?)\]"', readme).group(1)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"[{extras}]" in makefile

"""A file in a folder is a rule; a file that is none is refused by its name."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from descenso import methods, rules
from descenso.errors import RuleError, UnknownNameError

SOUND = '''
    from descenso.rules import hyperparameter, rule

    @rule(paper="Nobody (2026)", state=("v",))
    def drifting(xp, theta, g, state, t, *,
                 lr=hyperparameter(0.02, meaning="step size", above=0, scale="log"),
                 drift=hyperparameter(0.5, meaning="share kept", at_least=0, below=1),
                 kept=hyperparameter("drift", meaning="follows drift", at_least=0, below=1)):
        r"""Drift: keep going.

        .. math::

            v \\leftarrow d v + g
        """
        v = drift * state["v"] + g
        return theta - lr * v, {"v": v}
'''


@pytest.fixture
def write(tmp_path):
    def write_rule(text=SOUND, name="drifting") -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write_rule


def test_a_loaded_rule_is_a_method_with_settings_and_ranges(write):
    loaded = rules.load_rule_file(write())
    assert rules.get("drifting") is loaded
    assert "drifting" in rules.names()
    assert "drifting" in methods.names()
    method = methods.parse("drifting(drift=0.25)@8")
    assert method.definition().settings(**method.fixed) == {"lr": 0.02, "drift": 0.25, "kept": 0.25}
    with pytest.raises(UnknownNameError, match=r"Did you mean 'drifting'\?"):
        methods.parse("drifitng")


def test_a_loaded_rule_can_be_trained(write):
    import descenso

    rules.load_rule_file(write())
    (run,) = descenso.train("line", "drifting@all", epochs=3)
    losses = run.curve.validation_loss
    assert losses[-1] < losses[0]


def test_a_file_dropped_into_the_folder_is_everywhere_at_once(tmp_path):
    """Copy the package, drop a rule in, and ask the commands of the copy."""
    import shutil

    package = Path(rules.__file__).parent.parent
    shutil.copytree(package, tmp_path / "descenso", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "descenso" / "rules" / "drifting.py").write_text(textwrap.dedent(SOUND))
    code = "from descenso.cli import main; main(['methods'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "drifting" in done.stdout
    assert "kept=drift" in done.stdout


def test_the_same_file_may_be_loaded_again(write):
    path = write()
    rules.load_rule_file(path)
    assert rules.load_rule_file(path) is rules.get("drifting")


MALFORMED = {
    "not Python": ("def (:", "SyntaxError"),
    "raises": ("raise KeyError('gone')", "KeyError: 'gone'"),
    "stops the interpreter": ("raise SystemExit(0)", "SystemExit: 0"),
    "no rule": ("x = 1", "holds exactly one rule; this one holds 0"),
    "two rules": (
        textwrap.dedent(SOUND) + textwrap.dedent(SOUND).replace("drifting", "second"),
        "this one holds 2",
    ),
    "another name": (SOUND.replace("drifting", "other"), "must be named as its file"),
    "other arguments": (SOUND.replace("theta, g, state", "theta, state"), "must take (xp, theta"),
    "an undeclared setting": (SOUND.replace(
        'hyperparameter(0.5, meaning="share kept", at_least=0, below=1)', "0.5"), "'drift' must be"),
    "no learning rate": (SOUND.replace("lr=", "rate="), "learning rate named 'lr'"),
    "no formula": (SOUND.replace(".. math::", "formula:"), "must hold a '.. math::' block"),
    "a default outside its range": (SOUND.replace("(0.02", "(-1"), "outside its own range"),
    "an empty range": (SOUND.replace("at_least=0, below=1", "at_least=1, below=0", 1), "empty"),
    "an end given twice": (SOUND.replace("above=0", "above=0, at_least=0"), "not both"),
    "an unknown scale": (SOUND.replace('scale="log"', 'scale="cubic"'), "got 'cubic'"),
    "a search outside the range": (
        SOUND.replace("below=1", "below=1, search=(0, 2)", 1), "must lie in the range"),
    "a search from zero on a log scale": (
        SOUND.replace('scale="log"', 'scale="log", search=(0, 1)'), "must be positive"),
    "follows what comes later": (
        SOUND.replace('hyperparameter(0.5, meaning="share kept"', 'hyperparameter("kept", meaning="x"'),
        "follows 'kept'"),
    "a state that is one text": (SOUND.replace('state=("v",)', 'state="v"'), "tuple of names"),
    "a state of numbers": (SOUND.replace('state=("v",)', 'state=(1,)'), "tuple of names"),
}  # fmt: skip


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_rule_is_refused_and_its_file_named(write, fault):
    text, says = MALFORMED[fault]
    path = write(text)
    with pytest.raises(RuleError) as caught:
        rules.load_rule_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "drifting" not in rules.names()


def test_a_rule_of_a_name_that_is_taken_is_refused_and_both_files_named(write):
    path = write(SOUND.replace("drifting", "adam"), name="adam")
    with pytest.raises(RuleError) as caught:
        rules.load_rule_file(path)
    assert f"{path}: a rule named 'adam' exists already in {rules.get('adam').file}" == str(
        caught.value
    )


@pytest.mark.parametrize("name", ["none.py", "folder", "text.txt"])
def test_what_is_no_python_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("x = 1")
    with pytest.raises(RuleError, match=re.escape(f"{tmp_path / name}: not a Python file")):
        rules.load_rule_file(tmp_path / name)


def test_only_rules_can_be_registered():
    with pytest.raises(RuleError, match="takes a rule made with @rule"):
        rules.register(lambda: None)


def test_an_unknown_rule_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"'rmsporp'.*Did you mean 'rmsprop'\?"):
        rules.get("rmsporp")


def test_every_file_of_the_folder_is_a_rule_of_its_name():
    folder = Path(rules.__file__).parent
    files = {path.stem for path in folder.glob("[!_]*.py")}
    assert files == set(rules.names())


NOT_PORTABLE = {
    "a method of some arrays": ("g.sum()", "asks an array for .sum"),
    "a transpose": ("state['v'].T", "asks an array for .T"),
    "an unknown operation": ("xp.sqr(g)", "no operation xp.sqr. Did you mean 'xp.sqrt'"),
    "a branch on the step": ("g if t < 2 else 0 * g", "branches on t"),
    "a chain of comparisons": ("(0 < t < 2) * g", "branches on t"),
}


@pytest.mark.parametrize("fault", NOT_PORTABLE)
def test_what_not_every_framework_can_run_is_refused_with_its_line(write, fault):
    expression, says = NOT_PORTABLE[fault]
    path = write(SOUND.replace('* state["v"] + g', f'* state["v"] + ({expression})'))
    line = next(i for i, row in enumerate(path.read_text().splitlines(), 1) if expression in row)
    with pytest.raises(RuleError) as caught:
        rules.load_rule_file(path)
    assert f"{path}, line {line}: rule drifting: " in str(caught.value)
    assert says in str(caught.value)
    assert "xp.zeros_like" in str(caught.value)


def test_a_rule_that_fails_as_it_runs_is_named_with_its_line(write):
    import numpy as np

    from descenso.ops import numpy as xp

    loaded = rules.load_rule_file(
        write(SOUND.replace("drift * state", "drift * state['w'] + 0 * state"))
    )
    settings = loaded.settings()
    with pytest.raises(RuleError, match=r"drifting.py, line 15: rule drifting: KeyError: 'w'"):
        loaded.update(xp, np.ones(2), np.ones(2), {"v": np.zeros(2)}, 1, settings)

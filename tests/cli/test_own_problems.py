"""Problems of the user's own that fail: at import, on their data, in their functions."""

import textwrap

import pytest

pytestmark = pytest.mark.slow

_MODULE = """
import jax
import jax.numpy as jnp
import numpy as np
from descenso import problems

x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
y = (x[:, 0] > 0).astype(np.int32)

def init(key):
    return {"w": jax.random.normal(key, (3, 2))}

def apply(p, x):
    return x @ p["w"]

def make(init=init, apply=apply, data=(x, y), **more):
    return problems.from_jax(init, apply, data, epochs=2, **more)
"""
FAULTY = {
    "problem = make(": "SyntaxError",
    "raise KeyError('gone')": "KeyError: 'gone'",
    "import sys; sys.exit(3)": "SystemExit: 3",
    "import no_such_module_at_all": "No module named 'no_such_module_at_all'",
    "number = 3": "has no object named 'problem'",
    "problem = 3": "is of type int, not a problem",
    "problem = lambda: 3": "is of type int, not a problem",
    "def problem(): raise RuntimeError('two\\nlines')": "RuntimeError: two lines",
    "def problem(): raise SystemExit(0)": "SystemExit: 0",
    "x[3, 1] = np.nan; problem = make()": "nan",
    "x[3, 1] = np.inf; problem = make()": "inf",
    "problem = make(data=(x, np.zeros(60, np.int32)))": "class",
    "problem = make(data=(x[:0], y[:0]))": "there are no examples",
    "problem = make(data=(x, y[:50]))": "60 inputs but 50 targets",
    "problem = make(data={'train': (x, y), 'validation': (x, y), 'test': (x[:0], y[:0])})":
        "there are no examples",
    "problem = make(data=(x, y + 5))": "label",
    "problem = make(loss='mze')": "no loss named 'mze'",
    "problem = make(apply=lambda p, x: x @ p['v'])": "KeyError",
    "problem = make(apply=lambda p, x: x @ p['w'].T)": "apply fails on the first batch",
    "problem = make(apply=lambda p, x: (x @ p['w']).sum())": "(examples, classes)",
    "problem = make(loss=lambda o, t: o)": "loss: it must be one number",
    "problem = make(loss=lambda o, t: 1 / 0)": "ZeroDivisionError",
    "problem = make(loss=lambda o, t: jnp.nan * o.sum())": "nan on the first batch",
    "problem = make(metric=lambda o, t: o)": "metric: it must be one number",
    "problem = make(init=lambda key: {})": "init gives no parameters",
    "problem = make(init=lambda key: {'w': 'text'})": "it must be a floating array",
    "problem = make(init=lambda key: {'w': jnp.ones((3, 2), int)})": "it must be floating",
    # These run as they are, but cannot be compiled.
    "problem = make(apply=lambda p, x: x @ p['w'] if (x @ p['w']).sum() < 1e9 else x)":
        "compiling the problem fails",
    "problem = make(apply=lambda p, x: jnp.asarray(np.asarray(x @ p['w'])))":
        "compiling the problem fails",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_problem_is_refused_in_one_line_before_training(descenso, tmp_path, fault):
    (tmp_path / "mine.py").write_text(textwrap.dedent(_MODULE) + "\n" + fault + "\n")
    for command in ("compare", "train"):
        outcome = descenso(command, "./mine.py:problem")
        assert outcome.code in (1, 2)
        assert outcome.out == ""
        assert FAULTY[fault] in outcome.complaint


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("no_such_module:problem", "No module named 'no_such_module'"),
        ("./none.py:problem", "there is no file none.py"),
        (":", "module:object"),
        ("module:", "module:object"),
        ("os:path", "is of type module, not a problem"),
    ],
)
def test_a_place_that_holds_no_problem_is_refused(descenso, place, says):
    outcome = descenso("compare", place)
    assert outcome.code == 1
    assert says in outcome.complaint


def test_a_sound_problem_is_compared_and_reported(descenso, tmp_path):
    (tmp_path / "mine.py").write_text(_MODULE + "\nproblem = make()\n")
    few = ["--methods", "adam", "--trials", "2", "--seeds", "2", "--epochs", "2"]
    outcome = descenso("compare", "./mine.py:problem", *few)
    assert (outcome.code, outcome.err) == (0, "")
    assert descenso("report", "latest", "--report", "page.html").code == 0
    assert [path.name for path in tmp_path.glob("*.html")] == ["page.html"]


_TORCH = """
import numpy as np
from torch import nn
from descenso import problems

x = np.random.default_rng(0).normal(size=(60, 1, 8, 8)).astype(np.float32)
y = (x[:, 0].sum((1, 2)) > 0).astype(np.int64)

def make_model():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 2)
    )

problem = problems.from_torch(make_model, (x, y), batch_size=8, epochs=1, compile=False)
"""
_SMALL = ("--methods", "adam", "--seeds", "2", "--search-seeds", "1", "--trials", "1", "-v")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Layout: torch on 1 × cpu, members one after another, in this process.",
                "Steps at batch size 8: as the module is, images laid channels last, pooling")),
        ("es", ("Reparto: torch en 1 × cpu, miembros uno tras otro, en este proceso.",
                "Pasos con lotes de 8: tal como es el módulo, imágenes con los canales al final")),
    ],
)  # fmt: skip
def test_how_a_torch_module_is_trained_is_told_on_demand(descenso, tmp_path, language, words):
    pytest.importorskip("torch")
    (tmp_path / "mine.py").write_text(_TORCH)
    outcome = descenso("--lang", language, "compare", "./mine.py:problem", *_SMALL)
    assert outcome.code == 0, outcome.err
    told = " ".join(outcome.out.split())
    for sentence in words:
        assert sentence in told


def test_how_the_members_of_a_compiled_problem_lie_is_told_on_demand(descenso):
    outcome = descenso("compare", "wine", *_SMALL)
    assert outcome.code == 0, outcome.err
    assert "cpu, members " in " ".join(outcome.out.split())
    assert "seconds to compile" in outcome.out

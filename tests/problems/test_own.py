import sys
import textwrap

import pytest

from descenso import problems
from descenso.errors import ProblemError

SOUND = """
    import numpy as np
    from descenso import problems
    x = np.arange(20.0)[:, None]
    problem = problems.from_jax(lambda key: {"w": np.ones((1, 1), np.float32)},
                                lambda p, x: x @ p["w"], (x, 2 * x), loss="mse", NAME)
    number = 3
    def make():
        return problem
    def fails():
        raise KeyError("gone")
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write_module(text=SOUND, module="my_problems", named=""):
        path = tmp_path / f"{module}.py"
        path.write_text(textwrap.dedent(text).replace(", NAME", named))
        return path

    yield write_module
    for name in set(sys.modules) - before:
        if "my_" in name or name == "beside":
            del sys.modules[name]


def test_a_module_in_the_current_directory_is_found(write):
    write()
    problem = problems.get("my_problems:problem")
    assert problem.name == "my_problems:problem"
    assert len(problem.make_data(0).train) == 12


def test_a_file_is_found_by_its_path_and_may_import_what_lies_beside_it(write, tmp_path):
    write("answer = 42", module="beside")
    path = write("from beside import answer\n" + textwrap.dedent(SOUND))
    assert isinstance(problems.get(f"{path}:problem"), problems.Problem)
    assert problems.get("./my_problems.py:problem").loss is problems.get(f"{path}:problem").loss


def test_a_function_that_returns_a_problem_is_called(write):
    write()
    assert isinstance(problems.get("my_problems:make"), problems.Problem)


def test_a_problem_with_a_name_keeps_it(write):
    write(named=", name='doubling'")
    assert problems.get("my_problems:problem").name == "doubling"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my_nothing:problem", r"importing my_nothing failed: ModuleNotFoundError"),
        ("my_nothing.py:problem", r"there is no file my_nothing\.py"),
        ("my_problems:problm", r"my_problems has no object named 'problm'\. It has problem\."),
        ("my_problems:number", r"my_problems:number is of type int, not a problem"),
        ("my_problems:fails", r"calling my_problems:fails\(\) failed: KeyError: 'gone'"),
        ("my_problems:", r"written module:object or file\.py:object"),
        (":problem", r"written module:object or file\.py:object"),
    ],
)
def test_what_is_wrong_is_named(write, text, message):
    write()
    with pytest.raises(ProblemError, match=message):
        problems.get(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".py"])
def test_a_module_that_fails_to_import_is_told_with_its_error(write, text, message, suffix):
    write(text, module="my_broken")
    with pytest.raises(ProblemError, match=rf"importing my_broken{suffix} failed: .*{message}"):
        problems.get(f"my_broken{suffix}:problem")
    assert "my_broken" not in sys.modules

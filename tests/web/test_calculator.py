"""A formula is computed in a process that can be ended; what cannot be waited for is refused."""

from __future__ import annotations

import json
import threading
import time

import pytest

from descenso.errors import BudgetError
from descenso.web import _calculator
from descenso.web._calculator import BusyError, Calculator


@pytest.fixture(scope="module")
def calculator():
    opened = Calculator()
    yield opened
    opened.close()


def test_an_answer_is_that_of_the_playground(calculator):
    text, status = calculator.answer("surface", {"function": "x**2 + 3*y**2"}, [])
    assert status == 200
    assert json.loads(text)["minima"][0]["value"] == pytest.approx(0, abs=1e-9)
    text, status = calculator.answer("paths", {"function": "x**2", "steps": "7"}, ["adam(lr=0.1)"])
    assert len(json.loads(text)["paths"][0]["points"]) == 8


def test_a_refusal_comes_back_with_its_words_and_status(calculator):
    text, status = calculator.answer("surface", {"function": "((((3*x)**64)**64)**64)**64"}, [])
    assert status == 400
    assert "its degree is 4096; at most 256" in json.loads(text)["error"]


def test_what_takes_too_long_is_ended_and_the_next_is_answered(calculator):
    calculator.answer("surface", {"function": "x"}, [])
    before = calculator._process
    slow = {"function": "+".join(["x**y"] * 20), "steps": "1000", "seeds": "20", "x": "2", "y": "2"}
    calculator._patience = 0.05
    began = time.monotonic()
    with pytest.raises(BudgetError, match="given up after"):
        calculator.answer("paths", slow, ["adam(lr=0.001)"])
    assert time.monotonic() - began < 3
    assert before.poll() is not None
    calculator._patience = _calculator.PATIENCE
    assert calculator.answer("surface", {"function": "x**2 + y**2"}, [])[1] == 200


def test_a_costly_formula_is_descended_within_the_patience(calculator):
    slow = {"function": "+".join(["x**y"] * 20), "steps": "1000", "seeds": "4", "x": "2", "y": "2"}
    assert calculator.answer("paths", slow, ["adam(lr=0.001)"])[1] == 200


def test_a_process_that_was_killed_is_said_and_started_again(calculator):
    calculator.answer("surface", {"function": "x"}, [])
    calculator._process.kill()
    calculator._process.wait()
    assert calculator.answer("surface", {"function": "y"}, [])[1] == 200


def test_more_than_can_wait_are_refused_at_once_and_all_others_answered(calculator):
    outcomes = []

    def ask(number):
        try:
            query = {"function": f"x**2 + y**2 + {number}", "steps": "300"}
            outcomes.append(calculator.answer("paths", query, ["adam(lr=0.1)"])[1])
        except BusyError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 20
    assert outcomes.count(200) >= 5
    assert set(outcomes) <= {200, "the server is busy with other formulas; try again in a moment"}

"""What schedules and transforms refuse as arguments: never with a bare error."""

import inspect

import numpy as np
import pytest

from descenso import schedules, transforms
from descenso.errors import DescensoError, SettingError

MAKERS = {
    name: getattr(module, name)
    for module in (schedules, transforms)
    for name in module.__all__
    if hasattr(getattr(module, name), "__signature__")
}
GOOD = {"schedules": [0.1, 0.2], "at": [3], "steps": 10, "every": 3}
WRONG = (
    10**400, -(10**400), float("nan"), float("-inf"), True, "1", b"1", "\ud800", [], {}, 1j, len, type,
    object(), np.zeros(3), np.zeros(0), np.array("x"), np.datetime64("2020-01-01"), lambda step: "x",
    lambda step: 1 / step,
)  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_a_wrong_argument_is_refused_by_name(name):
    make = MAKERS[name]
    parameters = inspect.signature(make).parameters.values()
    given = {
        p.name: GOOD.get(p.name, 0.5 if p.default is p.empty else p.default) for p in parameters
    }
    make(**given)
    said = []
    for argument in given:
        for value in (*WRONG, *([value] for value in WRONG), *([value] * 2 for value in WRONG)):
            try:
                make(**{**given, argument: value})
            except DescensoError as error:
                said.append(str(error))
    assert all(name in text for text in said)
    assert len(said) >= len(given) * 3 * (len(WRONG) - 5)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: schedules.join([0.1, 0.2], at=[len]), "join: at must be whole numbers above 0"),
        (lambda: schedules.join([0.1, 0.2], at=[2.5]), "join: at must be whole numbers above 0"),
        (lambda: schedules.constant(10**400), r"must lie in \(-inf, inf\); got inf"),
        (lambda: schedules.warmup(len, 3), "then must give a number for each step; at step 0"),
        (lambda: transforms.moving_average(debias=np.zeros(3)), "debias must be True or False"),
        (
            lambda: transforms.coupled_weight_decay(10**400),
            "strength must be numbers of at least 0",
        ),
        (lambda: transforms.check(1), "transforms must be a list; got the single 1"),
    ],
)
def test_the_message_says_what_is_taken(make, says):
    with pytest.raises(SettingError, match=says):
        make()


def test_zero_dimensional_arrays_and_numpy_numbers_are_numbers():
    assert schedules.constant(np.array(0.5))(0) == 0.5
    assert schedules.join([np.float32(0.5), 1], at=[np.int64(2)])(3) == 1

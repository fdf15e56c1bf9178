"""The optimizers on CUDA: the numbers that NumPy gives."""

import numpy as np
import pytest
import torch
from tests import typical

from descenso import rules
from descenso.ops import numpy as on_numpy
from descenso.torch import optimizer_class

if not torch.cuda.is_available():
    pytest.skip("there is no CUDA device", allow_module_level=True)

STEPS = 50
SHAPES = ((7, 5), (3,), ())


@pytest.mark.parametrize("path", [{}, {"foreach": True}], ids=str)
@pytest.mark.parametrize("name", typical.RULES)
def test_float64_steps_equal_the_numpy_reference(name, path):
    rng, rule = np.random.default_rng(3), rules.get(name)
    starts = [rng.normal(size=shape) for shape in SHAPES]
    gradients = [[rng.normal(size=shape) for shape in SHAPES] for _ in range(STEPS)]
    parameters = [torch.nn.Parameter(torch.tensor(start, device="cuda")) for start in starts]
    optimizer = optimizer_class(name)(parameters, **path)
    for step in gradients:
        for parameter, g in zip(parameters, step, strict=True):
            parameter.grad = torch.tensor(g, device="cuda")
        optimizer.step()
    for i, parameter in enumerate(parameters):
        theta, values = starts[i].copy(), rule.settings()
        state = rule.start(on_numpy, theta, values)
        for t, step in enumerate(gradients, start=1):
            theta, state = rule.update(on_numpy, theta, step[i], state, t, values)
        np.testing.assert_allclose(parameter.detach().cpu().numpy(), theta, rtol=0, atol=1e-12)


def test_state_goes_to_the_cpu_and_back():
    parameter = torch.nn.Parameter(torch.ones(5, device="cuda"))
    optimizer = optimizer_class("adam")([parameter], lr=0.1)
    parameter.grad = torch.ones(5, device="cuda")
    optimizer.step()
    other = torch.nn.Parameter(parameter.detach().cpu().clone())
    again = optimizer_class("adam")([other], lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    other.grad = torch.ones(5)
    optimizer.step()
    again.step()
    torch.testing.assert_close(parameter.detach().cpu(), other.detach(), rtol=0, atol=1e-6)

"""Transforms and schedules inside PyTorch optimizers, in the ways PyTorch users use them."""

import copy

import numpy as np
import pytest
import torch
from tests.transforms._reference import start
from tests.transforms.test_in_bindings import CHAINS, LR, expected, same

import descenso.torch
from descenso import schedules, transforms
from descenso.errors import ParameterError, SettingError

PATHS = [{"compile": False}, {"foreach": True}, {}]


def parameters():
    return [torch.nn.Parameter(torch.tensor(a)) for a in start()[0]]


def train(optimizer, params, rows):
    for row in rows:
        for p, g in zip(params, row, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()


@pytest.mark.parametrize("path", PATHS, ids=["plain", "foreach", "default"])
@pytest.mark.parametrize("name", CHAINS)
def test_torch_trains_as_the_formulas_say(name, path):
    params = parameters()
    optimizer = descenso.torch.Adam(params, lr=LR, eps=0.1, transforms=CHAINS[name], **path)
    train(optimizer, params, start()[1])
    right, averages = expected(CHAINS[name])
    same([p.detach() for p in params], right)
    if averages:
        same(optimizer.averages(), averages)
        with descenso.torch.averaged(optimizer):
            same([p.detach() for p in params], averages)
        same([p.detach() for p in params], right)


def test_a_run_saved_in_mid_training_goes_on_exactly(tmp_path):
    rows = start()[1]
    params = parameters()
    optimizer = descenso.torch.Adam(params, lr=LR, eps=0.1, transforms=CHAINS["many"])
    train(optimizer, params, rows[:25])
    torch.save([optimizer.state_dict(), [p.detach() for p in params]], tmp_path / "run.pt")
    state, values = torch.load(tmp_path / "run.pt", weights_only=True)
    resumed = [torch.nn.Parameter(v.clone()) for v in values]
    twin = descenso.torch.Adam(resumed, transforms=CHAINS["many"])
    twin.load_state_dict(state)
    train(twin, resumed, rows[25:])
    right, averages = expected(CHAINS["many"])
    same([p.detach() for p in resumed], right)
    same(twin.averages(), averages)


def test_a_state_without_the_transforms_arrays_is_refused():
    params = parameters()
    optimizer = descenso.torch.Adam(params)
    train(optimizer, params, start()[1][:1])
    with pytest.raises(ParameterError, match=r"lacks transform0\.slow"):
        descenso.torch.Adam(params, transforms=CHAINS["lookahead"]).load_state_dict(
            optimizer.state_dict()
        )


def test_gradients_are_left_as_they_were():
    params = parameters()
    optimizer = descenso.torch.Adam(params, transforms=[transforms.clip_by_value(1e-6)])
    train(optimizer, params, start()[1][:1])
    same([p.grad for p in params], start()[1][0])


def test_climbing_decays_as_pytorch_does():
    params, theirs = parameters(), parameters()
    ours = descenso.torch.Adam(
        params, lr=0.05, maximize=True, transforms=[transforms.coupled_weight_decay(0.1)]
    )
    other = torch.optim.Adam(theirs, lr=0.05, maximize=True, weight_decay=0.1)
    train(ours, params, start()[1])
    train(other, theirs, start()[1])
    same([p.detach() for p in params], [p.detach() for p in theirs], atol=1e-14)


def test_a_parameter_without_gradient_does_not_decay():
    params = parameters()
    before = params[1].detach().clone()
    optimizer = descenso.torch.Adam(params, transforms=CHAINS["many"])
    for _ in range(5):
        params[0].grad = torch.ones_like(params[0])
        optimizer.step()
    assert torch.equal(params[1], before)


def test_a_closure_sees_its_gradients_transformed():
    params = [torch.nn.Parameter(torch.tensor([3.0, 4.0], dtype=torch.float64))]
    optimizer = descenso.torch.GradientDescent(
        params, lr=1.0, transforms=[transforms.clip_by_global_norm(1.0)]
    )

    def closure():
        optimizer.zero_grad()
        loss = (params[0] ** 2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 25
    np.testing.assert_allclose(params[0].detach(), [2.4, 3.2])


def test_groups_follow_schedules_of_their_own():
    first, second = parameters()
    optimizer = descenso.torch.GradientDescent(
        [{"params": [first]}, {"params": [second], "lr": schedules.exponential(1.0, 0.5)}],
        lr=schedules.warmup(0.1, steps=2),
    )
    rates = []
    for _ in range(4):
        for p in (first, second):
            p.grad = torch.zeros_like(p)
        optimizer.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
    np.testing.assert_allclose(rates, [[0.0, 1.0], [0.05, 0.5], [0.1, 0.25], [0.1, 0.125]])


def test_a_schedule_serves_as_the_function_of_a_lambda_scheduler():
    params = parameters()
    optimizer = descenso.torch.Adam(params, lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedules.cosine(1.0, steps=10))
    for _ in range(3):
        train(optimizer, params, start()[1][:1])
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(schedules.cosine(0.1, 10)(3))


def test_a_transformed_optimizer_can_be_copied():
    params = parameters()
    optimizer = descenso.torch.Adam(params, lr=LR, transforms=CHAINS["many"])
    train(optimizer, params, start()[1][:3])
    twin = copy.deepcopy(optimizer)
    assert twin.param_groups[0]["updates"] == 3
    same(twin.averages(), optimizer.averages())


@pytest.mark.parametrize(
    "name", [name for name in CHAINS if name != "coupled"]
)  # for two parameters
def test_a_complex_parameter_is_transformed_as_its_real_and_imaginary_parts(name):
    whole = torch.nn.Parameter(torch.randn(3, 2, dtype=torch.complex128))
    parts = torch.nn.Parameter(torch.view_as_real(whole.detach()).clone())
    optimizers = [descenso.torch.Adam([p], lr=0.1, transforms=CHAINS[name]) for p in (whole, parts)]
    for _step in range(5):
        whole.grad = torch.randn(3, 2, dtype=torch.complex128)
        parts.grad = torch.view_as_real(whole.grad).clone()
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(torch.view_as_real(whole.detach()), parts.detach())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"betta": schedules.constant(0.9)}, "no setting 'betta'"),
        ({"lr": schedules.constant(-1.0)}, r"lr must lie in \(0, inf\)"),
        ({"transforms": [abs]}, "made by descenso.transforms"),
    ],
)
def test_what_cannot_be_used_is_refused(settings, says):
    with pytest.raises(SettingError, match=says):
        descenso.torch.Adam(parameters(), **settings)

"""What only PyTorch's optimizers have comes along: each parameter's steps, names, foreign keys."""

from __future__ import annotations

import copy

import pytest
import torch

from descenso.conventions import adopt, convert_state
from descenso.errors import ConventionError

KINDS = [
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.8, "centered": True}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1}),
]


def pair():
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(3, dtype=torch.float64)) for _ in range(2)]


def walk(optimizer, params, steps, moving=(0, 1), seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for i, p in enumerate(params):
            g = torch.randn(3, generator=generator, dtype=torch.float64)
            p.grad = g if i in moving else None
        optimizer.step()
    return [p.detach().clone() for p in params]


@pytest.mark.parametrize("before", [0, 5])
@pytest.mark.parametrize(("kind", "settings"), KINDS, ids=str)
def test_a_parameter_unfrozen_after_it_was_adopted_starts_at_its_own_first_step(
    kind, settings, before
):
    theirs = pair()
    original = getattr(torch.optim, kind)(theirs, **settings)
    walk(original, theirs, before, moving=(0,))
    mine = [torch.nn.Parameter(p.detach().clone()) for p in theirs]
    adopted = adopt(original, params=mine)
    for steps, moving in ((3, (0,)), (6, (0, 1)), (2, (1,)), (3, (0, 1))):
        got = walk(adopted, mine, steps, moving, seed=steps)
        wanted = walk(original, theirs, steps, moving, seed=steps)
        for a, b in zip(got, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


def test_dampening_left_to_its_first_step_survives_saving_and_new_groups():
    theirs = pair()
    original = torch.optim.SGD([theirs[0]], lr=0.05, momentum=0.9, dampening=0.5)
    mine = [torch.nn.Parameter(p.detach().clone()) for p in theirs]
    first = adopt(original, params=mine[:1])
    adopted = adopt(original, params=mine[:1])
    adopted.load_state_dict(copy.deepcopy(first.state_dict()))
    original.add_param_group({"params": [theirs[1]]})
    group = {n: v for n, v in adopted.param_groups[0].items() if n != "params"}
    adopted.add_param_group({**group, "params": [mine[1]]})
    for a, b in zip(walk(adopted, mine, 5), walk(original, theirs, 5), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


def test_names_and_keys_of_other_people_come_along():
    a, b = pair()
    original = torch.optim.Adam(
        [
            {"params": [("a", a)], "lr_scale": 0.5, "name": "body"},
            {"params": [("b", b)], "lr": 0.0, "layer_id": 7},
        ],
        lr=0.1,
    )
    torch.optim.lr_scheduler.StepLR(original, 3)
    first, second = adopt(original).param_groups
    assert (first["param_names"], second["param_names"]) == (["a"], ["b"])
    assert (first["lr_scale"], first["name"], second["layer_id"]) == (0.5, "body", 7)
    assert (first["initial_lr"], second["lr"]) == (0.1, 0.0)
    assert not {"amsgrad", "fused", "foreach", "betas"} & first.keys()


def test_a_group_without_momentum_beside_one_with_it_is_adopted():
    theirs = pair()
    original = torch.optim.SGD(
        [{"params": [theirs[0]], "momentum": 0.0}, {"params": [theirs[1]]}], lr=0.05, momentum=0.9
    )
    mine = [torch.nn.Parameter(p.detach().clone()) for p in theirs]
    adopted = adopt(original, params=mine)
    for a, b in zip(walk(adopted, mine, 5), walk(original, theirs, 5), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


def test_a_first_step_still_to_come_is_refused_where_steps_are_counted_together():
    theirs = pair()
    original = torch.optim.SGD(theirs, lr=0.05, momentum=0.9, dampening=0.5)
    walk(original, theirs, 3, moving=(0,))
    with pytest.raises(ConventionError, match=r"first step.*adopt it in PyTorch"):
        adopt(original, to="numpy", params=[p.detach().numpy() for p in theirs])


def test_a_converted_state_counts_each_parameters_own_steps():
    theirs = pair()
    original = torch.optim.Adam(theirs, lr=0.05)
    walk(original, theirs, 2, moving=(0,))
    walk(original, theirs, 3)
    target = torch.optim.Adam(pair(), lr=0.1)
    convert_state(original, target)
    assert [int(kept["step"]) for kept in target.state.values()] == [5, 3]

"""Whatever cannot be trained is refused with the parameter's name, before anything has moved."""

from __future__ import annotations

import pytest
import torch

from descenso.errors import ParameterError, SettingError
from descenso.torch import optimizer_class

Adam = optimizer_class("adam")
PATHS = pytest.mark.parametrize(
    "path", [{}, {"foreach": True}, {"compile": False}], ids=["kernel", "lists", "plain"]
)


def one():
    return torch.nn.Parameter(torch.zeros(2))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"lr": -1.0}, r"adam: lr must lie in \(0, inf\); got -1.0"),
        ({"lr": float("nan")}, "lr must lie in .* got nan"),
        ({"lr": "fast"}, "lr must be a number; got 'fast'"),
        ({"lr": torch.tensor([0.1, 0.2])}, r"lr must be one number; got a tensor of shape \(2,\)"),
        ({"beta1": 1.0}, r"beta1 must lie in \[0, 1\)"),
        ({"self": 1}, "adam has no setting 'self'"),
        ({"beta3": 0.5}, "adam has no setting 'beta3'.*Did you mean"),
        ({"weight_decay": 0.1}, "adam has no setting 'weight_decay'"),
        ({"state_dtype": "int8"}, "state_dtype must be None or one of float32"),
        ({"nonfinite": "ignore"}, "nonfinite must be one of pass, skip, raise"),
        ({"compile": True, "foreach": True}, "compile or foreach, not both"),
    ],
)
def test_a_bad_setting_is_refused_with_its_rule_and_value(settings, match):
    with pytest.raises(SettingError, match=match):
        Adam([one()], **settings)


def test_a_bad_setting_of_one_group_is_refused_and_the_group_not_added():
    optimizer = Adam([one()])
    with pytest.raises(SettingError, match="lr must lie in"):
        optimizer.add_param_group({"params": [one()], "lr": -1})
    with pytest.raises(SettingError, match="no setting 'learning_rate'"):
        optimizer.add_param_group({"params": [one()], "learning_rate": 1})
    assert len(optimizer.param_groups) == 1


def test_an_empty_list_of_parameters_is_refused():
    with pytest.raises(ParameterError, match="empty"):
        Adam([])


def test_a_bare_tensor_instead_of_a_list_is_refused():
    with pytest.raises(ParameterError, match="iterable of parameters"):
        Adam(one())


@PATHS
def test_a_gradient_or_state_on_another_device_is_refused_by_name(path):
    first, second = one(), one()
    optimizer = Adam([("first", first), ("second", second)], **path)
    for p in (first, second):
        p.grad = torch.ones(2)
    optimizer.step()
    before = first.tolist()
    kept = optimizer.state[second]
    kept["m"] = kept["m"].to("meta")
    with pytest.raises(
        ParameterError, match=r"the state m of parameter 'second' .* is on meta; .* cpu"
    ):
        optimizer.step()
    kept["m"] = torch.zeros(2)
    with pytest.raises(
        ParameterError, match=r"gradient of parameter 'second' .* is on meta; .* cpu"
    ):
        optimizer.step_with([[torch.ones(2), torch.ones(2, device="meta")]])
    assert first.tolist() == before


def test_an_integer_parameter_is_refused_by_name():
    whole = torch.nn.Parameter(torch.zeros(3, dtype=torch.int64), requires_grad=False)
    with pytest.raises(ParameterError, match=r"'counts' of shape \(3,\) holds torch.int64"):
        Adam([("weight", one()), ("counts", whole)])
    with pytest.raises(ParameterError, match="parameter 1 of group 0"):
        Adam([one(), whole])


@PATHS
def test_a_sparse_gradient_is_refused_by_name_and_nothing_moves(path):
    dense, embedding = one(), torch.nn.Embedding(4, 2, sparse=True)
    optimizer = Adam([("dense", dense), ("table", embedding.weight)], **path)
    dense.grad = torch.ones(2)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(ParameterError, match=r"'table'.*sparse"):
        optimizer.step()
    assert dense.tolist() == [0.0, 0.0]


@PATHS
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_passes_skips_or_raises_as_asked(path, bad):
    for choice in ("pass", "skip", "raise"):
        good, wrong = one(), one()
        optimizer = Adam([("good", good), ("wrong", wrong)], nonfinite=choice, **path)
        good.grad, wrong.grad = torch.ones(2), torch.tensor([1.0, bad])
        if choice == "raise":
            with pytest.raises(ParameterError, match=r"'wrong'.*NaN or infinity"):
                optimizer.step()
        else:
            optimizer.step()
        moved = choice == "pass"
        assert (good.abs().max().item() > 0) == moved
        assert bool(torch.isnan(wrong[1])) == moved
        assert (good in optimizer.state) == moved
        assert optimizer.skipped_steps == (choice == "skip")


def test_a_skipped_step_is_not_counted_and_the_next_is_taken():
    p = one()
    optimizer = Adam([p], nonfinite="skip")
    for g in (float("nan"), 1.0):
        p.grad = torch.full((2,), g)
        optimizer.step()
    assert optimizer.state[p]["step"] == 1
    assert p.tolist() == pytest.approx([-1e-3, -1e-3])


def test_a_state_replaced_by_a_wrong_one_does_not_reach_the_kernel():
    p = one()
    optimizer = Adam([p])
    p.grad = torch.ones(2)
    optimizer.step()
    optimizer.state[p]["m"] = torch.zeros(5)
    with pytest.raises(ParameterError, match=r"'m' of parameter 0 of group 0.*shape \(5,\)"):
        optimizer.step()

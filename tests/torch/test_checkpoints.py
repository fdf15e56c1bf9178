"""Saved states go on exactly, in any order of named parameters, and wrong ones are refused."""

from __future__ import annotations

import copy

import pytest
import torch

from descenso.errors import ParameterError, SettingError
from descenso.torch import optimizer_class

Adam = optimizer_class("adam")


def parameters(dtype=torch.float32):
    torch.manual_seed(0)
    return {
        "weight": torch.nn.Parameter(torch.randn(3, 2).to(dtype)),
        "bias": torch.nn.Parameter(torch.randn(3).to(dtype)),
    }


def walk(optimizer, named, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for name in ("bias", "weight"):
            p = named[name]
            p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)
        optimizer.step()
    return {name: p.detach().clone() for name, p in named.items()}


def saved_after_three_steps(**options):
    named = parameters()
    optimizer = Adam(named.items(), **options)
    values = walk(optimizer, named, 3)
    return named, optimizer, values, copy.deepcopy(optimizer.state_dict())


def test_named_parameters_find_their_state_in_another_order():
    named, optimizer, values, saved = saved_after_three_steps()
    other = {name: torch.nn.Parameter(values[name].clone()) for name in ("bias", "weight")}
    again = Adam(other.items())
    again.load_state_dict(saved)
    assert again.param_groups[0]["param_names"] == ["bias", "weight"]
    expected, got = walk(optimizer, named, 4, seed=1), walk(again, other, 4, seed=1)
    for name in expected:
        torch.testing.assert_close(got[name], expected[name], rtol=0, atol=0)


def test_settings_and_step_numbers_are_taken_over():
    named, _, _, saved = saved_after_three_steps(lr=0.03, beta2=0.9)
    again = Adam(named.items())
    again.load_state_dict(saved)
    assert again.param_groups[0]["lr"] == 0.03
    assert again.param_groups[0]["beta2"] == 0.9
    assert again.state[named["bias"]]["step"] == 3


def test_loading_copies_so_that_the_saved_state_stays_as_it_was():
    named, _, _, saved = saved_after_three_steps()
    before = saved["state"][0]["m"].clone()
    again = Adam(named.items())
    again.load_state_dict(saved)
    walk(again, named, 2)
    torch.testing.assert_close(saved["state"][0]["m"], before, rtol=0, atol=0)


def test_float32_state_of_bfloat16_parameters_stays_float32_when_loaded():
    named = parameters(torch.bfloat16)
    optimizer = Adam(named.items())
    walk(optimizer, named, 3)
    again = Adam(named.items())
    again.load_state_dict(optimizer.state_dict())
    kept = again.state[named["weight"]]["v"]
    assert kept.dtype is torch.float32
    torch.testing.assert_close(kept, optimizer.state[named["weight"]]["v"], rtol=0, atol=0)


def test_load_hooks_of_the_user_run():
    named, _, _, saved = saved_after_three_steps()
    again, seen = Adam(named.items()), []

    def rename(optimizer, state_dict):
        seen.append("before")
        return {**state_dict, "param_groups": [{**state_dict["param_groups"][0], "lr": 0.7}]}

    again.register_load_state_dict_pre_hook(rename)
    again.register_load_state_dict_post_hook(lambda optimizer: seen.append("after"))
    again.load_state_dict(saved)
    assert seen == ["before", "after"]
    assert again.param_groups[0]["lr"] == 0.7


def _refused(change, error, match):
    named, _, _, saved = saved_after_three_steps()
    change(saved)
    again = Adam(named.items())
    with pytest.raises(error, match=match):
        again.load_state_dict(saved)
    assert not again.state  # nothing was taken over


def test_a_state_of_another_rule_is_refused():
    named = parameters()
    other = optimizer_class("nesterov")(named.items())
    walk(other, named, 1)
    with pytest.raises(
        SettingError, match="this state is of nesterov; it cannot go on as momentum"
    ):
        optimizer_class("momentum")(named.items()).load_state_dict(other.state_dict())


def test_a_state_of_torchs_own_adam_is_refused():
    named = parameters()
    peer = torch.optim.Adam(named.items())
    with pytest.raises(SettingError, match="not of adam"):
        Adam(named.items()).load_state_dict(peer.state_dict())


def test_what_others_keep_in_a_state_is_kept_too():
    named, _, _, saved = saved_after_three_steps()
    saved["state"][0]["slow_buffer"] = torch.full((3, 2), 7.0)
    saved["state"]["wrapper"] = {"calls": 4}
    again = Adam(named.items())
    again.load_state_dict(saved)
    assert again.state[named["weight"]]["slow_buffer"].tolist() == [[7.0, 7.0]] * 3
    assert again.state["wrapper"] == {"calls": 4}
    walk(again, named, 1)


def test_arrays_of_another_optimizer_are_refused_by_parameter():
    def change(saved):
        saved["state"][1] = {"step": 3, "exp_avg": torch.zeros(3)}

    _refused(change, ParameterError, r"'bias' of shape \(3,\) lacks m, v.* holds exp_avg")


def test_a_state_of_a_parameter_this_optimizer_does_not_have_is_refused():
    def change(saved):
        saved["state"][5] = saved["state"][0]

    _refused(change, ParameterError, "unknown parameter 5")


def test_a_missing_array_is_refused_by_parameter():
    _refused(lambda saved: saved["state"][0].pop("v"), ParameterError, "'weight'.* lacks v")


def test_an_array_of_another_shape_is_refused_by_parameter():
    def change(saved):
        saved["state"][0]["m"] = torch.zeros(2, 2)

    _refused(change, ParameterError, r"'m' of parameter 'weight'.* has shape \(2, 2\)")


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda name: f"_orig_mod.{name}",
        lambda name: f"module.{name}",
        lambda name: f"module._orig_mod.{name}",
        lambda name: f"_fsdp_wrapped_module.layer._checkpoint_wrapped_module.{name}",
    ],
    ids=["compiled", "data parallel", "compiled and data parallel", "sharded"],
)
@pytest.mark.parametrize("way", ["from the wrapper", "into the wrapper"])
def test_a_wrapped_models_state_finds_its_parameters_by_their_bare_names(wrapped, way):
    named, optimizer, values, saved = saved_after_three_steps()
    outer = {wrapped(name).replace("layer.", ""): name for name in ("bias", "weight")}
    other = {new: torch.nn.Parameter(values[name].clone()) for new, name in outer.items()}
    if way == "from the wrapper":
        order = ["weight", "bias"]
        saved["param_groups"][0]["param_names"] = [
            new for name in order for new, n in outer.items() if n == name
        ]
        other = {name: other[new] for new, name in outer.items()}
    again = Adam(other.items())
    again.load_state_dict(saved)
    inner = {outer.get(name, name): p for name, p in other.items()}
    expected, got = walk(optimizer, named, 4, seed=1), walk(again, inner, 4, seed=1)
    for name in expected:
        torch.testing.assert_close(got[name], expected[name], rtol=0, atol=0)


def test_the_state_of_renamed_parameters_is_taken_over_by_place_and_said():
    named, optimizer, values, saved = saved_after_three_steps()
    other = {f"net.{n}": torch.nn.Parameter(values[n].clone()) for n in ("weight", "bias")}
    again = Adam(other.items())
    with pytest.warns(UserWarning, match=r"does not have \(bias, weight\).*by place"):
        again.load_state_dict(saved)
    kept = again.state[other["net.bias"]]["m"]
    torch.testing.assert_close(kept, optimizer.state[named["bias"]]["m"], rtol=0, atol=0)


def test_another_number_of_parameters_is_refused():
    def change(saved):
        saved["param_groups"][0]["params"].append(2)

    _refused(change, ParameterError, r"\[3\].* has \[2\]")


def test_settings_out_of_range_in_a_state_are_refused():
    def change(saved):
        saved["param_groups"][0]["beta1"] = 1.5

    _refused(change, SettingError, "beta1 must lie in")

"""What libraries and users do with torch.optim's optimizers, done with ours: the same numbers."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref

import pytest
import torch
from torch.optim.swa_utils import SWALR, AveragedModel

import descenso.torch
from descenso import transforms
from descenso.errors import ParameterError, SettingError
from descenso.torch import optimizer_class

Adam = optimizer_class("adam")
PATHS = pytest.mark.parametrize(
    "path", [{}, {"foreach": True}, {"compile": False}], ids=["kernel", "lists", "plain"]
)


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))


def train(model, optimizer, steps, scheduler=None):
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(16, 4, generator=generator), torch.randn(16, 1, generator=generator)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def assert_as_torchs(use, **path):
    """Run ``use`` with our Adam and with torch's; both must end at the same numbers."""
    got = use(lambda params, **settings: Adam(params, **settings, **path))
    torch.testing.assert_close(got, use(torch.optim.Adam), rtol=1e-5, atol=1e-6)


def take_out(groups, optimizer):
    groups.pop(0)


def put_back(groups, optimizer):
    last = groups[1]
    groups.clear()
    optimizer.add_param_group({"params": last["params"], "lr": 0.03})


def turn_round(groups, optimizer):
    groups.reverse()


def replace_list(groups, optimizer):
    optimizer.param_groups = [dict(group) for group in groups]


def replace_one(groups, optimizer):
    groups[0] = {**groups[0], "lr": 0.2}


def reorder_parameters(groups, optimizer):
    groups[0]["params"] = list(reversed(groups[0]["params"]))


def drop_parameter(groups, optimizer):
    del groups[0]["params"][0]


def move_parameter(groups, optimizer):
    groups[1]["params"].append(groups[0]["params"].pop())


@PATHS
@pytest.mark.parametrize(
    "change",
    [take_out, put_back, turn_round, replace_list, replace_one, reorder_parameters,
     drop_parameter, move_parameter],
)  # fmt: skip
def test_groups_may_be_changed_in_mid_training(change, path):
    def use(make):
        model = network()
        optimizer = make(
            [{"params": list(model[0].parameters())}, {"params": list(model[2].parameters())}],
            lr=1e-2,
        )
        train(model, optimizer, 3)
        change(optimizer.param_groups, optimizer)
        return train(model, optimizer, 3)

    assert_as_torchs(use, **path)


@PATHS
def test_a_parameter_that_grows_takes_its_state_along(path):
    def use(make):
        old = torch.nn.Parameter(torch.ones(3, 2))
        optimizer = make([{"params": [old], "name": "points"}], lr=0.1)
        old.grad = torch.ones(3, 2)
        optimizer.step()
        kept = optimizer.state.pop(old)
        for name, value in kept.items():
            if torch.is_tensor(value) and value.ndim:
                kept[name] = torch.cat([value, torch.zeros(2, 2)])
        new = torch.nn.Parameter(torch.cat([old.detach(), torch.ones(2, 2)]))
        optimizer.param_groups[0]["params"][0] = new
        optimizer.state[new] = kept
        new.grad = torch.ones(5, 2)
        optimizer.step()
        return new.detach()

    assert_as_torchs(use, **path)


def test_a_group_put_in_by_hand_gets_the_settings_that_it_lacks():
    p, q = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = Adam([p], lr=0.1)
    optimizer.param_groups.append({"params": [q]})
    q.grad = torch.ones(2)
    optimizer.step()
    assert q.tolist() == pytest.approx([0.9, 0.9])
    assert optimizer.param_groups[1]["beta2"] == 0.999


def test_an_emptied_list_of_groups_steps_nothing():
    p = torch.nn.Parameter(torch.ones(2))
    for given in ((), [transforms.clip_by_global_norm(1.0)]):
        optimizer = Adam([p], transforms=given)
        optimizer.param_groups.clear()
        optimizer.step()


class TwoSteps(torch.optim.Optimizer):
    """Steps uphill first, then with its base: it shares its groups, with a key of its own."""

    def __init__(self, params, base, rho=0.05, **settings):
        super().__init__(params, {"rho": rho, **settings})
        self.base = base(self.param_groups, **settings)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def step(self, closure=None):
        moved = []
        for group in self.param_groups:
            for p in group["params"]:
                up = group["rho"] * p.grad / (p.grad.norm() + 1e-12)
                p.add_(up)
                moved.append((p, up))
        for p, up in moved:
            p.sub_(up)
        self.base.step()


@PATHS
def test_a_wrapper_shares_groups_that_hold_keys_of_its_own(path):
    def use(make):
        model = network()
        optimizer = TwoSteps(model.parameters(), make, lr=1e-2)
        train(model, optimizer, 3)
        for group in optimizer.param_groups:
            group |= {"lr": group["lr"] / 2, "lr_scale": 0.5, "betas_of_mine": (1, 2)}
        return train(model, optimizer, 3)

    assert_as_torchs(use, **path)


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("weight_decay", 0.1, "coupled_weight_decay"),
        ("betas", (0.5, 0.9), "beta1= and beta2="),
        ("momentum", 0.5, None),
        ("weight_decay", 0.0, None),
        ("foreach", None, None),
    ],
)
def test_a_setting_of_torchs_in_a_group_works_or_is_refused_but_never_ignored(key, value, match):
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = Adam([p])
    p.grad = torch.ones(2)
    optimizer.step()
    optimizer.param_groups[0][key] = value
    if match:
        with pytest.raises(SettingError, match=match):
            optimizer.step()
        with pytest.raises(SettingError, match=match):
            Adam([{"params": [p], key: value}])
    else:
        optimizer.step()
    assert optimizer.param_groups[0]["beta1"] == (0.5 if key == "momentum" else 0.9)


def test_an_option_of_the_whole_optimizer_in_a_group_is_refused():
    p = torch.nn.Parameter(torch.ones(2))
    given = {"nonfinite": "skip", "foreach": True, "state_dtype": "float64"}
    for name, value in {**given, "transforms": [transforms.lookahead()]}.items():
        with pytest.raises(SettingError, match=f"{name} is set for the whole optimizer"):
            Adam([{"params": [p], name: value}])
    Adam([{"params": [p], **given}], **{**given, "foreach": True})


@pytest.mark.parametrize("options", [{}, {"transforms": [transforms.moving_average(0.9)]}])
@PATHS
def test_lazy_layers_may_see_their_first_data_after_the_optimizer_is_made(path, options):
    def use(make):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.LazyLinear(6), torch.nn.Tanh(), torch.nn.LazyLinear(1))
        optimizer = make(model.named_parameters(), lr=1e-2)
        assert repr(optimizer)
        optimizer.step()
        assert optimizer.state_dict()["state"] == {}
        return train(model, optimizer, 4)

    assert_as_torchs(use, **path, **options)


@PATHS
def test_a_rate_of_zero_freezes_a_group_and_may_rise(path):
    def use(make):
        model = network()
        groups = [
            {"params": list(model[0].parameters()), "lr": 0.0},
            {"params": list(model[2].parameters())},
        ]
        optimizer = make(groups, lr=1e-2)
        train(model, optimizer, 2)
        optimizer.param_groups[0]["lr"] = 1e-3
        return train(model, optimizer, 2)

    assert_as_torchs(use, **path)


def test_the_rate_may_be_given_by_position_and_nothing_else():
    p = torch.nn.Parameter(torch.ones(2))
    assert Adam([p], 0.25).param_groups[0]["lr"] == 0.25
    with pytest.raises(SettingError, match=r"after lr by name: lr, beta1.*got \(0.9, 0.99\)"):
        Adam([p], 0.25, (0.9, 0.99))
    with pytest.raises(AttributeError, match="SGD is GradientDescent, Momentum or Nesterov"):
        _ = descenso.torch.SGD


@PATHS
def test_a_complex_parameter_takes_transforms_by_its_parts(path):
    start = torch.tensor([[1.0, 2.0], [-3.0, 0.5]])
    walks = []
    for p in (torch.nn.Parameter(torch.view_as_complex(start)), torch.nn.Parameter(start.clone())):
        optimizer = Adam(
            [p],
            lr=0.1,
            transforms=[transforms.clip_by_global_norm(1.0), transforms.moving_average(0.5)],
            **path,
        )
        for t in range(4):
            g = torch.full((2, 2), 1.0 + t)
            p.grad = torch.view_as_complex(g) if p.is_complex() else g
            optimizer.step()
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        (average,) = optimizer.averages()
        pair = (p.detach(), average)
        walks.append([torch.view_as_real(x) if x.is_complex() else x for x in pair])
    torch.testing.assert_close(walks[0], walks[1])


def test_an_average_of_frozen_parameters_is_saved_and_they_may_thaw():
    def make(model):
        return Adam(model.parameters(), lr=1e-2, transforms=[transforms.moving_average(0.9)])

    model = network()
    model[0].requires_grad_(False)
    optimizer = make(model)
    train(model, optimizer, 3)
    again = make(model)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    model[0].requires_grad_(True)
    train(model, again, 2)
    assert [again.state[p]["step"] for p in model.parameters()] == [2, 2, 5, 5]


def test_an_optimizer_nobody_holds_is_freed_at_once_with_its_state():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = Adam([p])
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    p.grad = torch.ones(2)
    optimizer.step()
    kept = weakref.ref(optimizer.state[p]["m"])
    gone = weakref.ref(optimizer)
    gc.collect()
    gc.disable()
    try:
        del optimizer
        assert gone() is None
        assert kept() is None
    finally:
        gc.enable()


@PATHS
def test_a_compiled_function_may_take_the_step(path):
    def use(make):
        model = network()
        optimizer = make(model.parameters(), lr=1e-2)
        if isinstance(optimizer, Adam):
            step = optimizer.step
            optimizer.step = torch.compile(lambda: step(), backend="eager")
        return train(model, optimizer, 12)

    torch._dynamo.reset()
    assert_as_torchs(use, **path)
    assert len(torch._dynamo.utils.counters["graph_break"]) <= 1
    torch._dynamo.reset()


def test_a_step_number_in_a_tensor_and_a_state_moved_by_hand_go_on():
    def use(make):
        model = network()
        optimizer = make(model.parameters(), lr=1e-2)
        train(model, optimizer, 2)
        for p, kept in list(optimizer.state.items()):
            optimizer.state[p] = {
                name: value.clone() if torch.is_tensor(value) else value
                for name, value in kept.items()
            }
        train(model, optimizer, 2)
        for kept in optimizer.state.values():
            kept["step"] = torch.tensor(float(kept["step"]))
        return train(model, optimizer, 2)

    assert_as_torchs(use)


def test_a_model_and_a_state_in_shared_memory_are_stepped_in_place():
    model = network().share_memory()
    optimizer = Adam(model.parameters(), lr=1e-2)
    train(model, optimizer, 1)
    for kept in optimizer.state.values():
        for value in kept.values():
            if torch.is_tensor(value):
                value.share_memory_()
    addresses = [p.data_ptr() for p in model.parameters()]
    train(model, optimizer, 2)
    assert addresses == [p.data_ptr() for p in model.parameters()]
    assert all(kept["m"].is_shared() for kept in optimizer.state.values())


def test_averaged_models_and_their_schedule():
    def use(make):
        model = network()
        optimizer = make(model.parameters(), lr=1e-2)
        schedule = SWALR(optimizer, swa_lr=0.05, anneal_epochs=3)
        average = AveragedModel(model)
        for _ in range(5):
            train(model, optimizer, 1, schedule)
            average.update_parameters(model)
        return torch.cat([p.detach().flatten() for p in average.parameters()])

    assert_as_torchs(use)


@pytest.mark.parametrize("flat", [False, True])
def test_states_go_through_torchs_distributed_checkpoint(flat, tmp_path):
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint import state_dict as states

    options = states.StateDictOptions(flatten_optimizer_state_dict=flat)

    def use(make):
        model = network()
        optimizer = make(model.parameters(), lr=1e-2)
        train(model, optimizer, 3)
        folder = tmp_path / f"{type(optimizer).__module__}"
        again = make(model.parameters(), lr=0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own: one process only
            saved = states.get_optimizer_state_dict(model, optimizer, options=options)
            dcp.save(saved, checkpoint_id=folder)
            loaded = states.get_optimizer_state_dict(model, again, options=options)
            dcp.load(loaded, checkpoint_id=folder)
            states.set_optimizer_state_dict(model, again, loaded, options=options)
        return train(model, again, 3)

    assert_as_torchs(use)


def test_a_wrapper_that_keeps_arrays_in_our_state_saves_and_loads_them():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = Adam([p])
    p.grad = torch.ones(2)
    optimizer.step()
    optimizer.state[p]["slow_buffer"] = torch.tensor([3.0, 4.0])
    again = Adam([p])
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    again.step()
    assert again.state[p]["slow_buffer"].tolist() == [3.0, 4.0]


def test_groups_of_another_optimizer_of_ours_are_taken_over():
    p = torch.nn.Parameter(torch.ones(2))
    first = optimizer_class("momentum")([p], lr=0.25)
    second = Adam(first.param_groups)
    assert second.param_groups[0]["lr"] == 0.25
    assert second.state_dict()["param_groups"][0]["rule"] == "adam"


def test_an_integer_parameter_put_in_by_hand_is_refused_by_name():
    p = torch.nn.Parameter(torch.ones(2))
    whole = torch.ones(2, dtype=torch.int64)
    optimizer = Adam([p])
    optimizer.param_groups[0]["params"].append(whole)
    with pytest.raises(ParameterError, match=r"parameter 1 of group 0.*torch.int64"):
        optimizer.step_with([[None, torch.ones(2)]])


def test_the_first_step_of_each_parameter_may_have_settings_of_its_own():
    p, late = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    for path in ({}, {"foreach": True}, {"compile": False}):
        group = {"params": [p, late], "first_step": {"dampening": 0.0}}
        optimizer = optimizer_class("momentum")([group], lr=1.0, beta=0.5, dampening=0.75, **path)
        for moving in ([p], [p, late]):
            for one in (p, late):
                one.grad = torch.ones(1) if any(one is m for m in moving) else None
            optimizer.step()
        assert optimizer.state[p]["v"].item() == 0.75  # 0.5 * 1 + 0.25
        assert optimizer.state[late]["v"].item() == 1.0
    with pytest.raises(SettingError, match="no setting 'beta3'"):
        optimizer_class("momentum")([{"params": [p], "first_step": {"beta3": 0.0}}])


@pytest.mark.parametrize("rule", ["adam", "adamw", "momentum", "nesterov", "rmsprop"])
def test_a_cycle_of_rate_and_momentum_goes_on_where_it_was_saved(rule):
    def make(model):
        optimizer = optimizer_class(rule)(model.parameters(), lr=1e-2)
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=20)

    model = network()
    optimizer, scheduler = make(model)
    train(model, optimizer, 7, scheduler)
    saved = copy.deepcopy([x.state_dict() for x in (model, optimizer, scheduler)])
    expected = train(model, optimizer, 9, scheduler)
    other = network()
    again, its_scheduler = make(other)
    for one, state in zip((other, again, its_scheduler), saved, strict=True):
        one.load_state_dict(state)
    got = train(other, again, 9, its_scheduler)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)
    assert again.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]

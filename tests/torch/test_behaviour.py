"""The optimizers behave in every way PyTorch's own do."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import weakref

import pytest
import torch
from tests import typical
from torch.optim import lr_scheduler

from descenso.errors import SettingError
from descenso.torch import optimizer_class

Adam = optimizer_class("adam")
Descent = optimizer_class("gradient_descent")
PATHS = pytest.mark.parametrize(
    "path", [{}, {"foreach": True}, {"compile": False}], ids=["kernel", "lists", "plain"]
)


def network(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))


def batch(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, 4, generator=generator), torch.randn(16, 1, generator=generator)


def train(model, optimizer, steps, scheduler=None, first=0):
    for seed in range(first, first + steps):
        x, y = batch(seed)
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("name", typical.RULES)
@PATHS
def test_training_lowers_the_loss(name, path):
    model = network()
    x, y = batch()
    optimizer = optimizer_class(name)(model.parameters(), lr=0.01, **path)
    loss = torch.nn.functional.mse_loss
    before = loss(model(x), y).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    assert loss(model(x), y).item() < before


@PATHS
def test_each_group_has_settings_of_its_own(path):
    a, b = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    optimizer = Descent([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, **path)
    for p in (a, b):
        p.grad = torch.ones(2)
    optimizer.step()
    assert a.tolist() == pytest.approx([-0.1, -0.1])
    assert b.tolist() == pytest.approx([-0.5, -0.5])


@PATHS
def test_a_group_added_in_mid_training_starts_at_its_first_step(path):
    a, b = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    optimizer = Adam([a], **path)
    for _ in range(3):
        a.grad = torch.ones(2)
        optimizer.step()
    optimizer.add_param_group({"params": [b], "lr": 0.5})
    a.grad = b.grad = torch.ones(2)
    optimizer.step()
    assert (optimizer.state[a]["step"], optimizer.state[b]["step"]) == (4, 1)
    assert b.tolist() == pytest.approx([-0.5, -0.5], rel=1e-5)


@PATHS
def test_a_parameter_without_gradient_is_left_alone_and_keeps_no_state(path):
    a, b = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    optimizer = Adam([a, b], **path)
    a.grad = torch.ones(2)
    optimizer.step()
    assert b.tolist() == [0.0, 0.0]
    assert b not in optimizer.state
    b.grad = torch.ones(2)  # from here on it counts its own steps
    optimizer.step()
    assert (optimizer.state[a]["step"], optimizer.state[b]["step"]) == (2, 1)
    torch.testing.assert_close(b.detach(), torch.full((2,), -1e-3))


SCHEDULERS = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda step: step / 5),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.9),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 3),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 5]),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o, total_iters=4),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o, total_iters=6),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=6),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=4),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 1e-4, 1e-2, 3, cycle_momentum=False),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.01, total_steps=20, cycle_momentum=False),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)], milestones=[3]
    ),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)]
    ),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_of_torch_leads_it_as_it_leads_torchs_adam(name):
    ours, theirs = network(), network()
    optimizer, peer = Adam(ours.parameters()), torch.optim.Adam(theirs.parameters())
    got = train(ours, optimizer, 12, SCHEDULERS[name](optimizer))
    torch.testing.assert_close(got, train(theirs, peer, 12, SCHEDULERS[name](peer)))


CYCLES = {
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.01, total_steps=12),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 1e-4, 1e-2, 3),
}
PEERS = {
    "momentum": ({"dampening": 0.0}, lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9)),
    "nesterov": ({}, lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, nesterov=True)),
    "adam": ({}, lambda p: torch.optim.Adam(p, lr=1e-3)),
}


@pytest.mark.parametrize("cycle", CYCLES)
@pytest.mark.parametrize("rule", PEERS)
def test_a_cycle_swings_the_momentum_as_it_swings_torchs(rule, cycle):
    settings, make_peer = PEERS[rule]
    ours, theirs = network(), network()
    optimizer = optimizer_class(rule)(ours.parameters(), lr=1e-3, **settings)
    peer = make_peer(theirs.parameters())
    scheduler, other = CYCLES[cycle](optimizer), CYCLES[cycle](peer)
    got = train(ours, optimizer, 12, scheduler)
    torch.testing.assert_close(got, train(theirs, peer, 12, other))


def test_a_cycle_swings_the_momentum_inside_rmsprop():
    ours = optimizer_class("rmsprop")(network().parameters(), momentum=0.9)
    peer = torch.optim.RMSprop(network().parameters(), momentum=0.9)
    schedulers = [CYCLES["OneCycleLR"](optimizer) for optimizer in (ours, peer)]
    for _step in range(11):
        for optimizer, scheduler in zip((ours, peer), schedulers, strict=True):
            optimizer.step()
            scheduler.step()
        assert ours.param_groups[0]["momentum"] == peer.param_groups[0]["momentum"]
    assert ours.param_groups[0]["momentum"] != 0.9


def test_a_momentum_set_by_hand_holds_where_no_cycle_swings_it():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizer_class("momentum")([p], lr=1.0)
    CYCLES["OneCycleLR"](optimizer)
    saved = optimizer.state_dict()
    optimizer = optimizer_class("momentum")([p], lr=1.0)
    optimizer.load_state_dict(saved)
    p.grad = torch.ones(1)
    optimizer.step()
    assert optimizer.param_groups[0]["beta"] == 0.95
    optimizer.param_groups[0]["beta"] = 0.5
    optimizer.step()
    assert optimizer.param_groups[0]["beta"] == 0.5
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "beta": 0.3})
    optimizer.step()
    assert [group["beta"] for group in optimizer.param_groups] == [0.5, 0.3]


def test_a_cycle_without_a_momentum_to_swing_is_refused_by_torch():
    p = torch.nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="must support momentum"):
        CYCLES["OneCycleLR"](Descent([p], lr=1.0))


def test_a_plateau_lowers_the_learning_rate():
    optimizer = Adam(network().parameters(), lr=0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    for loss in (1.0, 1.0, 1.0):
        scheduler.step(loss)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.001)


def test_dampening_left_open_follows_a_momentum_that_changes():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizer_class("momentum")([p], lr=1.0)
    optimizer.param_groups[0]["beta"] = 0.5
    p.grad = torch.ones(1)
    optimizer.step()
    assert p.item() == pytest.approx(-0.5)


@PATHS
def test_a_learning_rate_in_a_tensor_is_read_at_every_step(path):
    p, lr = torch.nn.Parameter(torch.zeros(1)), torch.tensor(0.1)
    optimizer = Descent([p], lr=lr, **path)
    for value, expected in ((0.1, -0.1), (0.5, -0.6)):
        lr.fill_(value)
        p.grad = torch.ones(1)
        optimizer.step()
        assert p.item() == pytest.approx(expected)


def test_a_setting_changed_to_nonsense_is_refused_at_the_next_step():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = Adam([p])
    p.grad = torch.ones(1)
    for bad in (-1.0, float("nan"), "fast"):
        optimizer.param_groups[0]["lr"] = bad
        with pytest.raises(SettingError, match="lr"):
            optimizer.step()
    assert p.item() == 0.0


def test_a_momentum_switched_on_in_mid_training_gets_its_array():
    p = torch.nn.Parameter(torch.zeros(3))
    optimizer = optimizer_class("rmsprop")([p])
    for momentum in (0.0, 0.9, 0.9):
        optimizer.param_groups[0]["momentum"] = momentum
        p.grad = torch.ones(3)
        optimizer.step()
    assert set(optimizer.state[p]) == {"s", "b", "step"}
    assert torch.isfinite(p).all()


@PATHS
def test_a_closure_is_called_with_gradients_on_and_its_loss_returned(path):
    p = torch.nn.Parameter(torch.tensor([2.0]))
    optimizer = Descent([p], lr=0.25, **path)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == pytest.approx(1.0)


def test_step_hooks_run_before_and_after():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer, seen = Descent([p], lr=1.0), []
    before = optimizer.register_step_pre_hook(lambda *_: seen.append(("before", p.item())))
    after = optimizer.register_step_post_hook(lambda *_: seen.append(("after", p.item())))
    p.grad = torch.ones(1)
    optimizer.step()
    assert seen == [("before", 0.0), ("after", -1.0)]
    before.remove()
    after.remove()
    optimizer.step()
    assert len(seen) == 2


def test_a_profiler_sees_the_step():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = Adam([p])
    p.grad = torch.ones(1)
    with torch.autograd.profiler.profile() as profile:
        optimizer.step()
    assert any("Optimizer.step#Adam.step" in event.name for event in profile.function_events)


@PATHS
def test_a_backward_through_a_parameter_changed_by_a_step_is_refused(path):
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = Descent([p], **path)
    loss = (p * p).sum()
    p.grad = torch.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@PATHS
def test_gradients_summed_over_micro_batches_make_one_step(path):
    ours, theirs = network(), network()
    optimizer, peer = Adam(ours.parameters(), **path), torch.optim.Adam(theirs.parameters())
    for model, o in ((ours, optimizer), (theirs, peer)):
        for seed in range(6):
            x, y = batch(seed)
            (torch.nn.functional.mse_loss(model(x), y) / 3).backward()
            if seed % 3 == 2:
                o.step()
                o.zero_grad(set_to_none=False)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_gradient_is_not_kept_alive_by_the_optimizer():
    p = torch.nn.Parameter(torch.zeros(5))
    optimizer = Adam([p])
    p.grad = torch.ones(5)
    gone = weakref.ref(p.grad)
    optimizer.step()
    p.grad = None
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_goes_on_by_itself(copier):
    model = network()
    optimizer = Adam(model.parameters(), nonfinite="skip")
    train(model, optimizer, 3)
    model_and_optimizer = copier((model, optimizer))
    torch.testing.assert_close(
        train(*model_and_optimizer, 3), train(model, optimizer, 3), rtol=0, atol=0
    )


def test_a_grad_scaler_unscales_and_skips_steps_that_overflow():
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = Descent([p], lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale((p * 2).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert p.item() == -2.0
    optimizer.zero_grad()
    scaler.scale((p * float("inf")).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert p.item() == -2.0
    assert scaler.get_scale() == 4.0


@PATHS
def test_autocast_training_runs(path):
    model = network()
    optimizer = Adam(model.parameters(), **path)
    x, y = batch()
    with torch.autocast("cpu", torch.bfloat16):
        loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    assert all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.parametrize("path", [{}, {"foreach": True}, {"compile": False}])
@pytest.mark.parametrize("name", ["adam", "gradient_descent"])
def test_parameters_on_two_devices_are_stepped_each_where_it_is(name, path):
    here, elsewhere = (torch.nn.Parameter(torch.zeros(2, device=d)) for d in ("cpu", "meta"))
    optimizer = optimizer_class(name)([elsewhere, here], lr=1e-3, **path)
    for p in (here, elsewhere):
        p.grad = torch.ones(2, device=p.device)
    optimizer.step()
    assert here.tolist() == pytest.approx([-1e-3, -1e-3])
    assert name != "adam" or optimizer.state[elsewhere]["m"].device.type == "meta"


def test_a_whole_optimizer_survives_torch_save():
    model = network()
    optimizer = Adam(model.parameters())
    train(model, optimizer, 2)
    file = io.BytesIO()
    torch.save({"o": optimizer.state_dict(), "m": model.state_dict()}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    other = network(seed=9)
    other.load_state_dict(loaded["m"])
    again = Adam(other.parameters(), lr=0.5)
    again.load_state_dict(loaded["o"])
    torch.testing.assert_close(train(other, again, 4), train(model, optimizer, 4), rtol=0, atol=0)

"""What torch's own suite asks of its optimizers, asked of ours in their place.

The inputs are those that the installed torch brings for its suite. What is refused by design is in
``REFUSED``, each with its reason; ``docs/torch.md`` says the same.
"""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch

from descenso import transforms
from descenso.errors import DescensoError, ParameterError, SettingError
from descenso.torch import optimizer_class

pytest.importorskip("expecttest")  # torch's own helpers import it
from torch.testing._internal import common_optimizers

KINDS = ("SGD", "RMSprop", "Adam", "AdamW")
INFO = {o.optim_cls.__name__: o for o in common_optimizers.optim_db}
INPUTS = [(kind, i.kwargs, i.desc) for kind in KINDS for i in INFO[kind].optim_inputs_func("cpu")]
PATHS = {"kernel": {}, "lists": {"foreach": True}, "plain": {"compile": False}}

#: What torch's optimizers take and ours refuse, with the reason that the message gives.
REFUSED = {
    "fused": ({"fused": True}, "the fastest path is chosen"),
    "capturable": ({"capturable": True}, "counts on the host"),
    "differentiable": ({"differentiable": True}, "in place"),
    "another word for one setting": ({"betas": (0.9, 0.99)}, "Write beta1= and beta2="),
    "what a transform does": ({"weight_decay": 0.1}, "transforms=.*coupled_weight_decay.*adamw"),
    "what another method does": ({"amsgrad": True}, "method amsgrad"),
    "an infinite rate": ({"lr": float("inf")}, "lr must lie in"),
}


def ours(kind, params, kwargs, **options):
    """Return descenso's optimizer for the arguments of a torch one."""
    given = dict(kwargs)
    decay = given.pop("weight_decay", 1e-2 if kind == "AdamW" else 0.0)
    if "betas" in given:
        given["beta1"], given["beta2"] = given.pop("betas")
    name, first = kind.lower(), {}
    if kind == "SGD":
        name, first = _sgd(given)
    elif given.pop("amsgrad", False):
        name = "amsgrad"
    if kind == "RMSprop":
        given = {
            "lr": 1e-2,
            "beta": given.pop("alpha", 0.99),
            "eps": 1e-8,
            "eps_root": 0.0,
            **given,
        }
    if name == "adamw":
        given["weight_decay"] = decay
    elif decay:
        make = "decoupled_weight_decay" if kind == "AdamW" else "coupled_weight_decay"
        options["transforms"] = [getattr(transforms, make)(decay)]
    group = {"params": params, **first}
    return optimizer_class(name)([group], **given, **options)


def _sgd(given):
    given.setdefault("lr", 1e-3)
    momentum, dampening = given.pop("momentum", 0.0), given.pop("dampening", 0.0)
    if given.pop("nesterov", False):
        given["beta"] = momentum
        return "nesterov", {}
    if not momentum:
        return "gradient_descent", {}
    given |= {"beta": momentum, "dampening": dampening}
    return "momentum", {"first_step": {"dampening": 0.0}} if dampening else {}


def theirs(kind, params, kwargs):
    return INFO[kind].optim_cls(params, **kwargs)


SHAPES = ((4, 3), (3,), (), (0, 2), (2, 1, 3))


def parameters(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(shape, generator=generator, dtype=dtype) for shape in SHAPES]
    made.append(torch.randn(4, 5, generator=generator, dtype=dtype).t())  # another layout
    return [torch.nn.Parameter(p) for p in made]


def walk(optimizer, params, steps=6, scheduler=None, first=0):
    for t in range(first, first + steps):
        generator = torch.Generator().manual_seed(t + 1)
        for p in params:
            p.grad = torch.randn(p.shape, generator=generator, dtype=p.dtype)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return [p.detach().clone() for p in params]


def assert_alike(got, wanted, **tolerance):
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("kind", "kwargs", "desc"), INPUTS, ids=[f"{k} {d}" for k, _, d in INPUTS])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
def test_it_walks_as_torchs_own_does(kind, kwargs, desc, path, dtype):
    mine, peers = parameters(dtype), parameters(dtype)
    got = walk(ours(kind, mine, kwargs, **PATHS[path]), mine)
    assert_alike(got, walk(theirs(kind, peers, kwargs), peers), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schedulers_of_torchs_suite_lead_it_as_they_lead_torchs_own(kind):
    for made in INFO[kind].scheduler_inputs:
        mine, peers = parameters(), parameters()
        optimizer, peer = ours(kind, mine, {}), theirs(kind, peers, {})
        got = walk(optimizer, mine, 25, Several(made, optimizer))
        assert_alike(got, walk(peer, peers, 25, Several(made, peer)))
        assert optimizer.param_groups[0]["lr"] == pytest.approx(peer.param_groups[0]["lr"])


class Several:
    """Schedulers that step one after another."""

    def __init__(self, made, optimizer):
        self._all = [make(optimizer) for make in made]

    def step(self):
        for scheduler in self._all:
            plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
            scheduler.step(*([1.0] if plateau else []))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_rate_in_a_tensor_of_either_shape_is_taken(shape, path):
    for kind in KINDS:
        mine, peers = parameters(), parameters()
        got = walk(ours(kind, mine, {"lr": torch.full(shape, 0.01)}, **PATHS[path]), mine)
        assert_alike(got, walk(theirs(kind, peers, {"lr": torch.tensor(0.01).item()}), peers))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_of_several_dtypes_are_stepped_as_torchs_are(kind, path):
    def mixed():
        generator = torch.Generator().manual_seed(3)
        dtypes = (torch.float32, torch.float64, torch.complex64, torch.float32)
        return [
            torch.nn.Parameter(torch.randn(3, 2, generator=generator, dtype=dtype))
            for dtype in dtypes
        ]

    mine, peers = mixed(), mixed()
    got = walk(ours(kind, mine, {}, **PATHS[path]), mine)
    assert_alike(got, walk(theirs(kind, peers, {}), peers), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_without_gradients_or_with_gradients_of_zero_moves_nothing(kind, path):
    params = parameters()
    before = [p.detach().clone() for p in params]
    optimizer = ours(kind, params, {"weight_decay": 0.0}, **PATHS[path])
    optimizer.step()
    assert not optimizer.state
    for p in params:
        p.grad = torch.zeros_like(p)
    optimizer.step()
    assert_alike([p.detach() for p in params], before, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_groups_have_rates_of_their_own_and_take_zero(kind):
    def groups(params):
        return [
            {"params": params[:2], "lr": 0.0},
            {"params": []},
            {"params": params[2:], "lr": 0.05, "layer_id": 3},
        ]

    mine, peers = parameters(), parameters()
    name = "gradient_descent" if kind == "SGD" else kind.lower()
    settings = {"beta": 0.99, "eps": 1e-8, "eps_root": 0.0} if kind == "RMSprop" else {}
    optimizer = optimizer_class(name)(groups(mine), 0.01, **settings)
    got = walk(optimizer, mine)
    assert_alike(got, walk(theirs(kind, groups(peers), {"lr": 0.01}), peers))
    assert optimizer.param_groups[2]["layer_id"] == 3


ERRORS = common_optimizers.get_error_inputs_for_all_optims("cpu", torch.float32)


@pytest.mark.parametrize("case", ERRORS, ids=[e.optimizer_error_input.desc for e in ERRORS])
@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate")
def test_what_torch_refuses_is_refused_with_an_error_of_its_type(case):
    given = case.optimizer_error_input
    if case.error_type is UserWarning:
        pytest.skip("torch warns only, in its own words, in code that ours runs too")
    with pytest.raises(case.error_type):
        optimizer_class("adam")(given.params, **given.kwargs)


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused_by_design_says_what_to_do(why):
    kwargs, match = REFUSED[why]
    with pytest.raises(SettingError, match=match):
        optimizer_class("adam")(parameters(), **kwargs)
    off = {name: None if name in ("fused",) else False for name in kwargs if name != "lr"}
    if "betas" not in kwargs:  # the value that means without it is taken
        optimizer_class("adam")(parameters(), **off)


def test_sparse_gradients_are_refused_by_design():
    table = torch.nn.Embedding(4, 2, sparse=True)
    optimizer = optimizer_class("gradient_descent")(table.parameters(), 0.1)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(ParameterError, match="sparse=False"):
        optimizer.step()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_printed_with_its_groups_and_settings(kind):
    text = repr(ours(kind, parameters(), {"lr": 0.125}))
    assert "Parameter Group 0" in text
    assert "lr: 0.125" in text


def test_hooks_see_the_call_as_it_was_made_and_may_change_it():
    params = parameters()
    optimizer, peer = ours("Adam", params, {}), theirs("Adam", parameters(), {})
    seen = {optimizer: [], peer: []}

    def closure():
        return 1.0

    for o in (optimizer, peer):
        o.register_step_pre_hook(lambda o, args, kwargs: seen[o].append((args[1:], dict(kwargs))))
        o.register_step_post_hook(lambda o, args, kwargs: seen[o].append((args[1:], dict(kwargs))))
        o.step()
        o.step(closure)
        o.step(closure=closure)
        o.register_step_pre_hook(lambda o, args, kwargs: (args[:1], {"closure": lambda: 5.0}))
        assert o.step(closure) == 5.0
        o.register_step_pre_hook(lambda *_: "nonsense")
        with pytest.raises(RuntimeError, match="must return None or a tuple"):
            o.step()
    assert [c[0] for c in seen[optimizer]] == [c[0] for c in seen[peer]]
    assert [sorted(c[1]) for c in seen[optimizer]] == [sorted(c[1]) for c in seen[peer]]


def test_hooks_of_all_optimizers_and_of_one_run_in_torchs_order():
    from torch.optim.optimizer import (
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )

    def order(optimizer):
        seen = []
        handles = [
            optimizer.register_step_post_hook(lambda *_: seen.append("own post")),
            optimizer.register_step_pre_hook(lambda *_: seen.append("own pre")),
            register_optimizer_step_pre_hook(lambda *_: seen.append("all pre")),
            register_optimizer_step_post_hook(lambda *_: seen.append("all post")),
        ]
        optimizer.step()
        for handle in handles:
            handle.remove()
        optimizer.step()
        return seen

    assert order(ours("Adam", parameters(), {})) == order(theirs("Adam", parameters(), {}))


@pytest.mark.parametrize("prepend", [False, True])
def test_hooks_around_states_run_and_may_change_them(prepend):
    params = parameters()
    optimizer = ours("Adam", params, {})
    walk(optimizer, params, 2)
    seen = []
    for number in (1, 2):
        optimizer.register_state_dict_pre_hook(
            lambda o, number=number: seen.append(("before save", number)), prepend=prepend
        )
        optimizer.register_load_state_dict_post_hook(
            lambda o, number=number: seen.append(("after load", number)), prepend=prepend
        )
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "note": "kept"})
    optimizer.register_load_state_dict_pre_hook(
        lambda o, saved: seen.append(("before load", saved["note"]))
    )
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    numbers = (2, 1) if prepend else (1, 2)
    assert seen == [
        *(("before save", n) for n in numbers),
        ("before load", "kept"),
        *(("after load", n) for n in numbers),
    ]


@pytest.mark.parametrize(("kind", "kwargs", "desc"), INPUTS, ids=[f"{k} {d}" for k, _, d in INPUTS])
def test_a_saved_state_goes_on_exactly_and_says_the_same_twice(kind, kwargs, desc):
    params = parameters()
    optimizer = ours(kind, params, kwargs)
    walk(optimizer, params, 3)
    file = io.BytesIO()
    torch.save([p.detach().clone() for p in params] + [optimizer.state_dict()], file)
    file.seek(0)
    *values, saved = torch.load(file, weights_only=True)
    assert saved["param_groups"] == optimizer.state_dict()["param_groups"]
    again_params = [torch.nn.Parameter(v) for v in values]
    again = ours(kind, again_params, {**kwargs, "lr": 0.7})
    again.load_state_dict(saved)
    got = walk(again, again_params, 3, first=3)
    assert_alike(got, walk(optimizer, params, 3, first=3), rtol=0, atol=0)


def test_an_older_state_without_what_groups_have_today_is_taken():
    params = parameters()
    optimizer = ours("Adam", params, {})
    walk(optimizer, params, 2)
    saved = copy.deepcopy(optimizer.state_dict())
    for group in saved["param_groups"]:
        del group["maximize"], group["rule"]
    for kept in saved["state"].values():
        kept["step"] = torch.tensor(float(kept["step"]))
    again = ours("Adam", params, {})
    again.load_state_dict(saved)
    walk(again, params, 1)
    assert again.state[params[0]]["step"] == 3
    assert again.param_groups[0]["maximize"] is False
    assert again.state_dict()["param_groups"][0]["rule"] == "adam"


@pytest.mark.parametrize("saved_named", [True, False])
def test_named_and_unnamed_parameters_load_from_each_other(saved_named):
    params = parameters()
    named = [(f"p{i}", p) for i, p in enumerate(params)]
    sides = (named, params) if saved_named else (params, named)
    optimizer, again = (optimizer_class("adam")(side) for side in sides)
    walk(optimizer, params, 2)
    again.load_state_dict(optimizer.state_dict())
    for p in params:
        torch.testing.assert_close(again.state[p]["m"], optimizer.state[p]["m"])
    assert ("param_names" in again.param_groups[0]) is not saved_named


@pytest.mark.parametrize("how", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_has_all_that_the_original_has(how):
    params = parameters()
    optimizer = ours("Adam", params, {})
    walk(optimizer, params, 2)
    copied = how(optimizer)
    public = {name for name in vars(optimizer) if not name.startswith("_")}
    assert public == {name for name in vars(copied) if not name.startswith("_")}
    assert copied.defaults == {**optimizer.defaults, "differentiable": False}
    copied.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2))]})
    copied.step()


def test_zero_grad_forgets_gradients_or_fills_them_with_zeros():
    params = parameters()
    optimizer = ours("Adam", params, {})
    walk(optimizer, params, 1)
    kept = [p.grad for p in params]
    optimizer.zero_grad(set_to_none=False)
    assert all(p.grad is g and not g.any() for p, g in zip(params, kept, strict=True))
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


def test_a_parameter_in_two_groups_and_a_mixture_of_names_are_refused_as_by_torch():
    p, q = parameters()[:2]
    optimizer = optimizer_class("adam")([p])
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": [p]})
    with pytest.raises(ValueError, match="with/without names"):
        optimizer.add_param_group({"params": [("q", q)]})
    with pytest.raises(TypeError):
        optimizer.add_param_group([q])
    with pytest.raises(TypeError):
        optimizer.add_param_group({"params": {q}})
    assert len(optimizer.param_groups) == 1


def test_errors_that_are_ours_are_of_the_family():
    for kwargs in ({"lr": -1.0}, {"nesterov": True}, {"no_such": 1}):
        with pytest.raises(DescensoError):
            optimizer_class("adam")(parameters(), **kwargs)

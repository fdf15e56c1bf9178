"""One kernel serves every size and setting; without a compiler the lists take over, once said."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch._inductor.cpu_vec_isa import VecAVX2

from descenso import rules
from descenso.errors import SettingError
from descenso.torch import _foreach, _kernel, _optimizer, inductor, optimizer_class, trace

Adam = optimizer_class("adam")


@pytest.fixture
def compilations(monkeypatch):
    made = []
    original = _kernel.compile_flat
    monkeypatch.setattr(_kernel, "_kernels", {})
    monkeypatch.setattr(_kernel, "compile_flat", lambda *a: made.append(a[1]) or original(*a))
    return made


@pytest.mark.slow
def test_nothing_is_compiled_again_when_settings_sizes_or_steps_change(compilations):
    ps = [torch.nn.Parameter(torch.zeros(n)) for n in (1, 17, 4096, 100_003)]
    optimizer = Adam(ps)
    for lr in (0.1, 0.2, 0.3):
        optimizer.param_groups[0].update(lr=lr, beta1=1 - lr, eps=lr)
        for p in ps:
            p.grad = torch.ones_like(p)
        optimizer.step()
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(5, 5))], "lr": 1.0})
    Adam([torch.nn.Parameter(torch.zeros(2, 3))], lr=0.7)._make_steps()
    assert len(compilations) == 1
    assert ps[3].unique().numel() == 1


def test_one_kernel_is_compiled_for_each_dtype(compilations):
    ps = [
        torch.nn.Parameter(torch.zeros(3, dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16, torch.float32)
    ]
    Adam(ps)._make_steps()
    assert sorted(str(recipe.dtype) for recipe in compilations) == [
        "torch.bfloat16",
        "torch.float32",
    ]


def test_two_optimizers_with_one_kernel_keep_their_own_settings():
    a, b = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    descent = optimizer_class("gradient_descent")
    first, second = descent([a], lr=0.1), descent([b], lr=0.5)
    for _ in range(2):
        for p, optimizer in ((a, first), (b, second)):
            p.grad = torch.ones(1)
            optimizer.step()
    assert (a.item(), b.item()) == (pytest.approx(-0.2), pytest.approx(-1.0))


def test_only_adding_a_multiple_of_the_gradient_is_recognized():
    def sign(name, **switches):
        rule = optimizer_class(name).rule
        settings = {**rule.settings(), **switches}
        kept = tuple((n, settings[n]) for n, h in rule.hyperparameters.items() if h.is_switch)
        return _foreach.multiple(trace.cached(rule, rule.state_names(settings), kept))

    signs = {name: sign(name) for name in rules.names()}
    assert signs.pop("gradient_descent") == -1
    assert not any(signs.values())


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64])
def test_a_large_set_is_descended_in_one_call_that_equals_the_plain_rule(
    monkeypatch, compilations, maximize, dtype
):
    monkeypatch.setattr(_optimizer, "_MORE_THAN_A_CACHE", 100)
    descent = optimizer_class("gradient_descent")
    made = {}
    for compile in (None, False):
        torch.manual_seed(0)
        shapes = ((30, 7), (5,), (4, 3))
        ps = [torch.nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in shapes]
        ps.append(torch.nn.Parameter(torch.randn(6, 8, dtype=dtype).t()))
        groups = [{"params": ps[:2], "lr": 0.5}, {"params": ps[2:]}]
        optimizer = descent(groups, maximize=maximize, compile=compile)
        for step in range(3):
            for i, p in enumerate(ps):
                p.grad = None if i == step else torch.randn(p.shape, dtype=dtype)
            optimizer.step()
        made[compile] = ps, [optimizer.state[p]["step"] for p in ps], ps[0]._version
    assert not compilations
    assert made[None][1] == made[False][1] == [2, 2, 2, 3]
    assert made[None][2] == 2
    tolerance = 1e-2 if dtype is torch.bfloat16 else 1e-6
    for ours, plain in zip(made[None][0], made[False][0], strict=True):
        assert torch.allclose(ours, plain, rtol=tolerance, atol=tolerance)


def test_whether_vectors_can_be_used_is_tried_without_another_process(monkeypatch, tmp_path):
    monkeypatch.setattr(subprocess, "run", _fails)
    library = str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")
    with inductor.probing_here():
        assert VecAVX2()._probe_load(library)
        assert not VecAVX2()._probe_load(str(tmp_path / "missing.so"))


def _fails(*_, **__):
    raise RuntimeError("no C++ compiler")


def test_without_a_compiler_lists_are_used_and_it_is_said_once(monkeypatch):
    monkeypatch.setattr(_kernel, "_kernels", {})
    monkeypatch.setattr(_kernel, "compile_flat", _fails)
    monkeypatch.setattr(_optimizer, "_said_no_compiler", False)
    p = torch.nn.Parameter(torch.zeros(2))
    p.grad = torch.ones(2)
    with pytest.warns(UserWarning, match=r"no compiled kernel.*no C\+\+ compiler"):
        Adam([p]).step()
    assert p.tolist() == pytest.approx([-1e-3] * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Adam([p]).step()
    with pytest.raises(SettingError, match="no kernel can be made"):
        Adam([p], compile=True).step()


def test_a_kernel_that_gives_other_numbers_is_not_used(monkeypatch):
    monkeypatch.setattr(_kernel, "_kernels", {})
    original = _kernel._raw_kernel

    def wrong(program, recipe):
        call, order = original(program, recipe)
        swapped = tuple({2: 3, 3: 2}.get(place, place) for place in order)  # m and v mixed up
        return call, swapped

    monkeypatch.setattr(_kernel, "_raw_kernel", wrong)
    with pytest.raises(SettingError, match="gives other numbers"):
        Adam([torch.nn.Parameter(torch.zeros(2))], compile=True)._make_steps()


@pytest.mark.slow
def test_a_machine_without_a_toolchain_trains_with_lists(tmp_path):
    code = (
        "import torch, warnings, descenso.torch as d\n"
        "p = torch.nn.Parameter(torch.zeros(3)); p.grad = torch.ones(3)\n"
        "o = d.RMSprop([p], lr=0.1)\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    o.step(); o.step()\n"
        "said = [w for w in said if 'no compiled kernel' in str(w.message)]\n"
        "print(len(said), o._steps[0].path, p[0].item() < -0.1)\n"
    )
    environment = {
        **os.environ,
        "CXX": str(tmp_path / "no-such-compiler"),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"),
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["1", "foreach", "True"]

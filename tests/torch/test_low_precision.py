"""Low-precision, complex and oddly laid out parameters."""

from __future__ import annotations

import pytest
import torch
from tests import typical

from descenso import rules
from descenso.errors import ParameterError
from descenso.torch import _plain, _rounding, optimizer_class

Adam = optimizer_class("adam")
PATHS = pytest.mark.parametrize(
    "path", [{}, {"foreach": True}, {"compile": False}], ids=["kernel", "lists", "plain"]
)


@PATHS
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", typical.RULES)
def test_low_precision_parameters_keep_float32_state_and_float32_arithmetic(name, dtype, path):
    torch.manual_seed(0)
    p = torch.nn.Parameter(torch.randn(40).to(dtype))
    wide = torch.nn.Parameter(p.detach().float())
    optimizer, reference = (optimizer_class(name)([x], **path) for x in (p, wide))
    for _ in range(20):
        p.grad = torch.randn(40).to(dtype)
        wide.grad = p.grad.float()
        optimizer.step()
        reference.step()
        wide.data.copy_(p.data)  # the same rounded start of every step
    for key, kept in optimizer.state[p].items():
        if key != "step":
            assert kept.dtype is torch.float32
            torch.testing.assert_close(kept, reference.state[wide][key], rtol=1e-2, atol=1e-3)


@PATHS
def test_a_beta2_of_999_in_bfloat16_still_measures_the_gradient(path):
    p = torch.nn.Parameter(torch.zeros(8, dtype=torch.bfloat16))
    peer = torch.nn.Parameter(torch.zeros(8, dtype=torch.bfloat16))
    ours, theirs = Adam([p], **path), torch.optim.Adam([peer], foreach=False)
    for i in range(1, 400):
        g = torch.full((8,), 1.0 if i < 200 else 0.1, dtype=torch.bfloat16)
        p.grad, peer.grad = g, g.clone()
        ours.step()
        theirs.step()
    v = 1 - 0.999**199
    exact = v * 0.999**200 + (1 - 0.999**200) * 0.01
    got = ours.state[p]["v"][0].item()
    assert got == pytest.approx(exact, rel=1e-2)
    assert p.abs().max() > 0.1
    assert theirs.state[peer]["exp_avg_sq"][0].item() != pytest.approx(exact, rel=0.1)


@PATHS
def test_float64_parameters_keep_float64_state(path):
    p = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = Adam([p], **path)
    p.grad = torch.ones(3, dtype=torch.float64)
    optimizer.step()
    assert optimizer.state[p]["m"].dtype is torch.float64
    assert p[0].item() == pytest.approx(-1e-3 / (1 + 1e-8), abs=1e-18)


@PATHS
def test_dtypes_may_be_mixed_in_one_group(path):
    dtypes = (torch.float32, torch.bfloat16, torch.float64)
    ps = [torch.nn.Parameter(torch.zeros(5, dtype=dtype)) for dtype in dtypes]
    optimizer = Adam(ps, lr=0.5, **path)
    for p in ps:
        p.grad = torch.ones_like(p)
    optimizer.step()
    for p in ps:
        assert p.tolist() == pytest.approx([-0.5] * 5)


@PATHS
def test_complex_parameters_step_like_their_real_and_imaginary_parts(path):
    torch.manual_seed(0)
    z = torch.nn.Parameter(torch.randn(6, dtype=torch.complex64))
    pair = torch.nn.Parameter(torch.view_as_real(z.detach()).clone())
    peer = torch.nn.Parameter(z.detach().clone())
    optimizers = Adam([z], **path), Adam([pair], **path), torch.optim.Adam([peer])
    for _ in range(10):
        z.grad = torch.randn(6, dtype=torch.complex64)
        pair.grad = torch.view_as_real(z.grad).clone()
        peer.grad = z.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(torch.view_as_real(z.detach()), pair.detach())
    torch.testing.assert_close(z.detach(), peer.detach())
    assert optimizers[0].state[z]["m"].dtype is torch.complex64


LAYOUTS = {
    "transposed": lambda: torch.randn(6, 4).t(),
    "channels last": lambda: torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "with gaps": lambda: torch.randn(6, 8)[:, ::2],
    "empty": lambda: torch.randn(0, 3),
    "one number": lambda: torch.randn(()),
}


@PATHS
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gradient_layout", ["same", "contiguous", "reversed"])
def test_every_layout_of_parameter_and_gradient_gives_the_same_numbers(
    layout, gradient_layout, path
):
    torch.manual_seed(0)
    p = torch.nn.Parameter(LAYOUTS[layout]())
    peer = torch.nn.Parameter(p.detach().clone(memory_format=torch.contiguous_format))
    ours, theirs = Adam([p], **path), torch.optim.Adam([peer])
    for _ in range(5):
        g = torch.randn(p.shape)
        peer.grad = g.clone()
        if gradient_layout == "same":
            g = torch.empty_like(p).copy_(g)
        elif gradient_layout == "reversed" and g.ndim:
            dims = tuple(reversed(range(g.ndim)))
            g = g.permute(dims).contiguous().permute(dims)
        p.grad = g.detach()
        ours.step()
        theirs.step()
    torch.testing.assert_close(p.detach().contiguous(), peer.detach())


def test_a_parameter_whose_memory_is_replaced_is_followed():
    p = torch.nn.Parameter(torch.zeros(4))
    optimizer = Adam([p])
    for dtype in (torch.float32, torch.bfloat16, torch.float32):
        p.grad = None
        p.data = torch.zeros(4, dtype=dtype)
        p.grad = torch.ones(4, dtype=dtype)
        optimizer.step()
        assert p.abs().min() > 0
    assert optimizer.state[p]["step"] == 3


@PATHS
@pytest.mark.parametrize("name", ["adam", "adamw", "momentum"])
@pytest.mark.slow
def test_state_in_bfloat16_follows_float32_state_on_average(name, path):
    torch.manual_seed(0)
    a, b = (torch.nn.Parameter(torch.zeros(4000)) for _ in range(2))
    short = optimizer_class(name)([a], state_dtype="bfloat16", **path)
    full = optimizer_class(name)([b], **path)
    for _ in range(60):
        a.grad = 1 + 0.3 * torch.randn(4000)
        b.grad = a.grad.clone()
        short.step()
        full.step()
    for key, kept in short.state[a].items():
        if key != "step":
            assert kept.dtype is torch.bfloat16
            mean = full.state[b][key].mean()
            assert abs(kept.float().mean() - mean) < 2e-3 * mean
    assert abs(a.mean() - b.mean()) < 5e-3 * abs(b.mean())


def test_random_rounding_lands_on_both_neighbours_with_the_right_odds():
    value = 1.0 + 0.25 * 2**-7  # a quarter of the way between two bfloat16 numbers
    rounded = _rounding.stochastic(torch.full((100_000,), value), seed=7, stream=1)
    assert set(rounded.tolist()) == {1.0, 1.0 + 2**-7}
    up = (rounded > 1).float().mean().item()
    assert up == pytest.approx(0.25, abs=0.01)
    again = _rounding.stochastic(torch.full((100_000,), value), seed=7, stream=1)
    assert torch.equal(rounded, again)
    other = _rounding.stochastic(torch.full((100_000,), value), seed=8, stream=1)
    agreement = (rounded == other).float().mean().item()
    assert agreement == pytest.approx(0.25**2 + 0.75**2, abs=0.02)


def test_the_noise_of_places_steps_and_arrays_is_even_and_unrelated():
    place, table = torch.arange(9000)[-500:], _rounding.table()
    seeds = [int(_rounding.seed_slot(step * 1_000_003 + 5)) for step in range(400)]
    bits = [
        [_rounding.random_bits(place, torch.tensor(seed, dtype=torch.int32), table, stream)
         for seed in seeds] for stream in range(3)
    ]  # fmt: skip
    noise = torch.stack([torch.stack(steps) for steps in bits]) / 2**16
    assert noise.min() >= 0
    assert noise.max() < 1
    assert noise.mean().item() == pytest.approx(0.5, abs=3e-3)
    assert noise.std().item() == pytest.approx(12**-0.5, abs=3e-3)
    centred = (noise - noise.mean()) / noise.std()
    assert noise.mean().item() == pytest.approx(0.5, abs=3e-3)
    assert noise.std().item() == pytest.approx(12**-0.5, abs=3e-3)
    step_means, place_means = centred.mean(2), centred.mean(1)
    assert step_means.std().item() == pytest.approx(500**-0.5, rel=0.15)
    assert place_means.std().item() == pytest.approx(400**-0.5, rel=0.15)
    next_step = (centred[:, 1:] * centred[:, :-1]).mean()
    other_array = (centred[1:] * centred[:-1]).mean()
    neighbour = (centred[..., 1:] * centred[..., :-1]).mean()
    assert max(map(abs, (next_step, other_array, neighbour))) < 5e-3


def test_blocks_of_one_parameter_are_rounded_differently():
    value = torch.full((_rounding.BLOCK * 3,), 1 + 2**-8)
    up = (_rounding.stochastic(value, seed=1, stream=0) > 1).view(3, -1)
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert (up[a] == up[b]).float().mean().item() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("size", [37, 70_000])
@pytest.mark.slow
def test_the_kernel_rounds_state_as_the_plain_rule_does(size):
    torch.manual_seed(0)
    pairs = [torch.nn.Parameter(torch.zeros(size)) for _ in range(2)]
    optimizers = [
        Adam([p], state_dtype="bfloat16", **path)
        for p, path in zip(pairs, ({"compile": True}, {"compile": False}), strict=True)
    ]
    for _ in range(3):
        g = torch.randn(size)
        for p, optimizer in zip(pairs, optimizers, strict=True):
            p.grad = g.clone()
            optimizer.step()
    for key in ("m", "v"):
        ours, plain = (o.state[p][key] for o, p in zip(optimizers, pairs, strict=True))
        assert (ours != plain).float().mean() < 2e-3  # a last place of float32 rarely decides


def test_random_rounding_keeps_numbers_bfloat16_holds_and_what_is_not_finite():
    exact = torch.tensor([0.0, -1.5, 2.0**-130, float("inf"), float("nan")])
    rounded = _rounding.stochastic(exact, seed=3, stream=0)
    torch.testing.assert_close(rounded, exact, equal_nan=True, rtol=0, atol=0)


def test_a_complex_parameter_is_refused_where_the_rule_must_see_it_whole(tmp_path):
    file = tmp_path / "whole_step.py"
    file.write_text(
        'from descenso.rules import hyperparameter, rule\n\n@rule(paper="nobody")\n'
        "def whole_step(xp, theta, g, state, t, *, lr=hyperparameter(0.1, meaning='s', above=0)):\n"
        '    r"""Whole.\n\n    .. math::\n\n        x\n    """\n'
        "    return theta - lr * g / xp.sum(xp.square(g)), state\n"
    )
    rule = rules.load_rule_file(file)
    with pytest.raises(ParameterError, match=r"'z'.*complex"):
        optimizer_class(rule)([("z", torch.nn.Parameter(torch.zeros(2, dtype=torch.complex64)))])


def test_complex_and_oddly_laid_out_parameters_go_through_kernels_too(monkeypatch):
    calls = []
    monkeypatch.setattr(_plain, "update", lambda *a: calls.append(a))
    for p in (torch.randn(6, dtype=torch.complex64), torch.randn(6, 4).t()):
        p = torch.nn.Parameter(p)
        optimizer = Adam([p])
        p.grad = torch.ones(p.shape, dtype=p.dtype)
        optimizer.step()
        assert optimizer.state[p]["m"].abs().min() > 0
    assert not calls

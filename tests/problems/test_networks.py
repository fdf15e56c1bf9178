import numpy as np
import torch

from descenso.problems._networks import dense_apply, dense_init


def test_weights_have_the_variances_of_he_and_glorot_and_biases_are_zero():
    first, last = dense_init((400, 300, 200))(np.random.default_rng(0))
    assert first["weight"].shape == (400, 300)
    assert np.isclose(first["weight"].var(), 2 / 400, rtol=0.02)
    assert np.isclose(last["weight"].var(), 2 / (300 + 200), rtol=0.02)
    assert not first["bias"].any()
    assert not last["bias"].any()


def test_the_outputs_are_those_of_torchs_layers():
    params = dense_init((6, 5, 4, 3))(np.random.default_rng(0))
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4), torch.nn.ReLU(),
        torch.nn.Linear(4, 3),
    )  # fmt: skip
    with torch.no_grad():
        for layer, ours in zip(model[::2], params, strict=True):
            layer.weight.copy_(torch.tensor(ours["weight"].T))
            ours["bias"] += 0.5
            layer.bias.fill_(0.5)
    inputs = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
    expected = model(torch.tensor(inputs)).detach().numpy()
    np.testing.assert_allclose(dense_apply(params, inputs), expected, rtol=1e-5, atol=1e-6)

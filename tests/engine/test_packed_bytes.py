"""Bytes four to a word: the same examples, and the same training."""

import jax
import numpy as np
import pytest

from descenso import problems, rules
from descenso.engine.jax import JaxEngine, examples
from descenso.engine.jax.packed_bytes import packed, packs, unpacked
from descenso.records import Member

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(2, 2), (8, 8, 1), (4,), (3, 4, 5)])
def test_words_give_their_bytes_back(shape):
    examples = RNG.integers(0, 256, (6, *shape)).astype(np.uint8)
    assert packs(examples)
    words = packed(examples[::2])  # of examples that do not lie beside each other, too
    assert words.nbytes == examples[::2].nbytes
    np.testing.assert_array_equal(jax.jit(unpacked, static_argnums=1)(words, shape), examples[::2])


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((3, 5), np.uint8),  # fill no whole words
        np.zeros((3, 0), np.uint8),
        np.zeros((3, 4), np.float32),
    ],
)
def test_what_does_not_fill_words_stays_as_it_is(inputs):
    assert not packs(inputs)


@pytest.mark.parametrize(
    ("batch_size", "arrangement"),
    [(1, "one after another"), (50, "side by side"), (0, "one after another")],  # 0: all examples
)
def test_training_on_words_is_training_on_bytes(batch_size, arrangement, monkeypatch):
    problem = problems.get("digits-cnn")
    data = problem.make_data(0)
    settings = rules.get("momentum").settings(lr=0.1)
    members = [
        Member("momentum", "momentum", settings, batch_size or len(data.train), s) for s in (0, 1)
    ]

    def curves(pack):
        monkeypatch.setattr(examples, "packs", lambda inputs: pack and packs(inputs))
        engine = JaxEngine(problem, data, 0, arrangement=arrangement)
        assert (engine._examples.packed == (8, 8, 1)) is pack
        done = {r.member.seed: r.curve for runs in engine.train(members, 2) for r in runs}
        return [(done[s].steps, done[s].train_loss, done[s].validation_loss) for s in (0, 1)]

    for ours, theirs in zip(curves(True), curves(False), strict=True):
        assert ours[0] == theirs[0]
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
        np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-6)

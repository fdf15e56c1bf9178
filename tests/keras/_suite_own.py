"""Keras's own tests of its optimizers pass with descenso's in their place, but for what is listed."""

import keras
from tests.keras import _swapped

_SPARSE = "made dense: a rule moves the rows that a batch did not touch too"
# What may fail, and why.
REFUSED = {
    "sgd_test.SGDTest.test_invalid_momentum": "the text of Keras's message",
    "adamw_test.AdamWTest.test_weight_decay_is_none": "the text of Keras's message",
    "multi_optimizer_test.MultiOptimizerTest.test_serialization": "the names of Keras's classes",
}
ON_SPARSE_BACKENDS = {
    f"optimizer_sparse_test.OptimizerSparseTest.test_sparse_gradients_{name}": _SPARSE
    for name in ("loss_scale_optimizer_sgd", "rmsprop", "sgd")
}


def check_what_fails_of_the_tests_of_keras_is_what_is_listed():
    found = _swapped.outcomes()
    failed = {name: text for name, text in found.items() if text}
    sparse = keras.config.backend() != "torch"
    listed = {**REFUSED, **(ON_SPARSE_BACKENDS if sparse else {})}
    unlisted = {name: text for name, text in failed.items() if name not in listed}
    assert not unlisted, unlisted
    assert listed.keys() == failed.keys(), listed.keys() - failed.keys()
    assert len(found) > 90

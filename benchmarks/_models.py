"""Small Keras models of many kinds, and what trains them: the engine's population, or ``fit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import Input, Model, Sequential, layers

from benchmarks._workers import Call

EXAMPLES, VALIDATION, CLASSES, BATCH = 640, 64, 10, 32
MEMBERS, EPOCHS = 4, 4
WORDS = 500  # of the vocabulary
GREY, COLOUR, SERIES, TEXT = (28, 28, 1), (32, 32, 3), (32, 8), (32,)


def _in_a_row(shape: tuple[int, ...], *parts: Callable[[], Any]) -> Callable[[], Any]:
    """Return what builds a model of these layers with scores at the end."""
    return lambda: Sequential([Input(shape), *(part() for part in parts), layers.Dense(CLASSES)])


def _part(kind: str, *arguments: Any, **options: Any) -> Callable[[], Any]:
    return lambda: getattr(layers, kind)(*arguments, **options)


def _conv(filters: int, side: int = 3, **options: Any) -> Callable[[], Any]:
    return _part("Conv2D", filters, side, **{"activation": "relu", **options})


def _residual() -> Any:
    def convolved(x: Any, filters: int, stride: int = 1) -> Any:
        options = {"strides": stride, "padding": "same", "use_bias": False}
        return layers.BatchNormalization()(layers.Conv2D(filters, 3, **options)(x))

    inputs = Input(COLOUR)
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = convolved(layers.ReLU()(convolved(x, filters, stride)), filters)
        if stride > 1:
            x = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    return Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))


def _attention() -> Any:
    inputs = Input(SERIES)
    x = layers.Dense(32)(inputs)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 16)(x, x)]))
    y = layers.Dense(32)(layers.Dense(64, activation="gelu")(x))
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    return Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x)))


_POOL, _FLAT, _MEAN = _part("MaxPooling2D"), _part("Flatten"), _part("GlobalAveragePooling2D")
_NORMAL, _DROPOUT = _part("BatchNormalization"), _part("Dropout", 0.3)
_DENSE = _part("Dense", 64, activation="relu")
_SAME = {"padding": "same"}

MODELS: dict[str, Callable[[], Any]] = {
    "dense": _in_a_row((64,), _DENSE),
    "dense, batch normalisation, dropout": _in_a_row((64,), _DENSE, _NORMAL, _DROPOUT),
    "convolutions, grey": _in_a_row(GREY, _conv(32), _POOL, _conv(64), _POOL, _FLAT),
    "convolutions, dropout": _in_a_row(GREY, _conv(32), _POOL, _conv(64), _POOL, _FLAT, _DROPOUT),
    "convolutions, batch normalisation": _in_a_row(
        COLOUR, _conv(32, **_SAME), _NORMAL, _conv(32, **_SAME), _POOL, _DROPOUT,
        _conv(64, **_SAME), _NORMAL, _POOL, _FLAT,
    ),
    "convolutions, group normalisation": _in_a_row(
        COLOUR, _conv(32, **_SAME), _part("GroupNormalization", 8), _POOL, _conv(32, **_SAME), _MEAN
    ),
    "residual, batch normalisation": _residual,
    "5×5 kernels": _in_a_row(GREY, _conv(16, 5), _POOL, _conv(32, 5), _POOL, _FLAT),
    "strides": _in_a_row(COLOUR, _conv(32, strides=2), _conv(64, strides=2), _FLAT),
    "dilation": _in_a_row(COLOUR, _conv(16, dilation_rate=2), _conv(32, dilation_rate=2), _MEAN),
    "groups": _in_a_row(COLOUR, _conv(32), _conv(32, groups=4), _POOL, _FLAT),
    "separable and depthwise": _in_a_row(
        COLOUR, _conv(32), _part("SeparableConv2D", 64, 3, activation="relu"), _POOL,
        _part("DepthwiseConv2D", 3, activation="relu"), _MEAN,
    ),
    "transposed": _in_a_row(
        GREY, _conv(16, strides=2, **_SAME),
        _part("Conv2DTranspose", 16, 3, strides=2, activation="relu", **_SAME),
        _conv(8, **_SAME), _MEAN,
    ),
    "upsampling": _in_a_row(
        GREY, _conv(16, **_SAME), _POOL, _part("UpSampling2D"), _conv(16, **_SAME),
        _part("GlobalMaxPooling2D"),
    ),
    "average pooling": _in_a_row(COLOUR, _conv(32), _part("AveragePooling2D", 2), _conv(64), _MEAN),
    "overlapping pooling": _in_a_row(
        COLOUR, _conv(32), _part("MaxPooling2D", 3, 2), _conv(32), _part("MaxPooling2D", 3, 2), _FLAT
    ),
    "in three dimensions": _in_a_row(
        (8, 16, 16, 1), _part("Conv3D", 8, 3, activation="relu"), _part("MaxPooling3D"),
        _part("Conv3D", 16, 3, activation="relu"), _FLAT,
    ),
    "along a line": _in_a_row(
        (128, 4), _part("Conv1D", 32, 5, activation="relu"), _part("MaxPooling1D"),
        _part("Conv1D", 64, 5, activation="relu"), _part("GlobalMaxPooling1D"),
    ),
    "LSTM": _in_a_row(SERIES, _part("LSTM", 32)),
    "GRU, two": _in_a_row(SERIES, _part("GRU", 32, return_sequences=True), _part("GRU", 32)),
    "embedding": _in_a_row(
        TEXT, _part("Embedding", WORDS, 16), _part("GlobalAveragePooling1D")
    ),
    "attention": _attention,
}  # fmt: skip


def calls(name: str, who: str) -> dict[str, Call]:
    """Return the call of ``ours`` or of ``fit`` that trains a model."""
    return {who: {"ours": _population, "fit": _fit}[who](MODELS[name])}


def _examples(model: Any) -> tuple[Any, Any]:
    """Return inputs of the model's shape, and labels."""
    rng, shape = np.random.default_rng(0), (EXAMPLES, *model.input_shape[1:])
    words = isinstance(model.layers[0], layers.Embedding)
    inputs = rng.integers(0, WORDS, shape) if words else rng.normal(size=shape)
    return inputs.astype(np.int32 if words else np.float32), rng.integers(0, CLASSES, EXAMPLES)


def _population(make_model: Callable[[], Any]) -> Call:
    from descenso import problems, rules
    from descenso.engine import prepare_machine
    from descenso.engine.jax import JaxEngine
    from descenso.records import Member

    prepare_machine()  # before Keras starts JAX, as `descenso compare file.py:problem` does
    inputs, labels = _examples(make_model())
    few = inputs[:VALIDATION], labels[:VALIDATION]
    problem = problems.from_keras(
        make_model, {"train": (inputs, labels), "validation": few, "test": few},
        loss="cross-entropy", batch_size=BATCH, epochs=EPOCHS,
    )  # fmt: skip
    engine = JaxEngine(problem, problem.make_data(0), 0)
    settings = rules.get("adam").settings(lr=1e-3)
    members = [Member("adam", "adam", settings, BATCH, seed) for seed in range(MEMBERS)]

    def train() -> None:
        for _runs in engine.train(members, EPOCHS):
            pass

    return Call(train, MEMBERS * EPOCHS * (EXAMPLES // BATCH))


def _fit(make_model: Callable[[], Any]) -> Call:
    from keras import losses, optimizers

    model = make_model()
    inputs, labels = _examples(model)
    model.compile(
        optimizer=optimizers.Adam(1e-3),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )

    def train() -> None:
        model.fit(inputs, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)

    return Call(train, EPOCHS * (EXAMPLES // BATCH))

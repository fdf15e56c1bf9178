"""Training with Keras's ``fit``: a peer of the training benchmark."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
from keras import layers

from benchmarks._training_cases import Case
from benchmarks._workers import Call


def calls(case: Case) -> dict[str, Call]:
    """Return Keras's way to train a case: one ``fit`` of about as many steps as a loop's."""
    inputs, targets = case.as_floats(case.data().train)
    steps = min(case.steps, len(targets) // case.batch)
    epochs = max(1, min(10, case.steps // steps // 4))
    inputs, targets = inputs[: steps * case.batch], targets[: steps * case.batch]
    model = network(case, inputs.shape[1:])
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=1e-3, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    def fit() -> None:
        model.fit(inputs, targets, batch_size=case.batch, epochs=epochs, verbose=0)

    return {"keras": Call(fit, epochs * steps)}


def network(case: Case, shape: tuple[int, ...]) -> Any:
    """Return the network of a case."""
    model = keras.Sequential([keras.Input(shape)])
    flat = not case.convolutional
    for (kind, *sizes), after in pairwise((*case.layers, (None,))):
        activation = "relu" if after[0] is not None else None
        if kind == "conv":
            model.add(layers.Conv2D(sizes[1], 3, activation=activation))
        elif kind == "pool":
            model.add(layers.MaxPooling2D())
        else:
            if not flat:
                model.add(layers.Flatten())
                flat = True
            model.add(layers.Dense(sizes[1], activation=activation))
    return model

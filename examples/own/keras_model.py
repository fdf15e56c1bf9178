"""Your own Keras model: which optimizer should train it?

Run it with ``descenso compare examples/own/keras_model.py:problem``. Keras must run on JAX; descenso
sees to that here, unless KERAS_BACKEND says otherwise.
"""

import keras
from keras import layers
from sklearn.datasets import load_digits

from descenso.problems import from_keras


def make_model():
    """Build the model anew, with fresh weights; it is called once for each seed."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )


digits = load_digits()
problem = from_keras(
    make_model,
    (digits.images[..., None].astype("float32"), digits.target),
    loss="sparse_categorical_crossentropy",
    name="keras-digits",
    epochs=10,
    target=0.97,
)

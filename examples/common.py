"""What every listing does besides training: options, data, progress, and the saved curve.

No framework is imported here; images and tables are NumPy arrays.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
from rich.progress import track

from descenso.data import load_cifar10, load_mnist, read_cifar10, read_mnist
from descenso.errors import DescensoError

TEST_SHARE = 0.2


# -- options -----------------------------------------------------------------------------------


def arguments(description, *, epochs, lr, data="folder that holds mnist/ or cifar-10-batches-bin/"):
    """Read the command line; the listing's own numbers are the defaults."""
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--epochs", type=_count, default=epochs, help=f"passes over the data ({epochs})")
    add("--limit", type=_count, help="train on the first examples only, this many (all)")
    add("--lr", type=float, default=lr, help=f"step size ({lr})")
    add("--data", type=Path, help=data)
    add("--seed", type=int, default=0, help="chooses weights and the order of examples (0)")
    curve = Path("curves") / f"{name}.csv"
    add("--curve", type=Path, default=curve, help=f"file for the curve, .csv or .json ({curve})")
    args = parser.parse_args()
    if args.curve.suffix not in (".csv", ".json"):
        parser.error(f"--curve must end in .csv or .json; got {args.curve}")
    return args


def _count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


# -- data --------------------------------------------------------------------------------------


def mnist(args):
    """Return (images, labels) for training and for test; images (n, 28, 28), from 0 to 1."""
    return _images(args, "mnist", read_mnist, load_mnist)


def cifar10(args):
    """Return (images, labels) for training and for test; images (n, 32, 32, 3), from 0 to 1."""
    return _images(args, "cifar-10-batches-bin", read_cifar10, load_cifar10)


def _images(args, folder, read, load):
    try:
        parts = read(args.data / folder) if args.data else load()
    except DescensoError as error:
        raise SystemExit(f"error: {error}") from None
    train, test = ((p.inputs, p.targets.astype(np.int64)) for p in (parts.train, parts.test))
    train = tuple(values[: args.limit] for values in train)
    print(f"{len(train[1])} training examples, {len(test[1])} test examples")
    return tuple((images.astype(np.float32) / 255, labels) for images, labels in (train, test))


def line(args):
    """Return x and y, each of shape (n, 1): the points (1, 1) to (5, 5), or those of a CSV file."""
    table = _table(args, 2) if args.data else np.arange(1.0, 6.0)[:, None].repeat(2, axis=1)
    x, y = _columns(table[: args.limit])
    print(f"{len(x)} training examples")
    return x, y


def random_regression(args, examples=1000, noise=0.1):
    """Return (x, y) for training and for test: x (n, 10) and y (n, 1), or those of a CSV file.

    A network of the same shape, 10-5-1, with random weights makes the targets; noise is added, so
    no network can do better on new examples than a loss of noise² = 0.01. (Targets drawn without
    regard to the inputs could only be learnt by heart.)
    """
    if args.data:
        table = _table(args, 11)
    else:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(examples, 10))
        hidden = np.maximum(x @ rng.normal(size=(10, 5)) / np.sqrt(10), 0)
        y = hidden @ rng.normal(size=(5, 1)) + rng.normal(0, noise, (examples, 1))
        table = np.hstack([x, y])
    held_out = max(1, int(TEST_SHARE * len(table)))
    train, test = table[:-held_out][: args.limit], table[-held_out:]
    print(f"{len(train)} training examples, {len(test)} test examples")
    return _columns(train), _columns(test)


def _table(args, columns):
    """Read a CSV file of numbers without a header; its last column is what is to be learnt."""
    try:
        table = np.loadtxt(args.data, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: --data {args.data}: {error}") from None
    if table.shape[1] != columns or len(table) < 2 or not np.isfinite(table).all():
        raise SystemExit(
            f"error: --data {args.data}: {columns} columns of finite numbers are needed, in at "
            f"least 2 rows; got {table.shape[1]} columns and {len(table)} rows"
        )
    return table


def _columns(table):
    return table[:, :-1].astype(np.float32), table[:, -1:].astype(np.float32)


# -- progress and curve ------------------------------------------------------------------------


class Curve:
    """Shows the training as it goes, and writes it to the file that ``--curve`` names."""

    def __init__(self, args):
        self.args, self.rows, self.start = args, [], time.perf_counter()
        self.verbose = 1 if sys.stdout.isatty() else 2  # for Keras: a bar, or a line per epoch

    def watch(self, batches):
        """Go through the batches of an epoch, with a bar where the output is a terminal."""
        description = f"epoch {len(self.rows) + 1}/{self.args.epochs}"
        return track(batches, description, transient=True, disable=not sys.stdout.isatty())

    def add(self, loss, accuracy=None, *, show=True):
        """Add an epoch: its mean training loss, and the accuracy on the test images after it."""
        row = {"epoch": len(self.rows) + 1, "loss": float(loss)}
        if accuracy is not None:
            row["test_accuracy"] = float(accuracy)
        self.rows.append(row)
        often = max(1, self.args.epochs // 10)
        if show and (row["epoch"] % often == 0 or row["epoch"] == 1):
            print(f"epoch {row['epoch']}/{self.args.epochs}: {_words(loss, accuracy)}", flush=True)

    def take(self, history):
        """Add the epochs of a Keras ``History``, which Keras has shown itself."""
        accuracies = history.get("val_accuracy", [None] * len(history["loss"]))
        for loss, accuracy in zip(history["loss"], accuracies, strict=True):
            self.add(loss, accuracy, show=False)

    def finish(self, result=None):
        """Print the result, by default the last epoch's, and save the curve."""
        last = self.rows[-1]
        result = result or f"training {_words(last['loss'], last.get('test_accuracy'))}"
        print(f"{result}, in {time.perf_counter() - self.start:.1f} s")
        file = self.args.curve
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="") as out:
            if file.suffix == ".json":
                json.dump(self.rows, out, indent=1)
            else:
                writer = csv.DictWriter(out, self.rows[0])
                writer.writeheader()
                writer.writerows(self.rows)
        print(f"curve saved in {file}")


def _words(loss, accuracy):
    words = f"loss {loss:.4g}"
    return words if accuracy is None else f"{words}, test accuracy {accuracy:.2%}"

"""What state kept in bfloat16 does to training: ``python -m benchmarks.state_dtype [--json FILE]``.

MNIST dense, 784-128-10, on the real files: the same weights and batches with state in float32 and in
bfloat16, several seeds. ``ours`` and ``theirs`` are test errors in percent, means over the seeds;
``interval`` is the 95% interval of their paired difference, in points.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from scipy import stats

import descenso.torch
from benchmarks._report import write
from descenso import data

RULES = {"momentum": 0.1, "adam": 1e-3, "adamw": 1e-3}
TARGET = 1.05  # of the errors with state in float32
BATCH = 64


def mnist() -> list[torch.Tensor]:
    """Return images to train on, their labels, and the same to test on."""
    loaded = data.load_mnist()
    return [
        torch.from_numpy(array)
        for part in (loaded.train, loaded.test)
        for array in (
            part.inputs.reshape(len(part.targets), -1).astype("float32") / 255,
            part.targets.astype("int64"),
        )
    ]


def train(
    rule: str, state_dtype: str, seed: int, epochs: int, parts: list[torch.Tensor]
) -> tuple[float, float]:
    """Return the test error in percent, and the training loss of the last epoch."""
    images, labels, test_images, test_labels = parts
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    optimizer = descenso.torch.optimizer_class(rule)(
        model.parameters(), lr=RULES[rule], state_dtype=state_dtype
    )
    for _epoch in range(epochs):
        losses = []
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        wrong = (model(test_images).argmax(1) != test_labels).float().mean().item()
    return 100 * wrong, statistics.mean(losses)


def rows(rules: Iterable[str], seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Return a row for each rule."""
    parts = mnist()
    return [_row(rule, seeds, epochs, parts) for rule in rules]


def _row(rule: str, seeds: int, epochs: int, parts: list[torch.Tensor]) -> dict[str, Any]:
    runs = {
        dtype: [train(rule, dtype, seed, epochs, parts) for seed in range(seeds)]
        for dtype in ("bfloat16", "float32")
    }
    errors = {dtype: [error for error, _loss in found] for dtype, found in runs.items()}
    differences = [a - b for a, b in zip(errors["bfloat16"], errors["float32"], strict=True)]
    middle, width = statistics.mean(differences), statistics.stdev(differences)
    half = stats.t.ppf(0.975, seeds - 1) * width / seeds**0.5
    ours, theirs = (statistics.mean(errors[dtype]) for dtype in ("bfloat16", "float32"))
    return {
        "case": f"torch {rule} MNIST dense, test error with bfloat16 state",
        "peer": "float32 state",
        "ours": ours,
        "theirs": theirs,
        "ratio": ours / theirs,
        "target": TARGET,
        "met": ours / theirs <= TARGET,
        "unit": "% of the test images",
        "interval": [middle - half, middle + half],
        "errors": errors,
        "losses": {d: statistics.mean(loss for _error, loss in found) for d, found in runs.items()},
    }


def main() -> None:
    """Train, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--rule", choices=list(RULES), action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    made = rows(options.rule or RULES, options.seeds, options.epochs)
    for row in made:
        low, high = row["interval"]
        print(
            f"{row['case']}: {row['ours']:.3f} % against {row['theirs']:.3f} %, difference "
            f"{low:+.3f} to {high:+.3f} points; loss {row['losses']['bfloat16']:.4f} against "
            f"{row['losses']['float32']:.4f}"
        )
    write(made, options.json)


if __name__ == "__main__":
    main()

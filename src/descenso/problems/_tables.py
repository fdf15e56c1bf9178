"""Problems on the embedded tables: a dense network on standardised columns."""

from __future__ import annotations

from collections.abc import Callable

from descenso import data
from descenso.data import Data, Split
from descenso.language import N_
from descenso.problems._figures import ACCURACY, R2, cross_entropy, mean_squared_error
from descenso.problems._networks import dense_apply, dense_init
from descenso.problems._problem import Problem


def digits() -> Problem:
    """Handwritten digits (1,797 images of 8×8): dense 64-32-10, cross-entropy, accuracy."""
    return Problem(
        name="digits",
        summary=N_("handwritten digits, 8×8 pixels: dense network 64-32-10"),
        make_data=_classified(data.load_digits),
        init=dense_init((64, 32, 10)),
        apply=dense_apply,
        loss=cross_entropy,
        metric=ACCURACY,
        target=0.95,
    )


def breast_cancer() -> Problem:
    """Malignant or benign tumour (569 × 30 measures): dense 30-16-2, cross-entropy, accuracy."""
    return Problem(
        name="breast-cancer",
        summary=N_("malignant or benign tumours, 30 measures: dense network 30-16-2"),
        make_data=_classified(data.load_breast_cancer),
        init=dense_init((30, 16, 2)),
        apply=dense_apply,
        loss=cross_entropy,
        metric=ACCURACY,
        target=0.95,
    )


def wine() -> Problem:
    """Cultivar of a wine (178 × 13 measures): dense 13-16-3, cross-entropy, accuracy."""
    return Problem(
        name="wine",
        summary=N_("three cultivars of wine, 13 measures: dense network 13-16-3"),
        make_data=_classified(data.load_wine),
        init=dense_init((13, 16, 3)),
        apply=dense_apply,
        loss=cross_entropy,
        metric=ACCURACY,
        target=0.95,
        batch_size=16,
        epochs=30,
    )


def diabetes() -> Problem:
    """Progression of diabetes (442 × 10 measures): dense 10-16-1, squared error, R².

    Targets are standardised with the training part's figures; R² is the same in any unit.
    """
    return Problem(
        name="diabetes",
        summary=N_("progression of diabetes, 10 measures: dense network 10-16-1, regression"),
        make_data=_regressed(data.load_diabetes),
        init=dense_init((10, 16, 1)),
        apply=dense_apply,
        loss=mean_squared_error,
        metric=R2,
        target=0.4,
    )


def _classified(load: Callable[[], Split]) -> Callable[[int], Data]:
    def make_data(split_seed: int) -> Data:
        whole = load()
        parts = data.split(whole.inputs, whole.targets, split_seed, stratify=True)
        return data.standardise(parts)

    return make_data


def _regressed(load: Callable[[], Split]) -> Callable[[int], Data]:
    def make_data(split_seed: int) -> Data:
        whole = load()
        parts = data.split(whole.inputs, whole.targets, split_seed, stratify=False)
        return data.standardise_targets(data.standardise(parts))

    return make_data

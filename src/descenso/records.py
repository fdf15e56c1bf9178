"""Frozen records that the floors exchange. They hold data and derive from it; they do no work."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Member:
    """One run of a population: method × settings × seed.

    Attributes
    ----------
    method : label of the method.
    rule : name of the rule.
    settings : a value for every hyperparameter of the rule.
    batch_size : examples per step.
    seed : keys the initial weights and the order of examples, so that members with one seed can
        be compared in pairs.
    """

    method: str
    rule: str
    settings: Mapping[str, float | bool]
    batch_size: int
    seed: int

    @property
    def key(self) -> str:
        """Return an identity that does not depend on the process, the order or the machine."""
        parts = [self.method, self.rule, sorted(self.settings.items()), self.batch_size, self.seed]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class Curve:
    """What was measured of one member while it trained.

    Attributes
    ----------
    validation_loss, validation_metric : shape (epochs + 1,); entry 0 is before training.
    train_loss : shape (epochs,), the mean over the steps of each epoch.
    test_loss, test_metric : at the end of training; NaN until the run is judged, or if it diverged.
    steps : update steps taken.
    diverged_at : the step at which the run ended early: its loss ceased to be finite or passed the
        divergence threshold, or the problem's own code failed; ``None`` if it did not.
    error : that of the problem's own code which ended the run; empty if none did.
    seconds : wall time of this member's share of the machine.
    """

    validation_loss: FloatArray
    validation_metric: FloatArray
    train_loss: FloatArray
    test_loss: float = math.nan
    test_metric: float = math.nan
    steps: int = 0
    diverged_at: int | None = None
    seconds: float = 0.0
    error: str = ""

    @property
    def epochs(self) -> int:
        """Return how many epochs were trained."""
        return len(self.train_loss)

    @property
    def ended(self) -> bool:
        """Whether the run ended early: it diverged, or failed."""
        return self.diverged_at is not None

    @property
    def failed(self) -> bool:
        """Whether an error of the problem's own code ended the run."""
        return bool(self.error)

    @property
    def diverged(self) -> bool:
        """Whether the member diverged."""
        return self.ended and not self.failed

    def extended(self, more: Curve) -> Curve:
        """Return this curve continued by ``more``, whose entry 0 is this one's last."""
        return replace(
            more,
            validation_loss=np.concatenate([self.validation_loss, more.validation_loss[1:]]),
            validation_metric=np.concatenate([self.validation_metric, more.validation_metric[1:]]),
            train_loss=np.concatenate([self.train_loss, more.train_loss]),
            seconds=self.seconds + more.seconds,
        )

    def first_epoch_reaching(self, target: float, higher_is_better: bool) -> float:
        """Return the first epoch whose validation metric meets ``target``; infinity if none does."""
        metric = self.validation_metric
        met = metric >= target if higher_is_better else metric <= target
        return float(np.argmax(met)) if met.any() else math.inf


@dataclass(frozen=True)
class Run:
    """A member, its curve so far, and what is needed to go on training it.

    ``checkpoint`` maps names to arrays; ``None`` when the run is over.
    """

    member: Member
    curve: Curve
    checkpoint: Mapping[str, NDArray[Any]] | None = field(default=None, compare=False)

    @property
    def error(self) -> str:
        """Return the error of the problem's own code that ended it; empty if none did."""
        return self.curve.error


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval.

    ``low`` and ``high`` are NaN where there are too few seeds to give an interval.
    """

    mean: float
    low: float
    high: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """A paired difference between the best method and another: positive means the best is better.

    The interval of the difference is simultaneous: those of all pairs hold together. It holds zero
    where the methods tie, and only there.
    ``p_value`` is corrected for the number of comparisons; NaN where it cannot be computed.
    ``chance`` is the probability that a run of the best beats a run of the other.
    ``equivalent`` tells a tie that was shown from one where nothing was shown: the difference
    lies within the margin asked for; ``None`` where no margin was given.
    """

    other: str
    difference: Estimate
    p_value: float
    tied: bool
    chance: float = math.nan
    equivalent: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """What the evidence allows to be said.

    Attributes
    ----------
    best : label of the method with the best mean, ``None`` if every run of every method diverged.
    tied : labels of the methods whose difference from it is inside the noise.
    comparisons : the best against each other method.
    text : the verdict in words, in the language in use.
    recommended : label of the method to take: the best, or the one of those that tie with it that
        the rule of :mod:`descenso.study.recommendation` prefers; ``None`` if every run diverged.
    chosen_by : what told it from the others that tie, in order: ``forgiveness``, ``cost``,
        ``default``, ``mean``; empty where none ties.
    """

    best: str | None
    tied: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    text: str
    recommended: str | None = None
    chosen_by: tuple[str, ...] = ()

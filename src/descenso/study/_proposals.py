"""Who proposes the settings of a search's second stage: a quasi-random sequence, or Optuna."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from scipy.stats import qmc

from descenso.errors import SettingError
from descenso.language import _
from descenso.study._space import Range

Settings = dict[str, float | bool]

#: Optuna's samplers by the name users give them.
_OPTUNA = {"tpe": "TPESampler", "random": "RandomSampler", "gp": "GPSampler",
           "cmaes": "CmaEsSampler"}  # fmt: skip
#: Settings that an adaptive sampler proposes at a time, so that they can be trained together.
BATCH = 4


def key(study_seed: int, label: str) -> int:
    """Return the seed of a method's proposals: the same in every process."""
    digest = hashlib.sha256(f"{study_seed}/{label}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def quasi_random(ranges: Sequence[Range], count: int, seed: int) -> list[Settings]:
    """Return ``count`` settings spread evenly over the ranges (a scrambled Sobol sequence).

    Source: Sobol' (1967); scrambled as in Owen (1998).
    """
    if not ranges or not count:
        return []
    sequence = qmc.Sobol(len(ranges), scramble=True, rng=np.random.default_rng(seed))
    shares = sequence.random_base2(int(np.ceil(np.log2(max(2, count)))))[:count]
    return [{r.name: r.at(float(s)) for r, s in zip(ranges, row, strict=True)} for row in shares]


# What brings a package: an extra of ours, or the package itself.
_EXTRAS = {"optuna": "'descenso[optuna]'", "torch": "'descenso[torch]'"}


class Adaptive(Protocol):
    """Proposes settings in the light of those it was told of."""

    def ask(self, count: int) -> list[Settings]:
        """Return settings to try."""
        ...

    def tell(self, values: Sequence[float]) -> None:
        """Take the figures of the settings asked for last, lower being better; NaN if diverged."""
        ...


class OptunaSampler:
    """Propose with a sampler of Optuna.

    Raises
    ------
    SettingError
        If Optuna, or what the sampler needs, is not installed.
    """

    def __init__(self, name: str, ranges: Sequence[Range], seed: int) -> None:
        try:
            self._optuna: Any = importlib.import_module("optuna")
            for needed in {"cmaes": ["cmaes"], "gp": ["torch"]}.get(name, []):
                importlib.import_module(needed)
        except ModuleNotFoundError as error:
            raise SettingError(
                _("the sampler {name!r} needs a package: pip install {package}").format(
                    name=name, package=_EXTRAS.get(error.name or "", error.name)
                )
            ) from error
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        sampler = getattr(self._optuna.samplers, _OPTUNA[name])(seed=seed)
        self._study = self._optuna.create_study(sampler=sampler)
        self._ranges = tuple(ranges)
        self._open: list[Any] = []

    def ask(self, count: int) -> list[Settings]:
        """Return settings to try."""
        self._open = [self._study.ask() for _ in range(count)]
        return [
            {r.name: r.at(trial.suggest_float(r.name, 0.0, 1.0)) for r in self._ranges}
            for trial in self._open
        ]

    def tell(self, values: Sequence[float]) -> None:
        """Take the figures of the settings asked for last, lower being better; NaN if diverged."""
        failed = self._optuna.trial.TrialState.FAIL
        for trial, value in zip(self._open, values, strict=True):
            if np.isfinite(value):
                self._study.tell(trial, float(value))
            else:
                self._study.tell(trial, state=failed)

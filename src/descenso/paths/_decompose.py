"""Take each step of a path apart into the arrows that make it, with the rule itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso import rules
from descenso.numpy import Path
from descenso.ops import numpy as xp
from descenso.paths._sweep import Floats

if TYPE_CHECKING:
    import pandas as pd

_HUGE = 1e12  # an ε beside which every root vanishes


@dataclass(frozen=True)
class Parts:
    """The arrows of each step, shape (steps, 2) each, in parameter units.

    ``fresh + carried`` is the step before scaling, and ``step = fresh + carried + scaling + decay``
    to rounding.

    Attributes
    ----------
    fresh : what this step's gradient adds.
    carried : what the velocity brings along from earlier gradients.
    scaling : what dividing by the root of the squared average changes; zero for rules without it.
    decay : what weight decay takes off.
    step : the whole step.
    """

    fresh: Floats
    carried: Floats
    scaling: Floats
    decay: Floats
    step: Floats

    def frame(self) -> pd.DataFrame:
        """Return one row per step: the coordinates of every arrow."""
        import pandas as pd

        columns = {
            f"{name}_{axis}": getattr(self, name)[:, i]
            for name in ("fresh", "carried", "scaling", "decay", "step")
            for i, axis in enumerate("xy")
        }
        return pd.DataFrame({"step": np.arange(1, len(self.step) + 1), **columns})


def decompose(path: Path) -> Parts:
    """Return the arrows that make each step of a path.

    Each is what the rule itself does when asked in another way: with no memory (what the gradient
    adds alone), with no gradient (what the velocity carries alone), and with ε, and η with it, so
    large that no root counts any more (the step before scaling). A velocity that was scaled when
    it was gathered, as RMSprop's, is shown as it is.
    """
    rule = rules.get(path.rule)
    rows = [_parts(rule, path, i) for i in range(len(path))]
    fresh, carried, scaling, decay, step = np.array(rows).reshape(-1, 5, 2).transpose(1, 0, 2)
    return Parts(fresh, carried, scaling, decay, step)


def _parts(rule: rules.Rule, path: Path, i: int) -> list[Floats]:
    theta, g = path.points[i], path.gradients[i]
    state = {name: array[i] for name, array in path.states.items()}
    now = {n: float(v(i)) if callable(v) else v for n, v in path.settings.items()}

    nothing = {name: np.zeros_like(array) for name, array in state.items()}
    no_gradient = np.zeros_like(g)

    def move(gradient: Floats, kept: dict[str, Floats], settings: dict[str, Any]) -> Floats:
        with np.errstate(all="ignore"):
            new, _state = rule.update(xp, theta, gradient, kept, i + 1, settings)
        return np.asarray(new - theta)

    plain = {**now, "weight_decay": 0.0} if "weight_decay" in now else now
    bare = {**plain, "lr": now["lr"] * _HUGE, "eps": _HUGE} if "eps" in now else plain

    def unscaled(gradient: Floats, kept: dict[str, Floats]) -> Floats:
        without_root, scaled = move(gradient, kept, bare), move(gradient, kept, plain)
        # Where no root acts on it, it was scaled when it was gathered, or is not scaled yet.
        acts = np.abs(without_root).max() <= _HUGE**0.75 * np.abs(scaled).max()
        return without_root if acts else scaled

    step = move(g, state, now)
    without_decay = move(g, state, plain)
    fresh, carried = unscaled(g, nothing), unscaled(no_gradient, state)
    return [fresh, carried, without_decay - fresh - carried, step - without_decay, step]

"""Leave out the runs that a tracker says did not finish, and count them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from descenso.language import _, ngettext
from descenso.study.external._columns import KNOWN, bare, listed_words
from descenso.study.external._numbers import is_missing

if TYPE_CHECKING:
    import pandas as pd

_FINISHED = frozenset(
    listed_words(
        "finished finish complete completed succeeded success successful done terminated ok ended stopped"
    )
)
_FAILED = frozenset(
    ["failed", "fail", "failure", "error", "errored", "crashed", "crash", "killed", "aborted"]
)
_UNFINISHED = frozenset(
    listed_words(
        "running pending waiting pruned scheduled queued paused cancelled canceled preempted "
        "preempting unfinished interrupted active created"
    )
)


def finished_runs(
    frame: pd.DataFrame, column: str | None = None
) -> tuple[pd.DataFrame, str, list[str]]:
    """Return the rows of runs that finished, the column that says so, and what was left out.

    Parameters
    ----------
    column : the column of states; found by its name and its values where ``None``.
    """
    column = column or _state_column(frame)
    if column is None:
        return frame, "", []
    states = frame[column].map(_word)
    out = states.isin(_FAILED | _UNFINISHED)
    if not out.any():
        return frame, column, []
    counts = Counter(str(s).strip().rsplit(".", 1)[-1] for s in frame[column][out])
    listed = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
    n = int(out.sum())
    notes = [
        ngettext(
            "{n} row of a run that did not finish was left out, by column {name!r}: {states}.",
            "{n} rows of runs that did not finish were left out, by column {name!r}: {states}.",
            n,
        ).format(n=n, name=column, states=listed)
    ]
    if states.isin(_FAILED).any():
        notes.append(
            _(
                "A run that failed because it diverged is missing too, which flatters its method; "
                "write nan as its value and count it as finished."
            )
        )
    return frame[~out].reset_index(drop=True), column, notes


def _word(cell: object) -> str:
    return "" if is_missing(cell) else str(cell).strip().rsplit(".", 1)[-1].lower()


def _state_column(frame: pd.DataFrame) -> str | None:
    for name in map(str, frame.columns):
        if bare(name) in KNOWN["state"]:
            words = {_word(cell) for cell in frame[name].unique()} - {""}
            if words and words <= _FINISHED | _FAILED | _UNFINISHED:
                return name
    return None

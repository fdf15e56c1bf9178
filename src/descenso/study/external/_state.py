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
        "finished finish complete completed succeeded success successful done terminated ok ended stopped "
        "terminada terminado completada completado finalizada finalizado acabada acabado"
    )
)
_FAILED = frozenset(
    listed_words(
        "failed fail failure error errored crashed crash killed aborted timeout timed_out "
        "out_of_memory oom node_fail boot_fail deadline fallida fallido falló fallo abortada abortado"
    )
)
_UNFINISHED = frozenset(
    listed_words(
        "running pending waiting pruned scheduled queued paused cancelled canceled preempted "
        "preempting unfinished interrupted active created en_curso ejecutando ejecutándose pendiente "
        "cancelada cancelado interrumpida interrumpido"
    )
)


_TRUTHS = frozenset(listed_words("true false 0 1 yes no sí"))


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
    if bare(column) in KNOWN["failed"]:
        states = states.map(lambda word: "failed" if word in ("true", "1", "yes", "sí") else "")
    elif states.isin(["completed"]).any():  # Guild AI: what is terminated was cut off
        states = states.replace("terminated", "killed")
    out = states.isin(_FAILED | _UNFINISHED)
    if not out.any():
        return frame, column, []
    counts = Counter(str(s).strip().rsplit(".", 1)[-1] for s in frame[column][out])
    if bare(column) in KNOWN["failed"]:
        counts = Counter(states[out])
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
    if is_missing(cell):
        return ""
    word = str(cell).strip().rsplit(".", 1)[-1].lower().replace(" ", "_")
    return "cancelled" if word.startswith("cancelled_by") else word


def _state_column(frame: pd.DataFrame) -> str | None:
    for role, known in (("state", _FINISHED | _FAILED | _UNFINISHED), ("failed", _TRUTHS)):
        for name in map(str, frame.columns):
            if bare(name) in KNOWN[role]:
                words = {_word(cell) for cell in frame[name].unique()} - {""}
                if words and words <= known:
                    return name
    return None

"""Infer which columns of a table of runs are method, seed, value, setting, step and problem."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from descenso.errors import DataError, SettingError
from descenso.language import _, did_you_mean, ngettext
from descenso.study.external import _columns as columns
from descenso.study.external._columns import KNOWN, bare, leaf
from descenso.study.external._combine import FILE
from descenso.study.external._metric import Metric, choose_metric, describe, partner, results, spent
from descenso.study.external._names import Named, read_names
from descenso.study.external._numbers import as_number, is_missing
from descenso.study.words import listed

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("method", "seed", "value")
USED = (
    "setting", "step", "split", "problem", "role", "resolution", "higher_is_better", "metric", "state",
)  # fmt: skip
_STRONG = KNOWN["method"].index("learner") + 1  # names behind it may be of something else
_SPLIT_WORDS = frozenset(("train", "training", "validation", "valid", "val", "dev", "test", "testing",
                          "eval", "evaluation"))  # fmt: skip
_KINDS = (
    "name",
    "type",
    "_target_",
    "class",
    "class_name",
    "cls",
)  # of an optimizer, in a configuration


@dataclass
class Roles:
    """A table of runs and the columns of it that play each role, as far as they are known.

    A role may need several columns; columns that are made of others are named in parentheses.
    """

    frame: pd.DataFrame
    where: str
    label: str = ""
    of: dict[str, list[str]] = field(default_factory=dict)
    metric: Metric | None = None
    validation: Metric | None = None
    notes: list[str] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)  # column → its levels

    @property
    def taken(self) -> list[str]:
        """Return the columns that have a role."""
        return [name for names in self.of.values() for name in names]

    def unused(self) -> list[str]:
        """Return the columns without a role."""
        taken = set(self.taken) | {m.name for m in (self.metric, self.validation) if m}
        return [str(c) for c in self.frame.columns if c not in taken]

    def levels(self, name: str) -> list[str]:
        """Return the different texts of a column, in the order of the table."""
        if name not in self.known:
            cells = self.frame[name].unique()
            self.known[name] = list(dict.fromkeys(as_text(c) for c in cells if not is_missing(c)))
        return self.known[name]

    def named(self, names: Sequence[str]) -> list[str]:
        """Return the unused columns that bear one of the names, in the order of the names."""
        there = self.unused()
        found = [c for n in names for c in there if bare(c) == n]
        found += [c for n in names for c in there if leaf(c) == n]
        return list(dict.fromkeys(found))

    def add(self, name: str, cells: Sequence[Any]) -> None:
        """Add a column that is made of others."""
        import pandas as pd

        self.frame[name] = pd.Series(list(cells), dtype=object, index=self.frame.index)

    def groups(self, roles: Sequence[str], rows: pd.DataFrame | None = None) -> Any:
        """Return the number of the group of each row, by the columns of these roles."""
        import numpy as np
        import pandas as pd

        frame = self.frame if rows is None else rows
        names = [name for role in roles for name in self.of.get(role, ())]
        if not names:
            return np.zeros(len(frame), np.intp)
        codes = pd.DataFrame({i: codes_of(frame[n]) for i, n in enumerate(names)})
        return codes.groupby(list(codes.columns), sort=False).ngroup().to_numpy()


def texts_of(cells: pd.Series) -> list[str]:
    """Return the cells of a column as texts; see :func:`as_text`."""
    import pandas as pd

    codes, levels = pd.factorize(cells, use_na_sentinel=False)
    texts = [as_text(level) for level in levels]
    return [texts[code] for code in codes]


def codes_of(cells: pd.Series) -> Any:
    """Return a number for each different text of a column."""
    import pandas as pd

    codes, levels = pd.factorize(cells, use_na_sentinel=False)
    different, _texts = pd.factorize(pd.Series([as_text(level) for level in levels], dtype=object))
    return different[codes]


def as_text(cell: Any) -> str:
    """Return a cell as one text, a number always alike: ``3`` for ``3.0`` and ``03``."""
    if is_missing(cell) or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    number = as_number(cell) if not isinstance(cell, bool) else None
    if number is not None and math.isfinite(number) and not str(cell).strip().endswith("%"):
        return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
    return str(cell).strip()


def assign_given(roles: Roles, given: dict[str, str]) -> None:
    """Assign what the user names; several columns of one role are joined by ``+``.

    Raises
    ------
    SettingError
        If there is no such role or column.
    """
    there = [str(c) for c in roles.frame.columns]
    for ours, theirs in given.items():
        if ours not in (*NEEDED, *USED):
            raise SettingError(
                _("--columns names {ours!r}; it may name {known}").format(
                    ours=ours, known=", ".join((*NEEDED, *USED))
                )
            )
        names = [theirs] if theirs in there else theirs.split("+")
        roles.of[ours] = [_there(name.strip(), there, roles.where) for name in names]


def _there(name: str, there: list[str], where: str) -> str:
    if name in there:
        return name
    for short in (bare, leaf):
        fitting = [c for c in there if short(c) == name.lower()]
        if len(fitting) == 1:
            return fitting[0]
    hint = did_you_mean(name, there)
    raise SettingError(_("{path} has no column {name!r}.").format(path=where, name=name) + hint)


def assign_value(roles: Roles, surely: Sequence[str]) -> None:
    """Assign the column that judges runs, and that of the same metric on validation."""
    found = results(
        roles.frame, [c for r, cs in roles.of.items() if r != "value" for c in cs], surely
    )
    if not found and "value" not in roles.of:  # what a run spends may be all there is to judge
        found = spent(roles.frame, roles.taken)
    if "value" in roles.of:
        roles.metric = describe(roles.of["value"][0])
        roles.validation = partner(roles.metric, found)
    elif found:
        roles.metric, roles.validation = choose_metric(found, roles.where)
        others = [m.name for m in found if m not in (roles.metric, roles.validation)]
        if others and bare(roles.metric.name) not in KNOWN["value"]:
            shown = ", ".join(others[:6]) + (", …" if len(others) > 6 else "")
            roles.notes.append(
                _("{name!r} judges; {others} could (--columns value=NAME).").format(
                    name=roles.metric.name, others=shown
                )
            )
    if roles.metric:
        roles.of["value"] = [roles.metric.name]
    if "split" in roles.of:
        roles.validation = None


def assign_split(roles: Roles) -> None:
    """Assign the column that says training, validation or test."""
    if "split" in roles.of:
        return
    for name in roles.named(KNOWN["split"]):
        words = {level.lower() for level in roles.levels(name)}
        if words and (bare(name) == "split" or words <= _SPLIT_WORDS):
            roles.of["split"] = [name]
            return


def assign_exact(roles: Roles) -> None:
    """Assign the columns that bear descenso's own name of a role."""
    for role in ("method", "seed", "value", "role", "resolution", "higher_is_better", "metric"):
        if role not in roles.of:
            exact = [c for c in roles.unused() if (c if role in NEEDED else bare(c)) == role]
            if exact:
                roles.of[role] = exact[:1]


def assign_method(roles: Roles) -> None:
    """Assign the column of methods: by its name, the name of runs, or the name of files."""
    if "method" in roles.of:
        return
    found = [c for c in roles.named(KNOWN["method"]) if roles.levels(c)] + _of_kinds(roles)
    found = [c for c in found if not (leaf(c) == "run" or bare(c) in KNOWN["run"])]
    varying = [c for c in found if len(roles.levels(c)) > 1]
    strong = [c for c in varying if _is_strong(c)]
    chosen = next(iter(strong or varying), None)
    if chosen is not None and _named_by(roles, chosen):
        return
    if chosen is not None:
        roles.of["method"] = [chosen]
        return
    for source in _run_names(roles):
        named = read_names(roles.levels(source))
        if len({own.method for own in named} - {""}) > 1 and (not found or _repeated(named)):
            _take_names(roles, source, named)
            return
    texts = _text_settings(roles)
    if len(texts) == 1 and not found:
        roles.of["method"] = texts
        return
    if found:
        roles.of["method"] = [min(found, key=lambda c: not _is_strong(c))]
    elif not texts and _is_export(roles):
        roles.add("(method)", [roles.label] * len(roles.frame))
        roles.of["method"] = ["(method)"]
        roles.notes.append(
            _("No column names a method: all runs are of one, {name}.").format(name=roles.label)
        )


def _is_strong(name: str) -> bool:
    strong = KNOWN["method"][:_STRONG]
    return bare(name) in strong or leaf(name) in strong or leaf(name) in _KINDS


def _of_kinds(roles: Roles) -> list[str]:
    """Return columns such as ``config.optimizer.name``."""
    return [
        c
        for c in roles.unused()
        if leaf(c) in _KINDS
        and re.split(r"[/.]", bare(c))[0] in KNOWN["method"]
        and roles.levels(c)
    ]


def _is_export(roles: Roles) -> bool:
    """Whether a table without a method is of one: it has settings, or counts steps."""
    names = roles.unused()
    return any(columns.of_settings(c) or bare(c) in KNOWN["step"] for c in names) or any(
        bare(c) == "index" for c in names
    )


def _run_names(roles: Roles) -> list[str]:
    names = [c for c in roles.named(KNOWN["run"]) if c != FILE and len(roles.levels(c)) > 1]
    names = [c for c in names if not all(as_number(v) is not None for v in roles.levels(c))]
    return [*names, *([FILE] if FILE in roles.frame.columns else [])]


def _repeated(named: Sequence[Named]) -> bool:
    return all(own.seed for own in named) and len({o.method for o in named}) < len(named)


def _named_by(roles: Roles, column: str) -> bool:
    """Take method and seed from a column of methods that names seeds too, where no other does."""
    if roles.named(KNOWN["seed"]) or "seed" in roles.of:
        return False
    levels = roles.levels(column)
    told = all(re.search(r"(?i)seed[-_ =:]*\d", level) for level in levels)
    if not told and _is_strong(column):
        return False
    named = read_names(levels)
    if not _repeated(named):
        return False
    _take_names(roles, column, named)
    return True


def _take_names(roles: Roles, source: str, named: Sequence[Named]) -> None:
    """Make columns of what the names of runs say."""
    said = dict(zip(roles.levels(source), named, strict=True))
    texts = texts_of(roles.frame[source])
    shown = _("the names of the files") if source == FILE else repr(source)
    if "method" not in roles.of:
        roles.add("(method)", [said[t].method if t in said else None for t in texts])
        roles.of["method"] = ["(method)"]
        told = [_("methods are {names}").format(names=_few([o.method for o in named]))]
    else:
        told = []
    if "seed" not in roles.of and all(own.seed for own in named):
        roles.add("(seed)", [said[t].seed if t in said else None for t in texts])
        roles.of["seed"] = ["(seed)"]
        told.append(_("seeds are {names}").format(names=_few([o.seed for o in named])))
    there = {leaf(c) for c in map(str, roles.frame.columns)}
    for key in dict.fromkeys(k for own in named for k in own.settings if k not in there):
        roles.add(
            f"config.{key}", [said[t].settings.get(key) if t in said else None for t in texts]
        )
        told.append(f"{key}: {_few([o.settings.get(key, '') for o in named])}")
    if told:
        roles.notes.append(_("By {source}, {what}.").format(source=shown, what=listed(told)))


def _few(texts: Sequence[str]) -> str:
    unique = list(dict.fromkeys(texts))
    return ", ".join(unique[:6]) + (", …" if len(unique) > 6 else "")


def _text_settings(roles: Roles) -> list[str]:
    """Return the settings of trackers that vary and are texts, save the names of single runs."""
    runs = len(roles.frame)
    return [
        c
        for c in roles.unused()
        if columns.of_settings(c)
        and not columns.is_bookkeeping(c)
        and leaf(c) not in KNOWN["seed"]
        and 1 < len(roles.levels(c)) <= max(2, runs // 2)
        and not any(as_number(v) is not None for v in roles.levels(c))
    ]


def assign_problem(roles: Roles) -> None:
    """Assign the columns of problems: the data, and what methods share that splits the runs."""
    if "problem" in roles.of or "method" not in roles.of:
        return
    exact = [c for c in roles.named(KNOWN["problem"]) if roles.levels(c)]
    varying = [c for c in exact if len(roles.levels(c)) > 1]
    chosen = varying[:1] or exact[:1]
    others = [
        c
        for c in roles.named(KNOWN["factor"])
        if c not in chosen
        and len(roles.levels(c)) > 1
        and not c.startswith("params_")
        and not columns.is_bookkeeping(c)
    ]
    made = list(chosen)
    for name in others:
        made += [name] if _splits_methods(roles, name, made) else []
    if made:
        roles.of["problem"] = made


def _splits_methods(roles: Roles, name: str, problem: Sequence[str]) -> bool:
    """Whether methods have runs of several levels of a column, and share levels."""
    method = roles.of["method"]
    pairs = roles.frame[[*method, *problem, name]].map(as_text)
    pairs = pairs[pairs[name] != ""]
    several = pairs.groupby([*method, *problem])[name].nunique().max() > 1
    methods = pairs[method].agg(" ".join, axis=1)
    if methods.nunique() < 2:
        return False
    shared = methods.groupby(pairs[name]).nunique().max() > 1
    if not shared:
        roles.notes.append(
            _(
                "No two methods share a level of {name!r}: what separates the methods may be {name!r}."
            ).format(name=name)
        )
    return bool(several and shared)


def assign_seed(roles: Roles) -> None:
    """Assign the column of seeds: by its name, the names of runs, or their identities."""
    exact = roles.of.get("seed", [])
    if exact not in ([], ["seed"]) or "method" not in roles.of:
        return
    found = [c for c in roles.named(KNOWN["seed"]) if roles.levels(c) and _may_be_seed(roles, c)]
    found = [*exact, *found]
    varying = [c for c in found if len(roles.levels(c)) > 1]
    if varying:
        first = varying[:1]
        more = [
            c for c in varying[1:] if leaf(c) in ("fold", "cv_fold", "repeat", "rep", "split_id")
        ]
        roles.of["seed"] = first + [c for c in more if not _follows(roles, first[0], c)]
        return
    if exact:
        return
    if not found:
        for source in _run_names(roles):
            named = read_names(roles.levels(source))
            if all(own.seed for own in named):
                _take_names(roles, source, named)
                return
    runs = [c for c in (*roles.named(KNOWN["id"]), *_run_names(roles)) if len(roles.levels(c)) > 1]
    if found and not _is_repeated(roles, found):
        roles.of["seed"] = found[:1]
    elif runs:
        roles.of["seed"] = runs[:1]
        roles.notes.append(
            _(
                "No column is a seed: runs are told apart by {name!r}, and methods are compared as "
                "independent samples."
            ).format(name=_("file") if runs[0] == FILE else runs[0])
        )
    elif found:
        roles.of["seed"] = found[:1]


def _may_be_seed(roles: Roles, name: str) -> bool:
    """Whether a column can be a seed; a run or trial must be numbered, or else it is a name."""
    if not {bare(name), leaf(name)} & columns.DOUBTFUL_SEEDS:
        return True
    numbers = [as_number(level) for level in roles.levels(name)]
    if not all(number is not None and number == number // 1 for number in numbers):
        return False
    if leaf(name) in ("run", "trial", "rng", "run_no", "run_nr"):
        return True
    pairs = roles.frame[[*roles.of["method"], name]].map(as_text).drop_duplicates()
    return bool(pairs[name].value_counts().max() > 1)  # methods share them: row numbers they do not


def _follows(roles: Roles, first: str, other: str) -> bool:
    pairs = roles.frame[[first, other]].map(as_text).drop_duplicates()
    return bool(len(pairs) == pairs[first].nunique())


def _is_repeated(roles: Roles, seeds: Sequence[str]) -> bool:
    """Whether rows of one method and seed have different identities."""
    ids = [c for c in roles.named(KNOWN["id"]) if len(roles.levels(c)) > 1]
    if not ids:
        return False
    names = [*roles.of["method"], *roles.of.get("problem", []), seeds[0], ids[0]]
    pairs = roles.frame[names].map(as_text).drop_duplicates()
    return bool(pairs.groupby(names[:-1]).size().max() > 1) and not any(
        columns.is_hyperparameter(c) and len(roles.levels(c)) > 1 for c in roles.unused()
    )


def fill_merged_cells(roles: Roles) -> None:
    """Fill a column of methods down where its cells were merged: only the first row names each."""
    for name in roles.of.get("method", [])[:1]:
        empty = roles.frame[name].map(is_missing)
        if not empty.any() or empty.iloc[0] or not _names_once(roles.frame[name][~empty]):
            continue
        roles.add(name, roles.frame[name].where(~empty).ffill())
        roles.known.pop(name, None)
        roles.notes.append(
            _("{name!r}: an empty cell is taken for the method above it.").format(name=name)
        )


def _names_once(cells: pd.Series) -> bool:
    return len(cells) > 1 and not cells.map(as_text).duplicated().any()


def refuse_two_names_of_one_metric(roles: Roles) -> None:
    """Refuse methods without a single value where another column holds theirs.

    Raises
    ------
    DataError
        Naming such a method and the column.
    """
    judging = roles.of["value"][0]
    missing = roles.frame[judging].map(is_missing).to_numpy(bool)
    methods = texts_of(roles.frame[roles.of["method"][0]])
    without = set(methods) - {m for m, empty in zip(methods, missing, strict=True) if not empty}
    for method in sorted(without - {""}):
        own = roles.frame[[m == method for m in methods]]
        others = [m.name for m in results(own, roles.taken) if m.split == describe(judging).split]
        if others:
            raise DataError(
                _(
                    "{path}: {method} has no {judging!r}, but {other!r}: give one metric one name in "
                    "all files"
                ).format(path=roles.where, method=method, judging=judging, other=others[0])
            )


_SUMS = re.compile(
    r"(?i)(?:mean|avg|average|median|std|stdev|stddev|sd|sem|var|variance|min|max|total|all|best|overall"
    r"|media|promedio|mediana|desv\w*\.?(?: est\w*\.?)?|desviación(?: estándar)?|mínimo|máximo|todas?)"
)


def leave_out_sums(roles: Roles) -> None:
    """Leave out the rows below the runs of a method that sum them up: a mean, a deviation."""
    for name in roles.of.get("seed", [])[:1]:
        levels = roles.levels(name)
        sums = [level for level in levels if _SUMS.fullmatch(level)]
        if not sums or len(sums) == len(levels):
            continue
        out = roles.frame[name].map(as_text).isin(sums)
        roles.frame = roles.frame[~out].reset_index(drop=True)
        roles.known.clear()
        roles.notes.append(
            ngettext(
                "{n} row sums up runs ({texts}) and is left out.",
                "{n} rows sum up runs ({texts}) and are left out.",
                int(out.sum()),
            ).format(n=int(out.sum()), texts=", ".join(sums))
        )


_SPREAD = re.compile(r"(?i)(?:^|[_ .])(?:std|stddev|stdev|sem|stderr|ci95?|variance)(?:$|[_ .])")


def refuse_sums(roles: Roles) -> None:
    """Refuse a table of means and deviations, which holds no seeds and no steps.

    Raises
    ------
    DataError
        Naming the column of deviations.
    """
    spread = [str(c) for c in roles.frame.columns if _SPREAD.search(str(c))]
    single = [*KNOWN["seed"], *KNOWN["step"], *KNOWN["id"]]
    if not spread or "seed" in roles.of or roles.named(single) or FILE in roles.frame.columns:
        return
    raise DataError(
        _(
            "{path} sums up runs (column {name!r}); a verdict needs the runs themselves: a row "
            "for each run, with its seed and its value"
        ).format(path=roles.where, name=spread[0])
    )


def refuse_what_is_absent(roles: Roles) -> None:
    """Refuse a table without a method or a value.

    Raises
    ------
    DataError
        Naming what there is, and what may be meant.
    """
    missing = [name for name in ("method", "value") if name not in roles.of]
    if not missing:
        return
    there = [str(c) for c in roles.frame.columns if c != FILE]
    raise DataError(
        _(
            "{path} has no column {missing}; it has {there}. Name it: --columns {example}=COLUMN"
        ).format(
            path=roles.where, missing=", ".join(missing),
            there=", ".join(there[:20]) + (", …" if len(there) > 20 else ""), example=missing[0],
        )
    )  # fmt: skip

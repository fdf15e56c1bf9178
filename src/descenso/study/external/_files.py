"""Find the files of runs that a user names: files, patterns, folders and what lies in them."""

from __future__ import annotations

import glob
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from descenso.data.file_kinds import SHEET_FILES
from descenso.errors import DataError
from descenso.language import _

TABLES = (
    ".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson", ".json", *SHEET_FILES
)  # fmt: skip
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
#: Files that lie beside a run and hold its configuration, from the most telling down.
SETTINGS = (
    "params.json", "hparams.yaml", "hparams.yml", "config.json", "config.yaml", "config.yml", "args.json",
    "args.yaml", "args.yml", "hparams.json", "variant.json", "hyperparameters.json", "cfg.yaml", "cfg.json",
)  # fmt: skip
#: Files of trackers and frameworks that hold no results of runs.
_OTHERS = re.compile(
    r"(?i)(?:experiment_state.*|basic-variant-state.*|searcher-state.*|tuner.*|wandb-(?:metadata|summary).*"
    r"|tokenizer.*|special_tokens.*|vocab.*|generation_config.*|preprocessor_config.*|added_tokens.*"
    r"|requirements.*|readme.*|output\.log|.*\.index\.json|adapter_config.*|\.metadata.*|checkpoint.*"
    r"|error\.txt|training_args.*|quantization_config.*|model_card.*|all_results|train_results|eval_results)"
)
_UNREADABLE = {
    ".pkl": "pickle", ".pickle": "pickle", ".npy": "NumPy", ".npz": "NumPy", ".h5": "HDF5", ".hdf5": "HDF5",
    ".pt": "PyTorch", ".pth": "PyTorch", ".ckpt": "PyTorch", ".db": "SQLite", ".sqlite": "SQLite",
    ".sqlite3": "SQLite", ".wandb": "W&B", ".log": "log",
}  # fmt: skip


def find_files(named: Sequence[str | Path]) -> list[Path]:
    """Return the files of runs that are meant, each once.

    A folder stands for the tables in it and below. A checkpoint's copy of the record of its run
    is left out where the run's own or a later one is there.

    Raises
    ------
    DataError
        If a path is not there, a pattern fits nothing, a folder holds no table, or a file is of a
        kind that is no table.
    """
    found: list[Path] = []
    for name in named:
        path = Path(name)
        if path.is_dir():
            found += _in_folder(path)
        elif not path.exists() and glob.has_magic(str(name)):
            fitting = sorted(map(Path, glob.glob(str(name), recursive=True)))  # noqa: PTH207
            if not fitting:
                raise DataError(_("no file fits {pattern}").format(pattern=name))
            found += [f for p in fitting for f in (_in_folder(p) if p.is_dir() else [p])]
        else:
            found.append(path)
    unique = list(dict.fromkeys(found))
    for path in unique:
        _refuse_other_kinds(path)
    return unique


def _in_folder(folder: Path) -> list[Path]:
    files = [
        p
        for p in sorted(folder.rglob("*"))
        if p.is_file()
        and kind_of(p) in TABLES
        and p.name.lower() not in SETTINGS
        and not _OTHERS.fullmatch(p.stem)
        and not any(part.startswith(".") for part in p.relative_to(folder).parts)
    ]
    if not files:
        events = next(folder.rglob("events.out.tfevents*"), None)
        if events is not None:
            raise _of_events(events)
        raise DataError(
            _("{folder} holds no table of runs ({kinds})").format(
                folder=folder, kinds=", ".join(TABLES)
            )
        )
    return _one_of_each_run(files)


def _one_of_each_run(files: list[Path]) -> list[Path]:
    """Keep one record of a run: ``progress.csv`` beside ``result.json``, the last checkpoint's."""
    kept = [
        p
        for p in files
        if not (p.name == "result.json" and p.with_name("progress.csv") in files)
        and not (p.name == "all_results.json" and p.with_name("trainer_state.json") in files)
    ]
    states: dict[Path, list[Path]] = defaultdict(list)
    for p in kept:
        if p.name == "trainer_state.json":
            inside = re.fullmatch(r"checkpoint-\d+", p.parent.name)
            states[p.parent.parent if inside else p.parent].append(p)
    last = {max(group, key=_progress) for group in states.values()}
    return [p for p in kept if p.name != "trainer_state.json" or p in last]


def _progress(state: Path) -> float:
    number = re.fullmatch(r"checkpoint-(\d+)", state.parent.name)
    return float(number[1]) if number else float("inf")


def kind_of(path: Path) -> str:
    """Return the ending that tells how a file is read, without that of its compression."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _refuse_other_kinds(path: Path) -> None:
    if "tfevents" in path.name:
        raise _of_events(path)
    kind = _UNREADABLE.get(kind_of(path))
    if kind and path.exists():
        raise DataError(
            _(
                "{path} is a {kind} file, not a table; write the runs as CSV, Parquet or JSON and "
                "name that file"
            ).format(path=path, kind=kind)
        )


def _of_events(path: Path) -> DataError:
    return DataError(
        _(
            "{path} is an event file of TensorBoard; export its scalars as CSV (TensorBoard: Show "
            "data download links) and name these files or their folder"
        ).format(path=path)
    )

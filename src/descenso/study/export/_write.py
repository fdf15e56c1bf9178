"""Write a study where a user names it: a file, an MLflow server or a TensorBoard folder."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.errors import ReportError, SettingError
from descenso.files import unwritable, write_whole
from descenso.language import _
from descenso.language import reason as reason_of
from descenso.store import Store, StoredStudy
from descenso.study.export import _tensorboard
from descenso.study.export._frame import exported_runs, finished, long_form
from descenso.study.verdict import with_text

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_NAME = 120


def export(store: Store, stored: StoredStudy, target: str) -> str:
    """Write a finished study to ``target`` and return where it lies.

    Parameters
    ----------
    target : ``file.csv``, ``file.parquet``, ``mlflow:URI`` or ``tensorboard:FOLDER``.

    Raises
    ------
    SettingError
        If the target is none of these, or needs a package that is not installed.
    ReportError
        If it cannot be written.
    """
    kind, colon, place = target.partition(":")
    if colon and kind in ("mlflow", "tensorboard") and place:
        writer: Callable[[Store, StoredStudy, str], str] = (
            _to_mlflow if kind == "mlflow" else _to_tensorboard
        )
        return writer(store, stored, place)
    suffix = Path(target).suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise SettingError(
            _(
                "a study is exported to file.csv, file.parquet, mlflow:URI or tensorboard:FOLDER; "
                "got {target!r}"
            ).format(target=target)
        )
    frame = long_form(store, stored)
    if suffix == ".csv":
        write_whole(target, _without_formulas(frame).to_csv(index=False, na_rep="nan"))
    else:
        _needed("pyarrow", "tables")
        write_whole(target, frame.to_parquet(index=False))
    return target


def _needed(package: str, extra: str) -> Any:
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise SettingError(
            _("this export needs a package: pip install {package}").format(
                package=f"'descenso[{extra}]'"
            )
        ) from error


def _to_tensorboard(store: Store, stored: StoredStudy, place: str) -> str:
    result = finished(stored)
    try:
        for exported in exported_runs(store, result):
            member, curve = exported.run.member, exported.run.curve
            name = "/".join(
                map(_component, (member.method, exported.setting, f"seed{member.seed}"))
            )
            scalars = [
                (f"validation/{result.metric.name}", step, float(value))
                for step, value in enumerate(curve.validation_metric)
            ]
            scalars += [
                ("validation/loss", step, float(v)) for step, v in enumerate(curve.validation_loss)
            ]
            scalars += [("train/loss", i + 1, float(v)) for i, v in enumerate(curve.train_loss)]
            if "search" not in exported.roles and not curve.ended:
                test = (f"test/{result.metric.name}", curve.epochs, float(curve.test_metric))
                scalars.append(test)
            _tensorboard.write(Path(place) / _component(stored.identity) / name, scalars)
    except ReportError:
        raise
    except OSError as error:
        raise unwritable(place, reason_of(error)) from error
    return str(Path(place) / _component(stored.identity))


def _component(name: str) -> str:
    """Return the name of a folder that every file system takes, and that leads nowhere else."""
    kept = "".join(c if c.isalnum() or c in "=._- @" else "_" for c in name)
    kept = kept.replace(" ", "").replace("@", "-at-").lstrip(".")
    return kept[:_LONGEST_NAME] or "_"


def _without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with an apostrophe before texts that a spreadsheet would compute."""
    from pandas.api.types import is_numeric_dtype

    frame = frame.copy()
    for name in frame.columns:
        if not is_numeric_dtype(frame[name]):
            texts = frame[name].astype(str)
            frame[name] = texts.where(~texts.str.startswith(_FORMULA_SIGNS), "'" + texts)
    return frame


def _to_mlflow(store: Store, stored: StoredStudy, uri: str) -> str:
    _needed("mlflow", "mlflow")
    from mlflow.exceptions import MlflowException

    try:
        return _record_runs(store, stored, uri)
    except MlflowException as error:
        raise unwritable(uri, reason_of(error)) from error


def _record_runs(store: Store, stored: StoredStudy, uri: str) -> str:
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    result = with_text(finished(stored))
    client = MlflowClient(tracking_uri=uri)
    name = f"descenso {result.design.problem}"
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known else client.create_experiment(name)
    for exported in exported_runs(store, result):
        member, curve = exported.run.member, exported.run.curve
        tags = {"descenso.study": result.identity, "descenso.role": ",".join(exported.roles),
                "descenso.verdict": result.verdict.text}  # fmt: skip
        run = client.create_run(
            experiment, run_name=f"{member.method} {exported.setting} seed {member.seed}"
        )
        given = {"method": member.method, "seed": member.seed, "batch_size": member.batch_size,
                 **member.settings}  # fmt: skip
        metrics = [
            Metric(f"validation_{result.metric.name}", float(value), 0, step)
            for step, value in enumerate(curve.validation_metric)
            if math.isfinite(value)
        ]
        if "search" not in exported.roles and not curve.ended:
            test = float(curve.test_metric)
            metrics.append(Metric(f"test_{result.metric.name}", test, 0, curve.epochs))
        client.log_batch(
            run.info.run_id,
            metrics=metrics,
            params=[Param(key, str(value)) for key, value in given.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        client.set_terminated(run.info.run_id, "FAILED" if curve.ended else "FINISHED")
    return f"{uri} ({name})"

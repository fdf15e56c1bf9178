"""Runs are read as trackers, frameworks and people write them, and what is inferred is said."""

import json

import numpy as np
import pandas as pd
import pytest

from descenso import language
from descenso.errors import DataError, SettingError
from descenso.study import external

BEST = {"adam": 0.95, "sgd": 0.90}


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


def score(method, seed, step=9, lr=0.01):
    luck = np.random.default_rng([seed, len(method)]).normal(0, 0.004)
    return BEST[method] * (1 - 0.5 ** (step + 1)) - 0.02 * abs(np.log10(lr) + 2) + luck


RUNS = [(m, s) for m in BEST for s in range(4)]


def judged(*paths, columns=None, higher=True, at="last"):
    table = external.read_runs([str(p) for p in paths], columns)
    return external.as_json(external.judge_runs(table, higher, at=at))


def methods(found):
    return {m["name"]: m for m in found["methods"]}


def expect(found, runs=RUNS, step=9):
    """Each run is judged by its own value at its last step."""
    names = methods(found)
    assert sorted(names) == sorted({m for m, _s in runs})
    for name, own in names.items():
        seeds = [s for m, s in runs if m == name]
        assert own["seeds"] == [str(s) for s in seeds]
        assert own["value"]["values"] == pytest.approx([score(name, s, step) for s in seeds])
    return " ".join(found["notes"])


def write(path, frame, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, **{"index": False, **options})
    return path


def test_a_chart_of_wandb_has_a_column_for_each_run(tmp_path):
    chart = pd.DataFrame({"Step": range(10)})
    for m, s in RUNS:
        for end in ("", "__MIN", "__MAX"):
            chart[f"{m}-seed{s} - val/acc{end}"] = [score(m, s, t) for t in range(10)]
    found = judged(write(tmp_path / "wandb.csv", chart), higher=None)
    notes = expect(found)
    assert found["metric"]["name"] == "val/acc"
    assert "a chart of W&B, 8 curves" in notes
    assert "methods are adam, sgd and seeds are 0, 1, 2, 3" in notes


def test_a_chart_of_grouped_runs_is_said_to_hold_means(tmp_path):
    chart = pd.DataFrame({"Step": range(5)})
    for m in BEST:
        name = f"optimizer: {m} - val/acc"
        chart[name] = [score(m, 0, t) for t in range(5)]
        chart[f"{name}__MIN"], chart[f"{name}__MAX"] = chart[name] - 0.1, chart[name] + 0.1
    found = judged(write(tmp_path / "wandb.csv", chart))
    assert set(methods(found)) == {"adam", "sgd"}
    assert "export them ungrouped" in " ".join(found["notes"])


def test_a_frame_of_the_wandb_api_holds_mappings_as_text(tmp_path):
    rows = [
        {"summary": str({"val_acc": score(m, s), "_step": 9, "_wandb": {"runtime": 3},
                        "loss": float("nan")}),
         "config": str({"lr": 0.01, "seed": s, "optimizer": m, "layers": [1, 2]}),
         "name": f"sunny-fire-{s}"}
        for m, s in RUNS
    ]  # fmt: skip
    notes = expect(judged(write(tmp_path / "runs.csv", pd.DataFrame(rows), index=True)))
    assert "method = config.optimizer, seed = config.seed, value = summary.val_acc" in notes


def test_a_table_of_wandb_leaves_out_runs_that_did_not_finish(tmp_path):
    rows = [
        {"Name": f"run-{m}-{s}", "State": "finished", "Runtime": 12, "optimizer": m, "lr": 0.01, "seed": s,
         "epoch": 9, "val_acc": score(m, s)} for m, s in RUNS
    ]  # fmt: skip
    rows += [
        {**rows[0], "State": state, "seed": 7 + i} for i, state in enumerate(("crashed", "running"))
    ]
    notes = expect(judged(write(tmp_path / "runs.csv", pd.DataFrame(rows)), higher=None))
    assert "2 rows of runs that did not finish were left out, by column 'State'" in notes
    assert "1 crashed, 1 running" in notes


@pytest.mark.parametrize("index", [True, False])
def test_trials_of_optuna_have_states_and_attributes(tmp_path, index):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    for m, s in RUNS:
        study.enqueue_trial({"optimizer": m})
        trial = study.ask({"optimizer": optuna.distributions.CategoricalDistribution(list(BEST))})
        trial.set_user_attr("seed", s)
        study.tell(trial, score(m, s))
    study.tell(study.ask(), state=optuna.trial.TrialState.PRUNED)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    study.ask()
    path = write(tmp_path / "trials.csv", study.trials_dataframe(), index=index)
    notes = expect(judged(path))
    assert "1 FAIL, 1 PRUNED, 1 RUNNING" in notes
    assert "method = params_optimizer, seed = user_attrs_seed" in notes


def test_several_objectives_of_optuna_are_judged_by_the_first(tmp_path):
    rows = [{"number": i, "values_0": score(m, s), "values_1": 5 + i, "params_optimizer": m,
             "params_seed": s, "state": "COMPLETE"} for i, (m, s) in enumerate(RUNS)]  # fmt: skip
    notes = expect(judged(write(tmp_path / "trials.csv", pd.DataFrame(rows))))
    assert "'values_0' judges; values_1 could" in notes


def test_a_grid_of_ray_is_one_of_settings_and_not_a_curve(tmp_path):
    rows = [
        {"val_acc": score(m, s, lr=lr), "timestamp": 1e9 + i, "training_iteration": 10, "trial_id": f"a{i}",
         "time_total_s": 0.1 * i, "pid": 7, "config/optimizer": m, "config/lr": lr, "config/seed": s}
        for i, (m, s, lr) in enumerate((m, s, lr) for m, s in RUNS for lr in (0.01, 1.0))
    ]  # fmt: skip
    found = judged(write(tmp_path / "grid.csv", pd.DataFrame(rows), index=True))
    expect(found)
    assert {m["setting"] for m in found["methods"]} == {"lr=0.01"}


def test_folders_of_ray_hold_progress_and_parameters(tmp_path):
    for m, s in RUNS:
        folder = tmp_path / "exp" / f"train_{m}_{s}_2026-01-01_10-00-00"
        curve = {"val_acc": [score(m, s, t) for t in range(10)], "training_iteration": range(1, 11),
                 "timestamp": range(10), "trial_id": f"x{m}{s}"}  # fmt: skip
        write(folder / "progress.csv", pd.DataFrame(curve))
        (folder / "params.json").write_text(json.dumps({"optimizer": m, "seed": s, "lr": 0.01}))
        (folder / "result.json").write_text('{"val_acc": 0}\n{"val_acc": 1}\n')
    (tmp_path / "exp" / "experiment_state-2026.json").write_text("{}")
    notes = expect(judged(tmp_path / "exp", higher=None))
    assert "step = training_iteration" in notes
    assert "Settings of runs are read from params.json" in notes


def test_runs_of_mlflow_that_failed_or_run_are_counted(tmp_path):
    rows = [
        {"run_id": f"{i:04x}", "status": "FINISHED", "metrics.val_acc": 0.5,
         "metrics.test_acc": score(m, s),
         "params.optimizer": m, "params.seed": s, "tags.mlflow.runName": f"{m}{s}"}
        for i, (m, s) in enumerate(RUNS)
    ]  # fmt: skip
    rows += [
        {**rows[0], "status": "FAILED", "params.seed": 8},
        {**rows[0], "status": "RUNNING", "params.seed": 9},
    ]
    notes = expect(judged(write(tmp_path / "mlflow.csv", pd.DataFrame(rows), index=True)))
    assert "1 FAILED, 1 RUNNING" in notes
    assert "value = metrics.test_acc, validation = metrics.val_acc" in notes


def test_a_row_for_each_metric_is_turned(tmp_path):
    rows = [
        {"run_id": f"{m}{s}", "optimizer": m, "seed": s, "key": key, "value": value, "timestamp": i,
         "step": t}
        for i, (m, s) in enumerate(RUNS) for t in range(10)
        for key, value in (("val_acc", score(m, s, t)), ("lr", 0.1 / (t + 1)))
    ]  # fmt: skip
    found = judged(write(tmp_path / "history.csv", pd.DataFrame(rows)), higher=None)
    expect(found)
    assert found["metric"]["name"] == "val_acc"


def test_scalars_of_tensorboard_are_named_by_their_files(tmp_path):
    for m, s in RUNS:
        for tag, value in (
            ("val_acc", lambda t, m=m, s=s: score(m, s, t)),
            ("train_loss", lambda t: 1 / (t + 1)),
        ):
            scalars = {
                "Wall time": [1e9 + t for t in range(10)],
                "Step": range(10),
                "Value": map(value, range(10)),
            }
            write(
                tmp_path / f"run-{m}_seed{s}-tag-{tag}.csv",
                pd.DataFrame({k: list(v) for k, v in scalars.items()}),
            )
    notes = expect(judged(tmp_path, higher=None))
    assert "By the names of the files, methods are adam, sgd and seeds are 0, 1, 2, 3" in notes
    assert "'val_acc' judges; train_loss could" in notes
    expect(judged(tmp_path / "run-*-tag-val_acc.csv"))


@pytest.mark.parametrize("kind", ["csv", "json", "index", "one"])
def test_histories_of_keras_in_all_their_files(tmp_path, kind):
    together = {}
    for m, s in RUNS:
        history = {"accuracy": [0.99] * 10, "loss": [0.1] * 10,
                   "val_accuracy": [score(m, s, t) for t in range(10)], "val_loss": [1.0] * 10}  # fmt: skip
        frame, name = pd.DataFrame(history), f"{m}_{s}"
        if kind == "csv":
            write(tmp_path / f"{name}.csv", frame.rename_axis("epoch").reset_index())
        elif kind == "index":
            write(tmp_path / f"{name}.csv", frame, index=True)
        elif kind == "json":
            (tmp_path / f"{name}.json").write_text(json.dumps(history))
        together[name] = history
    if kind == "one":
        (tmp_path / "all.json").write_text(json.dumps(together))
    found = judged(tmp_path, higher=None)
    expect(found)
    assert found["metric"]["name"] == "val_accuracy"


@pytest.mark.parametrize("told_by", ["folders", "hparams"])
def test_metrics_of_lightning_have_holes(tmp_path, told_by):
    for i, (m, s) in enumerate(RUNS):
        rows = [{"epoch": t, "step": 8 * t + 4, "train_loss_step": 0.5} for t in range(10)]
        rows += [{"epoch": t, "step": 8 * t + 7, "val_acc": score(m, s, t)} for t in range(10)]
        rows += [{"epoch": t, "step": 8 * t + 7, "train_loss_epoch": 0.4} for t in range(10)]
        folder = f"{m}/version_{s}" if told_by == "folders" else f"lightning_logs/version_{i}"
        write(tmp_path / folder / "metrics.csv", pd.DataFrame(rows))
        if told_by == "hparams":
            (tmp_path / folder / "hparams.yaml").write_text(
                f"lr: 0.01\noptimizer: {m}\nseed: {s}\n"
            )
    notes = expect(judged(tmp_path, higher=None))
    assert "lack" not in notes


def test_a_trainer_of_hugging_face_is_read_once(tmp_path):
    for m, s in RUNS:
        log = []
        for t in range(10):
            log.append(
                {
                    "epoch": t,
                    "loss": 0.5,
                    "grad_norm": 1.0,
                    "learning_rate": 0.1 / (t + 1),
                    "step": 2 * t + 1,
                }
            )
            log.append({"epoch": t, "eval_accuracy": score(m, s, t), "eval_loss": 0.4, "eval_runtime": 1.0,
                        "eval_samples_per_second": 9.0, "step": 2 * t + 2})  # fmt: skip
        log.append(
            {"epoch": 9, "train_runtime": 3.0, "train_loss": 0.3, "total_flos": 1e9, "step": 20}
        )
        for place, part in (("", log), ("checkpoint-10", log[:10])):
            folder = tmp_path / f"{m}-seed{s}" / place
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "trainer_state.json").write_text(
                json.dumps({"log_history": part, "global_step": 20})
            )
    found = judged(tmp_path, higher=None)
    expect(found)
    assert {m["setting"] for m in found["methods"]} == {""}  # a schedule's rate sets no run apart


@pytest.mark.parametrize("step", [
    "global_step", "trainer/global_step", "training_iteration", "iter", "round", "timesteps", "_step",
    "num_env_steps", "tokens", "samples", "Epoch", "time/total_timesteps", "my counter",
])  # fmt: skip
def test_whatever_counts_inside_runs_is_the_step(tmp_path, step):
    rows = [
        {"algo": m, "seed": s, step: 100 * t, "reward": score(m, s, t)}
        for m, s in RUNS
        for t in range(10)
    ]
    frame = (
        pd.DataFrame(rows).sample(frac=1, random_state=0)
        if step != "my counter"
        else pd.DataFrame(rows)
    )
    notes = expect(judged(write(tmp_path / "runs.csv", frame), higher=None))
    assert f"step = {step}" in notes


def test_rows_of_one_run_that_contradict_stop_the_judgement(tmp_path):
    rows = [{"method": m, "seed": s, "value": score(m, s, t)} for m, s in RUNS for t in range(3)]
    with pytest.raises(
        DataError, match=r"24 rows contradict.*method adam, seed 0.*--columns step=COLUMN"
    ):
        judged(write(tmp_path / "runs.csv", pd.DataFrame(rows)))
    apart = [{**row, "layers": t} for row, t in zip(rows, [7, 3, 5] * 8, strict=True)]
    with pytest.raises(DataError, match=r"Column 'layers' tells them apart.*problem=layers"):
        judged(write(tmp_path / "runs.csv", pd.DataFrame(apart)))
    judged(write(tmp_path / "runs.csv", pd.DataFrame(apart)), columns={"problem": "layers"})


def test_no_method_gets_the_best_of_several_models(tmp_path):
    rows = [
        {"model": model, "optimizer": m, "dataset": "adult", "seed": s, "lr": lr,
         "test_score": score(m, s) - gap}
        for model, gap, lr in (("mlp", 0.0, 0.1), ("tabm", 0.2, 0.01), ("ft", 0.4, 0.001)) for m, s in RUNS
    ]  # fmt: skip
    found = judged(write(tmp_path / "runs.csv", pd.DataFrame(rows)), higher=None)
    assert found["problems"] == ["adult / ft", "adult / mlp", "adult / tabm"]
    assert "problem = dataset + model" in " ".join(found["notes"])


def test_a_resumed_run_counts_its_later_rows(tmp_path):
    rows = [{"method": m, "seed": s, "step": t, "value": 0.1} for m, s in RUNS for t in range(8)]
    frame = pd.DataFrame(rows)
    again = [
        {"method": "adam", "seed": 0, "step": t, "value": score("adam", 0, t)} for t in range(6, 10)
    ]
    found = judged(write(tmp_path / "runs.csv", pd.concat([frame, pd.DataFrame(again)])))
    assert methods(found)["adam"]["value"]["values"][0] == pytest.approx(score("adam", 0))
    assert "Runs were resumed: of 2 steps" in " ".join(found["notes"])


def curves(tmp_path, splits=("test",)):
    """Validation peaks at step 2, test at step 5; the last value is below both."""
    peak = {"validation": 2, "test": 5}
    rows = [
        {"method": m, "seed": s, "step": t, "split": split,
         "value": score(m, s) - 0.01 * abs(t - peak[split])}
        for m, s in RUNS for split in splits for t in range(10)
    ]  # fmt: skip
    return write(tmp_path / "curves.csv", pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("at", "below"), [("last", 0.04), ("best", 0.03), ("4", 0.01), ("4.5", 0.01)]
)
def test_the_step_that_judges_is_a_choice(tmp_path, at, below):
    found = judged(curves(tmp_path, ("validation", "test")), at=at)
    own = methods(found)["adam"]["value"]["values"]
    assert own == pytest.approx([score("adam", s) - below for s in range(4)])
    assert "--at" in " ".join(found["notes"])


def test_the_best_of_the_very_metric_that_judges_is_warned_of(tmp_path):
    found = judged(curves(tmp_path), at="best")
    assert methods(found)["sgd"]["value"]["values"] == pytest.approx(
        [score("sgd", s) for s in range(4)]
    )
    assert "WARNING" in " ".join(found["notes"])
    with pytest.raises(SettingError, match="--at is last, best or a step"):
        judged(curves(tmp_path), at="middle")
    late = write(tmp_path / "late.csv", pd.read_csv(curves(tmp_path)).query("step > 3"))
    with pytest.raises(DataError, match="has no value before step 4"):
        judged(late, at="2")


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "NAN", "nan(ind)", "1.#QNAN", "inf", "-Infinity",
                                  "∞",
                                  '"Infinity"', "tensor(nan)", "float('nan')"])  # fmt: skip
def test_only_nan_and_infinities_diverge(tmp_path, text):
    found = judged(values(tmp_path, text))
    assert methods(found)["adam"]["diverged"] == 1


@pytest.mark.parametrize(
    "text", ["", "-", "n/a", "OOM", "failed", "None", "NA", "<NA>", "see notes"]
)
def test_what_is_no_number_is_missing_and_counted(tmp_path, text):
    found = judged(values(tmp_path, text))
    assert methods(found)["adam"]["diverged"] == 0
    assert methods(found)["adam"]["seeds"] == ["1", "2", "3"]
    assert "1 row lacks" in " ".join(found["notes"])


def values(tmp_path, first):
    path = tmp_path / "runs.csv"
    rows = [f"{m};{s};{score(m, s)}" for m, s in RUNS[1:]]
    path.write_text("\n".join(["optimizer;seed;val_acc", f"adam;0;{first}", *rows]))
    return path


@pytest.mark.parametrize(("write_value", "delimiter", "factor"), [
    (lambda v: f"{v:.4f}".replace(".", ","), ";", 1), (lambda v: f"{100 * v:.2f}%", ",", 1),
    (lambda v: f"{100 * v:.2f} %".replace(".", ","), ";", 1), (lambda v: f"{1e6 * v:,.1f}", "\t", 1e6),
    (lambda v: f"{1e6 * v:,.1f}".translate(str.maketrans(",.", ".,")), ";", 1e6),
    (lambda v: f"tensor({v:.4f}, device='cuda:0')", "|", 1), (lambda v: f"np.float64({v:.4f})", ",", 1),
])  # fmt: skip
def test_numbers_are_read_as_people_write_them(tmp_path, write_value, delimiter, factor):
    lines = [delimiter.join((m, str(s), f'"{write_value(score(m, s))}"')) for m, s in RUNS]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join([delimiter.join(("optim", "seed", "acc")), *lines]))
    own = methods(judged(path))["adam"]["value"]["values"]
    assert own == pytest.approx([factor * score("adam", s) for s in range(4)], rel=2e-4)


@pytest.mark.parametrize(("text", "complaint"), [
    ("0.91 ± 0.02", "summaries of several runs, such as '0.91 ± 0.02'"),
    ("0.91 (0.02)", "summaries of several runs"), ("91.2+/-0.3", "summaries of several runs"),
    ("$0.91 \\pm 0.02$", "summaries of several runs"), ("0.91 [0.89, 0.93]", "summaries of several runs"),
    ("diverged", "write nan where a run diverged"),
])  # fmt: skip
def test_a_cell_that_sums_up_or_tells_a_divergence_in_words_is_refused(tmp_path, text, complaint):
    with pytest.raises(DataError) as error:
        judged(values(tmp_path, text))
    assert complaint in str(error.value)


def test_rows_without_seeds_are_independent_runs(tmp_path):
    rows = [{"model": m, "acc": score(m, s)} for m, s in RUNS]
    found = judged(write(tmp_path / "runs.csv", pd.DataFrame(rows).sample(frac=1, random_state=3)))
    from scipy import stats

    want = stats.ttest_ind(*[[score(m, s) for s in range(4)] for m in BEST], equal_var=False).pvalue
    assert found["verdict"]["comparisons"][0]["p_value"] == pytest.approx(want)
    assert "each row is taken for a run of its own" in " ".join(found["notes"])


@pytest.mark.parametrize("shape", ["seeds", "methods", "runs"])
def test_wide_tables_are_turned(tmp_path, shape):
    if shape == "seeds":
        frame = pd.DataFrame(
            [{"method": m, **{f"seed{s}": score(m, s) for s in range(4)}} for m in BEST]
        )
    elif shape == "methods":
        frame = pd.DataFrame(
            {"seed": range(4), **{m: [score(m, s) for s in range(4)] for m in BEST}}
        )
    else:
        frame = pd.DataFrame(
            {
                "epoch": range(10),
                **{f"{m}_seed{s}": [score(m, s, t) for t in range(10)] for m, s in RUNS},
            }
        )
    expect(judged(write(tmp_path / "wide.csv", frame)))


@pytest.mark.parametrize(("names", "methods_found", "seeds"), [
    (["adam-seed0", "adam-seed1", "sgd-seed0"], ["adam", "adam", "sgd"], ["0", "1", "0"]),
    (["resnet18", "resnet50"], ["resnet18", "resnet50"], ["", ""]),
    (["lr=0.1,optimizer=adam,seed=3", "lr=0.1,optimizer=sgd,seed=3"], ["adam", "sgd"], ["3", "3"]),
    (["cifar_adam_lr0.01_s1", "cifar_adam_lr0.01_s2", "cifar_sgd_lr0.01_s1", "cifar_sgd_lr0.01_s2"],
     ["adam", "adam", "sgd", "sgd"], ["1", "2", "1", "2"]),
    (["adamw_torch-1", "adamw_torch-2", "sgd-1", "sgd-2"], ["adamw_torch"] * 2 + ["sgd"] * 2,
     ["1", "2"] * 2),
])  # fmt: skip
def test_names_of_runs_tell_method_and_seed(names, methods_found, seeds):
    from descenso.study.external._names import read_names

    read = read_names(names)
    assert [own.method for own in read] == methods_found
    assert [own.seed for own in read] == seeds


@pytest.mark.parametrize(("name", "complaint"), [
    ("events.out.tfevents.17.host", "export its scalars as CSV"), ("history.pkl", "not a table"),
])  # fmt: skip
def test_files_that_are_no_tables_say_what_to_do(tmp_path, name, complaint):
    (tmp_path / name).write_bytes(b"\x80\x04")
    with pytest.raises(DataError, match=complaint):
        judged(tmp_path / name)
    with pytest.raises(DataError):
        judged(tmp_path)
    with pytest.raises(DataError, match="no file fits"):
        judged(tmp_path / "*.csv")


def test_means_and_deviations_are_no_runs(tmp_path):
    rows = [{"optimizer": m, "accuracy_mean": BEST[m], "accuracy_std": 0.01} for m in BEST]
    with pytest.raises(DataError, match=r"sums up runs \(column 'accuracy_std'\)"):
        judged(write(tmp_path / "means.csv", pd.DataFrame(rows)))


def test_folds_of_several_seeds_are_runs_of_their_own(tmp_path):
    rows = [
        {"model": m, "seed": seed, "fold": s, "f1": score(m, s)}
        for m, s in RUNS
        for seed in range(2)
    ]
    own = methods(judged(write(tmp_path / "folds.csv", pd.DataFrame(rows))))["adam"]
    assert len(own["seeds"]) == 8


def test_what_no_two_methods_share_is_said_to_confound_them(tmp_path):
    rows = [{"optimizer": m, "model": f"net-{m}", "seed": s, "acc": score(m, s)} for m, s in RUNS]
    notes = expect(judged(write(tmp_path / "runs.csv", pd.DataFrame(rows))))
    assert "No two methods share a level of 'model'" in notes


@pytest.mark.parametrize("ending", ["csv.gz", "csv", "json.gz", "parquet"])
def test_runs_that_expand_without_measure_are_refused(tmp_path, monkeypatch, ending):
    import gzip

    from descenso.study.external import _tables

    monkeypatch.setattr(_tables, "_MOST_BYTES", 2**20)
    monkeypatch.setattr(_tables, "_MOST_CELLS", 1000)
    path = tmp_path / f"runs.{ending}"
    text = b"method,seed,value\n" + b"a,1,0.5\n" * 2**18
    if ending == "parquet":
        pytest.importorskip("pyarrow")
        pd.DataFrame({"method": ["a"] * 2000, "value": [0.5] * 2000}).to_parquet(path)
    else:
        path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    with pytest.raises(DataError, match="keep the columns and rows that are needed"):
        external.read_runs(path)


def test_a_device_holds_no_runs(tmp_path):
    link = tmp_path / "zero.csv"
    link.symlink_to("/dev/zero")
    with pytest.raises(DataError, match="is a device or a pipe"):
        external.read_runs(link)


def test_a_sheet_for_each_method_and_a_title_above_its_header(tmp_path):
    pytest.importorskip("python_calamine")
    from tests.data.test_table_files import ods

    header = ["seed", "val_acc"]
    sheets = {
        method: [["Runs of March", ""], header, *([s, mean + s / 100] for s in range(3))]
        for method, mean in (("adam", 0.9), ("sgd", 0.8))
    }
    sheets["notes"] = [["who", "when"], ["ana", "Monday"]]
    sheets["adam"].append([3, "nan"])
    sheets["adam"].append([4, ""])
    path = tmp_path / "runs.ods"
    path.write_bytes(ods(sheets))
    rows = external.read_runs(path)
    assert rows.groupby("method")["value"].first().to_dict() == {"adam": 0.9, "sgd": 0.8}
    notes = " ".join(rows.attrs["notes"])
    assert "read are the sheets adam, sgd; others have other columns" in notes
    assert "skipped before the header: 1 (the first is 'Runs of March')" in notes
    assert [str(v) for v in rows[rows["method"] == "adam"]["value"]][3:] == ["nan", "None"]

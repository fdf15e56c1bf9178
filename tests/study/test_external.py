"""Runs that descenso did not train are judged as its own are, and nothing wrong with them is hidden."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from descenso import language
from descenso.errors import DataError, SettingError
from descenso.study import external
from descenso.study.statistics import compare_with_best


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


def table(seeds=5, **gaps):
    """Return rows of methods that differ by gaps, with a shared luck of each seed."""
    rng = np.random.default_rng(0)
    luck = rng.normal(0.9, 0.01, seeds)
    return pd.DataFrame(
        {"method": m, "seed": s, "value": luck[s] - gap + rng.normal(0, 0.002)}
        for m, gap in gaps.items()
        for s in range(seeds)
    )


def judged(frame, tmp_path, columns=None, name="runs.csv", **options):
    path = tmp_path / name
    frame.to_csv(path, index=False)
    return external.as_json(
        external.judge_runs(
            external.read_runs(path, columns), **{"higher_is_better": True, **options}
        )
    )


def test_the_verdict_is_that_of_the_studys_own_statistics(tmp_path):
    frame = table(a=0.0, b=0.001, c=0.05)
    found = judged(frame.sample(frac=1, random_state=1), tmp_path)["verdict"]
    scores = {m: list(g.sort_values("seed")["value"]) for m, g in frame.groupby("method")}
    best, comparisons = compare_with_best(scores, higher_is_better=True)
    assert found["best"] == best
    assert found["tied"] == [c.other for c in comparisons if c.tied]
    theirs = {c["other"]: c["p_value"] for c in found["comparisons"]}
    assert theirs == {c.other: c.p_value for c in comparisons}


def test_lower_is_better_turns_the_verdict_round(tmp_path):
    frame = table(a=0.0, c=0.05)
    assert judged(frame, tmp_path, higher_is_better=False)["verdict"]["best"] == "c"


def test_other_column_names_are_mapped(tmp_path):
    frame = table(a=0.0, c=0.05).rename(columns={"value": "acc", "method": "which"})
    with pytest.raises(DataError, match="no column method; it has"):
        judged(frame, tmp_path)
    found = judged(frame, tmp_path, {"value": "acc", "method": "which"}, higher_is_better=None)
    assert found["verdict"]["best"] == "a"
    with pytest.raises(SettingError, match=r"no column 'ac'\. Did you mean 'acc'"):
        judged(frame, tmp_path, {"value": "ac"})


def test_an_mlflow_export_is_understood_without_a_mapping(tmp_path):
    frame = table(a=0.0, c=0.05).rename(
        columns={"value": "metrics.test_acc", "method": "params.optimizer", "seed": "params.seed"}
    )
    found = judged(frame.assign(run_id="x"), tmp_path, higher_is_better=None)
    assert found["verdict"]["best"] == "a"
    assert found["notes"] == [
        "Columns: method = params.optimizer, seed = params.seed, value = metrics.test_acc.",
        "Higher is better: inferred from the name 'metrics.test_acc'.",
    ]


def test_parquet_and_json_lines_say_the_same_as_csv(tmp_path):
    frame = table(a=0.0, b=0.001, c=0.05)
    want = judged(frame, tmp_path)
    frame.to_parquet(tmp_path / "runs.parquet")
    frame.to_json(tmp_path / "runs.jsonl", orient="records", lines=True, double_precision=15)
    for name in ("runs.parquet", "runs.jsonl"):
        read = external.read_runs(tmp_path / name)
        got = external.as_json(external.judge_runs(read, True))
        assert got["verdict"]["tied"] == want["verdict"]["tied"]
        assert got["verdict"]["best"] == want["verdict"]["best"]


def test_everything_wrong_with_the_rows_is_said(tmp_path):
    frame = table(a=0.0, c=0.05).astype(object)
    frame.loc[len(frame)] = frame.loc[0]  # a repeated row
    frame.loc[len(frame)] = ["a", 7, ""]  # a missing value
    frame.loc[len(frame)] = ["c", 8, "nan"]  # a diverged run, on a seed of its own
    notes = " ".join(judged(frame, tmp_path)["notes"])
    assert "1 row is there twice" in notes
    assert "1 row lacks" in notes
    assert "1 value is not finite" in notes
    assert "Methods have different seeds (a: 5, c: 6)" in notes


def test_a_diverged_run_counts_as_the_worst_and_is_never_dropped(tmp_path):
    frame = table(a=0.0, b=0.0).astype(object)
    frame.loc[(frame["method"] == "a") & (frame["seed"] == 2), "value"] = "inf"
    found = judged(frame, tmp_path)
    a = next(m for m in found["methods"] if m["name"] == "a")
    assert a["diverged"] == 1
    assert len(a["value"]["values"]) == 5
    assert min(a["value"]["values"]) == min(
        v for m in found["methods"] for v in m["value"]["values"]
    )
    assert "Runs diverged: 1 of 5 of a." in found["verdict"]["text"]


def test_where_every_run_diverged_no_method_is_recommended(tmp_path):
    frame = table(a=0.0, b=0.0).assign(value="nan")
    assert judged(frame, tmp_path)["verdict"]["best"] is None


def test_the_seed_that_tuned_is_kept_out_of_the_judgement_and_its_luck_is_said(tmp_path):
    rows = [{"method": "a", "setting": f"lr={lr}", "seed": 0, "value": v}
            for lr, v in ((0.001, 0.80), (0.01, 0.99), (0.1, 0.85))]  # fmt: skip
    rows += [{"method": "a", "setting": "lr=0.01", "seed": s, "value": 0.9} for s in range(1, 5)]
    rows += [{"method": "b", "setting": "lr=0.1", "seed": s, "value": 0.92} for s in range(1, 5)]
    found = judged(pd.DataFrame(rows), tmp_path)
    a = next(m for m in found["methods"] if m["name"] == "a")
    assert a["seeds"] == ["1", "2", "3", "4"]
    assert a["value"]["mean"] == pytest.approx(0.9)
    assert a["selection_bias"] == pytest.approx(0.09)
    assert found["verdict"]["best"] == "b"
    assert "tuned with seed 0, which is left out" in " ".join(found["notes"])
    assert a["sensitivity"]["low"] < 0.01 < a["sensitivity"]["high"]


def test_settings_with_the_same_seeds_are_chosen_by_the_other_seeds(tmp_path):
    """The luckiest of thirty equal settings looks good; what is reported must not."""
    rng = np.random.default_rng(1)
    luckiest, reported, biases = [], [], []
    for _ in range(20):
        rows = [("a", str(k), seed, rng.normal()) for k in range(30) for seed in range(6)]
        noise = pd.DataFrame(rows, columns=["method", "setting", "seed", "value"])
        a = judged(noise, tmp_path)["methods"][0]
        luckiest.append(noise.groupby("setting")["value"].mean().max())
        reported.append(a["value"]["mean"])
        biases.append(a["selection_bias"])
    assert np.mean(luckiest) > 0.6
    assert abs(np.mean(reported)) < 0.25
    assert np.mean(biases) > 0.5


def test_what_validation_chose_is_judged_on_test(tmp_path):
    rows = []
    for lr, validation, test in ((0.1, 0.9, 0.7), (0.01, 0.8, 0.99)):
        for seed in range(3):
            rows.append(("a", lr, 100 + seed, "validation", validation))
            rows.append(("a", lr, seed, "test", test + 0.001 * seed))
    frame = pd.DataFrame(rows, columns=["method", "setting", "seed", "split", "value"])
    a = judged(frame, tmp_path)["methods"][0]
    assert a["setting"] == "0.1"  # never the one that is best on test
    assert a["value"]["mean"] == pytest.approx(0.701)


def test_a_run_that_never_meets_the_target_is_infinite(tmp_path):
    rows = [("a", seed, step, step / 10 if seed else 0.1) for seed in range(3) for step in range(8)]
    frame = pd.DataFrame(rows, columns=["method", "seed", "step", "value"])
    found = judged(frame, tmp_path, target=0.5)
    time = found["methods"][0]["time_to_target"]
    assert time == {"median": 5.0, "reached": 2, "runs": 3}
    assert "Its" not in found["verdict"]["text"]


def test_seeds_that_no_two_methods_share_are_compared_as_two_samples(tmp_path):
    a, b = table(a=0.0), table(b=0.05).assign(seed=lambda f: f["seed"] + 50)
    found = judged(pd.concat([a, b]), tmp_path)
    from scipy import stats

    want = stats.ttest_ind(a["value"], b["value"], equal_var=False).pvalue
    assert found["verdict"]["comparisons"][0]["p_value"] == pytest.approx(want)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_with_few_seeds_the_wording_is_careful(tmp_path, seeds):
    text = judged(table(seeds, a=0.0, c=0.001), tmp_path)["verdict"]["text"]
    if seeds == 1:
        assert "cannot be said from so few runs" in text
        assert "One seed shows no noise" in text
        assert "Worse" not in text
    else:
        assert f"With {seeds} seeds only differences far larger" in text


def test_several_problems_are_judged_each_and_together(tmp_path):
    hard, easy = table(a=0.0, c=0.05), table(a=0.0, c=0.02)
    easy["value"] = 100 * easy["value"]  # on another scale altogether
    frame = pd.concat([hard.assign(problem="hard"), easy.assign(problem="easy")])
    found = judged(frame, tmp_path)
    assert found["problems"] == ["easy", "hard"]
    assert found["verdict"]["best"] == "a"
    assert [p["verdict"]["best"] for p in found["by_problem"]] == ["a", "a"]


def test_methods_equal_to_the_last_digit_tie(tmp_path):
    found = judged(table(a=0.0, b=0.0).assign(value=0.5), tmp_path)
    assert len(found["verdict"]["tied"]) == 1


@pytest.mark.parametrize(("content", "complaint"), [
    ("", "the file is empty"), ("method,seed,value\n", "holds no rows"),
    ("method,seed,value\n,,\n", "holds no rows"),
    ("method,seed,value,split\na,1,2,other\n", "a split is"),
])  # fmt: skip
def test_a_file_that_cannot_be_judged_is_refused_in_words(tmp_path, content, complaint):
    path = tmp_path / "runs.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=complaint):
        external.judge_runs(external.read_runs(path))


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*nowhere\.csv"):
        external.read_runs(tmp_path / "nowhere.csv")


def test_the_json_is_strict(tmp_path):
    found = judged(table(1, a=0.0, c=0.1), tmp_path)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert math.isfinite(found["methods"][0]["value"]["mean"])


def test_the_name_of_the_metric_tells_the_direction(tmp_path):
    frame = table(a=0.0, c=0.05).rename(columns={"value": "val_bpb"})
    found = judged(frame, tmp_path, {"value": "val_bpb"}, higher_is_better=None)
    assert found["verdict"]["best"] == "c"
    frame = frame.rename(columns={"val_bpb": "neg_mean_squared_error"})
    columns = {"value": "neg_mean_squared_error"}
    assert judged(frame, tmp_path, columns, higher_is_better=None)["verdict"]["best"] == "a"


def test_a_column_named_metric_tells_the_direction_too(tmp_path):
    frame = table(a=0.0, c=0.05).assign(metric="wer")
    assert judged(frame, tmp_path, higher_is_better=None)["verdict"]["best"] == "c"


def test_where_the_name_says_nothing_the_user_is_asked(tmp_path):
    with pytest.raises(DataError, match="--higher-is-better or --lower-is-better"):
        judged(table(a=0.0, c=0.05), tmp_path, higher_is_better=None)


def test_no_interval_leaves_the_range_of_the_metric(tmp_path):
    rows = [("a", s, v) for s, v in enumerate((0.99, 1.0, 0.98))]
    rows += [("b", s, v) for s, v in enumerate((0.05, 0.95, 0.01))]
    for name in ("test_accuracy", "value"):
        frame = pd.DataFrame(rows, columns=["method", "seed", name])
        found = judged(frame, tmp_path, {"value": name})
        for m in found["methods"]:
            assert 0 <= m["value"]["low"] <= m["value"]["high"] <= 1
        assert found["verdict"]["comparisons"][0]["difference"]["high"] <= 1
        assert "Intervals end at 0 and 1" in found["verdict"]["text"]
        assert (found["metric"]["low"], found["metric"]["high"]) == (0, 1)


def test_two_equal_differences_are_a_tie(tmp_path):
    frame = pd.DataFrame(
        [("a", 0, 0.95), ("a", 1, 0.93), ("b", 0, 0.85), ("b", 1, 0.83)],
        columns=["method", "seed", "value"],
    )
    verdict = judged(frame, tmp_path)["verdict"]
    assert verdict["tied"] == ["b"]
    assert verdict["comparisons"][0]["p_value"] == pytest.approx(1 / 3)


def test_of_ties_the_one_whose_learning_rate_is_forgiving_is_taken(tmp_path):
    luck = np.random.default_rng(3).normal(0, 0.01, 6)
    rows = []
    for method, means in (("a", (0.3, 0.905, 0.3)), ("b", (0.89, 0.9, 0.89))):
        for lr, mean in zip((0.001, 0.01, 0.1), means, strict=True):
            seeds = range(6) if lr == 0.01 else range(6, 8)
            rows += [(method, f"lr={lr}", s, mean + (luck[s] if s < 6 else 0)) for s in seeds]
    rows = [(*r[:3], r[3] + 0.004 * ((i * i) % 7 - 2)) for i, r in enumerate(rows)]
    frame = pd.DataFrame(rows, columns=["method", "setting", "seed", "value"])
    verdict = judged(frame, tmp_path)["verdict"]
    assert (verdict["best"], verdict["recommended"]) == ("a", "b")
    assert verdict["text"].startswith(
        "Of 2 methods that tie take b: it is the most forgiving. a (lr"
    )


def test_where_nothing_is_known_of_ties_the_mean_decides_and_it_is_said(tmp_path):
    verdict = judged(table(a=0.0, b=0.001), tmp_path)["verdict"]
    assert verdict["recommended"] == verdict["best"]
    assert "is not in the table: the best mean decides" in verdict["text"]


def test_half_a_surrogate_pair_in_a_name_becomes_a_question_mark(tmp_path):
    path = tmp_path / "runs.jsonl"
    rows = [
        {"method": m, "seed": s, "value": s + len(m)} for m in ("\ud800x", "b") for s in range(3)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = external.as_json(external.judge_runs(external.read_runs(path), True))
    assert {method["name"] for method in found["methods"]} == {"?x", "b"}

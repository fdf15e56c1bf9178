"""Tables of runs as people write them: who comes first, how many runs there are, and what is asked."""

import pytest

from descenso import language
from descenso.errors import DataError
from descenso.metric_names import higher_is_better, value_range
from descenso.study import external


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


def read(tmp_path, text, name="runs.csv"):
    """Judge rows that are separated by bars."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text.split("|")) + "\n", encoding="utf-8")
    return external.as_json(external.judge_runs(external.read_runs(path)))


def runs(found):
    return {m["name"]: len(m["seeds"]) for m in found["methods"]}


@pytest.mark.parametrize(
    "name",
    [
        "error (top5)", "Error top-1", "error@top1", "FPR@95TPR", "Score ↓", "score (lower is better)",
        "100 - acc", "Error (1 - accuracy)", "Error de precisión", "val_loss_best_acc",
        "test_loss@best_val_acc", "cost_return",
    ],
)  # fmt: skip
def test_lower_is_better_by_what_stands_first_in_the_name(name):
    assert higher_is_better(name) is False


@pytest.mark.parametrize(
    "name",
    [
        "test_acc@best_val_loss", "test_acc_best_val_loss", "test acc (best val loss)", "TPR@FPR=0.01",
        "TPR@1%FPR", "reward - cost", "GFLOPS/s", "loss ↑", "recall@10", "mAP@0.5", "best_val_acc",
    ],
)  # fmt: skip
def test_higher_is_better_by_what_stands_first_in_the_name(name):
    assert higher_is_better(name) is True


def test_a_spread_and_two_arrows_say_nothing():
    assert higher_is_better("acc (std)") is None
    assert higher_is_better("score ↑ or ↓") is None


def test_a_metric_in_percent_ends_at_a_hundred_though_all_its_values_are_small():
    assert value_range("test error (%)", [0.31, 0.95]).high == 100
    assert value_range("Accuracy (%)", [0.5, 0.9]).ends == (0, 100)


@pytest.mark.parametrize(
    ("table", "first", "counts"),
    [
        # An index of pandas counts the rows of the table, not the steps of a run.
        (",optimizer,val_acc|0,adam,.91|1,adam,.93|2,adam,.89|3,sgd,.80|4,sgd,.82|5,sgd,.90",
         "adam", {"adam": 3, "sgd": 3}),
        ("método,ejecución,exactitud|adam,1,.91|adam,2,.93|adam,3,.80|sgd,1,.84|sgd,2,.82|sgd,3,.83",
         "adam", {"adam": 3, "sgd": 3}),
        ("opt_name,k,acc|adam,0,.91|adam,1,.92|sgd,0,.80|sgd,1,.82", "adam", {"adam": 2, "sgd": 2}),
        # Sums below the runs are no runs.
        ("method,seed,acc|adam,0,.91|adam,1,.93|adam,mean,.92|adam,std,.01|sgd,0,.81|sgd,1,.83"
         "|sgd,mean,.82|sgd,std,.01", "adam", {"adam": 2, "sgd": 2}),
        ("optimizer,seed,sys/failed,acc|adam,0,False,.91|adam,1,True,.1|adam,2,False,.92|sgd,0,False,.8"
         "|sgd,1,False,.81|sgd,2,False,.82", "adam", {"adam": 2, "sgd": 3}),
        ("optimizer,seed,estado,acc|adam,0,terminada,.91|adam,1,fallida,.1|sgd,0,terminada,.8"
         "|sgd,1,en curso,.99", "adam", {"adam": 1, "sgd": 1}),
        ("optimizer,seed,State,acc|adam,0,COMPLETED,.91|adam,1,TIMEOUT,.1|sgd,0,COMPLETED,.8"
         "|sgd,1,CANCELLED by 12,.99", "adam", {"adam": 1, "sgd": 1}),
        ("optimizer,seed,status,acc|adam,0,completed,.91|adam,1,terminated,.1|sgd,0,completed,.8",
         "adam", {"adam": 1, "sgd": 1}),
        # What runs spend judges where nothing else does, and never beside a result.
        ("method,seed,time|adam,0,10|adam,1,11|sgd,0,20|sgd,1,22", "adam", {"adam": 2, "sgd": 2}),
        ("algo,seed,time/time_elapsed,rollout/ep_rew_mean|adam,0,9,91|adam,1,8,92|sgd,0,1,81|sgd,1,2,82",
         "adam", {"adam": 2, "sgd": 2}),
        ("algo,seed,episode_reward_max,episode_reward_mean|adam,0,9,9|adam,1,9,8|sgd,0,99,1|sgd,1,99,2",
         "adam", {"adam": 2, "sgd": 2}),
        ("params.yaml:train.optimizer,params.yaml:seed,val_f1|adam,0,.9|adam,1,.92|sgd,0,.8|sgd,1,.81",
         "adam", {"adam": 2, "sgd": 2}),
        ("params.yaml:opt,params.yaml:seed,metrics.json:val.loss|adam,0,.1|adam,1,.12|sgd,0,.2|sgd,1,.23",
         "adam", {"adam": 2, "sgd": 2}),
        (",step,tag,value,dir_name|0,1,acc,.5,adam_0|1,2,acc,.9,adam_0|2,1,acc,.5,adam_1|3,2,acc,.91,adam_1"
         "|4,1,acc,.4,sgd_0|5,2,acc,.8,sgd_0|6,1,acc,.4,sgd_1|7,2,acc,.82,sgd_1", "adam",
         {"adam": 2, "sgd": 2}),
        ("method,seed,acc|adam,0,.91|,1,.92|sgd,0,.81|,1,.83", "adam", {"adam": 2, "sgd": 2}),
        # Tests and means speak of the same runs.
        ("method,seed,acc|adam,0,.91|adam,1,.92|adam,2,.93|sgd,0,.90|sgd,1,.905|sgd,2,.92|sgd,3,.99"
         "|sgd,4,.99|sgd,5,.99", "sgd", {"adam": 3, "sgd": 6}),
    ],
)  # fmt: skip
def test_runs_are_counted_and_ranked_as_a_person_would(tmp_path, table, first, counts):
    found = read(tmp_path, table)
    assert found["verdict"]["best"] == first
    assert runs(found) == counts
    assert all(c["difference"]["mean"] == pytest.approx(abs(c["difference"]["mean"]))
               for c in found["verdict"]["comparisons"])  # fmt: skip


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("method,time,acc|adam,100,.91|adam,103,.93|sgd,90,.82|sgd,95,.83", "does 'time' count the steps"),
        ("method,epochs,acc|adam,9,.91|adam,11,.93|sgd,8,.82|sgd,10,.83", "does 'epochs' count the steps"),
        (",method,acc|0,adam,.91|1,adam,.93|2,adam,.90|0,sgd,.8|1,sgd,.83|2,sgd,.81", "of a method one"),
        ("method,seed,acc|adam,0,.91|adam,1,.92|sgd,0,88.1|sgd,1,88.3", "sgd in 0 to 100: write all"),
        ("dataset,method,seed,acc|a,adam,0,.9|a,adam,1,.91|a,sgd,0,.95|a,sgd,1,.96|b,adam,0,.9|b,adam,1,.9",
         "only adam has runs on every problem"),
    ],
)  # fmt: skip
def test_what_a_table_leaves_open_is_asked(tmp_path, table, says):
    with pytest.raises(DataError, match=says):
        read(tmp_path, table)


def test_a_method_of_which_every_run_diverged_is_not_ranked_and_no_tie(tmp_path):
    found = read(tmp_path, "method,seed,acc|adam,0,.91|adam,1,.92|sgd,0,nan|sgd,1,nan")
    assert found["verdict"]["best"] == "adam"
    assert found["verdict"]["tied"] == []
    sgd = next(m for m in found["methods"] if m["name"] == "sgd")
    assert (sgd["value"], sgd["diverged"]) == (None, 2)
    assert "Every run of sgd diverged: no value ranks it, and it is no choice." in found["notes"]


def test_a_method_absent_from_a_problem_is_named(tmp_path):
    rows = [
        f"{d},{m},{s},.{8 + (m == 'adam')}{s}"
        for d in "ab"
        for m in ("adam", "sgd")
        for s in (1, 2)
    ]
    found = read(
        tmp_path, "|".join(["dataset,method,seed,acc", *rows, "a,lion,1,.99", "a,lion,2,.99"])
    )
    assert found["verdict"]["best"] == "adam"
    assert "lion has no runs on b: it is left out over all problems." in found["notes"]


def test_one_metric_under_two_names_is_refused(tmp_path):
    for method, name in (("adam", "val_acc"), ("sgd", "val_accuracy")):
        (tmp_path / f"{method}.csv").write_text(f"seed,{name}\n0,.9\n1,.91\n")
    with pytest.raises(
        DataError, match="sgd has no 'val_acc', but 'val_accuracy': give one metric one"
    ):
        external.read_runs(tmp_path)


def test_names_of_runs_with_a_time_stamp_and_a_glued_setting(tmp_path):
    for method, value in (("adam", 9), ("sgd", 8)):
        for seed in range(3):
            for name in (f"CartPole-v1__{method}__{seed}__170000000{seed}",):
                (tmp_path / f"{name}.csv").write_text(f"step,val_acc\n1,.5\n2,.{value}{seed}\n")
    rows = external.read_runs(tmp_path)
    assert set(rows["method"]) == {"adam", "sgd"}
    assert set(rows["seed"]) == {"0", "1", "2"}

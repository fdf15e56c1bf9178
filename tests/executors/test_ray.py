"""On a Ray cluster a study ends as it does in this process, even if a node dies in its middle."""

import os
import signal

import numpy as np
import pytest

from descenso import problems
from descenso.engine import open_engine
from descenso.errors import SettingError
from descenso.records import Member
from descenso.rules import get as get_rule
from descenso.study import as_json, executors, run_study
from descenso.study.design import Design

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own: sockets it leaves to its daemons
]
OPTIONS = {"epochs": 4, "trials": 4, "seeds": 2}
DESIGN = Design("wine", ("adam",), 6, 4, 3, 2, 0)


@pytest.fixture(scope="module")
def cluster():
    """Return a cluster of two nodes with a core each, which this process has joined."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.second = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def members(count):
    rule = get_rule("adam")
    return [Member("adam", "adam", rule.settings(lr=0.001 * (1 + s)), 16, s) for s in range(count)]


def _same(there, here):
    return (
        there.member == here.member
        and there.curve.validation_loss.tobytes() == here.curve.validation_loss.tobytes()
        and there.curve.test_metric == here.curve.test_metric
        and there.curve.steps == here.curve.steps
    )


def _trained(engine, given, epochs):
    runs = {}
    for chunk in engine.train(given, epochs, judge=True):
        for run in chunk:
            runs.setdefault(run.member.key, []).append(run)
    return runs


def _local(given, epochs):
    problem = problems.get("wine")
    runs = _trained(open_engine(problem, problem.make_data(0), 0), given, epochs)
    return {key: own[-1] for key, own in runs.items()}


def test_a_study_has_the_same_result_as_in_this_process(cluster, tmp_path):
    def findings(result):
        found = as_json(result)
        for method in found["methods"]:
            del method["wall_seconds"], method["cost"]
        return {k: v for k, v in found.items() if k in ("study", "verdict", "methods", "looks")}

    seen = []
    there = run_study("wine", "adam,momentum", store=tmp_path / "ray.db", executor="ray",
                      on_progress=seen.append, **OPTIONS)  # fmt: skip
    here = run_study("wine", "adam,momentum", store=tmp_path / "here.db", **OPTIONS)
    assert findings(there) == findings(here)
    assert there.layout["executor"] == "ray"
    assert seen[-1].done == seen[-1].total  # progress is live, and ends whole
    assert len(seen) > 4


def test_a_node_that_is_killed_costs_time_and_nothing_else(cluster):
    problem, given = problems.get("wine"), members(60)
    runs: dict[str, list] = {}
    with executors.opener("ray")(problem, problem.make_data(0), DESIGN) as engine:
        training = engine.train(given, 60, judge=True)
        first = next(training)
        cluster.remove_node(cluster.second, allow_graceful=False)  # in the middle of its chunk
        for chunk in (first, *training):
            for run in chunk:
                runs.setdefault(run.member.key, []).append(run)
    want = _local(given, 60)
    assert set(runs) == set(want)
    assert all(len(own) == 1 for own in runs.values())  # nothing is counted twice
    assert all(_same(runs[key][0], want[key]) for key in want)
    cluster.second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()


def test_a_worker_that_is_killed_in_mid_chunk_is_replaced(cluster):
    @ray.remote(num_cpus=0)
    def kill_a_worker(own):
        """Kill the first process of this machine that is running the training task."""
        import time

        import psutil

        for _ in range(600):
            for process in psutil.process_iter(["pid", "cmdline"]):
                words = process.info["cmdline"] or []
                if words and words[0] == "ray::_train" and _belongs(process, own):
                    os.kill(process.info["pid"], signal.SIGKILL)
                    return process.info["pid"]
            time.sleep(0.02)
        return None

    def _belongs(process, own):
        return any(parent.pid in own for parent in process.parents())

    own = {info.process.pid for node in cluster.list_all_nodes()
           for group in node.all_processes.values() for info in group}  # fmt: skip
    problem, given = problems.get("wine"), members(24)
    with executors.opener("ray")(problem, problem.make_data(0), DESIGN) as engine:
        killer = kill_a_worker.remote(own)
        runs = _trained(engine, given, 200)
        assert ray.get(killer) is not None
    want = _local(given, 200)
    assert set(runs) == set(want)
    assert all(_same(runs[key][-1], want[key]) for key in want)


def test_a_chunk_goes_on_where_its_runs_were(cluster):
    problem, given = problems.get("wine"), members(6)
    with executors.opener("ray")(problem, problem.make_data(0), DESIGN) as engine:
        half = [run for chunk in engine.train(given, 3) for run in chunk]
        runs = _trained(engine, half, 6)
    want = _local(given, 6)
    assert all(_same(runs[key][-1], want[key]) for key in want)


OWN = """
import dataclasses
from descenso import problems

WIDTH = 4

def loss(outputs, targets):
    return problems.get("wine").loss(outputs, targets) * helper()

def helper():
    return WIDTH / 4

def problem():
    return dataclasses.replace(problems.get("wine"), name="mine", loss=loss)
"""


def test_a_problem_in_a_file_of_the_users_own_goes_along(cluster, tmp_path):
    (tmp_path / "my_own_wine.py").write_text(OWN)
    place = f"{tmp_path / 'my_own_wine.py'}:problem"
    options = {"epochs": 2, "trials": 2, "seeds": 2}
    there = run_study(place, "adam", store=tmp_path / "a.db", executor="ray", **options)
    here = run_study(place, "adam", store=tmp_path / "b.db", **options)
    assert there.method("adam").tuned.scores == here.method("adam").tuned.scores


@pytest.mark.parametrize("text", ["rya", "ray:", "dask", "local:8"])
def test_an_executor_that_is_not_known_is_refused_in_words(text):
    with pytest.raises(SettingError, match="an executor is local, ray or ray:address"):
        executors.opener(text)


def test_the_metric_of_the_reference_is_not_constant():
    """The equalities above would hold of runs that learn nothing."""
    curves = [run.curve for run in _local(members(4), 6).values()]
    assert np.ptp([c.validation_loss[-1] for c in curves]) > 0

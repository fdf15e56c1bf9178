"""The commands that draw, as a user types them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from descenso import cli, language

pytestmark = pytest.mark.slow

OWN = Path(__file__).parents[2] / "examples" / "own"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    language.use("en")
    yield
    language.use("en")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store with a small finished study."""
    from descenso import api

    place = str(tmp_path_factory.mktemp("store") / "s.db")
    api.compare("line", "momentum,adam", epochs=4, seeds=2, trials=2, store=place)
    return place


@pytest.mark.parametrize(
    "words",
    [
        ["ravine"],
        ["ravine", "--decompose", "--methods", "momentum,adam"],
        ["ravine", "--map", "beta", "--methods", "momentum", "--steps", "40"],
        ["ravine", "--3d", "--theme", "dark", "--lang", "es"],
        ["--function", "x**2+3*y^2", "--start=1,1", "--start=-1,2", "--lr", "0.1,cosine(0.2)"],
        ["regression", "--methods", "sgd,batch", "--lr", "0.1", "--seeds", "3", "--steps", "20"],
    ],
)
def test_paths_are_drawn(words, capsys, tmp_path):
    assert cli.run(["path", *words, "--out", "p.png"]) == 0
    assert (tmp_path / "p.png").stat().st_size > 20_000
    assert "p.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "name a surface or give a function"),
        (["ravin"], "Did you mean 'ravine'"),
        (["ravine", "--steps", "10000000"], "from 1 to 100000; got 10000000"),
        (["--function", "__import__('os')"], "is not allowed"),
        (["ravine", "--lr", "0"], "above 0; got 0"),
        (["ravine", "--out", "p.bmp"], "ends in one of"),
        (["ravine", "--start", "1"], "a point is 2 numbers"),
        (["ravine", "--start=100,100"], "the start (100, 100) lies outside the view, x from -12"),
        (["ravine", "--start=1,1", "--start=1,9"], "the start (1, 9) lies outside the view"),
        (["ravine", "--window=-1,1,-1,1"], "the start (-10, 1) lies outside the view"),
        (["ravine", "--window", "1,0,0,1"], "each low below its high"),
        (["ravine", "--map", "beta"], "a map is drawn of one method"),
        (["ravine", "--methods", "nope"], "no method named 'nope'"),
        (["ravine", "--noise", "-1"], "0 or more"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(words, says, capsys, tmp_path):
    assert cli.run(["path", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_landscape_of_a_study_and_of_a_problem(stored, capsys, tmp_path):
    assert cli.run(["landscape", "latest", "--store", stored, "--grid", "7", "--out", "l.svg"]) == 0
    words = ["landscape", "wine", "--methods", "adam(lr=0.01)", "--epochs", "2", "--grid", "7"]
    assert cli.run([*words, "--random", "--out", "r.png"]) == 0
    assert (tmp_path / "l.svg").exists()
    assert "WARNING" in capsys.readouterr().out


def test_dynamics_and_figures_of_a_study(stored, capsys, tmp_path):
    assert cli.run(["dynamics", "latest", "--store", stored, "--steps", "8"]) == 0
    assert "turns back" in capsys.readouterr().out
    for name in ("curves", "results", "target"):
        words = ["figure", "latest", "--store", stored, "--name", name, "--out", f"{name}.pdf"]
        assert cli.run(words) == 0
        assert (tmp_path / f"{name}.pdf").stat().st_size > 5_000


@pytest.mark.parametrize("command", ["landscape", "dynamics", "figure"])
def test_an_unknown_study_is_said(command, stored, capsys):
    assert cli.run([command, "zzz", "--store", stored]) == 2
    assert "'zzz'" in capsys.readouterr().err


def test_a_method_that_the_study_lacks_is_said(stored, capsys):
    assert cli.run(["landscape", "latest", "--store", stored, "--methods", "rmsprop"]) == 2
    assert "it has momentum, adam" in capsys.readouterr().err


def test_a_torch_module_of_ones_own_has_a_landscape_and_moves(capsys, tmp_path):
    pytest.importorskip("torch")
    problem = f"{OWN / 'torch_module.py'}:problem"
    chosen = ["--methods", "adam(lr=0.003)"]
    assert cli.run(["landscape", problem, *chosen, "--epochs", "2", "--grid", "5"]) == 0
    assert "of the routes' variance" in capsys.readouterr().out
    assert cli.run(["dynamics", problem, *chosen, "--steps", "4", "--out", "d.html"]) == 0
    assert "Noise equals signal" in capsys.readouterr().out
    assert (tmp_path / "d.html").stat().st_size > 1_000_000


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_the_server_says_where_it_is_answers_refuses_strangers_and_ends_on_interrupt(stored):
    pytest.importorskip("starlette")
    command = [sys.executable, "-m", "descenso.cli", "serve", "--port", "0", "--store", stored]
    if not _runs_as_module():
        command[1:3] = ["-c", "from descenso.cli import main; main()"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        assert b"descenso" in urllib.request.urlopen(address, timeout=20).read()
        stranger = urllib.request.Request(address, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="421"):
            urllib.request.urlopen(stranger, timeout=20)
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)
        assert "Traceback" not in server.stderr.read()
    finally:
        server.kill()
        server.stdout.close()
        server.stderr.close()
        server.wait()


def _runs_as_module() -> bool:
    from importlib.util import find_spec

    return find_spec("descenso.cli.__main__") is not None


def test_a_port_in_use_is_said_in_one_line(stored, capsys):
    pytest.importorskip("starlette")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert cli.run(["serve", "--port", port, "--store", stored]) == 1
    assert f"port {port} is in use" in capsys.readouterr().err


def test_a_study_of_a_named_problem_of_ones_own_is_found_where_it_is(capsys, tmp_path):
    from descenso import api

    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\nfrom descenso import problems\n"
        "problem = replace(problems.get('line'), name='my-line')\n"
        "other = problems.get('line')\n"
    )
    api.compare("mine.py:problem", "adam", epochs=3, seeds=2, trials=2, store="s.db")
    words = ["landscape", "latest", "--store", "s.db", "--grid", "5"]
    assert cli.run(words) == 1
    assert "say where it is with --problem" in capsys.readouterr().err
    assert cli.run([*words, "--problem", "mine.py:other"]) == 1
    assert "the study is of my-line; mine.py:other is line" in capsys.readouterr().err
    assert cli.run([*words, "--problem", "mine.py:problem"]) == 0


def test_a_table_has_a_landscape(tmp_path):
    rows = "\n".join(f"{i % 7},{i % 5},{2 * (i % 7) - i % 5}" for i in range(80))
    (tmp_path / "t.csv").write_text("a,b,price\n" + rows)
    words = ["landscape", "t.csv(target=price)", "--methods", "adam", "--epochs", "2"]
    assert cli.run([*words, "--grid", "5"]) == 0
    assert (tmp_path / "landscape.png").stat().st_size > 20_000

"""Whatever is asked wrongly: one line that names the rule broken and the value given."""

import sys

import pytest

from descenso.cli import run

ASKED_WRONGLY = [
    (["compare", "wnie"], "no problem named 'wnie'", "Did you mean 'wine'?"),
    (["compare", ""], "no problem named ''"),
    (["compare", "ravine(condition=abc)"], "condition must be a number; got 'abc'"),
    (["compare", "ravine(condition=nan)"], "got nan"),
    (["compare", "ravine("], "Did you mean 'ravine'?"),
    (["compare", "wine", "--methods", "adm"], "no method named 'adm'", "Did you mean 'adam'?"),
    (["compare", "wine", "--methods", "adam(lrr=1)"], "no setting 'lrr'", "Did you mean 'lr'?"),
    (["compare", "wine", "--methods", "adam(lr=nan)"], "lr must lie in (0, inf); got nan"),
    (["compare", "wine", "--methods", "adam(lr=inf)"], "lr must lie in (0, inf); got inf"),
    (["compare", "wine", "--methods", "adam(lr=1e999)"], "got inf"),
    (["compare", "wine", "--methods", "adam(lr=-1)"], "got -1"),
    (["compare", "wine", "--methods", "adam(beta1=1)"], "beta1 must lie in [0, 1); got 1"),
    (["compare", "wine", "--methods", "adam(lr=abc)"], "lr must be a number; got 'abc'"),
    (["compare", "wine", "--methods", "adam(beta1=lr)"], "beta1 must be a number; got 'lr'"),
    (["compare", "wine", "--methods", "adam(lr=)"], "name=value; got 'lr='"),
    (["compare", "wine", "--methods", "adam(lr=0.1"], "got 'adam(lr=0.1'"),
    (["compare", "wine", "--methods", "adam(lr=1,lr=2)"], "lr is given twice"),
    (["compare", "wine", "--methods", "rmsprop(centered=2)"], "True or False; got 2"),
    (["compare", "wine", "--methods", ""], "at least one method; got ''"),
    (["compare", "wine", "--methods", "adam,adam"], "'adam' is named twice"),
    (["compare", "wine", "--methods", "adam(lr=0.1),adam(lr=1e-1)"], "are the same method"),
    (["compare", "wine", "--methods", "sgd,gradient_descent@1"], "are the same method"),
    (["compare", "wine", "--methods", "adam@0"], "positive whole number or 'all'; got '0'"),
    (["compare", "wine", "--methods", "adam@1.5"], "got 'adam@1.5'"),
    (["compare", "wine", "--methods", "adam@" + "9" * 5000], "positive whole number"),
    (["compare", "wine", "--epochs", "0"], "epochs must be a whole number from 1", "got 0"),
    (["compare", "wine", "--epochs", "-1"], "got -1"),
    (["compare", "wine", "--epochs", "1.5"], "--epochs must be a whole number; got '1.5'"),
    (["compare", "wine", "--epochs", "abc"], "--epochs must be a whole number; got 'abc'"),
    (["compare", "wine", "--epochs=nan"], "--epochs must be a whole number; got 'nan'"),
    (["compare", "wine", "--epochs", "99999999999999"], "to 1000000; got 99999999999999"),
    (["compare", "wine", "--seeds", "0"], "seeds must be a whole number from 1", "got 0"),
    (["compare", "wine", "--seeds", "-2"], "got -2"),
    (["compare", "wine", "--trials", "0"], "trials must be a whole number from 1", "got 0"),
    (["compare", "wine", "--seed", "-1"], "seed must be a whole number from 0", "got -1"),
    (["compare", "wine", "--seed", "4294967296"], "to 4294967295; got 4294967296"),
    (["train", "wine", "--method", "adm"], "no method named 'adm'"),
    (["train", "wine", "--epochs", "0"], "epochs must be"),
    (["train", "wine", "--seeds", "0"], "seeds must be"),
    (["report", "nothing"], "no study"),
    (["compare", "wine", "--lang", "fr"], "--lang must be one of en, es; got 'fr'"),
    (["compare", "wine", "--frobnicate"], "no option --frobnicate"),
    (["compare", "wine", "--metods", "adam"], "Did you mean '--methods'?"),
    (["compare", "wine", "--epochs"], "--epochs needs a value"),
    (["train", "wine", "extra"], "no place for 'extra'"),
    (["compare"], "PROBLEM", "is missing"),
    (["studdies"], "no command 'studdies'", "Did you mean 'studies'?"),
]
REFUSED = [
    (["compare", "wine", "--methods", "adam@1000"], "batches of 1000; wine has"),
    (["compare", "wine", "--store", ""], "database URL or a file"),
    (["compare", "wine", "--store", "ftp://x/y"], "not in ftp"),
    (["compare", "wine", "--store", "/proc/x.db"], "store sqlite:////proc/x.db: it cannot be"),
    (["compare", "wine", "--report", "/nonexistent/x.html"], "/nonexistent/x.html cannot be"),
    (["compare", "wine", "--report", "."], "it is a directory"),
    (["compare", "wine", "--report", ""], "it is a directory"),
    (["compare", "wine", "--json", ""], "needs a name; got ''"),
    (["compare", "wine", "--json", "/nonexistent/x.json"], "/nonexistent/x.json cannot be"),
    (["compare", "wine", "--json", "/tmp"], "/tmp cannot be written: it is a directory"),
    (["compare", "wine", "--json", "x", "--report", "./x"], "cannot both be written to x"),
    (["train", "wine", "--json", "/nonexistent/x.json"], "/nonexistent/x.json cannot be"),
]


def _named(case) -> str:
    return " ".join(case[0])[:60] or "nothing"


@pytest.fixture
def _nothing_may_be_trained(monkeypatch):
    """Whatever is wrong is said before anything is trained."""

    def train(*_args, **_more):
        raise AssertionError("training began")

    monkeypatch.setattr("descenso.engine.jax.JaxEngine.train", train)


@pytest.mark.usefixtures("_nothing_may_be_trained")
@pytest.mark.parametrize("case", ASKED_WRONGLY, ids=_named)
def test_what_is_asked_wrongly_exits_with_2(descenso, case):
    outcome = descenso(*case[0])
    assert outcome.code == 2
    assert outcome.out == ""
    for part in case[1:]:
        assert part in outcome.complaint


@pytest.mark.usefixtures("_nothing_may_be_trained")
@pytest.mark.parametrize("case", REFUSED, ids=_named)
def test_what_the_world_refuses_exits_with_1(descenso, case):
    outcome = descenso(*case[0])
    assert outcome.code == 1
    assert outcome.out == ""
    for part in case[1:]:
        assert part in outcome.complaint


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "wine", "--methods", "adm"], "¿Quiso decir 'adam'?"),
        (["compare", "wine", "--methods", "adam(beta1=lr)"], "debe ser un número; se recibió 'lr'"),
    ],
)
def test_errors_speak_spanish_where_asked(descenso, arguments, says):
    assert says in descenso(*arguments, "--lang", "es").complaint


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_are_run_and_it_is_said_what_they_cannot_say(descenso, seeds):
    outcome = descenso(
        "compare", "line", "--methods", "batch,adam@all", "--epochs", "3", "--trials", "3",
        "--seeds", str(seeds),
    )  # fmt: skip
    assert outcome.code == 0
    assert outcome.err == ""
    assert f"With {seeds} seed" in outcome.out or "one seed" in outcome.out


def test_a_problem_of_ones_own_that_stops_the_interpreter_does_not_stop_descenso(
    descenso, tmp_path
):
    (tmp_path / "quitter.py").write_text("raise SystemExit(0)\n")
    outcome = descenso("compare", "quitter.py:problem")
    assert outcome.code == 1
    assert "importing quitter.py failed: SystemExit" in outcome.complaint


def test_a_package_that_is_not_installed_is_named_with_the_extra_that_brings_it(
    monkeypatch, capsys, tmp_path
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    picture = str(tmp_path / "path.png")
    assert run(["path", "ravine", "--methods", "adam", "--steps", "3", "--out", picture]) == 1
    assert "this needs matplotlib: pip install 'descenso[web]'" in capsys.readouterr().err

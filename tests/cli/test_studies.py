"""Commands that judge runs of any origin, and show, hand over and remove stored studies."""

import json

import pytest

from descenso.store import Store

pytestmark = pytest.mark.slow

CSV = "optimizer,seed,acc\n" + "".join(
    f"{method},{seed},{value + 0.001 * (seed % 2)}\n"
    for method, value in (("one", 0.95), ("two", 0.90))
    for seed in range(5)
)
STUDY = ("compare", "wine", "--methods", "adam,momentum", "--epochs", "2", "--trials", "3",
         "--seeds", "2", "--quiet")  # fmt: skip


@pytest.fixture
def stored(descenso, tmp_path):
    """Return the options that name a store with one finished study."""
    place = ("--store", str(tmp_path / "studies.db"))
    assert descenso(*STUDY, *place).code == 0
    return place


def test_a_table_of_runs_is_judged_with_its_columns_mapped(descenso, tmp_path):
    (tmp_path / "runs.csv").write_text(CSV)
    done = descenso("verdict", "runs.csv", "--columns", "value=acc,method=optimizer", "--json", "-")
    assert done.code == 0
    found = json.loads(done.out)["verdict"]
    assert (found["best"], found["tied"]) == ("one", [])
    assert "Worse: two by 0.05" in found["text"]


def test_lower_is_better_and_the_text_in_spanish(descenso, tmp_path):
    (tmp_path / "runs.csv").write_text(CSV)
    done = descenso(
        "verdict", "runs.csv", "--columns", "value=acc", "--lower-is-better", "--lang", "es"
    )
    assert done.code == 0
    assert "two queda en primer lugar" in done.out


@pytest.mark.parametrize(("arguments", "code", "complaint"), [
    (("verdict", "nowhere.csv"), 1, "there is no file nowhere.csv"),
    (("verdict", "runs.csv", "--columns", "value"), 2, "--columns is written ours=theirs"),
    (("verdict", "runs.csv", "--columns", "worth=acc"), 2, "--columns names 'worth'"),
    (("show", "nothing"), 2, "no study is stored"),
    (("export", "latest", "runs.csv"), 2, "no study is stored"),
    (("delete", "latest", "--yes"), 2, "no study is stored"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(descenso, tmp_path, arguments, code, complaint):
    (tmp_path / "runs.csv").write_text(CSV)
    done = descenso(*arguments)
    assert done.code == code
    assert complaint in done.complaint


def test_a_stored_study_is_shown_exported_judged_again_and_removed(descenso, stored):
    shown = descenso("show", "latest", *stored)
    assert shown.code == 0
    assert "adam" in shown.out
    assert descenso("export", "latest", "runs.csv", *stored).code == 0
    again = json.loads(descenso("verdict", "runs.csv", "--json", "-").out)["verdict"]
    first = json.loads(descenso("report", "latest", "--json", "-", *stored).out)["verdict"]
    assert (again["best"], again["tied"]) == (first["best"], first["tied"])
    assert descenso("delete", "latest", "--yes", *stored).code == 0
    assert Store(stored[1]).studies() == []


def test_removing_asks_first(descenso, stored, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert descenso("delete", "latest", *stored).code != 0
    assert len(Store(stored[1]).studies()) == 1


def test_several_problems_are_compared_in_one_command(descenso, tmp_path):
    place = ("--store", str(tmp_path / "studies.db"))
    done = descenso("compare", "wine", "breast-cancer", *STUDY[2:], *place, "--json", "-")
    found = json.loads(done.out)
    assert [s["problem"] for s in found["studies"]] == ["wine", "breast-cancer"]
    assert found["overview"]["verdict"]["best"] in ("adam", "momentum")
    table = descenso("compare", "wine", "breast-cancer", *STUDY[2:], *place)
    assert "interquartile mean" in table.out


def test_several_problems_have_one_page_and_figures_of_their_own(descenso, tmp_path):
    place = ("--store", str(tmp_path / "studies.db"))
    page = tmp_path / "all.html"
    done = descenso("compare", "wine", "breast-cancer", *STUDY[2:], *place, "--report", str(page))
    assert done.code == 0
    assert done.out.count("report:") == 3
    assert (tmp_path / "all-breast-cancer.html").exists()
    names = [stored.identity for stored in Store(place[1]).studies()]
    out = tmp_path / "profile.png"
    drawn = descenso("figure", *names, "--name", "profile", "--out", str(out), *place)
    assert drawn.code == 0
    assert out.read_bytes()[:4] == b"\x89PNG"
    twice = descenso("figure", names[0], names[0], "--name", "profile", "--out", str(out), *place)
    assert (twice.code, "named twice" in twice.err) == (2, True)


def test_the_defaults_can_be_left_out(descenso, tmp_path):
    place = ("--store", str(tmp_path / "studies.db"))
    whole, plain = (descenso(*STUDY, *place, *more) for more in ((), ("--no-defaults",)))
    assert (whole.code, plain.code) == (0, 0)
    (heading,) = (line for line in plain.out.splitlines() if line.startswith("method "))
    assert "default" not in heading
    assert heading.split() == [word for word in _heading(whole.out) if word != "default"]
    (row,) = (line for line in plain.out.splitlines() if line.startswith("momentum "))
    assert row.count("%") == 3  # the mean and its interval, and no default
    assert "defaults=False" in descenso("show", "latest", *place).out
    assert len(Store(place[1]).studies()) == 2


def _heading(out):
    return next(line for line in out.splitlines() if line.startswith("method ")).split()


def test_a_study_without_defaults_is_reported_drawn_exported_and_judged_again(descenso, tmp_path):
    place = ("--store", str(tmp_path / "studies.db"))
    made = descenso(*STUDY, *place, "--no-defaults", "--json", "-", "--report", "page.html")
    assert made.code == 0
    first = json.loads(made.out)
    assert [m["default"] for m in first["methods"]] == [None, None]
    recalled = descenso("report", "latest", *place, "--report", "again.html", "--json", "-")
    assert json.loads(recalled.out) == first
    assert (tmp_path / "again.html").read_text() == (tmp_path / "page.html").read_text()
    drawn = descenso("figure", "latest", "--name", "results", *place, "--lang", "es")
    assert drawn.code == 0, drawn.err
    assert descenso("export", "latest", "runs.csv", *place).code == 0
    judged = descenso("verdict", "runs.csv", "--json", "-", "--lang", "en")
    again = json.loads(judged.out)["verdict"]
    assert again["best"] == first["verdict"]["best"]
    assert "default" not in again["text"]


def test_several_files_are_judged_at_a_step_of_choice(descenso, tmp_path):
    for method, gain in (("adam", 0.1), ("sgd", 0.05)):
        for seed in range(3):
            rows = "".join(f"{epoch},{gain * epoch + seed / 1000}\n" for epoch in range(5))
            (tmp_path / f"{method}_seed{seed}.csv").write_text(f"epoch,val_acc\n{rows}")
    files = [f"{m}_seed{s}.csv" for m in ("adam", "sgd") for s in range(3)]
    for named in (files, ["*_seed?.csv"]):
        done = descenso("verdict", *named, "--at", "2", "--json", "-", "--higher-is-better")
        (first, second) = json.loads(done.out)["methods"]
        assert (first["name"], second["name"]) == ("adam", "sgd")
        assert first["value"]["values"] == pytest.approx([0.2, 0.201, 0.202])

"""What a newcomer types first: bare commands, wrong places, answers of no, narrow terminals."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from descenso.cli._output import print_paragraph, print_table
from descenso.language import printable
from descenso.store import Store

pytestmark = pytest.mark.slow

RULE = re.search(
    r"```python\n(.*?)```", (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(), re.S
)[1]
COMMANDS_THAT_READ = (
    ("studies",), ("report", "latest"), ("show", "latest"), ("export", "latest", "x.csv"),
    ("delete", "latest", "--yes"), ("figure", "latest", "curves"),
)  # fmt: skip


def test_the_bare_command_prints_its_help(descenso):
    outcome = descenso()
    assert outcome.code == 0
    assert outcome.err == ""
    assert "\n  compare " in outcome.out


@pytest.mark.parametrize("command", COMMANDS_THAT_READ, ids=lambda c: c[0])
def test_a_command_that_reads_creates_no_store(descenso, tmp_path, command):
    before = set(tmp_path.rglob("*"))
    named = descenso(*command, "--store", "typo/x.db")
    assert named.code == 1
    assert "typo/x.db: there is none; `descenso compare` creates it" in named.complaint
    usual = descenso(*command)
    assert "o study is stored yet: descenso compare digits" in usual.out + usual.err
    assert set(tmp_path.rglob("*")) == before


def test_a_study_is_kept_where_the_answer_is_no_or_there_is_none(shell, tmp_path, monkeypatch):
    store = Store(tmp_path / "s.db")
    store.begin("abc", "wine", "2026-01-01", {"methods": ["adam"]})
    for answer in ("echo n |", "true |", ""):
        outcome = shell(f"{answer} $DESCENSO delete abc --store s.db </dev/stdin", stdin=-3)
        assert outcome.code == 2
        assert outcome.err.splitlines()[-1].endswith("nothing was done; --yes answers the question")
    assert store.identity("abc") == "abc"


def test_a_damaged_study_is_listed_and_removed(descenso, tmp_path):
    Store("s.db").begin("abc", "wine", "2026-01-01", {"methods": ["adam"]})
    Store("s.db").begin("def", "digits", "2026-01-01", {"methods": ["adam"]})
    with sqlite3.connect("s.db") as database:
        database.execute("update descenso_studies set design = '{' where identity = 'abc'")
    database.close()
    listed = descenso("studies", "--store", "s.db").out
    assert re.search(r"abc\s+damaged", listed)
    assert re.search(r"def\s+digits\s+adam", listed)
    assert descenso("delete", "abc", "--yes", "--store", "s.db").code == 0
    assert "abc" not in descenso("studies", "--store", "s.db").out


def test_a_rule_file_is_a_method_of_every_command_that_is_given_it(descenso, tmp_path):
    Path("soft_lion.py").write_text(RULE)
    given = ("--rules", "soft_lion.py")
    assert "soft_lion" in descenso("methods", *given).out
    study = descenso(
        "compare", "wine", "--methods", "soft_lion", "--epochs", "2", "--trials", "2", "--seeds", "2",
        "--quiet", *given,
    )  # fmt: skip
    assert study.code == 0, study.err
    page = descenso("report", "latest", "--report", "page.html", *given)
    assert page.code == 0, page.err
    assert "--rules" in Path("page.html").read_text()
    drawn = descenso(
        "path", "ravine", "--methods", "soft_lion", "--steps", "5", "--out", "p.png", *given
    )
    assert drawn.code == 0, drawn.err


@pytest.mark.parametrize(
    ("file", "says"),
    [("absent.py", "absent.py: not a Python file"), ("two.py", "two.py: cannot be imported")],
)
def test_a_rule_file_that_is_none_is_refused(descenso, file, says):
    Path("two.py").write_text("1/0\n")
    outcome = descenso("methods", "--rules", file)
    assert outcome.code == 2
    assert says in outcome.complaint


def test_a_report_is_written_where_it_is_asked_for_and_nowhere_else(descenso, tmp_path):
    descenso(
        "compare", "wine", "--methods", "adam", "--epochs", "2", "--trials", "2", "--seeds", "2"
    )
    before = sorted(tmp_path.rglob("*.html"))
    assert descenso("report", "latest").code == 0
    assert sorted(tmp_path.rglob("*.html")) == before == []


HEADINGS = ("method", "settings", "batch size", "test accuracy", "95% interval", "default",
            "diverged", "epochs to target", "seconds a run")  # fmt: skip
ROW = ("minibatch", "lr = 0.433", "32", "97.0%", "96.5% – 97.6%", "90.8%", "0/5", "2", "0.0095")


@pytest.mark.parametrize("columns", [160, 100, 80, 72, 40, 32])
def test_no_heading_and_no_cell_breaks_inside_a_word(monkeypatch, capsys, columns):
    monkeypatch.setattr("descenso.cli._output._PLAIN_WIDTH", columns)
    print_table(HEADINGS, [ROW, ("momentum", *ROW[1:])], "")
    printed = capsys.readouterr().out.split()
    for words in (HEADINGS[1:], ROW):
        for word in " ".join(words).split():
            assert word in printed


def test_control_characters_steer_no_terminal(capsys):
    name = "adam\x1b[2J\x1b]0;title\x07\u202e"
    print_table(("method",), [(name,)])
    print_paragraph(name)
    printed = capsys.readouterr().out
    assert not set("\x1b\x07\u202e") & set(printed)
    assert printable("línea\nñ 学 –") == "línea\nñ 学 –"


def test_a_shell_completes_commands_and_options_of_a_study():
    def completed(words):
        given = {"COMP_WORDS": f"descenso {words}", "COMP_CWORD": str(len(words.split())),
                 "_DESCENSO_COMPLETE": "complete_bash"}  # fmt: skip
        code = "from descenso.cli import main; main()"
        done = subprocess.run([sys.executable, "-c", code], env=os.environ | given,
                              capture_output=True, text=True, check=True)  # fmt: skip
        return done.stdout.split()

    assert completed("comp") == ["compare"]
    assert completed("compare digits --s") == [
        "--seeds", "--seed", "--split-seeds", "--space", "--sampler", "--search-seeds", "--store",
    ]  # fmt: skip

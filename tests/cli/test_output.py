"""Where the output goes: pipes, full devices, closed streams, narrow terminals, files."""

import json
import os
import re
import stat
import sys

import pytest

from descenso import language
from descenso.errors import ReportError
from descenso.files import check_writable, write_whole

SMALL = ["compare", "line", "--methods", "batch", "--epochs", "2", "--trials", "2", "--seeds", "2"]
ESCAPE = "\x1b"


def test_a_reader_that_leaves_early_is_no_error_to_see(shell):
    outcome = shell("set -o pipefail; $DESCENSO methods | head -1; exit ${PIPESTATUS[0]}")
    assert outcome.out.startswith("method")
    assert outcome.err == ""


def test_output_that_cannot_be_written_is_said_in_one_line(shell):
    outcome = shell("$DESCENSO methods --lang en > /dev/full")
    assert outcome.code == 1
    assert "no space is left on the disk" in outcome.complaint


@pytest.mark.slow
def test_closed_streams_do_no_harm(shell):
    assert shell("$DESCENSO methods <&-").code == 0
    assert shell("$DESCENSO methods >&-").err == ""
    outcome = shell("$DESCENSO nothing 2>&-")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "")


@pytest.mark.slow
def test_letters_that_a_stream_cannot_show_are_replaced(shell):
    outcome = shell("PYTHONIOENCODING=ascii $DESCENSO problems --lang es")
    assert (outcome.code, outcome.err) == (0, "")
    assert "d?gitos manuscritos" in outcome.out


@pytest.mark.parametrize(
    "environment", ["TERM=xterm-256color", "TERM=dumb", "CI=true", "COLUMNS=9"]
)
def test_where_no_terminal_is_watching_output_is_plain(shell, environment):
    outcome = shell(f"env -u FORCE_COLOR {environment} $DESCENSO methods --lang en")
    assert (outcome.code, outcome.err) == (0, "")
    assert ESCAPE not in outcome.out
    assert max(map(len, outcome.out.splitlines())) > 80


@pytest.mark.slow
@pytest.mark.parametrize("columns", [8, 30])
def test_the_narrowest_terminal_shows_all(shell, columns):
    small = " ".join(SMALL)
    terminal = f"stty cols {columns}; $DESCENSO {small} --store x.db --lang en"
    terminal = terminal.replace(
        "$DESCENSO", f"{sys.executable} -c 'from descenso.cli import main; main()'"
    )
    outcome = shell(f'script -qec "{terminal}" /dev/null')
    if "not found" in outcome.err:
        pytest.skip("no `script` to make a terminal with")
    assert outcome.code == 0, outcome.out
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", outcome.out)
    assert "batch" in shown
    assert "Traceback" not in shown


@pytest.mark.slow
def test_progress_is_silent_where_no_terminal_is_watching(descenso):
    outcome = descenso(*SMALL)
    assert (outcome.code, outcome.err) == (0, "")


def test_json_on_the_standard_output_is_nothing_but_json(descenso, tmp_path):
    outcome = descenso(*SMALL, "--json", "-", "--report", "x.html")
    assert outcome.code == 0
    assert json.loads(outcome.out)["problem"] == "line"
    assert outcome.err == "report: x.html\n"
    assert "</html>" in (tmp_path / "x.html").read_text()


def test_json_in_a_file_equals_json_that_is_printed(descenso, tmp_path):
    printed = descenso(*SMALL, "--json", "-").out
    outcome = descenso(*SMALL, "--json", "x.json")
    assert (tmp_path / "x.json").read_text() == printed
    assert "batch" in outcome.out


def test_a_finished_study_is_listed_reported_and_recalled(descenso):
    first = descenso(*SMALL)
    assert descenso(*SMALL).out == first.out
    assert "finished" in descenso("studies").out
    assert descenso("report", "latest", "--json", "-").code == 0


def test_a_stored_result_that_cannot_be_read_is_said_to_be_so(descenso, tmp_path):
    import sqlite3

    descenso(*SMALL, "--store", "x.db")
    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute("update descenso_studies set result = '{\"design\": 3}'")
    other.close()
    for command in (["report", "latest"], SMALL):
        outcome = descenso(*command, "--store", "x.db")
        assert outcome.code == 1
        assert "cannot be read" in outcome.complaint
        assert "--fresh" in outcome.complaint
    assert descenso(*SMALL, "--store", "x.db", "--fresh").code == 0


def test_an_unfinished_study_is_not_reported(descenso, tmp_path):
    from descenso.store import Store

    store = Store(tmp_path / "x.db")
    store.begin("abc", "wine", "now", {"methods": ["adam"]})
    store.close()
    outcome = descenso("report", "abc", "--store", "x.db")
    assert outcome.code == 1
    assert "study abc is not finished" in outcome.complaint
    assert "unfinished" in descenso("studies", "--store", "x.db").out


def test_training_writes_strict_json_even_where_it_diverges(descenso):
    method = "gradient_descent(lr=1e30)@all"
    outcome = descenso("train", "line", "--method", method, "--epochs", "3", "--json", "-")
    assert outcome.code == 0

    def refuse(token):
        raise AssertionError(token)

    (run,) = json.loads(outcome.out, parse_constant=refuse)["runs"]
    assert run["diverged_at"] is not None
    assert run["test_metric"] is None


class TestWritingWhole:
    def test_a_file_is_replaced_and_nothing_else_is_left(self, tmp_path):
        write_whole(tmp_path / "x", "old")
        write_whole(tmp_path / "x", "new")
        assert (tmp_path / "x").read_text() == "new"
        assert [p.name for p in tmp_path.iterdir()] == ["x"]

    def test_a_device_is_written_to_and_never_replaced(self):
        write_whole("/dev/null", "text")
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116
        with pytest.raises(ReportError, match="no space is left on the disk"):
            write_whole("/dev/full", "text")
        assert stat.S_ISCHR(os.stat("/dev/full").st_mode)  # noqa: PTH116

    def test_a_link_stays_a_link(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "real")
        write_whole(tmp_path / "link", "text")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == "text"

    def test_a_text_that_cannot_be_written_leaves_the_old_file(self, tmp_path, monkeypatch):
        def full(_descriptor):
            raise OSError(28, "No space left on device")

        write_whole(tmp_path / "x", "old")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ReportError, match="no space is left on the disk"):
            write_whole(tmp_path / "x", "new")
        assert (tmp_path / "x").read_text() == "old"
        assert [p.name for p in tmp_path.iterdir()] == ["x"]

    def test_trying_leaves_no_trace(self, tmp_path):
        check_writable(tmp_path / "new.html")
        assert list(tmp_path.iterdir()) == []


def test_the_language_of_a_command_is_that_of_its_option(descenso):
    assert "qué se entrena" in descenso("problems", "--lang", "es").out
    assert "what is trained" in descenso("problems", "--lang=en").out
    assert "qué se entrena" in descenso("--lang", "es", "problems").out
    language.use("en")

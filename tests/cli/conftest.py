from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from descenso import language
from descenso.cli import run


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that went to the standard error; fails where it is not one plain line."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("descenso: error: "), self.err
        assert "Traceback" not in self.err
        assert "this should not have happened" not in self.err
        return self.err.removeprefix("descenso: error: ").rstrip("\n")


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    """Work in a folder of one's own, with a store of one's own, in English."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    language.use("en")
    yield
    language.use("en")


@pytest.fixture
def descenso(capsys):
    """Run a command in this process."""

    def call(*arguments: str) -> Outcome:
        code = run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def shell():
    """Run a line of shell in which $DESCENSO is the command."""

    def call(line: str, **more) -> Outcome:
        command = f'{sys.executable} -c "from descenso.cli import main; main()"'
        done = subprocess.run(
            ["bash", "-c", line.replace("$DESCENSO", command)],
            capture_output=True,
            text=True,
            **more,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call

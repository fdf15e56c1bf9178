"""Install each extra alone in a new virtual environment, and see what works there.

``python tools/extras.py [EXTRA ...]``, with ``base`` for none. Needs a network. In each environment
every feature runs: one whose extra is installed must work; every other must say
``descenso[its extra]``; and the base must bring no framework along.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The version that the README installs.
BEFORE = {"torch": ["torch==2.13.0"]}

_STUDY = ["compare", "wine", "--methods", "adam", "--seeds", "2", "--epochs", "2", "--quiet"]


def _command(*words: str) -> str:
    """Return a program that runs ``descenso`` with these words."""
    return f"from descenso.cli import main; main({list(words)!r})"


#: Feature -> (the extra that brings it, a program that uses it).
FEATURES = {
    "a study": ("base", _command(*_STUDY, "--store", "runs.db", "--report", "report.html")),
    "descenso.numpy": (
        "base",
        "import descenso; descenso.numpy.minimize("
        "lambda x: (x * x).sum(), lambda x: 2 * x, [1.0, 2.0], method='adam', steps=9)",
    ),
    "descenso.jax": (
        "base",
        "import descenso, jax.numpy as n; t = descenso.jax.adam(); w = {'w': n.ones(3)};"
        "t.update(w, t.init(w))",
    ),
    "descenso.torch": (
        "torch",
        "import descenso; make = descenso.torch.Adam; import torch;"
        "p = torch.nn.Parameter(torch.ones(3)); p.grad = torch.ones(3); make([p]).step();"
        "assert p[0] < 1",
    ),
    "descenso.keras": (
        "keras",
        "import descenso; a = descenso.keras.Adam(lr=0.1); import keras;"
        "v = keras.Variable([1.0]); a.apply([keras.ops.ones(1)], [v]); assert v[0] < 1",
    ),
    "Ray": ("ray", _command(*_STUDY, "--store", "ray.db", "--executor", "ray")),
    "a Parquet file": ("tables", _command("export", "latest", "a.parquet", "--store", "runs.db")),
    "Optuna's sampler": (
        "optuna",
        _command(*_STUDY, "--trials", "14", "--sampler", "tpe", "--store", "optuna.db"),
    ),
    "PostgreSQL's driver": (
        "postgres",
        "import descenso, sys\n"
        "try: descenso.compare('wine', store='postgresql+psycopg://a@127.0.0.1:1/b')\n"
        "except descenso.DescensoError as error: "
        "sys.exit(0 if 'refused' in str(error) else str(error))",  # nothing listens there
    ),
    "MLflow": (
        "mlflow",
        _command("export", "latest", "mlflow:sqlite:///mlflow.db", "--store", "runs.db"),
    ),
    "a picture": ("web", _command("path", "ravine", "--methods", "adam", "--out", "path.png")),
    "the playground": (
        "web",
        "import sys; from descenso.cli import run\n"
        "try: import uvicorn; uvicorn.Server.run = lambda *a, **k: None\n"
        "except ImportError: pass\n"
        "sys.exit(run(['serve', '--port', '0', '--store', 'runs.db']))",
    ),
}
EXTRAS = ("base", "torch", "keras", "ray", "tables", "optuna", "postgres", "mlflow", "web")
_FRAMEWORKS = {"torch", "keras", "tensorflow", "ray", "optuna", "pyarrow", "matplotlib"}
_PRESENT = "import importlib.util as u; print([m for m in {names} if u.find_spec(m)])"


def install(extra: str, folder: Path) -> Path:
    """Return the Python of a new environment that holds descenso with this extra alone."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt")]
    if extra in BEFORE:
        subprocess.run([*pip, *BEFORE[extra]], check=True)
    subprocess.run([*pip, str(ROOT) + ("" if extra == "base" else f"[{extra}]")], check=True)
    return python


def attempt(python: Path, program: str, folder: Path) -> tuple[bool, str]:
    """Return whether ``program`` ran, and the last line it wrote."""
    done = subprocess.run(
        [python, "-c", program], cwd=folder, capture_output=True, text=True, timeout=600
    )
    lines = (done.stderr + done.stdout).strip().splitlines()
    return done.returncode == 0, lines[-1] if lines else ""


def check(extra: str) -> bool:
    """Install ``extra``, print a line for each feature, and return whether all is as it should be."""
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = install(extra, folder / "venv")
        _, present = attempt(python, _PRESENT.format(names=sorted(_FRAMEWORKS)), folder)
        print(f"{extra}: of {', '.join(sorted(_FRAMEWORKS))} it brings {present}", flush=True)
        good &= extra != "base" or present == "[]"
        for feature, (owner, program) in FEATURES.items():
            ran, said = attempt(python, program, folder)
            fine = ran if owner in ("base", extra) else ran or f"descenso[{owner}]" in said
            good &= fine
            outcome = "works" if ran else said
            print(f"  {'ok  ' if fine else 'WRONG'} {feature}: {outcome}", flush=True)
    return good


def main() -> None:
    """Check the extras named on the command line, or all."""
    results = [check(extra) for extra in sys.argv[1:] or EXTRAS]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()

"""Draw the README's figure from a real study: ``python tools/images.py``.

Needs the ``docs`` extra and a Chrome or Chromium (``BROWSER_PATH`` names it where it is not found).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import descenso
from descenso import language

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images"


def main() -> None:
    """Compare the six methods on digits, anew, and draw how the learning rate matters."""
    if browser := shutil.which("chromium"):
        os.environ.setdefault("BROWSER_PATH", browser)
    language.use("en")
    with tempfile.TemporaryDirectory() as folder:
        study = descenso.compare("digits", store=Path(folder) / "runs.db")
    figure = study.figure("sensitivity")
    TARGET.mkdir(parents=True, exist_ok=True)
    figure.write_image(TARGET / "digits-sensitivity.png", width=900, height=460, scale=2)


if __name__ == "__main__":
    main()

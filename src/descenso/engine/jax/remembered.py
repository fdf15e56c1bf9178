"""Decisions that were made by a clock, kept for the whole machine.

Two timings may come out differently, and what they decide rounds differently. So the first decision
holds for every later process of this machine: the same study gives the same figures again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs


def remembered(question: str, decide: Callable[[], str]) -> str:
    """Return what was decided on ``question`` the first time, deciding it now if it never was."""
    folder = Path(platformdirs.user_cache_dir("descenso")) / "layout"
    file = folder / hashlib.sha256(question.encode()).hexdigest()[:24]
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        decision = decide()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _kept(file, decision)
    except OSError:  # nothing can be kept here: the decision holds for this process
        return decision


def _kept(file: Path, decision: str) -> str:
    """Write a decision, whole or not at all; of two processes, the first decides for both."""
    handle, draft = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(decision)
        os.link(draft, file)
    except FileExistsError:
        return file.read_text(encoding="utf-8")
    finally:
        os.unlink(draft)  # noqa: PTH108
    return decision

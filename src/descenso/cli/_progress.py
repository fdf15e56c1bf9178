"""Show how far a study is: a bar with the time left on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from descenso import study
from descenso.language import _


@contextmanager
def shown(console: Console, quiet: bool) -> Iterator[study.ProgressFunction | None]:
    """Yield a function that shows progress, or ``None`` where nobody watches."""
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}", justify="left"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(_("starting"), total=None)

        def show(progress: study.Progress) -> None:
            stage = _("searching") if progress.stage == "search" else _("confirming")
            bar.update(
                task,
                description=f"{stage} {progress.method}",
                completed=progress.done,
                total=progress.total,
            )

        yield show

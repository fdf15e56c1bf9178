"""Run one study in a process of its own, and say how far it is, a line of JSON at a time."""

from __future__ import annotations

import json
import sys
from typing import Any

from descenso import language
from descenso.errors import DescensoError


def main(text: str) -> int:
    """Run the study that ``text`` (JSON) describes; return the exit code."""
    asked: dict[str, Any] = json.loads(text)
    language.use(asked.pop("language"))
    try:
        from descenso import api

        study = api.compare(**asked, on_progress=_Teller(asked["store"], asked["problem"]))
    except DescensoError as error:
        _say({"error": " ".join(str(error).split())})
        return 1
    _say({"study": study.result.identity})
    return 0


class _Teller:
    """Tells how far the study is; first, under which name it lies in the store."""

    def __init__(self, store: str | None, problem: str) -> None:
        self._store, self._problem, self._named = store, problem, False

    def __call__(self, progress: Any) -> None:
        if not self._named:
            self._name()
        _say(
            {
                "stage": progress.stage,
                "method": progress.method,
                "done": progress.done,
                "total": progress.total,
            }
        )

    def _name(self) -> None:
        from descenso.store import Store

        store = Store(self._store)
        under_way = [s for s in store.studies() if s.result is None and s.problem == self._problem]
        store.close()
        if under_way:
            _say({"study": under_way[0].identity})
            self._named = True


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))

"""Answer questions about formulas, a line of JSON each, until there is no further."""

from __future__ import annotations

import json
import signal
import sys

from descenso import language
from descenso.web import _playground as playground
from descenso.web._errors import explain, status_of


def main() -> None:
    """Answer each line with the status and the JSON of its answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server that asks ends this process
    for line in sys.stdin:
        kind, query, written, spoken = json.loads(line)
        language.use(spoken)
        try:
            given = (
                playground.surface_answer(query)
                if kind == "surface"
                else playground.paths_answer(query, written)
            )
            status = 200
        except Exception as error:
            given, status = {"error": explain(error)}, status_of(error)
        print(status, json.dumps(given), flush=True)


if __name__ == "__main__":
    main()

"""Kill a study at random moments: ``python -m benchmarks.kills [--kills 50] [--json FILE]``.

One study is run undisturbed. The same study is then begun over and over on one store, and its
process killed (SIGKILL) at a random moment, until so many kills have hit; a last process finishes
it. The verdict must be the same to the bit, with no run lost and none there twice.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = ("compare", "digits", "--seeds", "5", "--json", "-", "--lang", "en")
OF_THE_MOMENT = {"wall_seconds", "layout", "started"}
SEED = 50


def begin(store: Path) -> subprocess.Popen[str]:
    """Start the study in a process of its own."""
    code = "from descenso.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *COMMAND, "--store", str(store)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def findings(value):
    """Return what was found, without what tells of the machine and the moment."""
    if isinstance(value, dict):
        return {k: findings(v) for k, v in value.items() if k not in OF_THE_MOMENT}
    return [findings(v) for v in value] if isinstance(value, list) else value


def finish(store: Path) -> dict:
    """Run the study to its end and return what it found."""
    out, complaints = begin(store).communicate()
    return findings(json.loads(out)) if out else {"failed": complaints}


def stored_epochs(store: Path) -> int:
    """Return how many epochs of how many members are safe in the store."""
    from descenso.store import Store

    if not store.exists():
        return 0
    place = Store(store)
    try:
        return sum(r.curve.epochs for s in place.studies() for r in place.runs(s.identity))
    finally:
        place.close()


def measure(kills: int) -> dict:
    """Kill the study that many times and compare its end with that of the undisturbed one."""
    draw = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        calm, stormy = Path(folder) / "calm.db", Path(folder) / "stormy.db"
        began = time.perf_counter()
        want = finish(calm)
        undisturbed = time.perf_counter() - began
        whole = stored_epochs(calm)
        hits, safe, lost, early, latest = 0, 0, 0, 0, undisturbed
        while hits < kills:
            process, began = begin(stormy), time.perf_counter()
            try:
                # From before the first import to the end, as quick as the machine is by now.
                process.communicate(timeout=draw.uniform(0.05, latest))
                early += 1
                latest = min(latest, time.perf_counter() - began)
                stormy.unlink()  # it finished: begin anew, so that kills go on hitting
                for rest in stormy.parent.glob("stormy.db-*"):
                    rest.unlink()
                safe = 0
                continue
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
            hits += 1
            now = stored_epochs(stormy)
            lost += now < safe
            safe = now
        got = finish(stormy)
        return {
            "kills": hits, "finished_between": early, "undisturbed_seconds": undisturbed,
            "same_verdict": got["verdict"] == want["verdict"], "same_everything": got == want,
            "member_epochs": whole, "member_epochs_after": stored_epochs(stormy),
            "kills_that_lost_stored_work": lost,
        }  # fmt: skip


def main() -> None:
    """Measure, show, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments.kills)
    print(json.dumps(found, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

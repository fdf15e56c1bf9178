"""Start a real PostgreSQL server for a test, in a folder of its own, reachable by a socket only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def why_not() -> str:
    """Return why no server can be started here; an empty text where one can."""
    if _folder() is None:
        return "PostgreSQL's initdb and pg_ctl are not installed"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    if os.geteuid() == 0 and not shutil.which("runuser"):
        return "PostgreSQL refuses to run as root, and runuser is not there"
    return ""


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a database on a server that lives as long as the block."""
    place = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
    try:
        if os.geteuid() == 0:
            shutil.chown(place, "postgres")
        data = place / "data"
        _run("initdb", "-D", data, "-U", "descenso", "--auth=trust", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={place} -c fsync=off"
        _run("pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://descenso@/postgres?host={place}"
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _folder() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(installed[-1]) if installed else None)
    return Path(found).parent if found else None


def _run(program: str, *arguments: object) -> None:
    folder = _folder()
    assert folder is not None
    command = [str(folder / program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")

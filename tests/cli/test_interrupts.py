"""Ctrl-C arrives wherever it falls: in an import, in a callback, in ordinary code."""

import sys
import time

import pytest

_PRELUDE = """
import signal, sys, time, gc, os
from descenso.cli import _interrupts
_interrupts.deliver_safely()
"""
_PLACES = {
    "in ordinary code": "os.kill(os.getpid(), signal.SIGINT); time.sleep(30); print('lost')",
    "in a callback of the garbage collector": """
class Falls:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000): pass
Falls(); time.sleep(30); print('lost')
""",
    "in an import": """
import pathlib
pathlib.Path('slow_module.py').write_text(
    'import os, signal, time\\nos.kill(os.getpid(), signal.SIGINT)\\ntime.sleep(0.2)\\ndone = 1')
sys.path.insert(0, '.')
import slow_module
assert slow_module.done
time.sleep(30); print('lost')
""",
}


@pytest.mark.parametrize("place", _PLACES)
def test_an_interrupt_is_delivered_once_and_nothing_is_half_done(shell, tmp_path, place):
    body = "\n".join("    " + line for line in _PLACES[place].splitlines())
    code = f"{_PRELUDE}\ntry:\n{body}\nexcept KeyboardInterrupt:\n    print('delivered')\n"
    (tmp_path / "script.py").write_text(code)
    started = time.monotonic()
    outcome = shell(f"{sys.executable} script.py")
    assert time.monotonic() - started < 30  # and at once, not when the sleep is over
    assert outcome.out == "delivered\n", outcome.err
    assert outcome.err == ""


def test_a_job_in_the_background_that_ignores_interrupts_goes_on_ignoring_them(shell):
    code = _PRELUDE + "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN"
    assert shell(f"trap '' INT; {sys.executable} -c '{code}'").code == 0

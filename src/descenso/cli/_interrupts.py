"""Let Ctrl-C arrive where it can: not inside an import or a callback, which would mangle it."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType
from typing import Any

_SOON = 0.03  # seconds until the next try
_IMPORTING = "<frozen importlib"


def deliver_safely() -> None:
    """Take over Ctrl-C, unless it is ignored (a job in the background) or handled by others."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _interrupt_again


def ignore() -> None:
    """Let nothing interrupt the last moments of a process that is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_importing(frame):  # an extension half imported aborts the process
        _try_again()
    else:
        raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False


def _interrupt_again(lost: Any) -> None:
    """Interrupt once more where it fell into a callback (JAX hangs one on Python's collector)."""
    if lost.exc_type is KeyboardInterrupt:
        _try_again()
    else:
        sys.__unraisablehook__(lost)


def _try_again() -> None:
    timer = threading.Timer(_SOON, _interrupt_main_thread)
    timer.daemon = True
    timer.start()


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # a real signal, which also ends a wait in the system
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()

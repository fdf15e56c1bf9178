"""What every test may count on, whichever test ran before it in the same process."""

import signal

import pytest

from descenso import language
from descenso.engine import prepare_machine

# The first JAX operation of a process fixes how many devices it sees, and a program for one stream
# may round differently in the last bit from one for several: lay JAX out as a study does.
prepare_machine()

# A run in the background may have been told to ignore interrupts, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_language_chosen():
    language._current.set(None)

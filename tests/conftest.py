"""Every test of a process finds JAX laid out as a study lays it out, whichever test runs first.

The first JAX operation of a process fixes how many devices it sees, and a program for one stream may
round differently in the last bit from one for several.
"""

from descenso.engine import prepare_machine

prepare_machine()

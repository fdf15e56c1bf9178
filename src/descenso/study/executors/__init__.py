"""Where the members of a study are trained: in this process, or on a Ray cluster."""

from descenso.study.executors._open import Opener, opener

__all__ = ["Opener", "opener"]

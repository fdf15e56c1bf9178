"""Open the network of a problem, in the framework that trains it."""

from __future__ import annotations

from descenso.paths._network import Network
from descenso.problems import Data, Problem


def open_network(problem: Problem, data: Data, study_seed: int) -> Network:
    """Return the network of a problem, on an engine of its own."""
    if problem.framework == "torch":
        from descenso.paths._network_torch import TorchNetwork

        return TorchNetwork(problem, data, study_seed)
    from descenso.paths._network_jax import JaxNetwork

    return JaxNetwork(problem, data, study_seed)

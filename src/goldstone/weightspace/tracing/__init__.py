"""How transformations of parameters travel through the graph of a network."""

from goldstone.weightspace.tracing.diagonal_domain import DiagonalDomain
from goldstone.weightspace.tracing.domain import Domain
from goldstone.weightspace.tracing.execution import execute
from goldstone.weightspace.tracing.interpreter import Interpreter
from goldstone.weightspace.tracing.permutation_domain import PermutationDomain
from goldstone.weightspace.tracing.traced import TracedNetwork, shared_parameters, trace

__all__ = [
    "DiagonalDomain",
    "Domain",
    "Interpreter",
    "PermutationDomain",
    "TracedNetwork",
    "execute",
    "shared_parameters",
    "trace",
]

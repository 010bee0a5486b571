"""A network as a graph of operations, its parameters by name."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind

from goldstone.core import InputError


@dataclass(frozen=True, eq=False)
class TracedNetwork:
    """The graph of a network in ATen operations.

    Attributes:
        program: what ``torch.export`` made of it, without mutations.
        parameters: placeholder → name in the state_dict, of parameters.
        buffers: the same, of buffers.
        aliases: name → the name under which a shared parameter is treated.
        outputs: names of the nodes that are the network's outputs.
    """

    program: ExportedProgram
    parameters: Mapping[str, str]
    buffers: Mapping[str, str]
    aliases: Mapping[str, str]
    outputs: frozenset[str]


def trace(model: nn.Module, example_inputs: Sequence[Any]) -> TracedNetwork:
    """Trace a network in its present mode with ``torch.export``.

    Raises:
        InputError: the inputs are in no tuple, the network cannot be exported, or two parameters
            overlap in memory without being one.
    """
    if not isinstance(example_inputs, list | tuple):
        raise InputError(
            "expected the positional arguments of the network in a tuple, got "
            f"{type(example_inputs).__name__}; pass (x,)"
        )
    aliases = shared_parameters(model)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # torch copies a class of its own that it has deprecated.
            warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
            program = torch.export.export(copy.deepcopy(model), tuple(example_inputs))
            program = program.run_decompositions({})
    except Exception as error:  # torch.export raises errors of many kinds
        raise InputError(
            f"{type(model).__name__} cannot be traced by torch.export, on which the search for "
            f"symmetries rests: {str(error).strip().splitlines()[0]}"
        ) from error
    kinds: dict[InputKind, dict[str, str]] = {InputKind.PARAMETER: {}, InputKind.BUFFER: {}}
    for spec in program.graph_signature.input_specs:
        if spec.kind in kinds and spec.target is not None:
            name = spec.target
            kinds[spec.kind][spec.arg.name] = aliases.get(name, name)
    outputs = frozenset(
        spec.arg.name
        for spec in program.graph_signature.output_specs
        if spec.kind == OutputKind.USER_OUTPUT and hasattr(spec.arg, "name")
    )
    parameters, buffers = kinds[InputKind.PARAMETER], kinds[InputKind.BUFFER]
    return TracedNetwork(program, parameters, buffers, aliases, outputs)


def shared_parameters(model: nn.Module) -> dict[str, str]:
    """The first name by name, of every parameter that is registered more than once.

    Raises:
        InputError: two different parameters overlap in memory.
    """
    first: dict[int, str] = {}
    aliases: dict[str, str] = {}
    spans: list[tuple[int, int, str]] = []
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if id(parameter) in first:
            aliases[name] = first[id(parameter)]
            continue
        first[id(parameter)] = name
        spans.append((*_span(parameter), name))
    spans.sort()
    for (_, end, one), (start, _, two) in pairwise(spans):
        if start < end:
            raise InputError(
                f"{one} and {two} share memory without being one parameter; register one tensor "
                "under both names, or clone one of them"
            )
    return aliases


def _span(x: Tensor) -> tuple[int, int]:
    return x.data_ptr(), x.data_ptr() + x.numel() * x.element_size()

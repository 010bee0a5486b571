"""Which layers of a network keep the symmetry of the grid exactly, and which do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.blur_pool import BlurPool2d
from goldstone.nn.restricted import Restricted
from goldstone.nn.turning_error import exchanges_sizes, grid_of, turning_error
from goldstone.representations import Pullback, Representation, TrivialRepresentation, multiple


@dataclass(frozen=True)
class LayerExactness:
    """How far one layer is from commuting with the group's turns of the grid.

    Attributes:
        name: of the module, as in ``named_modules``.
        kind: the name of its class.
        grid: the size of its input.
        error: the largest ‖f(g·x) − g·f(x)‖/‖f(x)‖ over the elements that map the grid onto
            itself.
    """

    name: str
    kind: str
    grid: tuple[int, ...]
    error: float


@dataclass(frozen=True)
class _Met:
    """A layer with the features that it met first."""

    name: str
    layer: nn.Module
    x: Tensor


def exactness(network: nn.Module, x: Tensor) -> tuple[LayerExactness, ...]:
    """Measure the layers of a network on planes or volumes at the features they meet.

    Measured are all modules with representations ``source`` and ``target``, and those without
    parameters that change the size of the grid, such as :class:`torch.nn.MaxPool2d`, for the group
    of the layer before (:class:`BlurPool2d` refuses what is not exact itself). The network runs
    once on x; then each of them runs on its own input turned by every element that maps the grid
    onto itself. In eval mode errors of exact layers are those of rounding, about 1e-7 in float32; a
    larger one names the layer that loses the symmetry. The network and torch's random state are
    left as found.

    Args:
        network: any module.
        x: its input, (batch, channel, X, Y) or (batch, channel, X, Y, Z); noise tells more than an
            image.

    Returns:
        The layers in the order in which they were met.

    Raises:
        InputError: no equivariant layer was met, or the grid is not square where the group turns it
            by 90°.
    """
    met: dict[str, _Met] = {}
    with _inputs_kept(network, met), torch.no_grad(), torch.random.fork_rng(devices=[]):
        network(x)
    groups = [_representations(each.layer)[1].group for each in met.values() if _knows(each.layer)]
    if not groups:
        raise InputError(
            "expected a network with equivariant layers such as SteerableConv2d, met none; audit "
            "other models with goldstone.auditing"
        )
    found, group = [], groups[0]
    for each in met.values():
        if _knows(each.layer):
            source, target = _representations(each.layer)
            group = target.group
        else:
            source = target = multiple(TrivialRepresentation(group), each.x.shape[1])
        found.append(_measured(each, source, target))
    return tuple(found)


def _measured(met: _Met, source: Representation, target: Representation) -> LayerExactness:
    name, layer, x = met.name, met.layer, met.x
    grid, group = grid_of(source.group, x), source.group
    if exchanges_sizes(group, grid):
        raise InputError(
            f"layer {name!r} meets a grid of {'×'.join(map(str, grid))} points, which a quarter "
            f"turn or a diagonal reflection of {group.name} does not map onto itself; use a square "
            "crop, or a group without them such as D2"
        )
    states = [buffer.clone() for buffer in layer.buffers()]
    with torch.random.fork_rng(devices=[]):
        error = turning_error(layer, source, target, x, getattr(layer, "pivot", "cell"))
    with torch.no_grad():
        for buffer, state in zip(layer.buffers(), states, strict=True):
            buffer.copy_(state)
    if error is None:
        raise InputError(
            f"layer {name!r} of {group.name} cannot be measured: no element of the group maps the "
            "grid onto itself, or the output is zero"
        )
    return LayerExactness(name, type(layer).__name__, grid, error)


def _knows(layer: nn.Module) -> bool:
    """Whether it declares representations."""
    ends = (getattr(layer, end, None) for end in ("source", "target"))
    return all(isinstance(end, Representation) for end in ends)


def _representations(layer: Any) -> tuple[Representation, Representation]:
    """Of its input and output, of one group."""
    source, target = layer.source, layer.target
    if isinstance(layer, Restricted):
        source = Pullback(layer.inclusion, source)
    return source, target


def _is_field(x: object) -> bool:
    return isinstance(x, Tensor) and x.ndim in (4, 5)


@contextmanager
def _inputs_kept(network: nn.Module, met: dict[str, _Met]) -> Iterator[None]:
    """Keep the first input of each layer that is to be measured."""
    handles = []
    for name, module in network.named_modules():
        free = not any(True for _ in (*module.parameters(), *module.children()))
        leaf = free and not isinstance(module, BlurPool2d)
        if not (_knows(module) or leaf):
            continue

        def keep(layer: nn.Module, inputs: Any, output: Any, name: str = name) -> None:
            if len(inputs) != 1 or not _is_field(inputs[0]) or not _is_field(output):
                return
            x = inputs[0]
            if _knows(layer):
                degree = getattr(_representations(layer)[1].group, "degree", None)
                measured = x.ndim == 4 or degree in (2, 3)  # Planes at several scales too.
            else:
                measured = x.shape[:2] == output.shape[:2] and x.shape[2:] != output.shape[2:]
            if measured:
                met.setdefault(name, _Met(name, layer, x.detach()))

        handles.append(module.register_forward_hook(keep))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

"""Which layers of a network keep the symmetry of the grid exactly, and which do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.restricted import Restricted
from goldstone.nn.turning_error import turning_error
from goldstone.representations import Pullback, Representation


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


def exactness(network: nn.Module, x: Tensor) -> tuple[LayerExactness, ...]:
    """Measure every equivariant layer of a network on planes or volumes at the features it meets.

    The network runs once on x; then each module with representations ``source`` and ``target`` runs
    on its own input turned by every element that maps the grid onto itself. In eval mode errors of
    exact layers are those of rounding, about 1e-7 in float32; a larger one names the layer that
    loses the symmetry. The network and torch's random state are left as found.

    Args:
        network: any module.
        x: its input, (batch, channel, X, Y) or (batch, channel, X, Y, Z); noise tells more than an
            image.

    Raises:
        InputError: no layer was met, or the grid is not square where the group turns it by 90°.
    """
    met: dict[str, tuple[nn.Module, Tensor]] = {}
    with _inputs_kept(network, met), torch.no_grad(), torch.random.fork_rng(devices=[]):
        network(x)
    if not met:
        raise InputError(
            "expected a network with equivariant layers such as SteerableConv2d, met none; audit "
            "other models with goldstone.auditing"
        )
    return tuple(_measured(name, layer, seen) for name, (layer, seen) in met.items())


def _measured(name: str, layer: nn.Module, x: Tensor) -> LayerExactness:
    source, target = _representations(layer)
    grid = tuple(x.shape[2:])
    group = source.group
    if len(grid) == 2 and grid[0] != grid[1] and getattr(group, "n", 4) % 4 == 0:
        raise InputError(
            f"layer {name!r} meets a grid of {grid[0]}×{grid[1]} points, which a quarter turn of "
            f"{group.name} does not map onto itself; use a square crop, or D2"
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


def _representations(layer: nn.Module) -> tuple[Representation, Representation]:
    source, target = getattr(layer, "source", None), getattr(layer, "target", None)
    if not isinstance(source, Representation) or not isinstance(target, Representation):
        raise TypeError(f"{type(layer).__name__} declares no representations")
    if isinstance(layer, Restricted):
        source = Pullback(layer.inclusion, source)
    return source, target


@contextmanager
def _inputs_kept(network: nn.Module, met: dict[str, tuple[nn.Module, Tensor]]) -> Iterator[None]:
    """Keep the first input of each layer that declares representations of a grid's fields."""
    handles = []
    for name, module in network.named_modules():
        if not all(
            isinstance(getattr(module, end, None), Representation) for end in ("source", "target")
        ):
            continue

        def keep(layer: nn.Module, inputs: tuple[Tensor, ...], _: Tensor, name: str = name) -> None:
            axes = inputs[0].ndim - 2
            degree = getattr(_representations(layer)[0].group, "degree", None)
            in_space = axes == 3 and degree == 3
            if len(inputs) == 1 and (axes == 2 or in_space):
                met.setdefault(name, (layer, inputs[0].detach()))

        handles.append(module.register_forward_hook(keep))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

"""How far a network is from commuting with a change of scale, measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import resample
from goldstone.core import InputError, generator
from goldstone.nn.planar_elements import check_planar
from goldstone.representations import Representation

_SPREAD = 12
"""Blobs lie about one twelfth of the enlarged grid from the centre, so that they stay inside."""


@dataclass(frozen=True)
class ScaleExactness:
    """What a change of scale by a power of the base, and a turn, cost.

    Attributes:
        factor: base^steps.
        errors: ‖f(g·x) − g·f(x)‖/‖f(x)‖ for each scale of the output that has a counterpart, the
            smallest first, as far as the scales go; of outputs without scales one number. What the
            truncation of the scales costs shows in the last ones, or in that one number.
    """

    factor: float
    errors: tuple[float, ...]

    @property
    def worst(self) -> float:
        """The largest error."""
        return max(self.errors)


def scale_exactness(
    network: nn.Module,
    base: float,
    steps: int = 1,
    *,
    element: Any = None,
    fibre: Representation | None = None,
    channels: int = 1,
    size: int = 65,
    width: float = 2.5,
    samples: int = 4,
    seed: int = 0,
) -> ScaleExactness:
    """Show a network smooth images and the same enlarged by base^steps, and compare.

    The images are sums of six Gaussians near the centre, computed anew at the other size and not
    interpolated; they hold little beyond the frequency 2/width. Fields that come out are enlarged
    by cubic splines for the comparison. With an ``element`` of a group of the plane the images are
    turned by it as well.

    Args:
        network: from images to fields over scales (batch, field, scale, X, Y), plain fields (batch,
            field, X, Y), or invariants (batch, channel). It is run in eval mode and left as found.
        base: of its filters.
        steps: how many scales further up; 1 or more, or 0 with an element.
        element: of the group of the fibre, such as 1 for the first turn of a CyclicGroup.
        fibre: with an element, how the output's channels turn: the ``target`` of the last layer
            that has one.
        channels: of the images.
        size: of their square grid.
        width: standard deviation of the blobs, in grid points.
        samples: how many images.
        seed: of the blobs.

    Raises:
        InputError: no step, a base of 1 or less, an output with too few scales or of zeros, a fibre
            that is not that of the output, or an element of another group.
    """
    if steps < (element is None) or not base > 1 or (element is None) != (fibre is None):
        raise InputError(
            "expected a base above 1 and one step or more, or an element with the fibre it acts "
            f"on, got {base}, {steps}, {element!r} and {fibre}"
        )
    factor = base**steps
    parameter = next(network.parameters(), torch.empty(0))
    matrix, rho = _turn(element, fibre)

    def output(scale: float, turn: Tensor) -> Tensor:
        images = _blobs((samples, channels), size, width, factor, scale, turn, seed)
        with torch.no_grad(), _in_eval_mode(network):
            found: Tensor = network(images.to(parameter.device, parameter.dtype))
        return found.to("cpu", torch.float64)

    small, large = output(1.0, torch.eye(2, dtype=torch.float64)), output(factor, matrix)
    if rho is not None and small.shape[1] != len(rho):
        raise InputError(
            f"expected the fibre of an output with {small.shape[1]} channels, got one of dimension "
            f"{len(rho)}; it is the target of the last layer that has one"
        )

    def moved(field: Tensor) -> Tensor:
        if field.ndim == 4:
            still = torch.zeros(2, dtype=torch.float64)
            field = resample(field, matrix.mT / factor, still, "spline", "reflect")
        return field if rho is None else torch.einsum("ij,bj...->bi...", rho, field)

    if rho is not None and small.ndim > 2:
        # The corners come from beyond the edge.
        large, small = _in_disc(large), _in_disc(small)
    if small.ndim != 5:
        return ScaleExactness(factor, (_difference(large, moved(small)),))
    if small.shape[2] <= steps:
        raise InputError(
            f"expected an output with more than {steps} scales, plain fields or invariants, got "
            f"{tuple(small.shape)}"
        )
    pairs = [(large[:, :, s + steps], small[:, :, s]) for s in range(small.shape[2] - steps)]
    return ScaleExactness(factor, tuple(_difference(found, moved(f)) for found, f in pairs))


def _turn(element: Any, fibre: Representation | None) -> tuple[Tensor, Tensor | None]:
    """The matrix of an element of the plane's group, and that of the fibre."""
    if fibre is None:
        return torch.eye(2, dtype=torch.float64), None
    group: Any = fibre.group
    check_planar(group)
    group.check_contains(element)
    elements = group.tensor((element,))
    return group.matrices(elements)[0].double(), fibre.matrix_unchecked(elements)[0].double()


@contextmanager
def _in_eval_mode(network: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _in_disc(field: Tensor) -> Tensor:
    """Zero beyond the largest disc about the centre."""
    axes = [torch.arange(n, dtype=torch.float64) - (n - 1) / 2 for n in field.shape[-2:]]
    squares = axes[0].square()[:, None] + axes[1].square()
    return field * (squares <= ((min(field.shape[-2:]) - 1) / 2) ** 2)


def _difference(found: Tensor, expected: Tensor) -> float:
    length = float(expected.norm())
    if not length:
        raise InputError("the output is zero, so that its error is not defined; draw other weights")
    return float((found - expected).norm()) / length


def _blobs(
    shape: tuple[int, int],
    size: int,
    width: float,
    factor: float,
    scale: float,
    turn: Tensor,
    seed: int,
) -> Tensor:
    """Σ a e^{−|p/scale − R c|²/2·width²} about the centre of the grid, (*shape, size, size)."""
    source = generator(seed, "scale exactness")
    axis = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) / scale
    heights = torch.randn(*shape, 6, generator=source, dtype=torch.float64)
    centres = torch.randn(*shape, 6, 2, generator=source, dtype=torch.float64)
    centres = centres @ turn.mT * size / (_SPREAD * max(factor, 2**0.5))
    along = torch.exp(-((axis - centres[..., None]) / width).square() / 2)
    return torch.einsum("bck,bckx,bcky->bcxy", heights, along[..., 0, :], along[..., 1, :])

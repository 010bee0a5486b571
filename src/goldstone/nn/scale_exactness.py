"""How far a network is from commuting with a change of scale, measured."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.actions import resample
from goldstone.core import InputError, generator

_SPREAD = 12
"""Blobs lie about one twelfth of the enlarged grid from the centre, so that they stay inside."""


@dataclass(frozen=True)
class ScaleExactness:
    """What a change of scale by a power of the base costs.

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
    channels: int = 1,
    size: int = 65,
    width: float = 2.5,
    samples: int = 4,
    seed: int = 0,
) -> ScaleExactness:
    """Show a network smooth images and the same enlarged by base^steps, and compare.

    The images are sums of six Gaussians near the centre, computed anew at the other size and not
    interpolated; they hold little beyond the frequency 2/width. Fields that come out are enlarged
    by cubic splines for the comparison.

    Args:
        network: from images to fields over scales (batch, field, scale, X, Y), plain fields (batch,
            field, X, Y), or invariants (batch, channel); in eval mode.
        base: of its filters.
        steps: how many scales further up; 1 or more.
        channels: of the images.
        size: of their square grid.
        width: standard deviation of the blobs, in grid points.
        samples: how many images.
        seed: of the blobs.

    Raises:
        InputError: no step, a base of 1 or less, or an output with too few scales.
    """
    if steps < 1 or not base > 1:
        raise InputError(f"expected a base above 1 and one step or more, got {base} and {steps}")
    factor = base**steps
    parameter = next(network.parameters(), torch.empty(0))

    def output(scale: float) -> Tensor:
        images = _blobs((samples, channels), size, width, factor, scale, seed)
        with torch.no_grad():
            found: Tensor = network(images.to(parameter.device, parameter.dtype))
        return found.double()

    small, large = output(1.0), output(factor)
    if small.ndim == 2:
        return ScaleExactness(factor, (_difference(large, small),))
    enlarging = torch.eye(2, dtype=torch.float64, device=small.device) / factor
    still = torch.zeros(2, dtype=torch.float64, device=small.device)
    if small.ndim == 4:
        expected = resample(small, enlarging, still, "spline", "reflect")
        return ScaleExactness(factor, (_difference(large, expected),))
    if small.ndim != 5 or small.shape[2] <= steps:
        raise InputError(
            f"expected an output with more than {steps} scales, plain fields or invariants, got "
            f"{tuple(small.shape)}"
        )
    errors = []
    for s in range(small.shape[2] - steps):
        expected = resample(small[:, :, s], enlarging, still, "spline", "reflect")
        errors.append(_difference(large[:, :, s + steps], expected))
    return ScaleExactness(factor, tuple(errors))


def _difference(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def _blobs(
    shape: tuple[int, int], size: int, width: float, factor: float, scale: float, seed: int
) -> Tensor:
    """Σ a e^{−|p/scale − c|²/2·width²} about the centre of the grid, (*shape, size, size)."""
    source = generator(seed, "scale exactness")
    axis = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) / scale
    heights = torch.randn(*shape, 6, generator=source, dtype=torch.float64)
    centres = torch.randn(*shape, 6, 2, generator=source, dtype=torch.float64)
    centres = centres * size / (_SPREAD * factor)
    along = torch.exp(-((axis - centres[..., None]) / width).square() / 2)
    return torch.einsum("bck,bckx,bcky->bcxy", heights, along[..., 0, :], along[..., 1, :])

"""An equivariance error by channel and by band of wavenumbers."""

import itertools

import torch
from torch import Tensor

from goldstone.actions import Context
from goldstone.core import trees
from goldstone.core.trees import Tree

MOST_CHANNELS = 64


def by_channel(a: Tree, b: Tree) -> Tensor:
    """(n, channel) relative errors of each channel of a tensor; (n, 0) for others."""
    n = trees.batch_size(a)
    if not isinstance(a, Tensor) or a.ndim < 2 or a.shape[1] > MOST_CHANNELS:
        return torch.zeros(n, 0)
    gap, size = ((t.abs().double().square()).flatten(2).sum(2) for t in _columns(a - b, b))
    return (gap / size).sqrt()


def _columns(*tensors: Tensor) -> list[Tensor]:
    return [t if t.ndim > 2 else t[..., None] for t in tensors]


def _wavenumbers(output: Tensor, context: Context) -> Tensor:
    """|k| of every mode, (X, Y), in cycles per first side of the domain."""
    X, Y = output.shape[-2:]
    kx = torch.fft.fftfreq(X, 1 / X, dtype=torch.float64)
    ky = torch.fft.fftfreq(Y, 1 / Y, dtype=torch.float64) * context.lengths[0] / context.lengths[1]
    return torch.hypot(kx[:, None], ky[None, :]).to(output.device)


def wavenumber_bands(output: Tree, context: Context) -> list[tuple[float, float]]:
    """The mean, about one wave, and then octaves: 0–½, ½–1½, 1½–3, 3–6, …."""
    if not isinstance(output, Tensor) or output.ndim != 4 or min(output.shape[-2:]) < 4:
        return []
    highest = float(_wavenumbers(output, context).max())
    edges = [0.0, 0.5, 1.5]
    while edges[-1] <= highest:
        edges.append(2 * edges[-1])
    return list(itertools.pairwise(edges))


def by_band(a: Tensor, b: Tensor, bands: list[tuple[float, float]], context: Context) -> Tensor:
    """(n, band, 2): relative error within the band, and its share of the squared error.

    The share of an error that is exactly zero is 0, that of one that is NaN is NaN.
    """
    wide = torch.complex128 if a.is_complex() else torch.float64
    gap, size = (torch.fft.fft2(t.to(wide)).abs().square().sum(1) for t in (a - b, b))
    k = _wavenumbers(a, context)
    total = gap.sum((-2, -1))
    columns = []
    for low, high in bands:
        inside = (k >= low) & (k < high)
        part, whole = gap[:, inside].sum(1), size[:, inside].sum(1)
        # No error has no part in any band.
        share = torch.where(total > 0, part / total, total)
        columns.append(torch.stack(((part / whole).sqrt(), share), 1))
    return torch.stack(columns, 1)

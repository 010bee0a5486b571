"""What a two-sample test looks at in a state."""

import torch
from torch import Tensor

from goldstone.core import trees
from goldstone.core.trees import Tree

MOST_RAW = 64
"""Up to so many numbers a state is its own feature."""

COARSE = 4
HIGHEST = 4


def default_features(x: Tree) -> Tensor:
    """Features of a batch of states, (n, features) in float64.

    A small state is its own features. Of a field (batch, channel, X, Y) they are what the usual
    symmetries move: means over 4 × 4 blocks (places, pivots), the second moments of the channels
    (directions of vectors), and the logarithm of each channel's power in the modes |k_x|, |k_y| ≤ 4
    (anisotropy of the grid; blind to shifts, the first are not). Of other large states, 64 random
    projections with a fixed seed.
    """
    flat = trees.flat(x).double()
    if flat.shape[1] <= MOST_RAW:
        return flat
    if isinstance(x, Tensor) and x.ndim == 4 and not x.is_complex() and min(x.shape[-2:]) >= COARSE:
        return _of_fields(x.double())
    source = torch.Generator().manual_seed(0)
    directions = torch.randn(flat.shape[1], MOST_RAW, generator=source, dtype=torch.float64)
    projected: Tensor = flat @ (directions / flat.shape[1] ** 0.5).to(flat.device)
    return projected


def _of_fields(x: Tensor) -> Tensor:
    blocks = torch.nn.functional.adaptive_avg_pool2d(x, COARSE).flatten(1)
    points = x.flatten(2)
    moments = points @ points.mT / points.shape[2]
    upper = torch.triu_indices(x.shape[1], x.shape[1], device=x.device)
    power = torch.fft.rfft2(x, norm="forward").abs().square()
    kx = min(HIGHEST, (x.shape[-2] - 1) // 2)
    ky = min(HIGHEST, (x.shape[-1] - 1) // 2)
    rows = torch.cat((power[..., : kx + 1, : ky + 1], power[..., -kx:, : ky + 1]), -2)
    floor = power.mean((-2, -1), keepdim=True) * 1e-6 + torch.finfo(x.dtype).tiny
    return torch.cat((blocks, moments[:, upper[0], upper[1]], (rows + floor).log().flatten(1)), 1)


def standardised(features: Tensor) -> Tensor:
    """Every column with mean 0 and variance 1; constant ones zero."""
    centred = features.double() - features.double().mean(0)
    size = centred.square().mean(0).sqrt()
    return torch.where(size > 1e-12 * size.max(), centred / size.clamp_min(1e-300), 0.0)

"""Directions in output space along which a linearised training is followed."""

import torch
from torch import Tensor

from goldstone.auditing.subject import Loss
from goldstone.core.trees import Tree


def loss_covectors(loss: Loss, outputs: Tensor, targets: Tree) -> Tensor:
    """∇ℓ in the outputs, (n, numbers)."""
    with torch.enable_grad():
        leaf = outputs.detach().requires_grad_()
        (found,) = torch.autograd.grad(loss(leaf, targets).sum(), leaf)
    return found.flatten(1)


def output_directions(outputs: Tensor, covectors: Tensor, parts: int) -> Tensor:
    """Up to ``parts`` orthonormal directions for each sample, (n, q, numbers), that span ∇ℓ.

    Outputs of at most ``parts`` numbers have one direction for each number, so that nothing is
    left out. Of longer ones the covector ∇ℓ is cut up and each piece normalised: fields (n,
    channel, X, Y) by channel and by bands of wavenumber, anything else into runs of numbers. A
    piece that is zero gives a direction of zero.
    """
    n, numbers = covectors.shape
    if numbers <= parts:
        return torch.eye(numbers, dtype=covectors.dtype, device=covectors.device).expand(n, -1, -1)
    if outputs.ndim == 4:
        pieces = _bands(covectors.reshape(outputs.shape), parts)
    else:
        runs = torch.arange(numbers, device=covectors.device) * parts // numbers
        pieces = torch.stack([covectors * (runs == k) for k in range(parts)], 1)
    norms = pieces.norm(dim=2, keepdim=True)
    return torch.where(norms > 0, pieces / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0)


def _bands(fields: Tensor, parts: int) -> Tensor:
    """The fields split by channel, if there are few, and by wavenumber: (n, q, numbers)."""
    channels, height, width = fields.shape[1:]
    split = channels <= parts
    count = max(1, parts // channels) if split else parts
    rows = torch.fft.fftfreq(height, 1 / height, device=fields.device).abs()
    columns = torch.fft.fftfreq(width, 1 / width, device=fields.device).abs()
    wavenumber = torch.maximum(rows[:, None], columns)
    highest = max(height, width) / 2
    # From 1 on in equal ratios; bands without a wavenumber vanish.
    band = (wavenumber.clamp_min(1).log() / torch.tensor(highest).log() * count).long()
    band = band.clamp_max(count - 1)
    spectrum = torch.fft.fft2(fields.double())
    pieces = []
    for k in sorted(set(band.flatten().tolist())):
        piece = torch.fft.ifft2(spectrum * (band == k)).real.to(fields.dtype)
        if split:
            mask = torch.eye(channels, dtype=piece.dtype, device=piece.device)[:, :, None, None]
            pieces += [(piece * one).flatten(1) for one in mask]
        else:
            pieces.append(piece.flatten(1))
    return torch.stack(pieces, 1)

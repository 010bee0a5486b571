"""Random output covectors of probe coherence, and how a symmetry moves them."""

import itertools
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, derive_seed, generator, trees
from goldstone.core.trees import Tree

_ROUNDING = 1e4
_COARSE = 0.03
"""In machine epsilons, and at most so much: an action that keeps norms to this is orthogonal."""


def random_outputs(like: Tree, seed: int) -> Tree:
    """Random outputs of unit variance: smooth for grid fields, else white."""
    seeds = itertools.count()

    def random(leaf: Tensor) -> Tensor:
        # Every part of an output has random numbers of its own.
        number = next(seeds)
        return _random(leaf, derive_seed(seed, number) if number else seed)

    return trees.map_leaves(random, like)


def _random(output: Tensor, seed: int) -> Tensor:
    if output.ndim == 4 and min(output.shape[-2:]) > 1 and not output.is_complex():
        return smooth_fields(output.shape, seed).to(output)
    source = generator(seed, "white probes")
    dtype = torch.complex128 if output.is_complex() else torch.float64
    return torch.randn(output.shape, generator=source, dtype=dtype).to(output)


def smooth_fields(shape: torch.Size, seed: int) -> Tensor:
    """Gaussian random fields (n, C, X, Y), mean 0, mean square 1, of low wavenumbers alone.

    The spectrum is exp(−(k/k₀)²) in each direction with k₀ four waves across the domain, isotropic,
    so that the fields of a sample are as likely as their turned versions.
    """
    source = generator(seed, "smooth probes")
    white = torch.randn(shape, generator=source, dtype=torch.float64)
    kx = torch.fft.fftfreq(shape[-2], 1 / shape[-2], dtype=torch.float64)
    ky = torch.fft.rfftfreq(shape[-1], 1 / shape[-1], dtype=torch.float64)
    envelope = torch.exp(-(kx[:, None].square() + ky.square()) / 16)
    # A mean would excite the last layer's bias alone, which then drowns the rest of the kernel.
    envelope[0, 0] = 0.0
    fields = torch.fft.irfft2(torch.fft.rfft2(white) * envelope, s=shape[-2:])
    size = fields.square().mean((-3, -2, -1), keepdim=True).sqrt()
    return torch.div(fields, size)


def moved_covectors(symmetry: Symmetry, element: Any, vectors: Tree, context: Context) -> Tensor:
    """ρ_out(g)⁻ᵀ v for each sample, flat (n, numbers): how derivatives by outputs move.

    If f(gx) = ρ_out(g) f(x) then J_gxᵀ ρ_out(g)⁻ᵀ v = J_xᵀ v. The linear part ρ of the action
    counts; that of a boost is affine. Where ρ is orthogonal ρ⁻ᵀ = ρ. Else it is the adjoint of
    the action of g⁻¹, by automatic differentiation.

    Raises:
        InputError: ρ is not orthogonal, and the action cannot be differentiated.
    """
    zero = trees.map_leaves(torch.zeros_like, vectors)
    action = symmetry.on_output
    still = trees.flat(action.act(element, zero, context))
    moved = trees.flat(action.act(element, vectors, context)) - still
    before, after = (x.double().square().sum(1) for x in (trees.flat(vectors), moved))
    allowed = min(_ROUNDING * torch.finfo(moved.dtype).eps, _COARSE)
    if bool(((after - before).abs() <= allowed * before).all()):
        return moved
    back = symmetry.group.inverse(element)
    with torch.enable_grad():
        points = trees.map_leaves(lambda leaf: leaf.detach().clone().requires_grad_(), zero)
        returned = trees.leaves(action.act(back, points, context))
        if not all(leaf.requires_grad for leaf in returned):
            raise InputError(
                f"probe coherence: {symmetry.name!r} does not keep the norm of outputs, so that "
                "its adjoint is needed, and its action cannot be differentiated; write act with "
                "differentiable operations of torch"
            )
        found = torch.autograd.grad(
            returned, trees.leaves(points), trees.leaves(vectors), materialize_grads=True
        )
    return trees.flat(tuple(found))

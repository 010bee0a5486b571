"""Inner products in the full Gauss–Newton metric, by conjugate gradients."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from goldstone.curvature.output_jvp import output_jvps
from goldstone.curvature.parameters import flatten_into, trainable_parameters
from goldstone.curvature.tree_batches import TreeBatch


@dataclass(frozen=True)
class GaussNewtonSolve:
    """Gᵀ(η + λ)⁻¹G and how well it was solved.

    Attributes:
        gram: (m, m) float64.
        damping: λ, absolute.
        residual: the largest relative residual ‖(η + λ)z − g‖/‖g‖ over the columns.
        iterations: the largest number of iterations of a column.
    """

    gram: Tensor
    damping: float
    residual: float
    iterations: int


def gauss_newton_gram(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    gradients: Tensor,
    damping: float,
    tolerance: float = 1e-3,
    most_iterations: int = 200,
) -> GaussNewtonSolve:
    """G (η + λ1)⁻¹ Gᵀ for gradients in rows, η = JᵀJ/N_out on ``inputs``.

    Conjugate gradients on the operator v ↦ Jᵀ(J v)/N_out + λ v: a JVP and a VJP an iteration.
    Unrestricted, and so independent of which other gradients are included; much dearer than
    :func:`galerkin_gram`.
    """
    parameters = tuple(trainable_parameters(model).values())
    with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        # The plain graph, not functorch's, which refuses functions without its set-up.
        value = model(inputs)
        value = torch.view_as_real(value) if value.is_complex() else value

        def product(v: Tensor) -> Tensor:
            pushed = output_jvps(model, inputs, v[None])[0].reshape(value.shape)
            pulled = torch.autograd.grad(
                value, parameters, pushed, retain_graph=True, materialize_grads=True
            )
            result = torch.empty_like(v)
            flatten_into(pulled, result)
            return torch.add(result / value.numel(), v, alpha=damping)

        solved, residual, iterations = [], 0.0, 0
        for g in gradients:
            z, error, count = _conjugate_gradients(product, g, tolerance, most_iterations)
            solved.append(z)
            residual, iterations = max(residual, error), max(iterations, count)
    gram = gradients.double() @ torch.stack(solved).double().T
    return GaussNewtonSolve((gram + gram.T) / 2, damping, residual, iterations)


def _conjugate_gradients(
    product: Callable[[Tensor], Tensor], g: Tensor, tolerance: float, most_iterations: int
) -> tuple[Tensor, float, int]:
    z, residual = torch.zeros_like(g), g.clone()
    direction = residual.clone()
    energy = residual @ residual
    target = tolerance * float(g.norm())
    count = 0
    while count < most_iterations and float(energy.sqrt()) > target:
        moved = product(direction)
        step = energy / (direction @ moved)
        z += step * direction
        residual -= step * moved
        new = residual @ residual
        direction = residual + (new / energy) * direction
        energy, count = new, count + 1
    scale = float(g.norm()) or 1.0
    return z, float(energy.sqrt()) / scale, count

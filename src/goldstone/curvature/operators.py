"""Curvature as products with vectors: v ↦ ηv and v ↦ Hv, no matrix formed."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from goldstone.core import InputError, trees
from goldstone.curvature.output_jvp import output_jvps
from goldstone.curvature.output_probes import check_probing, real_outputs
from goldstone.curvature.parameters import (
    flatten_into,
    real_dtype,
    split_vector,
    trainable_parameters,
    vector_size,
)
from goldstone.curvature.per_sample import Scalar
from goldstone.curvature.tree_batches import TreeBatch

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class CurvatureOperator:
    """A symmetric matrix of the size of the parameter vector, known by its products.

    Attributes:
        product: v (p,) ↦ (p,).
        size: p.
        dtype, device: of the vectors.
    """

    product: Product
    size: int
    dtype: torch.dtype
    device: torch.device


def gauss_newton_operator(
    model: nn.Module, inputs: Tensor | TreeBatch, batch: int = 1
) -> CurvatureOperator:
    """The operator v ↦ Jᵀ(Jv)/N_out of η = JᵀJ/N_out.

    A forward-mode derivative (double backward where there is none) and a backward pass for every
    ``batch`` samples together, whose activations are held at a time.

    Raises:
        InputError: there is nothing to differentiate, or a BatchNorm is in training mode.
    """
    check_probing(model, inputs, None)
    parameters = trainable_parameters(model)

    def product(v: Tensor) -> Tensor:
        total, part = torch.zeros_like(v), torch.empty_like(v)
        outputs = 0
        with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
            for start in range(0, len(inputs), batch):
                some = inputs[start : start + batch]
                pushed = output_jvps(model, some, v[None])[0][0]
                value = real_outputs(model, some)
                pulled = torch.autograd.grad(
                    value,
                    tuple(parameters.values()),
                    pushed.reshape(value.shape),
                    materialize_grads=True,
                )
                flatten_into(pulled, part)
                total += part
                outputs += value.numel()
        return total / outputs

    return _operator(product, parameters)


def hessian_operator(
    model: nn.Module, scalar: Scalar, inputs: Tensor | TreeBatch, batch: int = 1
) -> CurvatureOperator:
    """The operator v ↦ ∇(∇L · v), L the mean over samples i of ``scalar(model(x_i), i)``.

    Double backward (Pearlmutter 1994) through ``batch`` samples together, whose activations are
    held at a time. A complex parameter counts as its real and imaginary parts.

    Raises:
        InputError: there is nothing to differentiate, or a BatchNorm is in training mode.
    """
    check_probing(model, inputs, None)
    parameters = trainable_parameters(model)
    tensors = tuple(parameters.values())

    def product(v: Tensor) -> Tensor:
        total, part = torch.zeros_like(v), torch.empty_like(v)
        along = tuple(split_vector(v, parameters).values())
        with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
            for start in range(0, len(inputs), batch):
                some = inputs[start : start + batch]
                outputs = model(some)
                value = torch.stack(
                    [
                        scalar(trees.take(outputs, slice(i, i + 1)), start + i)
                        for i in range(len(some))
                    ]
                ).sum()
                if not value.requires_grad:
                    continue
                slopes = torch.autograd.grad(
                    value, tensors, create_graph=True, materialize_grads=True
                )
                # The gradient pairs with v as real vectors do.
                slope = sum(
                    (g.conj() * w).real.sum() if g.is_complex() else (g * w).sum()
                    for g, w in zip(slopes, along, strict=True)
                )
                if isinstance(slope, Tensor) and slope.requires_grad:
                    found = torch.autograd.grad(slope, tensors, materialize_grads=True)
                    flatten_into(found, part)
                    total += part
        return total / len(inputs)

    return _operator(product, parameters)


def dense_operator(matrix: Tensor) -> CurvatureOperator:
    """A matrix that is at hand, (p, p), as an operator.

    Raises:
        InputError: it is not square and symmetric.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"expected a square matrix, got one of shape {tuple(matrix.shape)}")
    if not torch.allclose(matrix, matrix.T, rtol=1e-5, atol=1e-7 * float(matrix.abs().max())):
        raise InputError("expected a symmetric matrix")
    return CurvatureOperator(lambda v: matrix @ v, len(matrix), matrix.dtype, matrix.device)


def _operator(product: Product, parameters: dict[str, Tensor]) -> CurvatureOperator:
    device = next(iter(parameters.values())).device
    return CurvatureOperator(product, vector_size(parameters), real_dtype(parameters), device)

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
Directions = tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class CurvatureOperator:
    """A symmetric matrix A of the size of the parameter vector, known by its products.

    Attributes:
        product: v (p,) ↦ A v (p,).
        size: p.
        dtype, device: of the vectors.
        several: (k, p) ↦ (k, p), if rows that are known together cost less than one by one.
        squares: (k, p) ↦ vᵀA v of the rows, (k,) float64, if that costs less than the products.
    """

    product: Product
    size: int
    dtype: torch.dtype
    device: torch.device
    several: Product | None = None
    squares: Product | None = None

    def products(self, rows: Tensor) -> Tensor:
        """A v for each row v, (k, p)."""
        if self.several is not None:
            return self.several(rows)
        return torch.stack([self.product(row) for row in rows])

    def forms(self, rows: Tensor) -> Tensor:
        """vᵀA v for each row v, (k,) in float64."""
        if self.squares is not None:
            return self.squares(rows)
        return (rows.double() * self.products(rows).double()).sum(1)


def gauss_newton_operator(
    model: nn.Module, inputs: Tensor | TreeBatch, batch: int = 1
) -> CurvatureOperator:
    """The operator v ↦ Jᵀ(Jv)/N_out of η = JᵀJ/N_out.

    A forward-mode derivative (double backward where there is none) and a backward pass for every
    ``batch`` samples together, whose activations are held at a time; vᵀηv = ‖Jv‖²/N_out needs no
    backward pass.

    Raises:
        InputError: there is nothing to differentiate, or a BatchNorm is in training mode.
    """
    check_probing(model, inputs, None)
    parameters = trainable_parameters(model)
    tensors = tuple(parameters.values())

    def products(rows: Tensor) -> Tensor:
        total, part = torch.zeros_like(rows), torch.empty_like(rows[0])
        outputs = 0
        with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
            for start in range(0, len(inputs), batch):
                some = inputs[start : start + batch]
                pushed = output_jvps(model, some, rows)[0]
                value = real_outputs(model, some)
                for k, row in enumerate(pushed):
                    pulled = torch.autograd.grad(
                        value,
                        tensors,
                        row.reshape(value.shape),
                        retain_graph=k + 1 < len(rows),
                        materialize_grads=True,
                    )
                    flatten_into(pulled, part)
                    total[k] += part
                outputs += value.numel()
        return total / outputs

    def squares(rows: Tensor) -> Tensor:
        total, outputs = torch.zeros(len(rows), dtype=torch.float64), 0
        for start in range(0, len(inputs), batch):
            pushed = output_jvps(model, inputs[start : start + batch], rows)[0]
            total += pushed.double().square().sum(1).cpu()
            outputs += pushed.shape[1]
        return total / outputs

    return _operator(products, parameters, squares)


def hessian_operator(
    model: nn.Module,
    scalar: Scalar,
    inputs: Tensor | TreeBatch,
    batch: int = 1,
    *,
    keep: bool = False,
) -> CurvatureOperator:
    """The operator v ↦ ∇(∇L · v), L the mean over samples i of ``scalar(model(x_i), i)``.

    Double backward (Pearlmutter 1994) through ``batch`` samples together, whose activations are
    held at a time. With ``keep`` those of all samples are, from the first product on, for as long
    as the operator lives: the gradients need not be taken again, which saves a third or more of
    every further product. The weights must not change then. A complex parameter counts as its real
    and imaginary parts.

    Raises:
        InputError: there is nothing to differentiate, or a BatchNorm is in training mode.
    """
    check_probing(model, inputs, None)
    parameters = trainable_parameters(model)
    tensors = tuple(parameters.values())
    kept: dict[int, tuple[Tensor | None, ...]] = {}

    def slopes(start: int) -> tuple[Tensor | None, ...]:
        """The gradient in each parameter, with its graph; None where it does not depend on it."""
        some = inputs[start : start + batch]
        outputs = model(some)
        value = torch.stack(
            [scalar(trees.take(outputs, slice(i, i + 1)), start + i) for i in range(len(some))]
        ).sum()
        if not value.requires_grad:
            return (None,) * len(tensors)
        found = torch.autograd.grad(value, tensors, create_graph=True, materialize_grads=True)
        return tuple(g if g.requires_grad else None for g in found)

    def products(rows: Tensor) -> Tensor:
        total, part = torch.zeros_like(rows), torch.empty_like(rows[0])
        along: list[Directions] = [tuple(split_vector(v, parameters).values()) for v in rows]
        with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
            for start in range(0, len(inputs), batch):
                found = kept[start] if start in kept else slopes(start)
                if keep:
                    kept[start] = found
                held = [g for g in found if g is not None]
                for k, direction in enumerate(along if held else ()):
                    # The gradient pairs with v as real vectors do, complex numbers too.
                    curved = torch.autograd.grad(
                        held,
                        tensors,
                        [w for g, w in zip(found, direction, strict=True) if g is not None],
                        retain_graph=keep or k + 1 < len(rows),
                        materialize_grads=True,
                    )
                    flatten_into(curved, part)
                    total[k] += part
        return total / len(inputs)

    return _operator(products, parameters)


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


def _operator(
    several: Product, parameters: dict[str, Tensor], squares: Product | None = None
) -> CurvatureOperator:
    def product(v: Tensor) -> Tensor:
        return several(v[None])[0]

    device = next(iter(parameters.values())).device
    size, dtype = vector_size(parameters), real_dtype(parameters)
    return CurvatureOperator(product, size, dtype, device, several, squares)

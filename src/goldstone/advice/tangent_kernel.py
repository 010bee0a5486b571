"""The orbit Gram of output directions: the empirical neural tangent kernel between poses."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.core.trees import Tree
from goldstone.curvature import TreeBatch, TreeModel, inner_products, trainable_parameters
from goldstone.curvature.parameters import flatten_into, real_dtype, vector_size


@dataclass(frozen=True, eq=False)
class TangentKernel:
    """Θ(ihk, jgl) = ⟨J_ihᵀ b_ihk, J_jgᵀ b_jgl⟩ in χ⁻¹, i, j samples, h, g poses, k, l directions.

    Attributes:
        values: (n, w, n, w) float64, w = poses · directions, the poses slower.
        poses: their number.
    """

    values: Tensor
    poses: int

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.values.shape[0])

    @property
    def own(self) -> Tensor:
        """The blocks of each sample with itself, (n, w, w)."""
        return self.values.diagonal(dim1=0, dim2=2).permute(2, 0, 1)

    def between(self) -> Tensor:
        """What other samples do on average: (Θ without its own blocks)/(n − 1), (n w, n w).

        It is the operator of training on fresh samples, without bias but with negative eigenvalues.
        """
        found = self.values / (self.n - 1)
        for i in range(self.n):
            found[i, :, i] = 0
        width = found.shape[1]
        return found.reshape(self.n * width, self.n * width)

    def of_own(self) -> Tensor:
        """What a sample does to itself, (n w, n w)."""
        found = torch.zeros_like(self.values)
        for i, block in enumerate(self.own):
            found[i, :, i] = block
        width = found.shape[1]
        return found.reshape(self.n * width, self.n * width)


def without_negative(operator: Tensor) -> Tensor:
    """The nearest operator without negative eigenvalues, by which errors would grow for ever."""
    values, vectors = torch.linalg.eigh(operator)
    mended: Tensor = (vectors * values.clamp_min(0)) @ vectors.T
    return mended


def direction_gradients(
    model: nn.Module, inputs: Tree, directions: Tensor, task: Task | None = None
) -> Tensor:
    """J_iᵀ b_ik, (n, q, p): one forward pass a sample, one backward pass a direction.

    Raises:
        InputError: the model has no trainable parameter, or a gradient is not finite.
    """
    parameters = trainable_parameters(model)
    if not parameters:
        raise InputError("the model has no trainable parameter, so nothing can be taught to it")
    batch, flat = TreeBatch(inputs), TreeModel(model, flat=True)
    n, q = directions.shape[:2]
    rows = torch.empty(n, q, vector_size(parameters), dtype=real_dtype(parameters))
    for i in range(n):
        with torch.enable_grad():
            output = flat(batch[i : i + 1])[0]
        for k in range(q):
            found = torch.autograd.grad(
                output,
                tuple(parameters.values()),
                directions[i, k].to(output),
                retain_graph=k + 1 < q,
                materialize_grads=True,
            )
            flatten_into(found, rows[i, k])
        if task is not None:
            task.advance()
    if not bool(torch.isfinite(rows).all()):
        raise InputError("a gradient of the outputs is NaN or infinite; check the model there")
    return rows


def adam_preconditioner(gradients: Tensor, batch: int, epsilon: float) -> Tensor:
    """√E g_B² + ε of a new Adam, from loss gradients (m, p) of single samples.

    g_B is the mean gradient of ``batch`` of them: E g_B² = (E g)² + var g/batch, the first term
    without the bias var g/m.
    """
    mean, variance = gradients.double().mean(0), gradients.double().var(0)
    square = (mean.square() - variance / len(gradients)).clamp_min(0)
    return (square + variance / batch).sqrt() + epsilon


def tangent_kernel(rows: Tensor, preconditioner: Tensor | None = None) -> TangentKernel:
    """The kernel of rows (n, poses, q, p)."""
    n, poses, q, p = rows.shape
    flat = rows.reshape(-1, p)
    if preconditioner is not None:
        flat = flat * preconditioner.rsqrt().to(flat.dtype)
    return TangentKernel(inner_products(flat).cpu().reshape(n, poses * q, n, poses * q), poses)

"""Directional derivatives of a model's outputs in its parameters."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from goldstone.core import Task
from goldstone.curvature.parameters import split_vector, trainable_parameters
from goldstone.curvature.tree_batches import TreeBatch

Path = Literal["forward mode", "double backward"]


def output_jvps(
    model: nn.Module, inputs: Tensor | TreeBatch, directions: Tensor, task: Task | None = None
) -> tuple[Tensor, Path]:
    """J v for each row v of ``directions``, J = d(outputs on ``inputs``)/dθ.

    Forward mode; where an operation has no forward derivative, double backward
    (J v = d/du [uᵀJ] v, exact too, about twice the cost). Attention uses the math kernel, since
    the fused ones have neither.

    Returns:
        (k, number of output values), and the path taken.
    """
    parameters = {name: p.detach() for name, p in trainable_parameters(model).items()}

    def outputs(values: dict[str, Tensor]) -> Tensor:
        result = functional_call(model, values, (inputs,))
        return torch.view_as_real(result) if result.is_complex() else result

    def forward_mode(v: Tensor) -> Tensor:
        with torch.no_grad():
            tangents = split_vector(v, parameters)
            derivative: Tensor = jvp(outputs, (parameters,), (tangents,))[1]
        return derivative

    path: Path = "forward mode"
    apply: Callable[[Tensor], Tensor] = forward_mode
    rows = []
    with sdpa_kernel(SDPBackend.MATH):
        for v in directions:
            try:
                row = apply(v)
            except (NotImplementedError, RuntimeError):
                if path == "double backward":
                    raise
                path, apply = "double backward", _double_backward(outputs, parameters)
                row = apply(v)
            rows.append(row.detach().reshape(-1))
            if task is not None:
                task.advance()
    return torch.stack(rows), path


def _double_backward(
    outputs: Callable[[dict[str, Tensor]], Tensor], parameters: dict[str, Tensor]
) -> Callable[[Tensor], Tensor]:
    """J v as the derivative in u of ⟨uᵀJ, v⟩, which is linear in u."""
    with torch.enable_grad():
        leaves = {name: p.clone().requires_grad_() for name, p in parameters.items()}
        value = outputs(leaves)
        u = torch.zeros_like(value, requires_grad=True)
        pulled = torch.autograd.grad(
            value, list(leaves.values()), u, create_graph=True, materialize_grads=True
        )

    def apply(v: Tensor) -> Tensor:
        tangents = list(split_vector(v, parameters).values())
        (result,) = torch.autograd.grad(
            pulled, u, tangents, retain_graph=True, materialize_grads=True
        )
        return result

    return apply

"""Per-sample gradients as the rows of a matrix."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.curvature.parameters import (
    flatten_into,
    parameter_slices,
    real_dtype,
    trainable_parameters,
    vector_size,
)
from goldstone.curvature.tree_batches import TreeBatch, TreeModel

Scalar = Callable[[Tensor, int], Tensor]
"""From the model's output on sample i (a batch of one) and i to a scalar."""


def per_sample_gradients(
    model: nn.Module,
    scalar: Scalar,
    inputs: Tensor | TreeBatch,
    task: Task | None = None,
    first: int = 0,
) -> Tensor:
    """Gradients of ``scalar(model(inputs[i:i+1]), first + i)`` in the trainable parameters.

    A loop of ``autograd.grad``: it works for every model. On large fields no batched form is more
    than a few per cent faster; on small ones see :func:`batched_gradients`. Parameters the scalar
    does not depend on get zeros. ``first`` is the number of the first sample, where the inputs are
    part of a set.

    Returns:
        (n, p) in the parameters' real dtype.

    Raises:
        InputError: the model has no trainable parameter, or a gradient is not finite.
    """
    parameters = trainable_parameters(model)
    if not parameters:
        raise InputError("the model has no trainable parameter, so it has no gradients")
    device = next(iter(parameters.values())).device
    dtype = real_dtype(parameters)
    rows = torch.empty(len(inputs), vector_size(parameters), dtype=dtype, device=device)
    sums = torch.empty(len(inputs), dtype=dtype, device=device)
    tensors = tuple(parameters.values())
    with torch.enable_grad():
        for i in range(len(inputs)):
            value = scalar(model(inputs[i : i + 1]), first + i)
            if value.requires_grad:
                found = torch.autograd.grad(value, tensors, materialize_grads=True)
                flatten_into(found, rows[i])
            else:
                rows[i] = 0
            # While the row is in the cache: a second look at all rows costs up to a third more.
            torch.sum(rows[i], 0, out=sums[i])
            if task is not None:
                task.advance()
    if not bool(torch.isfinite(sums).all()) and not bool(torch.isfinite(rows).all()):
        bad = int((~torch.isfinite(rows)).any(1).nonzero()[0])
        # By the names of the caller's own model.
        own = model.model if isinstance(model, TreeModel) else model
        where = [
            repr(name)
            for name, part in parameter_slices(trainable_parameters(own)).items()
            if not bool(torch.isfinite(rows[bad, part]).all())
        ]
        more = f" and {len(where) - 3} more" if len(where) > 3 else ""
        raise InputError(
            f"the loss gradient of sample {first + bad} is NaN or infinite, in "
            f"{', '.join(where[:3])}{more}; check the model's output there, and operations whose "
            "derivative is infinite at zero, as a square root's is"
        )
    return rows

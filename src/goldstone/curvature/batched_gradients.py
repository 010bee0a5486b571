"""Per-sample gradients in batches where the model allows it, one by one where it does not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from goldstone.core import InputError, Task, trees
from goldstone.core.trees import Tree
from goldstone.curvature.parameters import flatten_into, trainable_parameters
from goldstone.curvature.per_sample import per_sample_gradients
from goldstone.curvature.tree_batches import TreeBatch

SampleLoss = Callable[[Tree, Tree], Tensor]
"""From the output on a batch of one and its target, also a batch of one, to the loss."""

Batch = Tensor | TreeBatch
"""Samples, the first axis counting them; those of a tree go to a TreeModel."""

_REFUSALS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
"""Models refuse vmap in many ways; what is wrong with the model itself fails in the loop too."""

GradientPath = Literal["vmap", "loop"]


@dataclass(frozen=True, eq=False)
class BatchedGradients:
    """Per-sample gradients and how they were taken.

    Attributes:
        rows: (n, p) in the parameters' real dtype.
        path: ``"vmap"`` or ``"loop"``.
        reason: why not vmap; empty if it was.
    """

    rows: Tensor
    path: GradientPath
    reason: str = ""


def batched_gradients(
    model: nn.Module,
    loss: SampleLoss,
    inputs: Batch,
    targets: Batch,
    chunk: int = 16,
    task: Task | None = None,
) -> BatchedGradients:
    """Gradients of ``loss(model(x_i), y_i)`` in the trainable parameters.

    ``vmap`` of ``grad`` over ``chunk`` samples at a time, with the first sample taken by
    :func:`per_sample_gradients` too: where vmap refuses the model (operations in place, BatchNorm
    in training mode, random layers) or disagrees with the loop by more than rounding, all go
    through the loop. Small networks gain most; ``chunk`` multiplies the memory of activations.
    Inputs that are a :class:`TreeBatch` go to a :class:`TreeModel`.

    Raises:
        InputError: inputs and targets differ in number, ``chunk`` is below 1, or as
            :func:`per_sample_gradients`.
    """
    if len(inputs) != len(targets) or not len(inputs) or chunk < 1:
        raise InputError(
            f"expected as many inputs as targets, at least one, and a chunk of at least 1, got "
            f"{len(inputs)}, {len(targets)} and {chunk}"
        )

    def one_by_one(start: int, stop: int) -> Tensor:
        return per_sample_gradients(
            model,
            lambda output, i: loss(output, _tree(targets[i : i + 1])).sum(),
            inputs[start:stop],
            task,
            first=start,
        )

    n = len(inputs)
    first = one_by_one(0, 1)
    if n == 1:
        return BatchedGradients(first, "loop", "a single sample")
    rows = torch.empty(n, first.shape[1], dtype=first.dtype, device=first.device)
    rows[0] = first[0]
    reason = ""
    state = {name: b.detach().clone() for name, b in model.named_buffers()}
    try:
        _by_vmap(model, loss, inputs, targets, chunk, rows)
    except _REFUSALS as error:
        reason = f"vmap refused: {(str(error).splitlines() or [repr(error)])[0][:200]}"
    else:
        scale = float(first[0].norm())
        apart = float((rows[0] - first[0]).norm())
        if not apart <= 1e3 * torch.finfo(rows.dtype).eps * scale:
            reason = f"vmap disagreed with the loop by {apart:.2e} of {scale:.2e}"
        elif not bool(torch.isfinite(rows).all()):
            reason = "vmap gave NaN or infinite gradients"
    if any(not torch.equal(b, state[name]) for name, b in model.named_buffers()):
        with torch.no_grad():
            for name, b in model.named_buffers():
                b.copy_(state[name])
        reason = reason or "vmap changed the model's buffers"
    if reason:
        return BatchedGradients(torch.cat([first, one_by_one(1, n)]), "loop", reason)
    if task is not None:
        task.advance(n - 1)
    return BatchedGradients(rows, "vmap")


def _by_vmap(
    model: nn.Module,
    loss: SampleLoss,
    inputs: Batch,
    targets: Batch,
    chunk: int,
    rows: Tensor,
) -> None:
    parameters = {name: p.detach() for name, p in trainable_parameters(model).items()}

    def single(x: Tree) -> Tree:
        return trees.map_leaves(lambda leaf: leaf[None], x)

    def value(values: dict[str, Tensor], x: Tree, y: Tree) -> Tensor:
        sample = TreeBatch(single(x)) if isinstance(inputs, TreeBatch) else single(x)
        return loss(functional_call(model, values, (sample,)), single(y)).sum()

    of_chunk = vmap(grad(value), in_dims=(None, 0, 0))
    for start in range(0, len(inputs), chunk):
        part = slice(start, start + chunk)
        found = of_chunk(parameters, _tree(inputs[part]), _tree(targets[part]))
        for k, row in enumerate(rows[part]):
            flatten_into([found[name][k] for name in parameters], row)


def _tree(batch: Batch) -> Tree:
    return batch.tree if isinstance(batch, TreeBatch) else batch

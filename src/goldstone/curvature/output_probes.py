"""Rows Jᵀu for random or exhaustive directions u in the space of outputs: η = E[SᵀS]."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task, generator
from goldstone.curvature.parameters import (
    flatten_into,
    real_dtype,
    trainable_parameters,
    vector_size,
)
from goldstone.curvature.tree_batches import TreeBatch


def output_probes(outputs: int, count: int | None, seed: int, sample: int) -> Tensor:
    """Probes u_k, (count, ``outputs``) in float64, with E Σ_k u_k u_kᵀ = 1/``outputs``.

    Independent random signs over √(outputs · count): every matrix estimated from them is unbiased,
    with less variance than from Gaussian probes. ``count`` None: all unit vectors over √outputs,
    for which it is exact.

    They depend on the seed and on the sample's and the probe's number alone.
    """
    if count is None:
        return torch.eye(outputs, dtype=torch.float64).div(outputs**0.5)
    signs = torch.stack(
        [
            torch.randint(
                0, 2, (outputs,), generator=generator(seed, "output probe", sample, k)
            ).double()
            for k in range(count)
        ]
    )
    return torch.div(2 * signs - 1, (outputs * count) ** 0.5)


def real_outputs(model: nn.Module, sample: Tensor | TreeBatch) -> Tensor:
    """The model's output on a batch of one, complex ones as (re, im).

    Raises:
        InputError: the output is no tensor, or depends on no parameter.
    """
    value = model(sample)
    if not isinstance(value, Tensor):
        raise InputError(
            f"curvature: expected the model to return a tensor, got {type(value).__name__}; wrap "
            "it in a TreeModel(model, flat=True), or return the output to be compared"
        )
    if not value.requires_grad:
        raise InputError("curvature: the model's output depends on no trainable parameter")
    return torch.view_as_real(value) if value.is_complex() else value


def check_probing(model: nn.Module, inputs: Tensor | TreeBatch, probes: int | None) -> None:
    """Raise unless there is something to probe, in a mode that makes samples independent."""
    if not len(inputs):
        raise InputError("curvature: expected at least one reference sample, got none")
    if probes is not None and probes < 1:
        raise InputError(f"curvature: expected at least one output probe, got {probes}")
    if not trainable_parameters(model):
        raise InputError("the model has no trainable parameter, so it has no curvature")
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training:
            raise InputError(
                f"curvature: {name or 'the model'} is a BatchNorm in training mode, which ties "
                "samples to one another and changes as it is used; call model.eval() first"
            )


def probe_rows(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    probes: int | None = 1,
    seed: int = 0,
    task: Task | None = None,
) -> Iterator[Tensor]:
    """For each sample the rows Jᵀu/√N, (probes, p): stacked to S, E[SᵀS] = η = JᵀJ/N_out.

    N_out counts the outputs of all N ``inputs``. One forward pass a sample and one backward pass a
    row; samples one at a time, so that nothing ties them to one another.

    Args:
        model: in the mode it is to be probed in.
        inputs: the reference samples that define η.
        probes: random directions a sample; None for every output of every sample: exact, and only
            for tiny outputs.
        seed: of the directions.
        task: advanced by one a sample.
    """
    check_probing(model, inputs, probes)
    parameters = trainable_parameters(model)
    size, dtype = vector_size(parameters), real_dtype(parameters)
    for i in range(len(inputs)):
        with torch.enable_grad():
            value = real_outputs(model, inputs[i : i + 1])
        directions = output_probes(value.numel(), probes, seed, i) / len(inputs) ** 0.5
        rows = torch.empty(len(directions), size, dtype=dtype, device=value.device)
        for k, direction in enumerate(directions):
            found = torch.autograd.grad(
                value,
                tuple(parameters.values()),
                direction.to(value).reshape(value.shape),
                retain_graph=k + 1 < len(directions),
                materialize_grads=True,
            )
            flatten_into(found, rows[k])
        if task is not None:
            task.advance()
        yield rows

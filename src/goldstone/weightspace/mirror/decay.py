"""Weight decay of the factors of constrained weights, and what it amounts to."""

from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace.mirror.constraints import redundant_parametrisations


def redundancy_penalty(model: nn.Module) -> Tensor:
    """½Σ‖factor‖² over all constrained weights, differentiable: add λ times it to the loss.

    At its least for given weights it is :func:`induced_penalty`: λ is the strength of the lasso.

    Raises:
        InputError: no weight of the model is constrained.
    """
    squares = [
        0.5 * factor.square().sum()
        for _, _, factors, _ in _constrained(model)
        for factor in factors
    ]
    return torch.stack(squares).sum()


def induced_penalty(model: nn.Module) -> Tensor:
    """The penalty of the weights that weight decay of balanced factors amounts to, at strength 1.

    Σ of |θᵢ| for ``Sparsity()``, of norms of slices for ``Sparsity(axes)``, of ‖Oᵀθ‖ for tied units
    and ``Vanishing``, of singular values for ``LowRank``. :func:`redundancy_penalty` is never
    smaller, and equal once training has balanced the factors.

    Raises:
        InputError: no weight of the model is constrained.
    """
    return torch.stack([p.induced_norm(weight) for _, p, _, weight in _constrained(model)]).sum()


def decay_groups(model: nn.Module, strength: float, others: float = 0.0) -> list[dict[str, Any]]:
    """Parameter groups for an optimiser: decay of the factors, and of everything else.

    For optimisers that add the decay to the gradient, as ``torch.optim.SGD`` does, strength λ is
    λ·:func:`induced_penalty` added to the loss. Adam divides the sum by its own scale, AdamW decays
    apart from the loss: both still reach the constrained set, at another strength.

    Args:
        model: with constrained weights.
        strength: λ.
        others: the weight decay of all other parameters.

    Raises:
        InputError: no weight of the model is constrained, or a strength is negative.
    """
    if strength < 0 or others < 0:
        raise InputError(f"expected weight decays ≥ 0, got {strength} and {others}")
    factors = [factor for _, _, found, _ in _constrained(model) for factor in found]
    known = {id(factor) for factor in factors}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    groups: list[dict[str, Any]] = [{"params": factors, "weight_decay": strength}]
    return [*groups, {"params": rest, "weight_decay": others}] if rest else groups


def _constrained(model: nn.Module) -> list[Any]:
    found = list(redundant_parametrisations(model))
    if not found:
        raise InputError(
            f"no weight of this {type(model).__name__} is constrained; call "
            "constrain_by_symmetry first"
        )
    return found

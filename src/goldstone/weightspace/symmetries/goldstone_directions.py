"""Flat directions of the loss along the orbits of parameter symmetries."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from goldstone.core import InputError, trees
from goldstone.weightspace.symmetries.parameter_symmetries import ParameterSymmetries
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry, StateDict
from goldstone.weightspace.symmetries.symmetry_check import check_finite_weights

MOST_PARAMETERS = 3_000
MOST_ENTRIES = 200_000_000
RANK_TOLERANCE = 1e-9
Symmetries = ParameterSymmetries | Sequence[ParameterSymmetry]


@dataclass(frozen=True, eq=False)
class GoldstoneDirections:
    """The tangents of the orbit through a point, beside the Hessian of the loss there.

    Attributes:
        dimension: of the orbit, the rank of the tangents.
        directions: an orthonormal basis of the tangents, (dimension, parameters).
        gradient_norm: ‖∇L‖; near 0 at a critical point.
        relation: max over tangents ξ of ‖Hξ + (∂ξ)ᵀ∇L‖ / (‖H‖‖ξ‖). It is 0 at every point, since
            ξ·∇L = 0 is.
        null: max over unit tangents of ‖Hξ‖/‖H‖: 0 at critical points.
        nullity: number of the Hessian's eigenvalues within ``tolerance`` of 0, relative to the
            largest. At least the dimension at a critical point; equal where the minimum is
            nondegenerate but for its symmetries.
        eigenvalues: of the Hessian, ascending.
    """

    dimension: int
    directions: Tensor
    gradient_norm: float
    relation: float
    null: float
    nullity: int
    eigenvalues: Tensor


def orbit_tangents(
    symmetries: Symmetries, state_dict: StateDict, names: Sequence[str] | None = None
) -> Tensor:
    """The tangent vectors of all Lie symmetries as rows, (rows, entries), float64.

    Args:
        symmetries: whose; discrete ones add no rows.
        state_dict: the point.
        names: the tensors of which a row is made, in order; by default those that move.

    Raises:
        InputError: more than 2·10⁸ entries would be needed.
    """
    chosen = _chosen(symmetries)
    if names is None:
        names = tuple(dict.fromkeys(name for one in chosen for name in one.parameters))
    count = sum(state_dict[name].numel() for name in names)
    rows = sum(one.lie_dimension for one in chosen)
    if rows * count > MOST_ENTRIES:
        raise InputError(
            f"the {rows} tangents of {count} parameters have more than {MOST_ENTRIES:,} entries; "
            "choose fewer symmetries, or a smaller network of the same kind"
        )
    parts = [torch.zeros(0, count, dtype=torch.float64)]
    for one in chosen:
        if not one.lie_dimension:
            continue
        tangents = one.tangents(state_dict)
        parts.append(
            torch.cat(
                [
                    tangents[name].flatten(1)
                    if name in tangents
                    else torch.zeros(
                        one.lie_dimension, state_dict[name].numel(), dtype=torch.float64
                    )
                    for name in names
                ],
                dim=1,
            )
        )
    return torch.cat(parts)


def orbit_dimension(symmetries: Symmetries, state_dict: StateDict) -> int:
    """The dimension of the orbit through a point: the rank of its tangents in float64.

    Smaller than the sum of the groups' dimensions where groups overlap or the point has a
    stabiliser (a dead unit is moved by no rescaling).

    Raises:
        InputError: as :func:`orbit_tangents`.
    """
    return _rank(orbit_tangents(symmetries, state_dict))


def goldstone_directions(
    model: nn.Module,
    inputs: Sequence[Any],
    loss: Callable[[Any], Tensor],
    symmetries: Symmetries,
    *,
    tolerance: float = 1e-7,
) -> GoldstoneDirections:
    """Compare the orbit's tangents with the Hessian of the loss, in float64.

    Symmetries that hold only up to an ε are left out, and so are buffers.

    Args:
        model: of at most 3,000 parameters; not changed.
        inputs: the positional arguments of its forward.
        loss: of the model's output, a scalar.
        symmetries: found for this model in this mode.
        tolerance: eigenvalues below this times the largest count as zero.

    Raises:
        InputError: there are more parameters, or a weight is not finite.
    """
    model = copy.deepcopy(model).double()
    point = {name: x.detach() for name, x in model.named_parameters()}
    buffers = {name: x.detach() for name, x in model.named_buffers()}
    check_finite_weights({**point, **buffers})
    names, sizes = tuple(point), [x.numel() for x in point.values()]
    if sum(sizes) > MOST_PARAMETERS:
        raise InputError(
            f"the whole Hessian is computed: expected at most {MOST_PARAMETERS:,} parameters, got "
            f"{sum(sizes):,}; orbit_dimension works for larger networks"
        )
    arguments = tuple(trees.map_leaves(_doubled, one) for one in inputs)
    chosen = [one for one in _chosen(symmetries) if one.exact and one.lie_dimension]

    def unpacked(flat: Tensor) -> dict[str, Tensor]:
        parts = torch.split(flat, sizes)
        return {
            name: part.reshape(point[name].shape) for name, part in zip(names, parts, strict=True)
        }

    def value(flat: Tensor) -> Tensor:
        state = {**unpacked(flat), **{name: x.clone() for name, x in buffers.items()}}
        return loss(torch.func.functional_call(model, state, arguments))

    def tangents(flat: Tensor) -> Tensor:
        return orbit_tangents(chosen, {**buffers, **unpacked(flat)}, names)

    flat = torch.cat([x.reshape(-1) for x in point.values()])
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no second derivatives
        gradient, hessian = _derivatives(value, flat)
    eigenvalues = torch.linalg.eigvalsh(hessian)
    size = eigenvalues.abs().max()
    rows = tangents(flat)
    # (∂ξ)ᵀ∇L: the generators are constant matrices but for the frames of norms.
    turned = torch.func.jacrev(lambda x: tangents(x) @ gradient)(flat)
    lengths = rows.norm(dim=1).clamp_min(torch.finfo(torch.float64).tiny)
    relation = ((rows @ hessian + turned).norm(dim=1) / lengths / size).amax() if len(rows) else 0.0
    basis = _orthonormal(rows)
    null = ((basis @ hessian).norm(dim=1) / size).amax() if len(basis) else 0.0
    return GoldstoneDirections(
        dimension=len(basis),
        directions=basis,
        gradient_norm=float(gradient.norm()),
        relation=float(relation),
        null=float(null),
        nullity=int((eigenvalues.abs() <= tolerance * size).sum()),
        eigenvalues=eigenvalues,
    )


def _derivatives(value: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient and Hessian, row by row: under vmap that of layer_norm is wrong (PyTorch 2.13)."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(value(x), x, create_graph=True)
    rows = [torch.autograd.grad(part, x, retain_graph=True)[0] for part in gradient]
    return gradient.detach(), torch.stack(rows)


def _chosen(symmetries: Symmetries) -> tuple[ParameterSymmetry, ...]:
    if isinstance(symmetries, ParameterSymmetries):
        return symmetries.symmetries
    return tuple(symmetries)


def _doubled(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x


def _unit_rows(rows: Tensor) -> Tensor:
    """Rows of length one; what does not move is left out."""
    lengths = rows.norm(dim=1)
    kept = lengths > np.finfo(np.float64).tiny
    unit: Tensor = rows[kept] / lengths[kept, None]
    return unit


def _rank(rows: Tensor) -> int:
    return len(_orthonormal(rows))


def _orthonormal(rows: Tensor) -> Tensor:
    unit = _unit_rows(rows)
    if not len(unit):
        return unit
    _, values, basis = torch.linalg.svd(unit, full_matrices=False)
    kept: Tensor = basis[values > RANK_TOLERANCE * values[0]]
    return kept

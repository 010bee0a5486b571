"""Which points see each other: lists of neighbours, in periodic boxes too."""

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.core import InputError

Array = NDArray[Any]


class PointEdges(NamedTuple):
    """Pairs of points that see each other, in both directions.

    Attributes:
        receiver: (edge), int64, the point i that a message goes to.
        sender: (edge), int64, the point j that it comes from.
        between: (edge, 3), r_j − r_i, for the image of j that is meant.
    """

    receiver: Tensor
    sender: Tensor
    between: Tensor


def point_edges(
    positions: Tensor,
    cutoff: float,
    *,
    sample: Tensor | None = None,
    cell: Tensor | None = None,
    periodic: Sequence[bool] = (True, True, True),
) -> PointEdges:
    """All pairs of points, or of a point and an image, that are nearer than the cutoff.

    The pairs are found on the CPU by a tree, in time n log n; ``between`` is differentiable in the
    positions, for forces, and in the cell, for stress.

    Args:
        positions: (point, 3), the points of all samples one after the other.
        cutoff: in the units of the positions.
        sample: (point), int64, the number of each point's sample, from 0; points of different
            samples do not see each other. One sample by default.
        cell: edges of a periodic box as rows, (3, 3), or a box for each sample, (sample, 3, 3), of
            any shape; points may lie outside. None for free space.
        periodic: along which edges the box repeats; the other rows do not matter.

    Raises:
        InputError: other shapes, positions that are not finite, a cutoff that is not positive, or a
            box without volume.
    """
    _check(positions, cutoff, sample, cell, periodic)
    axes = [k for k in range(3) if cell is not None and periodic[k]]
    number = torch.zeros(len(positions), dtype=torch.int64) if sample is None else sample.cpu()
    points = positions.detach().to("cpu", torch.float64).numpy()
    tables = [np.zeros((0, 2 + len(axes)), dtype=np.int64)]
    for k in sorted(set(number.tolist())):
        place = (number == k).nonzero()[:, 0].numpy()
        box = np.zeros((0, 3))
        if cell is not None:
            own = cell if cell.ndim == 2 else cell[k]
            box = own.detach().to("cpu", torch.float64).numpy()[axes]
        pairs, images = _pairs(points[place], cutoff, box)
        tables.append(np.concatenate([place[pairs], images], 1))
    table = torch.from_numpy(np.concatenate(tables)).to(positions.device)
    receiver, sender, images_ = table[:, 0], table[:, 1], table[:, 2:]
    between = positions[sender] - positions[receiver]
    if cell is not None:
        rows = cell.to(positions).reshape(-1, 3, 3)[:, axes]
        at = number.to(positions.device)[receiver] if cell.ndim == 3 else torch.zeros_like(receiver)
        between = between + torch.einsum("ek,ekx->ex", images_.to(rows.dtype), rows[at])
    return PointEdges(receiver, sender, between)


def _pairs(points: Array, cutoff: float, box: Array) -> tuple[Array, Array]:
    """Pairs (edge, 2) of receivers and senders, and the senders' images (edge, rows of the box)."""
    from scipy.spatial import cKDTree  # Here: it takes longer to import than all of goldstone.

    to_fraction = np.linalg.pinv(box)  # (3, rows); r = fraction · box along the rows
    turns = np.floor(points @ to_fraction)
    inside = points - turns @ box
    # An image nearer than the cutoff has fractional coordinates that are at most this much less
    # than 0 or more than 1.
    margin = cutoff * np.linalg.norm(to_fraction, axis=0)
    reach = [range(-int(np.ceil(m)), int(np.ceil(m)) + 1) for m in margin]
    shifts = np.array(list(product(*reach)), dtype=np.int64)
    shifts = shifts.reshape(prod(map(len, reach)), len(box))  # One empty shift in free space.
    fractions = inside @ to_fraction + shifts[:, None]  # (shift, point, rows)
    shift, point = np.nonzero(((fractions >= -margin) & (fractions <= 1 + margin)).all(-1))
    images = inside[point] + shifts[shift] @ box
    found = cKDTree(inside).sparse_distance_matrix(cKDTree(images), cutoff, output_type="ndarray")
    receiver, sender = found["i"], point[found["j"]]
    own = shifts[shift[found["j"]]]
    kept = (found["v"] < cutoff) & ((receiver != sender) | (own != 0).any(-1))
    pairs = np.stack([receiver, sender], 1)[kept]
    moved = own[kept] + (turns[pairs[:, 0]] - turns[pairs[:, 1]]).astype(np.int64)
    order = np.lexsort((*moved.T[::-1], pairs[:, 1], pairs[:, 0]))
    return pairs[order], moved[order]


def _check(
    positions: Tensor,
    cutoff: float,
    sample: Tensor | None,
    cell: Tensor | None,
    periodic: Sequence[bool],
) -> None:
    if positions.ndim != 2 or positions.shape[1] != 3 or not positions.is_floating_point():
        raise InputError(
            f"expected positions (point, 3), got {positions.dtype} of shape "
            f"{tuple(positions.shape)}; put the points of all samples one after the other and say "
            "in sample= whose they are"
        )
    if not 0 < cutoff < float("inf"):
        raise InputError(f"expected a positive cutoff, got {cutoff}")
    if not bool(positions.isfinite().all()):
        raise InputError("expected finite positions; leave padding out of the list of points")
    count = 1
    if sample is not None:
        if sample.shape != positions.shape[:1] or sample.dtype != torch.int64:
            raise InputError(
                f"expected the sample of each of {len(positions)} points, int64, got "
                f"{sample.dtype} of shape {tuple(sample.shape)}"
            )
        count = 1 + int(sample.max()) if len(sample) else 0
    if cell is None:
        if not all(periodic):
            raise InputError("say in cell= what box repeats along the periodic axes")
        return
    if cell.shape != (3, 3) and (cell.shape[1:] != (3, 3) or len(cell) < count):
        raise InputError(
            f"expected a cell (3, 3), or one for each of {count} samples, got {tuple(cell.shape)}"
        )
    rows = cell.detach().reshape(-1, 3, 3)[:, [k for k in range(3) if periodic[k]]].double()
    volumes = torch.linalg.det(rows @ rows.mT).clamp_min(0).sqrt()
    lengths = torch.linalg.vector_norm(rows, dim=-1).prod(-1)
    if not bool((volumes > 1e-6 * lengths).all()):
        raise InputError("expected boxes with a volume, got one that has no volume")

"""Samples brought into one pose, where the data show them in all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.data_features import default_features
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.auditing.samples import Samples
from goldstone.core import trees

OWN_POSE = 0.9
"""Novelty above which the data have a pose of their own, as far as that element goes."""
_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Posed:
    """Samples in one pose.

    Attributes:
        samples: (h x, h y), h chosen for each.
        moved: share of them that was not left as given.
        novelty: by element, see :func:`novelty`.
    """

    samples: Samples
    moved: float
    novelty: dict[str, float]


def in_one_pose(
    samples: Samples, symmetry: Symmetry, elements: Sequence[Any], *, move: bool = True
) -> Posed:
    """Fold the poses that the data show already: each sample in that one which suits the others.

    These are the elements whose :func:`novelty` is below 0.9, with the identity. With standardised
    features φ (:func:`goldstone.auditing.data_features.default_features`) and a template w,
    h(x) = argmax_h ⟨w, φ(hx)⟩ and w = mean_x [φ(h(x) x) − mean_h φ(hx)] in turn, from h = e on
    (congealing, Learned-Miller 2006, on features). Data that have a pose of their own, such as
    upright images, stay as given.

    Args:
        samples: to pose.
        symmetry: of the elements.
        elements: without the identity.
        move: False to leave all as given, and only look how new the other poses are.
    """
    found = novelty(samples, symmetry, elements)
    shown = [g for g, new in zip(elements, found.values(), strict=True) if new < OWN_POSE]
    if not shown or not move:
        return Posed(samples, 0.0, found)
    poses = (symmetry.group.identity, *shown)
    features = torch.stack([_features(samples, symmetry, h) for h in poses])
    # Only what a pose changes is of interest.
    varying = _unit(features - features.mean(0))
    rows = torch.arange(varying.shape[1])
    chosen = torch.zeros(len(rows), dtype=torch.long)
    for _ in range(_ROUNDS):
        better = (varying @ varying[chosen, rows].mean(0)).argmax(0)
        if torch.equal(better, chosen):
            break
        chosen = better
    posed = _moved_each(samples, symmetry, poses, chosen)
    moved = float((chosen != 0).double().mean())
    return Posed(posed, moved, novelty(posed, symmetry, elements))


def novelty(samples: Samples, symmetry: Symmetry, elements: Sequence[Any]) -> dict[str, float]:
    """How well x is told from gx, by element: 1 where gx is a pose of its own, ½ where it is not.

    The share of samples with ⟨w, φ(x) − φ(gx)⟩ > 0, w the mean of the standardised differences over
    the other trajectories; ties count half.
    """
    plain = _features(samples, symmetry, symmetry.group.identity)
    trajectory = samples.trajectory.cpu()
    found = {}
    for g in elements:
        gap = _unit(plain - _features(samples, symmetry, g))
        sums = torch.zeros(samples.trajectories, gap.shape[1], dtype=gap.dtype)
        sums.index_add_(0, trajectory, gap)
        others = sums.sum(0) - sums[trajectory]
        agrees = (gap * others).sum(1).sign()
        found[symmetry.group.element_name(g)] = float((agrees + 1).mean() / 2)
    return found


def _features(samples: Samples, symmetry: Symmetry, element: Any) -> Tensor:
    moved = symmetry.on_input.act(element, samples.inputs, samples.context)
    return default_features(moved).cpu()


def _unit(differences: Tensor) -> Tensor:
    """Each feature over its root mean square; those that do not change at all are zero."""
    scale = differences.square().flatten(0, -2).mean(0).sqrt()
    inverse = torch.where(scale > 1e-9 * scale.max(), 1 / scale.clamp_min(1e-300), 0.0)
    return differences * inverse


def _moved_each(
    samples: Samples, symmetry: Symmetry, poses: Sequence[Any], chosen: Tensor
) -> Samples:
    """Sample i moved by ``poses[chosen[i]]``, in the order given."""
    order = chosen.argsort(stable=True)
    parts = []
    for k in sorted(set(chosen.tolist())):
        index = torch.nonzero(chosen == k)[:, 0]
        some = replace(
            samples,
            inputs=trees.take(samples.inputs, index),
            targets=trees.take(samples.targets, index),
        )
        parts.append(moved_samples(some, symmetry, poses[k]) if k else some)
    back = order.argsort()
    return replace(
        samples,
        inputs=trees.take(trees.concatenate([part.inputs for part in parts]), back),
        targets=trees.take(trees.concatenate([part.targets for part in parts]), back),
    )

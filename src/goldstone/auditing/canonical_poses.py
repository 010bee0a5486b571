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

_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Posed:
    """Samples in one pose.

    Attributes:
        samples: (h x, h y), h chosen for each.
        moved: share of them that was not left as given.
        novelty: by element, the share of samples whose pose is told from that moved by it:
            ⟨w, φ(x)⟩ > ⟨w, φ(gx)⟩. Near 1 where gx is a pose of its own, ½ where the data show it
            already.
    """

    samples: Samples
    moved: float
    novelty: dict[str, float]


def in_one_pose(
    samples: Samples, symmetry: Symmetry, elements: Sequence[Any], *, move: bool = True
) -> Posed:
    """Each sample in that of the poses {e, elements} which looks most like the others' do.

    With standardised features φ (:func:`goldstone.auditing.data_features.default_features`) and a
    template w, h(x) = argmax_h ⟨w, φ(hx)⟩ and w = mean_x [φ(h(x) x) − mean_h φ(hx)] in turn. It
    begins with h = e: data that have a pose of their own, such as upright images, keep it. (The
    alternation is that of congealing, Learned-Miller 2006, on features.)

    Args:
        samples: to pose.
        symmetry: of the elements.
        elements: without the identity.
        move: False to leave all as given, and only look how new the other poses are.
    """
    poses = (symmetry.group.identity, *elements)
    features = torch.stack(
        [
            default_features(symmetry.on_input.act(h, samples.inputs, samples.context)).cpu()
            for h in poses
        ]
    )
    # Only what a pose changes is of interest.
    varying = features - features.mean(0)
    scale = varying.square().mean((0, 1)).sqrt()
    inverse = torch.where(scale > 1e-9 * scale.max(), 1 / scale.clamp_min(1e-300), 0.0)
    varying = varying * inverse
    rows = torch.arange(varying.shape[1])
    chosen = torch.zeros(len(rows), dtype=torch.long)
    template = varying[0].mean(0)
    for _ in range(_ROUNDS if move else 0):
        better = (varying @ template).argmax(0)
        if torch.equal(better, chosen):
            break
        chosen = better
        template = varying[chosen, rows].mean(0)
    posed = _moved_each(samples, symmetry, poses, chosen)
    return Posed(
        posed,
        float((chosen != 0).double().mean()),
        _novelty(posed, symmetry, elements, inverse * template),
    )


def _novelty(
    samples: Samples, symmetry: Symmetry, elements: Sequence[Any], weights: Tensor
) -> dict[str, float]:
    """How often ⟨w, φ(x)⟩ > ⟨w, φ(gx)⟩, by element; ties count half."""
    plain = default_features(samples.inputs).cpu() @ weights
    found = {}
    for g in elements:
        moved = symmetry.on_input.act(g, samples.inputs, samples.context)
        gap = plain - default_features(moved).cpu() @ weights
        found[symmetry.group.element_name(g)] = float((gap.sign() + 1).mean() / 2)
    return found


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

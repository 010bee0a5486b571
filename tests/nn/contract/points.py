"""Layers of points in space and of samples of Lie groups."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.actions import (
    AxisPermutation,
    Context,
    PointCloudAction,
    PointFeature,
    Symmetry,
    TreeAction,
    TrivialAction,
    point_cloud_symmetry,
    set_symmetry,
)
from goldstone.groups import Group, OrthogonalGroup, SpecialEuclideanGroup
from goldstone.nn import (
    LieConv,
    LiePool,
    PointConv,
    PointVectors,
    RadialBasis,
    relative_logarithms,
)
from goldstone.representations import DirectSum, O3Irrep
from tests.nn.contract.entry import Case, Entry, Inputs, batches, normal, one_more, unbatched

POINTS = 5
TENSORS = DirectSum(OrthogonalGroup(3), [O3Irrep(1, -1), O3Irrep(0, 1), O3Irrep(0, 1)])
SE2, SE3 = SpecialEuclideanGroup(2), SpecialEuclideanGroup(3)
FEATURES = PointFeature("features", TENSORS)
PLACES = PointFeature("place", "position")
RIGID = point_cloud_symmetry("se3", POINTS)


def apart(x: Tensor) -> Tensor:
    """Distances of all pairs of points."""
    return (x[:, :, None] - x[:, None]).square().sum(-1).sqrt()


@dataclass(frozen=True)
class LeftMultiplication:
    """u·(f, h) = (f, u h): the function moves with its samples."""

    group: Group[Any]

    def act(self, u: Any, x: Inputs, context: Context) -> Inputs:
        features, elements = x
        return features, self.group.compose(self.group.tensor((u,))[0].to(elements.dtype), elements)


def near(batch: int, count: int, seed: int) -> Tensor:
    """Elements near the identity, so that any two have a relative logarithm."""
    return SE2.exp(0.4 * normal(batch, count, SE2.dimension, seed=seed))


def weighted(batch: int) -> Inputs:
    return normal(batch, POINTS, 3), normal(batch, POINTS, seed=1).abs()


def pool(reduction: Any, inputs: Any, wrong: Any) -> Case:
    symmetry = set_symmetry(POINTS)
    moves: Any = AxisPermutation((1,))
    both = TreeAction([moves] * 2) if len(inputs(1)) == 2 else moves
    return Case(
        lambda **_: LiePool(reduction),
        inputs,
        Symmetry("samples", symmetry.group, both, TrivialAction(), elements=symmetry.elements),
        wrong=(*wrong, unbatched),
        power=None,
    )


ENTRIES = (
    Entry(
        PointConv,
        "S_n × E(3), or SE(3): any representation of O(3) or SO(3)",
        "(batch, point, source), positions (batch, point, 3) → (batch, point, target)",
        {
            "O(3)": Case(
                lambda **given: PointConv(TENSORS, TENSORS, 1, cutoff=3.0, neighbours=4, **given),
                batches((POINTS, TENSORS.dimension + 3)),
                point_cloud_symmetry(
                    "permutations-e3", POINTS, (FEATURES, PLACES), output=(FEATURES,)
                ),
                before=lambda cloud: (cloud[..., :-3], cloud[..., -3:]),
                wrong=(one_more(-1), one_more(-1, 1), one_more(1), unbatched),
                power=(0.4, 1.6),
            )
        },
    ),
    Entry(
        PointVectors,
        "S_n × E(n), SE(n), O(n) or SO(n), n points of a cloud",
        "cloud (batch, point, channel) → vectors (batch, k, n), and the centre (batch, n)",
        {
            "SE(3)": Case(
                lambda **given: PointVectors(RIGID, **given),
                batches((POINTS, 3)),
                Symmetry(
                    RIGID.name,
                    RIGID.group,
                    RIGID.on_input,
                    TreeAction(
                        [
                            PointCloudAction(SE3, (PointFeature("vectors", "vector"),)),
                            PointCloudAction(SE3, (PLACES,)),
                        ]
                    ),
                    elements=RIGID.elements,
                ),
                after=lambda found: (found[0], found[1][:, None]),
                wrong=(one_more(-1), unbatched),
                power=None,
            )
        },
    ),
    Entry(
        RadialBasis,
        "functions of distances: E(n) and permutations",
        "distances (*any) → (*any, function)",
        {
            "E(3)": Case(
                lambda **given: RadialBasis(4, 5.0, **given),
                batches((POINTS, 3)),
                point_cloud_symmetry("se3", POINTS),
                before=lambda x: (apart(x),),
                power=None,
            )
        },
    ),
    Entry(
        LieConv,
        "any Lie group, from the left, on samples of it",
        "(batch, n, in), logarithms (batch, m, n, ·) → (batch, m, out)",
        {
            "SE(2)": Case(
                lambda **given: LieConv(SE2, 3, 4, cutoff=2.5, hidden=8, functions=4, **given),
                lambda batch: (normal(batch, POINTS, 3), near(batch, POINTS, 1)),
                Symmetry(
                    "left",
                    SE2,
                    LeftMultiplication(SE2),
                    TrivialAction(),
                    elements=SE2.values(near(1, 4, 2)[0]),
                ),
                before=lambda features, h: (features, relative_logarithms(SE2, h)),
                wrong=(one_more(-1), one_more(-1, 1), one_more(1), unbatched),
                power=None,
                control=None,
            )
        },
        "exact when the samples move; of functions sampled anew in the mean",
    ),
    Entry(
        LiePool,
        "any Lie group, from the left, on samples of it; their order",
        "(batch, n, channel), weights (batch, n) → (batch, channel)",
        {
            "mean": pool("mean", weighted, [one_more(1, 1)]),
            "max": pool("max", batches((POINTS, 3)), []),
        },
        "exact when the samples move; of functions sampled anew in the mean",
    ),
)

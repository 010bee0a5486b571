"""Layers of fields on grids, in the plane and in space."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.actions import Context, GridShift, Pivot, Symmetry
from goldstone.actions.elements import element_as_tensor
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
)
from goldstone.nn import (
    BlurPool2d,
    BlurPool3d,
    FieldDropout,
    FourierActivation,
    GroupConv2d,
    GroupConv3d,
    GroupPool,
    LiftingConv2d,
    LiftingConv3d,
    NormPool,
    OrbitBatchNorm2d,
    OrbitBatchNorm3d,
    OrbitGroupNorm2d,
    OrbitGroupNorm3d,
    ProjectingConv2d,
    ProjectingConv3d,
    Restricted,
    SteerableConv2d,
    SteerableConv3d,
)
from goldstone.nn.turning_error import grid_elements, turned
from goldstone.representations import (
    DirectSum,
    Pullback,
    RegularRepresentation,
    Representation,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)
from tests.nn.contract.entry import Case, Entry, batches, one_more, unbatched

C4, C8, D4 = CyclicGroup(4), CyclicGroup(8), DihedralGroup(4)
T, O = PolyhedralGroup("T"), PolyhedralGroup("O")  # noqa: E741
SO2, SO3 = SpecialOrthogonalGroup(2), SpecialOrthogonalGroup(3)

WAVES = DirectSum(SO2, (SO2Irrep(1), SO2Irrep(0), SO2Irrep(2)))
SPHERICAL = DirectSum(SO3, (SO3Irrep(1), SO3Irrep(0), SO3Irrep(0)))
WRONG = (one_more(1), unbatched)


@dataclass(frozen=True)
class Turn:
    """(g·f)(p) = ρ(g) f(R⁻¹p) for the elements that map the grid onto itself."""

    fibre: Representation
    pivot: Pivot = "cell"

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        return turned(
            self.fibre, element_as_tensor(self.fibre.group, element, x.device), x, self.pivot
        )


def turns(source: Representation, target: Representation, axes: int, pivot: Pivot) -> Symmetry:
    group = source.group
    elements = group.values(grid_elements(group, (8,) * axes))
    moves = (Turn(source, pivot), Turn(target, pivot))
    # Of the rotations of space a few, which generate all.
    return Symmetry(
        f"turns of {group.name}", group, *moves, elements=elements[: 8 if axes == 2 else 5]
    )


def fields(group: Any, count: int) -> Representation:
    return multiple(RegularRepresentation(group), count)


def images(group: Any, count: int) -> Representation:
    return multiple(TrivialRepresentation(group), count)


def mixed(group: Any) -> Representation:
    """Parts in an order that grouping must undo."""
    vector = StandardRepresentation(group)
    return DirectSum(
        group, (vector, TrivialRepresentation(group), vector, RegularRepresentation(group))
    )


def grid(make: Any, source: Any, target: Any, size: int, axes: int = 2, **options: Any) -> Case:
    pivot = options.pop("pivot", "cell")
    inputs = batches((source.dimension, *(size,) * axes))
    return Case(make, inputs, turns(source, target, axes, pivot), **({"wrong": WRONG} | options))


def shifts(make: Any, channels: int, size: int) -> Case:
    """Whole shifts of a periodic field."""
    group = GridTranslations((size, size))
    moves = GridShift(group)
    elements = ((1, 0), (0, 1), (3, 2))
    return Case(
        make,
        batches((channels, size, size)),
        Symmetry("shifts", group, moves, moves, elements=elements),
        wrong=WRONG,
    )


def steerable(source: Any, target: Any, *sizes: int, **fixed: Any) -> Any:
    return lambda **options: SteerableConv2d(source, target, *sizes, **fixed, **options)


def steerable_3d(source: Any, target: Any, *sizes: int, **fixed: Any) -> Any:
    return lambda **options: SteerableConv3d(source, target, *sizes, **fixed, **options)


D4_MIXED = mixed(D4)
O_VECTORS = DirectSum(O, (StandardRepresentation(O), TrivialRepresentation(O)))
PLANE = "C_n, D_n: p4, p4m and any order; with the shifts of the grid"
SPACE = "the rotations of the cube, and with reflections; with the shifts of the grid"
BY_ANGLE = "quarter turns and reflections; other angles to the sampling of kernels"

CONVOLUTIONS = (
    Entry(
        SteerableConv2d,
        "C_n, D_n, SO(2), O(2): any real orthogonal representation; shifts",
        "(batch, source, X, Y) → (batch, target, X′, Y′)",
        {
            "pixels of D4": grid(steerable(D4_MIXED, D4_MIXED, 3), D4_MIXED, D4_MIXED, 6),
            "harmonics of SO(2)": grid(steerable(WAVES, WAVES, 5), WAVES, WAVES, 7),
            "C8, stride 2": grid(
                steerable(fields(C8, 1), fields(C8, 2), 3, 2, padding=1, padding_mode="zeros"),
                fields(C8, 1),
                fields(C8, 2),
                9,
                power=None,
            ),
            "even kernel about a node": grid(
                steerable(D4_MIXED, D4_MIXED, 3, pivot="node"), D4_MIXED, D4_MIXED, 6, pivot="node"
            ),
            "groups, dilation": grid(
                steerable(fields(C4, 2), fields(C4, 2), 3, groups=2, dilation=2),
                fields(C4, 2),
                fields(C4, 2),
                8,
            ),
            "shifts": shifts(steerable(WAVES, WAVES, 3), 5, 6),
        },
        BY_ANGLE,
    ),
    Entry(
        LiftingConv2d,
        PLANE,
        "(batch, in, X, Y) → (batch, out·\\|G\\|, X′, Y′)",
        {
            name: grid(
                lambda group=group, **options: LiftingConv2d(group, 2, 3, 3, **options),
                images(group, 2),
                fields(group, 3),
                6,
            )
            for name, group in (("D4", D4), ("C8", C8))
        },
        BY_ANGLE,
    ),
    Entry(
        GroupConv2d,
        PLANE,
        "(batch, in·\\|G\\|, X, Y) → (batch, out·\\|G\\|, X′, Y′)",
        {
            name: grid(
                lambda group=group, **options: GroupConv2d(group, 2, 2, 3, **options),
                fields(group, 2),
                fields(group, 2),
                6,
            )
            for name, group in (("D4", D4), ("C8", C8))
        },
        BY_ANGLE,
    ),
    Entry(
        ProjectingConv2d,
        PLANE,
        "(batch, in·\\|G\\|, X, Y) → (batch, out, X′, Y′)",
        {
            name: grid(
                lambda group=group, **options: ProjectingConv2d(group, 2, 3, 3, **options),
                fields(group, 2),
                images(group, 3),
                6,
            )
            for name, group in (("D4", D4), ("C8", C8))
        },
        BY_ANGLE,
    ),
    Entry(
        SteerableConv3d,
        "finite groups of space, SO(3), O(3): any real orthogonal representation; shifts",
        "(batch, source, X, Y, Z) → (batch, target, X′, Y′, Z′)",
        {
            "voxels of O": grid(steerable_3d(O_VECTORS, O_VECTORS, 3), O_VECTORS, O_VECTORS, 4, 3),
            "harmonics of SO(3)": grid(
                steerable_3d(SPHERICAL, SPHERICAL, 3), SPHERICAL, SPHERICAL, 4, 3
            ),
        },
        BY_ANGLE,
    ),
    Entry(
        LiftingConv3d,
        SPACE,
        "(batch, in, X, Y, Z) → (batch, out·\\|G\\|, X′, Y′, Z′)",
        {
            "T": grid(
                lambda **options: LiftingConv3d(T, 2, 1, 3, **options),
                images(T, 2),
                fields(T, 1),
                4,
                3,
            )
        },
        BY_ANGLE,
    ),
    Entry(
        GroupConv3d,
        SPACE,
        "(batch, in·\\|G\\|, X, Y, Z) → (batch, out·\\|G\\|, X′, Y′, Z′)",
        {
            "T": grid(
                lambda **options: GroupConv3d(T, 1, 1, 3, **options),
                fields(T, 1),
                fields(T, 1),
                4,
                3,
            )
        },
        BY_ANGLE,
    ),
    Entry(
        ProjectingConv3d,
        SPACE,
        "(batch, in·\\|G\\|, X, Y, Z) → (batch, out, X′, Y′, Z′)",
        {
            "T": grid(
                lambda **options: ProjectingConv3d(T, 1, 2, 3, **options),
                fields(T, 1),
                images(T, 2),
                4,
                3,
            )
        },
        BY_ANGLE,
    ),
)


def norm(layer: Any, representation: Representation, axes: int = 2, **fixed: Any) -> Case:
    return grid(
        lambda **options: layer(representation, **fixed, **options),
        representation,
        representation,
        5 if axes == 2 else 4,
        axes,
    )


def pool(reduction: Any) -> Case:
    source = fields(D4, 2)
    return grid(
        lambda **options: GroupPool(source, reduction, **options),
        source,
        images(D4, 2),
        5,
        power=None,
    )


def blur(layer: Any, axes: int, points: int, group: Any, **fixed: Any) -> Case:
    source = DirectSum(group, (StandardRepresentation(group), TrivialRepresentation(group)))
    pivot = fixed.get("pivot", "cell")
    return grid(
        lambda **options: layer(**fixed, **options),
        source,
        source,
        points,
        axes,
        pivot=pivot,
        power=None,
        wrong=(unbatched,),
    )


def restricted(source: Representation) -> Case:
    """Features of D4 as those of C4, under the turns that are in both."""
    target = Restricted(source, C4).target
    inclusion = Restricted(source, C4).inclusion
    return grid(
        lambda **options: Restricted(source, C4, **options),
        Pullback(inclusion, source),
        target,
        5,
        wrong=(one_more(1),),
    )


OTHERS = (
    Entry(
        OrbitBatchNorm2d,
        "any real orthogonal representation on a grid; in training too",
        "(batch, source, X, Y) → the same",
        {
            "fields": norm(OrbitBatchNorm2d, fields(D4, 2)),
            "mixed": norm(OrbitBatchNorm2d, D4_MIXED),
        },
    ),
    Entry(
        OrbitBatchNorm3d,
        "any real orthogonal representation on a grid; in training too",
        "(batch, source, X, Y, Z) → the same",
        {"mixed": norm(OrbitBatchNorm3d, O_VECTORS, 3)},
    ),
    Entry(
        OrbitGroupNorm2d,
        "any real orthogonal representation on a grid",
        "(batch, source, X, Y) → the same",
        {
            "fields": norm(OrbitGroupNorm2d, fields(D4, 2)),
            "mixed, in two runs": norm(OrbitGroupNorm2d, D4_MIXED, groups=2),
        },
    ),
    Entry(
        OrbitGroupNorm3d,
        "any real orthogonal representation on a grid",
        "(batch, source, X, Y, Z) → the same",
        {"mixed": norm(OrbitGroupNorm3d, O_VECTORS, 3)},
    ),
    Entry(
        Restricted,
        "any group, to a subgroup of it",
        "(batch, channel, …) → the same",
        {"D4 to C4": restricted(D4_MIXED)},
    ),
    Entry(
        FourierActivation,
        "compact groups: real fields of irreps",
        "(batch, fields·components, *grid) → the same, or along another axis",
        {
            "SO(2)": grid(
                lambda **options: FourierActivation(WAVES, 2, CyclicGroup(12), **options),
                multiple(WAVES, 2),
                multiple(WAVES, 2),
                4,
                wrong=(one_more(1),),
            )
        },
        "the samples' turns; others to the layer's sampling_error",
    ),
    Entry(
        FieldDropout,
        "any group, any representation; in training too",
        "(batch, components, *grid) → the same",
        {
            # Chance aside, so that two calls agree.
            "D4": grid(
                lambda device=None, **_: FieldDropout(D4_MIXED, 0.0, device=device),
                D4_MIXED,
                D4_MIXED,
                4,
                wrong=(one_more(1),),
            )
        },
        "exact for every draw",
    ),
    Entry(
        NormPool,
        "any group, unitary representations",
        "(batch, components, *grid) → (batch, parts, *grid)",
        {
            "D4": grid(
                lambda **options: NormPool(D4_MIXED, **options),
                D4_MIXED,
                images(D4, 4),
                4,
                wrong=(one_more(1),),
            )
        },
    ),
    Entry(
        GroupPool,
        "finite groups: fields that they permute",
        "(batch, fields·components, *grid) → (batch, fields, *grid)",
        {"attention": pool("attention"), "max": pool("max"), "mean": pool("mean")},
    ),
    Entry(
        BlurPool2d,
        "quarter turns and reflections, any representation; shifts by the stride",
        "(batch, channel, X, Y) → (batch, channel, X/stride, Y/stride)",
        {
            "cell": blur(BlurPool2d, 2, 8, D4),
            "node": blur(BlurPool2d, 2, 8, D4, pivot="node"),
            "odd": blur(BlurPool2d, 2, 9, D4, size=3, padding_mode="reflect"),
        },
    ),
    Entry(
        BlurPool3d,
        "turns and reflections of the cube, any representation; shifts by the stride",
        "(batch, channel, X, Y, Z) → (batch, channel, X/stride, Y/stride, Z/stride)",
        {"cell": blur(BlurPool3d, 3, 4, O)},
    ),
)

ENTRIES = CONVOLUTIONS + OTHERS

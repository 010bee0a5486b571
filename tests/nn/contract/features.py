"""Layers of features in any representation of any group, along the last axis."""

from typing import Any

import torch
from torch.nn import functional

from goldstone.actions import LinearAction, Symmetry, TreeAction, linear_symmetry
from goldstone.groups import DihedralGroup, LorentzGroup, OrthogonalGroup, SpecialUnitaryGroup
from goldstone.nn import (
    EquivariantBilinear,
    EquivariantLinear,
    EquivariantMLP,
    GatedActivation,
    InvariantNorm,
    NormActivation,
    PointwiseActivation,
    TensorProductActivation,
)
from goldstone.representations import (
    DirectSum,
    O3Irrep,
    RegularRepresentation,
    Representation,
    StandardRepresentation,
    SU2Irrep,
    TrivialRepresentation,
    multiple,
)
from tests.nn.contract.entry import Case, Entry, batches, one_more

D4, SU2, LORENTZ = DihedralGroup(4), SpecialUnitaryGroup(2), LorentzGroup(3)
TENSORS = DirectSum(
    OrthogonalGroup(3), [O3Irrep(1, -1), O3Irrep(0, 1), O3Irrep(1, -1), O3Irrep(2, 1)]
)
FIELDS = multiple(RegularRepresentation(D4), 2)
SPINS = DirectSum(SU2, [SU2Irrep(1), SU2Irrep(0), SU2Irrep(1), SU2Irrep(2)])
EVENTS = DirectSum(
    LORENTZ, [StandardRepresentation(LORENTZ)] * 2 + [TrivialRepresentation(LORENTZ)]
)


def numbers(*representations: Representation) -> Any:
    is_complex = any(each.dtype.is_complex for each in representations)
    dtype = torch.complex128 if is_complex else torch.float64
    return batches(*((each.dimension,) for each in representations), dtype=dtype)


def feature(make: Any, source: Representation, target: Representation, **options: Any) -> Case:
    symmetry = linear_symmetry(source, target)
    return Case(make, numbers(source), symmetry, **({"wrong": (one_more(-1),)} | options))


def linear(source: Representation, target: Representation, **options: Any) -> Case:
    return feature(
        lambda **given: EquivariantLinear(source, target, **given), source, target, **options
    )


def bilinear(left: Representation, right: Representation, target: Representation) -> Case:
    elements = linear_symmetry(left, left).elements
    moves = TreeAction((LinearAction(left), LinearAction(right)))
    symmetry = Symmetry(left.group.name, left.group, moves, LinearAction(target), elements=elements)
    return Case(
        lambda **options: EquivariantBilinear(left, right, target, **options),
        numbers(left, right),
        symmetry,
        wrong=(one_more(-1), one_more(-1, 1)),
    )


def mlp(source: Representation, hidden: Any, target: Representation) -> Case:
    return feature(
        lambda **options: EquivariantMLP(source, hidden, target, 1, **options),
        source,
        target,
        power=(0.4, 1.6),
    )


def gated(target: Representation) -> Case:
    def make(**options: Any) -> GatedActivation:
        return GatedActivation(target, **options)

    return feature(make, make().source, target)


ENTRIES = (
    Entry(
        EquivariantLinear,
        "any group, any representation",
        "(*batch, source) → (*batch, target)",
        {
            "O(3)": linear(TENSORS, TENSORS),
            "regular of D4": linear(FIELDS, FIELDS),
            "SU(2)": linear(SPINS, SPINS),
            # Boosts are not unitary: they grow the vectors and with these the error.
            "Lorentz": linear(EVENTS, EVENTS, tolerance=(1e-4, 1e-11)),
        },
    ),
    Entry(
        EquivariantBilinear,
        "any group, any representation",
        "(*batch, left), (*batch, right) → (*batch, target)",
        {
            "O(3)": bilinear(TENSORS, DirectSum(TENSORS.group, [O3Irrep(1, -1)]), TENSORS),
            "SU(2)": bilinear(SPINS, SU2Irrep(1), SPINS),
        },
    ),
    Entry(
        EquivariantMLP,
        "any group, any representation",
        "(*batch, source) → (*batch, target)",
        {
            "O(3)": mlp(TENSORS, DirectSum(TENSORS.group, [TENSORS] * 2), TENSORS),
            "D4": mlp(FIELDS, FIELDS, FIELDS),
        },
    ),
    Entry(
        GatedActivation,
        "any group, any representation",
        "(*batch, target + gates) → (*batch, target), or along another axis",
        {"O(3)": gated(TENSORS), "SU(2)": gated(SPINS)},
    ),
    Entry(
        NormActivation,
        "any group, unitary representations",
        "(*batch, components) → the same, or along another axis",
        {
            "O(3)": feature(lambda **given: NormActivation(TENSORS, **given), TENSORS, TENSORS),
            "SU(2)": feature(lambda **given: NormActivation(SPINS, **given), SPINS, SPINS),
        },
    ),
    Entry(
        PointwiseActivation,
        "finite groups: components that they permute",
        "any → the same",
        {
            "D4": feature(
                lambda **_: PointwiseActivation(FIELDS, functional.gelu), FIELDS, FIELDS, wrong=()
            )
        },
    ),
    Entry(
        TensorProductActivation,
        "any group, any representation",
        "(*batch, components) → the same",
        {
            "O(3)": feature(
                lambda **given: TensorProductActivation(TENSORS, **given),
                TENSORS,
                TENSORS,
                power=(0.6, 1.6),
            ),
            "O(3), bounded": feature(
                lambda **given: TensorProductActivation(TENSORS, bounded=True, **given),
                TENSORS,
                TENSORS,
                power=(0.6, 1.6),
            ),
            "SU(2)": feature(
                lambda **given: TensorProductActivation(SPINS, **given),
                SPINS,
                SPINS,
                power=(0.6, 1.6),
            ),
        },
    ),
    Entry(
        InvariantNorm,
        "any group, unitary representations; in training too",
        "(*batch, components) → the same",
        {
            name: feature(
                lambda source=source, name=name, **given: InvariantNorm(
                    source, "layer" if name == "SU(2)" else name, **given
                ),
                source,
                source,
            )
            for name, source in (("layer", TENSORS), ("batch", TENSORS), ("SU(2)", SPINS))
        },
    ),
)

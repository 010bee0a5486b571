"""Dimensions of equivariant maps against numbers that an independent library computed."""

import json
from pathlib import Path

import pytest
import torch

from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    LorentzGroup,
    OrthogonalGroup,
    SpecialLinearGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    SymplecticGroup,
    quaternion_group,
)
from goldstone.representations import (
    DualRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TensorProduct,
    TrivialRepresentation,
    intertwiner_basis,
    orthonormal_echelon,
)
from goldstone.representations.intertwiners import (
    IntertwinerConstraints,
    direct_null_space,
    isotypic_splitting,
    krylov_null_space,
)

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "intertwiners.json").read_text(encoding="utf-8")
)
PAIRS = ("V->V", "VV->V", "V->VV", "VV->VV", "V*->V", "R->VVV")


def powers(entry):
    """The generators' matrices in R, V, V*, V⊗V and V⊗V⊗V, from the golden ones in V."""
    n = entry["dimension"]
    one = torch.eye(n, dtype=torch.float64)
    algebra = torch.tensor(entry["lie_algebra"], dtype=torch.float64).reshape(-1, n, n)
    discrete = torch.tensor(entry["discrete_generators"], dtype=torch.float64).reshape(-1, n, n)

    def joined(on_algebra, on_discrete):
        return torch.stack([on_algebra(x) for x in algebra] + [on_discrete(g) for g in discrete])

    def leibniz(x):
        return torch.kron(x, one) + torch.kron(one, x)

    return {
        "R": joined(lambda x: x[:1, :1] * 0, lambda g: torch.ones(1, 1, dtype=torch.float64)),
        "V": joined(lambda x: x, lambda g: g),
        "V*": joined(lambda x: -x.mT, lambda g: torch.linalg.inv(g).mT),
        "VV": joined(leibniz, lambda g: torch.kron(g, g)),
        "VVV": joined(
            lambda x: torch.kron(leibniz(x), one) + torch.kron(torch.kron(one, one), x),
            lambda g: torch.kron(torch.kron(g, g), g),
        ),
    }


@pytest.mark.parametrize("name", GOLDEN["maps"])
def test_every_method_on_the_golden_generators(name):
    entry = GOLDEN["maps"][name]
    matrices = powers(entry)
    for pair in PAIRS:
        source, target = pair.split("->")
        constraints = IntertwinerConstraints(matrices[source], matrices[target])
        direct = orthonormal_echelon(direct_null_space(constraints).rows)
        krylov = orthonormal_echelon(krylov_null_space(constraints).rows)
        assert len(direct) == entry[pair], pair
        torch.testing.assert_close(krylov, direct)
        # All of these groups come with generators that are closed under adjoints.
        split = isotypic_splitting(constraints)
        assert sum(p.dimension for p in split.pairs) == entry[pair], pair
        if split.pairs:
            rows = torch.cat([p.rows() for p in split.pairs])
            torch.testing.assert_close(orthonormal_echelon(rows, real=True), direct)
        maps = direct.reshape(-1, *constraints.shape)
        assert constraints.residual(maps) < 1e-12
        assert split.residual < 1e-11


GROUPS = {
    "D4": DihedralGroup(4),
    "S4": SymmetricGroup(4),
    "SO(3)": SpecialOrthogonalGroup(3),
    "O(3)": OrthogonalGroup(3),
    "SO+(1,3)": LorentzGroup(),
    "Sp(2,R)": SymplecticGroup(1),
    "Sp(4,R)": SymplecticGroup(2),
    "SL(3,R)": SpecialLinearGroup(3),
}


@pytest.mark.parametrize("method", ["auto", "direct", "isotypic", "krylov"])
@pytest.mark.parametrize("name", GROUPS)
def test_groups_against_the_golden_dimensions(name, method):
    group, entry = GROUPS[name], GOLDEN["maps"][name]
    v = StandardRepresentation(group)
    spaces = {
        "R": TrivialRepresentation(group),
        "V": v,
        "V*": DualRepresentation(v),
        "VV": TensorProduct(group, (v, v)),
        "VVV": TensorProduct(group, (v, v, v)),
    }
    for pair in PAIRS:
        source, target = (spaces[letter] for letter in pair.split("->"))
        basis = intertwiner_basis(source, target, method)
        assert len(basis) == len(basis.dense()) == entry[pair], pair
        assert basis.residual < 1e-11


def test_the_regular_representation_of_four_turns():
    v = RegularRepresentation(CyclicGroup(4))
    vv = TensorProduct(v.group, (v, v))
    entry = GOLDEN["maps"]["Z4"]
    for pair, (source, target) in {"V->V": (v, v), "VV->V": (vv, v), "VV->VV": (vv, vv)}.items():
        basis = intertwiner_basis(source, target)
        assert basis.method == "orbits"
        assert len(basis) == basis.character_dimension == entry[pair]


def test_maps_between_regular_representations():
    groups = {
        "C4": CyclicGroup(4),
        "C8": CyclicGroup(8),
        "D4": DihedralGroup(4),
        "Q8": quaternion_group(),
        "A4": AlternatingGroup(4),
        "S4": SymmetricGroup(4),
        "icosahedral": AlternatingGroup(5),
    }
    for name, group in groups.items():
        regular = RegularRepresentation(group)
        basis = intertwiner_basis(regular, regular)
        assert len(basis) == GOLDEN["regular"][name]["hom"] == group.order

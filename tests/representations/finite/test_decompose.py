"""Decompositions into irreps: block-diagonal in the irreps' own matrices."""

import json
from pathlib import Path

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    direct_product,
    p4m,
    quaternion_group,
)
from goldstone.representations import (
    ChangeOfBasis,
    ExteriorPower,
    PermutationRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    SymmetricPower,
    TensorProduct,
    decompose,
    decompose_with,
    intertwiner_basis,
    irreps,
    isotypic_projector,
)
from goldstone.representations.finite.multiplicities import multiplicities

GOLDEN = Path(__file__).parents[2] / "golden"
D4, Q8, S4 = DihedralGroup(4), quaternion_group(), SymmetricGroup(4)


def skewed(representation, *, is_complex=False):
    n = representation.dimension
    source = torch.Generator().manual_seed(n)
    dtype = torch.complex128 if is_complex else torch.float64
    return ChangeOfBasis(representation, torch.randn(n, n, generator=source, dtype=dtype))


UNITARY = [
    *(
        RegularRepresentation(group)
        for group in (D4, Q8, CyclicGroup(7), AlternatingGroup(5), PolyhedralGroup("Th"), p4m(2))
    ),
    RegularRepresentation(direct_product(Q8, CyclicGroup(3))),
    TensorProduct(S4, (StandardRepresentation(S4),) * 3),
    SymmetricPower(StandardRepresentation(PolyhedralGroup("I")), 4),
    ExteriorPower(RegularRepresentation(D4), 2),
    TensorProduct(Q8, (irreps(Q8)[-1],) * 2),
]
SKEWED = [
    skewed(UNITARY[0]),
    skewed(UNITARY[1]),
    skewed(UNITARY[2], is_complex=True),
    skewed(StandardRepresentation(S4)),
]


@pytest.mark.parametrize("field", ["real", "complex"])
@pytest.mark.parametrize("representation", UNITARY + SKEWED)
def test_block_diagonal_in_the_irreps_own_matrices(representation, field):
    if field == "real" and representation.dtype.is_complex:
        pytest.skip("complex")
    found = decompose(representation, field)
    g = representation.group.element_tensor()[:40]
    n = representation.dimension
    turned = found.inverse_basis @ representation(g).to(found.basis.dtype) @ found.basis
    tight = 1e-12 if representation in UNITARY else 1e-9
    assert (turned - found.direct_sum(g)).abs().max() < tight
    assert (found.inverse_basis @ found.basis - torch.eye(n)).abs().max() < tight
    if representation in UNITARY:
        assert (found.inverse_basis - found.basis.mH).abs().max() < 1e-12
    assert sum(irrep.dimension * count for irrep, count in found.components) == n
    everything = irreps(representation.group, field)
    assert [found.multiplicity(i) for i in everything] == list(
        multiplicities(representation, everything)
    )


@pytest.mark.parametrize("representation", UNITARY[:3] + SKEWED[:2])
def test_isotypic_projectors(representation):
    found = decompose(representation)
    total = torch.zeros_like(found.basis)
    for irrep, count in found.components:
        projector = isotypic_projector(representation, irrep)
        torch.testing.assert_close(projector @ projector, projector)
        torch.testing.assert_close(found.isotypic_projector(irrep), projector)
        assert round(float(projector.trace())) == count * irrep.dimension
        copies = found.columns(irrep)
        assert len(copies) == count
        for g in representation.group.tensor(representation.group.generators()):
            torch.testing.assert_close(representation(g) @ copies, copies @ irrep(g))
        total = total + projector
    torch.testing.assert_close(total, torch.eye(len(total), dtype=torch.float64))


def test_the_regular_representation_contains_each_irrep_by_its_dimension():
    for group in (D4, Q8, AlternatingGroup(5)):
        for field in ("real", "complex"):
            for irrep, count in decompose(RegularRepresentation(group), field).components:
                assert count == irrep.dimension // irrep.endomorphism_dimension


def test_permutations_of_a_solid():
    golden = json.loads((GOLDEN / "polyhedral.json").read_text())["groups"]["icosahedral"]
    group = PolyhedralGroup("I")
    vertices = group.vectors
    assert golden["actions"]["vertices"]["points"] == len(vertices)

    images = group.tensor(group.generators()).tolist()
    found = decompose(PermutationRepresentation(group, tuple(map(tuple, images))))
    expected = golden["actions"]["vertices"]["multiplicities"]
    assert {irrep.name: count for irrep, count in found.components} == expected


def test_readable():
    found = decompose(RegularRepresentation(D4))
    assert str(found) == "A1 ⊕ A2 ⊕ B1 ⊕ B2 ⊕ 2 E"
    assert found.multiplicity(irreps(D4)[-1]) == 2
    assert found.multiplicity(irreps(DihedralGroup(3))[-1]) == 0


def test_unique_whatever_orthogonal_basis_the_copies_come_in():
    """The same representation decomposes to the same basis: nothing is random."""
    representation = TensorProduct(S4, (StandardRepresentation(S4),) * 2)
    assert torch.equal(decompose(representation).basis, decompose(representation).basis)


def test_the_general_mechanism_with_another_intertwiner_solver():
    representation = RegularRepresentation(Q8)
    found = decompose_with(
        representation,
        irreps(Q8),
        lambda irrep, target: intertwiner_basis(irrep, target).dense(),
    )
    g = Q8.element_tensor()
    turned = found.inverse_basis @ representation(g) @ found.basis
    torch.testing.assert_close(turned, found.direct_sum(g))
    with pytest.raises(InputError, match="make up 4 of the 8 dimensions"):
        decompose_with(
            representation,
            irreps(Q8)[:4],
            lambda irrep, target: intertwiner_basis(irrep, target).dense(),
        )


def test_errors():
    with pytest.raises(InputError, match=r"not SO\(4\)"):
        decompose(StandardRepresentation(SpecialOrthogonalGroup(4)))
    with pytest.raises(InputError, match="field 'complex' for a complex representation"):
        decompose(irreps(D4, "complex")[0], "real")

"""One front door for finite and compact Lie groups."""

import pytest
import torch

from goldstone.core import InputError, generator
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
)
from goldstone.representations import (
    RegularRepresentation,
    SO2ComplexIrrep,
    SO2Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    decompose,
    decompose_with,
    intertwiner_basis,
    irrep_multiplicities,
    irreps,
    irreps_up_to,
)

C3, D4, SO2, SO3 = (
    CyclicGroup(3),
    DihedralGroup(4),
    SpecialOrthogonalGroup(2),
    SpecialOrthogonalGroup(3),
)


@pytest.mark.parametrize(
    ("representation", "field", "expected"),
    [
        (RegularRepresentation(D4), None, {"A1": 1, "A2": 1, "B1": 1, "B2": 1, "E": 2}),
        (RegularRepresentation(C3), "complex", {"A": 1, "E+": 1, "E-": 1}),
        (RegularRepresentation(C3), "real", {"A": 1, "E": 1}),
        (
            StandardRepresentation(SO3) * StandardRepresentation(SO3),
            None,
            {"D0": 1, "D1": 1, "D2": 1},
        ),
        (StandardRepresentation(SO2), None, {"E1": 1}),
        (StandardRepresentation(SO2), "complex", {"k=1": 1, "k=-1": 1}),
    ],
)
def test_multiplicities_and_decomposition_agree(representation, field, expected):
    assert {i.name: n for i, n in irrep_multiplicities(representation, field).items()} == expected
    found = decompose(representation, field)
    assert {irrep.name: n for irrep, n in found.components} == expected
    g = representation.group.sample(generator(0, "elements"), (4,))
    inside = found.inverse_basis @ representation(g).to(found.basis.dtype) @ found.basis
    assert (inside - found.direct_sum(g)).abs().max() < 1e-12


def test_frequencies_over_both_fields():
    assert irrep_multiplicities(SO2Irrep(2), "complex") == {
        SO2ComplexIrrep(2): 1,
        SO2ComplexIrrep(-2): 1,
    }


def test_errors():
    plane = StandardRepresentation(SO2)
    with pytest.raises(InputError, match="field real or complex"):
        decompose(plane, "rational")
    with pytest.raises(InputError, match="field 'complex' for a complex"):
        irrep_multiplicities(SO2ComplexIrrep(1), "real")
    with pytest.raises(InputError, match=r"not SE\(2\)"):
        decompose(TrivialRepresentation(SpecialEuclideanGroup(2)))
    with pytest.raises(InputError, match="is not compact"):
        decompose(StandardRepresentation(SpecialEuclideanGroup(2)))
    with pytest.raises(InputError, match="irreps_up_to"):
        irreps(SO3)
    for degree in (float("nan"), float("inf"), -1):
        with pytest.raises(InputError, match="degree"):
            irreps_up_to(SpecialUnitaryGroup(2), degree)


def test_the_general_mechanism_wants_unitary_matrices():
    motions = StandardRepresentation(SpecialEuclideanGroup(2))
    with pytest.raises(InputError, match="unitary_form"):
        decompose_with(motions, [], lambda irrep, rho: intertwiner_basis(irrep, rho).dense())


def test_the_basis_is_orthogonal_where_the_representation_is():
    found = decompose(StandardRepresentation(SO3) * StandardRepresentation(SO3))
    assert torch.equal(found.inverse_basis, found.basis.mT)

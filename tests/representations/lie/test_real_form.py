"""Real irreps of SU(2) and SU(3)."""

import pytest
import torch

from goldstone.core import InputError, generator
from goldstone.groups import SpecialUnitaryGroup, unitary_covering
from goldstone.representations import (
    Pullback,
    Realification,
    RealIrrep,
    SO3Irrep,
    SU2Irrep,
    SU3Irrep,
    TensorProduct,
    decompose,
    intertwiner_basis,
    irrep_multiplicities,
    irreps_up_to,
)
from goldstone.testing import check_representation_laws

SU2, SU3 = SpecialUnitaryGroup(2), SpecialUnitaryGroup(3)
ALL = (*irreps_up_to(SU2, 2.5, "real"), *irreps_up_to(SU3, 3, "real"))
each = pytest.mark.parametrize("irrep", ALL, ids=lambda r: f"{r.group.name}:{r.name}")


@each
def test_real_orthogonal_and_irreducible(irrep: RealIrrep) -> None:
    check_representation_laws(irrep)
    g = irrep.group.sample(generator(0, "elements"), (3,))
    matrices = irrep(g)
    assert matrices.dtype == torch.float64
    one = torch.eye(irrep.dimension, dtype=torch.float64)
    assert (matrices.mT @ matrices - one).abs().max() < 1e-12
    copies = 1 if irrep.frobenius_schur_type == "real" else 2
    assert irrep.dimension == copies * irrep.irrep.dimension
    torch.testing.assert_close(irrep.character(g), copies * irrep.irrep.character(g).real)
    # Schur: the commutant is ℝ, ℂ or ℍ.
    dimension = {"real": 1, "complex": 2, "quaternionic": 4}[irrep.frobenius_schur_type]
    assert len(intertwiner_basis(irrep, irrep)) == dimension == irrep.endomorphism_dimension


def test_integer_spins_are_irreps_of_the_rotations() -> None:
    covering = unitary_covering()
    for degree in (1, 2, 20):
        rotation = Pullback(covering, SO3Irrep(degree))
        g = SU2.sample(generator(1, "elements"), (4,))
        error = (RealIrrep(SU2Irrep(degree))(g) - rotation(g)).abs().max()
        assert error < 1e-12


def test_lists() -> None:
    assert [r.dimension for r in irreps_up_to(SU2, 2, "real")] == [1, 4, 3, 8, 5]
    assert [r.name for r in irreps_up_to(SU3, 2, "real")] == ["(0,0)", "(1,0)", "(2,0)", "(1,1)"]


@pytest.mark.parametrize(
    ("representation", "expected"),
    [
        (Realification(SU2Irrep(0.5)), {"D1/2": 1}),
        (TensorProduct(SU2, (Realification(SU2Irrep(0.5)),) * 2), {"D0": 4, "D1": 4}),
        (Realification(SU3Irrep(1, 0)), {"(1,0)": 1}),
        (Realification(SU3Irrep(0, 1)), {"(1,0)": 1}),
        (
            TensorProduct(SU3, (RealIrrep(SU3Irrep(1, 1)),) * 2),
            {"(0,0)": 1, "(1,1)": 2, "(3,0)": 1, "(2,2)": 1},
        ),
    ],
)
def test_decompositions_over_the_reals(representation, expected) -> None:
    counts = irrep_multiplicities(representation, "real")
    assert {r.name: n for r, n in counts.items()} == expected
    found = decompose(representation, "real")
    assert found.basis.dtype == torch.float64
    g = representation.group.sample(generator(2, "elements"), (3,))
    inside = found.inverse_basis @ representation(g) @ found.basis
    assert (inside - found.direct_sum(g)).abs().max() < 1e-10


def test_errors() -> None:
    with pytest.raises(InputError, match="expected p ≥ q"):
        RealIrrep(SU3Irrep(0, 1))
    with pytest.raises(InputError, match="expected an irrep of SU"):
        RealIrrep(SO3Irrep(1))

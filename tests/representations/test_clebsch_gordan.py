"""Clebsch–Gordan coefficients of any group."""

import json
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import (
    DihedralGroup,
    Group,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
)
from goldstone.representations import (
    ChangeOfBasis,
    O2Irrep,
    O3Irrep,
    Representation,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    SU3Irrep,
    clebsch_gordan,
    irreps,
    irreps_up_to,
)

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = json.loads((FOLDER / "clebsch_gordan_so3.json").read_text("utf-8"))
SU3 = json.loads((FOLDER / "su3.json").read_text("utf-8"))


def check(found: Tensor, a: Representation, b: Representation, c: Representation) -> None:
    """Equivariant in all elements sampled, and orthonormal."""
    assert found.shape[1:] == (a.dimension, b.dimension, c.dimension)
    g = a.group.sample(torch.Generator().manual_seed(1), (4,))
    wide = found.to(torch.complex128)
    on_a, on_b, on_c = (r(g).to(torch.complex128) for r in (a, b, c))
    before = torch.einsum("nijk,gix,gjy->gnxyk", wide, on_a, on_b)
    after = torch.einsum("nxyk,glk->gnxyl", wide, on_c)
    gram = torch.einsum("nijk,mijk->nm", wide.conj(), wide)
    one = torch.eye(len(found), dtype=torch.complex128)
    if len(found):
        assert (before - after).abs().max() < 1e-12
        assert (gram - c.dimension * one).abs().max() < 1e-12
        each = torch.einsum("nijk,nijl->nkl", wide, wide.conj())
        assert (each - torch.eye(c.dimension)).abs().max() < 1e-12


def test_rotations_match_e3nn_up_to_sign() -> None:
    for case in GOLDEN["wigner_3j"]:
        (found,) = clebsch_gordan(*(SO3Irrep(degree) for degree in case["l"]))
        expected = torch.zeros_like(found)
        for i, j, k, value in case["entries"]:
            expected[i, j, k] = value
        assert abs(abs((found * expected).sum() / found.norm()) - 1) < 1e-12


@pytest.mark.parametrize(
    ("group", "degree"),
    [
        (SpecialOrthogonalGroup(2), 3),
        (OrthogonalGroup(2), 2),
        (SpecialOrthogonalGroup(3), 3),
        (OrthogonalGroup(3), 1),
        (SpecialUnitaryGroup(2), 1.5),
        (SpecialUnitaryGroup(3), 2),
        (SymmetricGroup(4), None),
        (DihedralGroup(5), None),
    ],
    ids=lambda x: str(x),
)
def test_products_of_irreps(group: Group, degree: float | None) -> None:
    known = irreps(group) if degree is None else irreps_up_to(group, degree)
    for a, b, c in product(known, repeat=3):
        check(clebsch_gordan(a, b, c), a, b, c)


@pytest.mark.parametrize(("a", "b", "c"), [(3, 2, 4), (6, 6, 6), (10, 9, 2), (20, 20, 20)])
def test_high_degrees(a: int, b: int, c: int) -> None:
    check(clebsch_gordan(*map(SO3Irrep, (a, b, c))), *map(SO3Irrep, (a, b, c)))


def test_a_product_of_vectors_is_the_cross_product() -> None:
    (found,) = clebsch_gordan(O3Irrep(1, -1), O3Irrep(1, -1), O3Irrep(1, 1))
    x, y = torch.randn(2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    order = [1, 2, 0]
    expected = torch.linalg.cross(x, y)[order] / 2**0.5
    value = torch.einsum("ijk,i,j->k", found, x[order], y[order])
    assert min((value - expected).abs().max(), (value + expected).abs().max()) < 1e-14
    assert len(clebsch_gordan(O3Irrep(1, -1), O3Irrep(1, -1), O3Irrep(1, -1))) == 0


def test_products_of_su3_are_as_many_as_gap_says() -> None:
    for case in SU3["products"]:
        a, b = (SU3Irrep(*weight) for weight in case["factors"])
        total = 0
        for p, q, multiplicity in case["terms"]:
            c = SU3Irrep(p, q)
            found = clebsch_gordan(a, b, c)
            assert len(found) == multiplicity
            check(found, a, b, c)
            total += multiplicity * c.dimension
        assert total == a.dimension * b.dimension


def test_two_octets_make_an_octet_as_the_gell_mann_matrices_do() -> None:
    """The symmetric product has d's, the antisymmetric one f's invariants: both are there."""
    octet = SU3Irrep(1, 1)
    symmetric, antisymmetric = clebsch_gordan(octet, octet, octet)
    assert (symmetric - symmetric.transpose(0, 1)).abs().max() < 1e-14
    assert (antisymmetric + antisymmetric.transpose(0, 1)).abs().max() < 1e-14
    # The antisymmetric one is the bracket, in the basis that turns ad into the irrep.
    ad = octet.group.structure_constants().mT.to(torch.complex128)  # (ad X_i)_kj
    generators = octet.derivative(torch.eye(8, dtype=torch.float64))
    equations = torch.cat(
        [
            torch.kron(g, torch.eye(8)) - torch.kron(torch.eye(8), x.mT.contiguous())
            for g, x in zip(generators, ad, strict=True)
        ]
    )
    change = torch.linalg.svd(equations).Vh[-1].conj().reshape(8, 8) * 8**0.5
    f = octet.group.structure_constants().to(torch.complex128)
    bracket = torch.einsum("abc,ia,jb,kc->ijk", f, change.conj(), change.conj(), change)
    overlap = (bracket.conj() * antisymmetric).sum().abs()
    assert overlap == pytest.approx(float(bracket.norm() * antisymmetric.norm()), rel=1e-12)


def test_the_generic_solver_agrees_with_the_closed_form() -> None:
    """In another basis the same irreps go through the intertwiners."""
    a, b, c = SO3Irrep(1), SO3Irrep(2), SO3Irrep(2)
    swapped = ChangeOfBasis(b, torch.eye(5, dtype=torch.float64).flip(0))
    (closed,), (generic,) = clebsch_gordan(a, b, c), clebsch_gordan(a, swapped, c)
    overlap = (closed.flip(1) * generic).sum().abs()
    assert overlap == pytest.approx(5, rel=1e-12)


def test_complex_type_gives_two_products() -> None:
    assert len(clebsch_gordan(SO2Irrep(1), SO2Irrep(2), SO2Irrep(3))) == 2
    assert len(clebsch_gordan(O2Irrep(1), O2Irrep(2), O2Irrep(3))) == 1


def test_spins_are_real_and_standard() -> None:
    half = SU2Irrep(0.5)
    (singlet,) = clebsch_gordan(half, half, SU2Irrep(0))
    expected = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64) / 2**0.5
    assert (singlet[..., 0] - expected).abs().max() < 1e-15


def test_different_groups_are_refused() -> None:
    with pytest.raises(InputError, match="three representations of one group"):
        clebsch_gordan(SO3Irrep(1), O3Irrep(1, 1), SO3Irrep(1))


def test_representations_that_are_not_irreducible() -> None:
    vector = StandardRepresentation(SpecialOrthogonalGroup(3))
    found = clebsch_gordan(vector, vector, vector)
    check(found, vector, vector, vector)
    assert len(found) == 1

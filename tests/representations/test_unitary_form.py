"""Unitary forms, and intertwiners of representations that are not unitary."""

import pytest
import torch

from goldstone.core import InputError, generator
from goldstone.groups import (
    DihedralGroup,
    OrthogonalGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    direct_product,
)
from goldstone.representations import (
    ChangeOfBasis,
    OuterTensorProduct,
    RegularRepresentation,
    Representation,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    TensorProduct,
    decompose,
    intertwiner_basis,
    irreps,
    is_unitary,
    unitary_form,
)
from goldstone.testing import check_representation_laws

S4, SO3 = SymmetricGroup(4), SpecialOrthogonalGroup(3)
VECTOR = SO3Irrep(1)
MIXED = direct_product(SO3, DihedralGroup(4))
SQUARE = StandardRepresentation(OrthogonalGroup(2)) * StandardRepresentation(OrthogonalGroup(2))


def skewed(representation: Representation, seed: int = 0) -> ChangeOfBasis:
    n = representation.dimension
    basis = torch.randn(n, n, generator=generator(seed, "skewed"), dtype=torch.float64)
    return ChangeOfBasis(representation, basis)


UNITARY = [
    RegularRepresentation(S4),
    SQUARE,
    TensorProduct(SO3, (VECTOR, VECTOR, VECTOR)),
    SU2Irrep(2),
    OuterTensorProduct(MIXED, (VECTOR, irreps(DihedralGroup(4))[-1])),
]
each = pytest.mark.parametrize("representation", UNITARY, ids=lambda r: r.group.name)


@each
def test_unitary_ones_are_left_alone(representation: Representation) -> None:
    assert is_unitary(representation)
    assert unitary_form(representation) is representation


@each
def test_a_skew_basis_is_straightened(representation: Representation) -> None:
    skew = skewed(representation)
    assert not is_unitary(skew)
    found = unitary_form(skew)
    assert is_unitary(found, 1e-9)
    assert found.dtype == representation.dtype
    check_representation_laws(found, tolerance=1e-8)
    g = representation.group.sample(generator(1, "elements"), (4,))
    torch.testing.assert_close(found.character(g), representation.character(g))


def test_groups_that_are_not_compact_are_refused() -> None:
    with pytest.raises(InputError, match=r"SE\(2\) is not compact"):
        unitary_form(StandardRepresentation(SpecialEuclideanGroup(2)))


def test_a_hopeless_basis_is_refused() -> None:
    scales = torch.logspace(-6, 6, 24, dtype=torch.float64)
    n = RegularRepresentation(S4).dimension
    mixing = torch.randn(n, n, generator=generator(0, "mixing"), dtype=torch.float64)
    with pytest.raises(InputError, match="ill-conditioned"):
        unitary_form(ChangeOfBasis(RegularRepresentation(S4), scales[:, None] * mixing))


@pytest.mark.parametrize(
    ("straight", "dimension"),
    [(RegularRepresentation(S4), 24), (TensorProduct(SO3, (VECTOR,) * 3), 15)],
    ids=["finite", "compact"],
)
def test_intertwiners_of_skew_representations(straight: Representation, dimension: int) -> None:
    v, w = skewed(straight, 1), skewed(straight, 2)
    basis = intertwiner_basis(v, w)
    assert (basis.method, len(basis)) == ("unitary", dimension)
    maps = basis.dense()
    for g in straight.group.sample(generator(3, "elements"), (3,)):
        assert (w(g) @ maps - maps @ v(g)).abs().max() < 1e-8
    rows = maps.flatten(1)
    torch.testing.assert_close(rows @ rows.mT, torch.eye(dimension, dtype=torch.float64))
    # The basis is the one that singular values of the equations give.
    direct = intertwiner_basis(v, w, "direct").dense()
    torch.testing.assert_close(maps, direct, rtol=0.0, atol=1e-7)


def test_intertwiners_between_a_skew_and_a_unitary_one() -> None:
    straight = RegularRepresentation(S4)
    assert intertwiner_basis(skewed(straight), straight).method == "unitary"
    assert len(intertwiner_basis(straight, skewed(straight))) == 24


def test_a_method_that_does_not_exist() -> None:
    with pytest.raises(InputError, match="expected a method among auto, direct"):
        intertwiner_basis(VECTOR, VECTOR, "qr")  # type: ignore[arg-type]


def test_skew_representations_decompose() -> None:
    for straight in UNITARY[:4]:
        skew = skewed(straight)
        found = decompose(skew)
        g = straight.group.sample(generator(4, "elements"), (4,))
        inside = found.inverse_basis @ skew(g).to(found.basis.dtype) @ found.basis
        assert (inside - found.direct_sum(g)).abs().max() < 1e-8
        assert found.representation == skew

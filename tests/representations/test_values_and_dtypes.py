"""Representations are values, and keep their dtype whatever the elements'."""

import pickle

import pytest
import torch

from goldstone.core import InputError, generator
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    direct_product,
)
from goldstone.representations import (
    ChangeOfBasis,
    ConjugateRepresentation,
    DirectSum,
    DualRepresentation,
    ExteriorPower,
    MatrixRepresentation,
    O2Irrep,
    O3Irrep,
    OuterTensorProduct,
    PermutationRepresentation,
    RegularRepresentation,
    Representation,
    SO2ComplexIrrep,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    SU3Irrep,
    SymmetricPower,
    TensorProduct,
    TrivialRepresentation,
    irreps,
)

C3, D4 = CyclicGroup(3), DihedralGroup(4)
SO3, SU2 = SpecialOrthogonalGroup(3), SpecialUnitaryGroup(2)
MIXED = direct_product(SO3, D4)
VECTOR, SPINOR = StandardRepresentation(SO3), StandardRepresentation(SU2)
ALL: list[Representation] = [
    RegularRepresentation(D4),
    DualRepresentation(RegularRepresentation(direct_product(D4, C3))),
    TensorProduct(D4, (StandardRepresentation(D4), RegularRepresentation(D4))),
    TrivialRepresentation(SO3) + VECTOR,
    SO3Irrep(3) * VECTOR,
    SymmetricPower(VECTOR, 0),
    TrivialRepresentation(SU2) + SPINOR,
    ConjugateRepresentation(TrivialRepresentation(SU2)),
    SU2Irrep(1.5),
    SU3Irrep(1, 1),
    SO2ComplexIrrep(-2),
    O3Irrep(1, 1),
    OuterTensorProduct(MIXED, (VECTOR, irreps(D4)[-1])),
]
each = pytest.mark.parametrize("representation", ALL, ids=lambda r: f"{type(r).__name__}")


@each
def test_dtype_of_matrices_characters_and_derivatives(representation: Representation) -> None:
    group, n = representation.group, representation.dimension
    for shape in [(), (0,), (2, 0, 3), (2, 3)]:
        g = group.sample(generator(0, "elements"), shape)
        matrices, characters = representation(g), representation.character(g)
        assert matrices.shape == (*shape, n, n)
        assert characters.shape == shape
        assert matrices.dtype == characters.dtype == representation.dtype
        if not g.dtype.is_complex and g.is_floating_point():
            assert representation.matrix_unchecked(g.float()).dtype == representation.dtype
    if hasattr(group, "dimension"):
        for shape in [(), (0,), (2, 3)]:
            x = torch.zeros(*shape, group.dimension)  # float32
            assert representation.derivative(x).dtype == representation.dtype
            assert representation.derivative(x).shape == (*shape, n, n)


@each
def test_equal_after_pickling(representation: Representation) -> None:
    again = pickle.loads(pickle.dumps(representation))
    assert again == representation
    assert hash(again) == hash(representation)
    g = representation.group.sample(generator(0, "elements"), (3,))
    assert torch.equal(again(g), representation(g))


@pytest.mark.parametrize("irrep", [SO3Irrep(2), SU2Irrep(1), SU3Irrep(1, 0), O3Irrep(1, -1)])
def test_integers_and_reals_are_elements_too(irrep: Representation) -> None:
    n = irrep.group.element_shape[0]
    one = torch.eye(irrep.dimension, dtype=irrep.dtype)
    if irrep.group.contains(torch.eye(n, dtype=torch.float64)):
        torch.testing.assert_close(irrep(torch.eye(n, dtype=torch.float64)), one)
    torch.testing.assert_close(irrep.matrix_unchecked(torch.eye(n, dtype=torch.int64)), one)


def test_real_and_complex_matrices_differ() -> None:
    plane = StandardRepresentation(D4)
    real, complex_ = (
        ChangeOfBasis(plane, torch.eye(2, dtype=t)) for t in (torch.float64, torch.complex128)
    )
    assert real != complex_
    matrices = torch.stack([plane(g) for g in D4.generators()])
    pair = [MatrixRepresentation(D4, D4.generators(), m) for m in (matrices, matrices + 0j)]
    assert pair[0] != pair[1]
    assert len({real, complex_, *pair}) == 4


def test_lists_become_tuples() -> None:
    one, plane = TrivialRepresentation(D4), StandardRepresentation(D4)
    assert DirectSum(D4, [one, plane]) == one + plane  # type: ignore[arg-type]
    assert hash(TensorProduct(D4, [plane])) == hash(TensorProduct(D4, (plane,)))  # type: ignore[arg-type]
    product = DirectProduct((D4, D4))
    assert hash(OuterTensorProduct(product, [one, plane])) is not None  # type: ignore[arg-type]
    turn = PermutationRepresentation(C3, [[1, 2, 0]])  # type: ignore[arg-type]
    assert turn == PermutationRepresentation(C3, ((1, 2, 0),))
    assert hash(turn) is not None


def test_sums_with_numbers_are_refused() -> None:
    one = TrivialRepresentation(D4)
    with pytest.raises(TypeError, match="unsupported operand"):
        one + 3  # type: ignore[operator]
    with pytest.raises(TypeError, match="unsupported operand"):
        one * 2  # type: ignore[operator]


@pytest.mark.parametrize(
    "make",
    [
        lambda: SO2Irrep(1.5),
        lambda: SO2ComplexIrrep(0.5),
        lambda: O2Irrep(-1),
        lambda: SO3Irrep(1.0),
        lambda: O3Irrep(0.5, 1),
        lambda: SU2Irrep(float("nan")),
        lambda: SU2Irrep(float("inf")),
        lambda: SU2Irrep(0.75),
        lambda: SU3Irrep(1.5, 0),
        lambda: SU3Irrep(0, -1),
        lambda: SymmetricPower(VECTOR, 1.5),
        lambda: ExteriorPower(VECTOR, -1),
        lambda: MatrixRepresentation.from_mapping(C3, {}),
        lambda: MatrixRepresentation(C3, (1,), torch.zeros(1, 0, 0)),
    ],
)
def test_what_does_not_exist_is_refused(make) -> None:
    with pytest.raises(InputError, match="expected"):
        make()

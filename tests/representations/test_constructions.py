"""Constructions of representations keep the laws, and agree with slow definitions."""

import pickle
from itertools import combinations, permutations, product

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    Homomorphism,
    LieGroup,
    LorentzGroup,
    OrthogonalGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    Subgroup,
    SymmetricGroup,
    action_on_cosets,
    direct_product,
    embedding,
    p4m,
    quaternion_group,
    subgroup,
    subgroup_as_group,
    unitary_covering,
)
from goldstone.representations import (
    ChangeOfBasis,
    ConjugateRepresentation,
    DeterminantRepresentation,
    DirectSum,
    DualRepresentation,
    ExteriorPower,
    InducedRepresentation,
    MatrixRepresentation,
    OuterTensorProduct,
    PermutationRepresentation,
    Pullback,
    QuotientRepresentation,
    Realification,
    RegularRepresentation,
    Restriction,
    StandardRepresentation,
    SymmetricPower,
    TensorProduct,
    TrivialRepresentation,
    irreps,
)
from goldstone.representations.elementary import derivative_along
from goldstone.testing import check_representation_laws

D4, S4, LORENTZ = DihedralGroup(4), SymmetricGroup(4), LorentzGroup()
SU2, SO3 = SpecialUnitaryGroup(2), SpecialOrthogonalGroup(3)


def standard(group):
    return StandardRepresentation(group)


def basis(n, *, is_complex=False):
    source = torch.Generator().manual_seed(n)
    dtype = torch.complex128 if is_complex else torch.float64
    return torch.randn(n, n, generator=source, dtype=dtype)


def constructions(vector):
    group, n = vector.group, vector.dimension
    sign = DeterminantRepresentation(group)
    return (
        vector + sign,
        vector * vector,
        TensorProduct(group, (vector, sign, vector)),
        DualRepresentation(vector),
        ConjugateRepresentation(vector),
        *(SymmetricPower(vector, power) for power in range(4)),
        *(ExteriorPower(vector, power) for power in range(n + 1)),
        ChangeOfBasis(vector, basis(n)),
        ChangeOfBasis(vector, basis(n, is_complex=True)),
        *([Realification(vector)] if vector.dtype.is_complex else []),
    )


CYCLE = subgroup_as_group(S4, subgroup(S4, [(1, 2, 3, 0)]))
LINEAR = (D4, S4, LORENTZ, SU2, OrthogonalGroup(2))
EVERYTHING = [
    *(each for group in LINEAR for each in constructions(standard(group))),
    QuotientRepresentation(D4, subgroup(D4, [(1, 0)])),
    QuotientRepresentation(p4m(2), subgroup(p4m(2), p4m(2).generators()[2:])),
    InducedRepresentation(irreps(subgroup_as_group(D4, subgroup(D4, [(0, 1)])))[-1]),
    InducedRepresentation(TrivialRepresentation(CYCLE)),
    Restriction(CYCLE, standard(S4)),
    Pullback(unitary_covering(), standard(SO3)),
    Pullback(embedding(PolyhedralGroup("O"), SO3), standard(SO3) * standard(SO3)),
    OuterTensorProduct(direct_product(D4, S4), (standard(D4), standard(S4))),
    OuterTensorProduct(direct_product(D4, SO3, SU2), (standard(D4), standard(SO3), standard(SU2))),
    PermutationRepresentation(CyclicGroup(6), ((1, 2, 0, 4, 3),)),
    MatrixRepresentation(
        CyclicGroup(3), (1,), torch.tensor([[[0.0, -1.0], [1.0, -1.0]]], dtype=torch.float64)
    ),
]


def identify(representation):
    return f"{type(representation).__name__}-{representation.group.name}"


@pytest.mark.parametrize("representation", EVERYTHING, ids=identify)
def test_laws(representation):
    check_representation_laws(representation)


@pytest.mark.parametrize("representation", EVERYTHING, ids=identify)
def test_values(representation):
    copy = pickle.loads(pickle.dumps(representation))
    assert copy == representation
    assert hash(copy) == hash(representation)
    assert representation != TrivialRepresentation(representation.group)


@pytest.mark.parametrize("representation", EVERYTHING, ids=identify)
def test_pointwise_functions_commute_where_declared(representation):
    group = representation.group
    steps = group.tensor(group.generators())
    x = torch.linspace(-1.7, 2.3, representation.dimension, dtype=torch.float64)
    x = x.to(representation.dtype)
    if representation.allows_pointwise:
        for matrix in representation(steps):
            torch.testing.assert_close((matrix @ x).exp(), matrix @ x.exp())


@pytest.mark.parametrize(
    "representation",
    [each for each in EVERYTHING if isinstance(each.group, LieGroup)],
    ids=identify,
)
def test_derivatives_agree_with_forward_mode(representation):
    x = torch.linspace(-1, 1, representation.group.dimension, dtype=torch.float64)
    derivative = representation.derivative(x)
    torch.testing.assert_close(derivative, derivative_along(representation, x))


def test_where_pointwise_functions_are_allowed():
    regular, vector = RegularRepresentation(D4), StandardRepresentation(D4)
    assert (regular * regular).allows_pointwise
    assert not (regular * vector).allows_pointwise
    assert SymmetricPower(regular, 2).allows_pointwise
    assert not ExteriorPower(regular, 2).allows_pointwise
    assert DualRepresentation(regular).allows_pointwise
    assert QuotientRepresentation(D4, subgroup(D4, [(1, 0)])).allows_pointwise
    assert not ChangeOfBasis(regular, basis(8)).allows_pointwise


def test_tensor_products_are_kronecker_products_in_row_major_order():
    vector, regular = StandardRepresentation(D4), RegularRepresentation(D4)
    for g in D4.elements():
        expected = torch.kron(vector(g), regular(g).contiguous())
        assert torch.equal((vector * regular)(g), expected)
        assert float((vector * regular).character(g)) == float(expected.trace())
        assert torch.equal((vector + regular)(g), torch.block_diag(vector(g), regular(g)))


def test_sums_and_products_are_flattened():
    a, b = StandardRepresentation(D4), RegularRepresentation(D4)
    assert a + b + a == a + (b + a) == DirectSum(D4, (a, b, a))
    assert a * b * a == a * (b * a) == TensorProduct(D4, (a, b, a))
    assert (a + b) * a == TensorProduct(D4, (DirectSum(D4, (a, b)), a))


def test_exterior_powers_are_the_minors():
    a = basis(4)
    group = CyclicGroup(1)
    for power in (1, 2, 3, 4):
        places = list(combinations(range(4), power))
        minors = [
            [torch.linalg.det(a[list(rows)][:, list(columns)]) for columns in places]
            for rows in places
        ]
        standing = _constant(group, a)
        found = ExteriorPower(standing, power)._matrices(torch.tensor(0))
        torch.testing.assert_close(found, torch.tensor(minors, dtype=torch.float64))


def test_symmetric_powers_are_the_restrictions_to_symmetric_tensors():
    a, n, power = basis(3), 3, 3
    monomials = [m for m in product(range(n), repeat=power) if list(m) == sorted(m)]
    embedded = torch.zeros(n**power, len(monomials), dtype=torch.float64)
    for column, monomial in enumerate(monomials):
        for arranged in set(permutations(monomial)):
            embedded[arranged[0] * 9 + arranged[1] * 3 + arranged[2], column] = 1.0
    embedded = embedded / embedded.norm(dim=0)
    expected = embedded.T @ torch.kron(torch.kron(a, a), a) @ embedded
    found = SymmetricPower(_constant(CyclicGroup(1), a), power)._matrices(torch.tensor(0))
    torch.testing.assert_close(found, expected)


def test_powers_of_orthogonal_representations_are_orthogonal():
    vector = StandardRepresentation(PolyhedralGroup("I"))
    g = vector.group.sample(torch.Generator().manual_seed(0), (5,))
    for power in (SymmetricPower(vector, 4), ExteriorPower(vector, 2)):
        one = torch.eye(power.dimension, dtype=torch.float64).expand(5, -1, -1)
        torch.testing.assert_close(power(g).mT @ power(g), one)


def test_characters_of_a_dual_are_those_of_inverses():
    q = irreps(CyclicGroup(5), "complex")[1]
    g = q.group.element_tensor()
    expected = q.character(q.group.inverse(g))
    torch.testing.assert_close(DualRepresentation(q).character(g), expected)
    torch.testing.assert_close(ConjugateRepresentation(q).character(g), expected)


def test_frobenius_reciprocity():
    """⟨Ind χ, ψ⟩_G = ⟨χ, Res ψ⟩_H, for all irreps of S4 and of a subgroup of order 6."""
    h = subgroup_as_group(S4, subgroup(S4, [(1, 2, 0, 3), (1, 0, 2, 3)]))
    for inner, outer in product(irreps(h, "complex"), irreps(S4, "complex")):
        up = InducedRepresentation(inner).character(S4.element_tensor())
        above = (up.conj() * outer.character(S4.element_tensor())).mean()
        down = Restriction(h, outer).character(h.element_tensor())
        below = (inner.character(h.element_tensor()).conj() * down).mean()
        torch.testing.assert_close(above, below)


def test_induction_from_the_trivial_representation_permutes_the_cosets():
    h = subgroup(S4, [(1, 2, 0, 3)])
    induced = InducedRepresentation(TrivialRepresentation(subgroup_as_group(S4, h)))
    quotient = QuotientRepresentation(S4, h)
    assert torch.equal(induced(S4.element_tensor()), quotient(S4.element_tensor()))
    trivial = QuotientRepresentation(S4, subgroup(S4, []))
    regular = RegularRepresentation(S4)
    assert torch.equal(trivial(S4.element_tensor()), regular(S4.element_tensor()))


def test_actions_become_permutations():
    """The action on the cosets of a subgroup is the quotient representation."""
    h = subgroup(S4, [(1, 2, 0, 3)])
    g = S4.element_tensor()
    found = PermutationRepresentation.from_action(action_on_cosets(S4, h))
    assert torch.equal(found(g), QuotientRepresentation(S4, h)(g))
    with pytest.raises(InputError, match="is no subgroup of S4"):
        QuotientRepresentation(S4, Subgroup("half", frozenset(((0, 1, 2, 3), (1, 2, 0, 3)))))


def test_the_spin_representation_squares_to_the_rotation():
    """½ ⊗ ½ of SU(2) has the character of 0 ⊕ 1, the rotation lifted along the covering."""
    half = StandardRepresentation(SU2)
    g = SU2.sample(torch.Generator().manual_seed(1), (6,))
    one = Pullback(unitary_covering(), StandardRepresentation(SO3))
    torch.testing.assert_close((half * half).character(g).real, 1 + one.character(g))
    torch.testing.assert_close(Realification(half).character(g), 2 * half.character(g).real)


def test_permutations_and_matrices_that_break_a_relation():
    with pytest.raises(InputError, match=r"no action of C3: r after r² and r·r² send the point 0"):
        PermutationRepresentation(CyclicGroup(3), ((1, 0),))
    with pytest.raises(InputError, match=r"no representation of C3: ρ\(r\)ρ\(r²\) and ρ\(r·r²\)"):
        MatrixRepresentation(CyclicGroup(3), (1,), torch.tensor([[[-1.0]]]))
    with pytest.raises(InputError, match=r"r² generate only 2 of the 4 elements of C4"):
        MatrixRepresentation(CyclicGroup(4), (2,), torch.tensor([[[1.0]]]))
    with pytest.raises(InputError, match=r"got shape \(1, 2, 3\)"):
        MatrixRepresentation(CyclicGroup(4), (1,), torch.zeros(1, 2, 3))
    with pytest.raises(InputError, match="expected a permutation of 0, …, n − 1"):
        PermutationRepresentation(CyclicGroup(4), ((1, 1),))


def test_errors():
    vector, turn = StandardRepresentation(D4), StandardRepresentation(CyclicGroup(4))
    with pytest.raises(InputError, match=r"same group \(D4\), got \['D4', 'C4'\]"):
        vector * turn
    with pytest.raises(InputError, match="power 3 of a representation of dimension 2 is zero"):
        ExteriorPower(vector, 3)
    with pytest.raises(InputError, match="power ≥ 0, got -1"):
        SymmetricPower(vector, -1)
    with pytest.raises(InputError, match="complex representation, got a real one"):
        Realification(vector)
    with pytest.raises(InputError, match=r"shape \(2, 2\), got \(3, 3\)"):
        ChangeOfBasis(vector, torch.eye(3))
    with pytest.raises(InputError, match="linearly dependent"):
        ChangeOfBasis(vector, torch.zeros(2, 2))
    with pytest.raises(InputError, match="made by subgroup_as_group, got one of D4"):
        InducedRepresentation(vector)
    with pytest.raises(InputError, match="subgroup of C4 made by subgroup_as_group, got D4"):
        Restriction(D4, turn)
    with pytest.raises(InputError, match="representation of C4, the target"):
        Pullback(Homomorphism(CyclicGroup(4), CyclicGroup(4), torch.clone), vector)
    with pytest.raises(InputError, match=r"representations of D4, C4, the factors"):
        OuterTensorProduct(direct_product(D4, CyclicGroup(4)), (turn, vector))
    with pytest.raises(InputError, match="expected a direct product of groups, got D4"):
        OuterTensorProduct(D4, (vector,))


def test_matrices_of_generators_give_back_the_representation():
    vector = StandardRepresentation(quaternion_group())
    steps = vector.group.generators()
    again = MatrixRepresentation.from_mapping(vector.group, {s: vector(s) for s in steps})
    g = vector.group.element_tensor()
    torch.testing.assert_close(again(g), vector(g))
    assert isinstance(vector + again, DirectSum)


def _constant(group, matrix):
    """A stand-in of the trivial group for any matrix, to test functors on it."""
    return ChangeOfMatrix(group, matrix)


class ChangeOfMatrix(TrivialRepresentation):
    def __init__(self, group, matrix):
        super().__init__(group)
        object.__setattr__(self, "held", matrix)

    @property
    def dimension(self):
        return len(self.held)

    def _matrices(self, g):
        return self.held

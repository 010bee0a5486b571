"""Irreps of finite groups against character tables computed by GAP, closed forms and Schur."""

import json
import pickle
from collections import Counter
from pathlib import Path

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PermutationGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    conjugacy_classes,
    direct_product,
    embedding,
    p4m,
    quaternion_group,
)
from goldstone.representations import (
    Pullback,
    SO3Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    decompose,
    irreps,
)
from goldstone.representations.finite.dihedral import DihedralIrrep
from goldstone.representations.finite.fourier import FourierIrrep
from goldstone.representations.finite.multiplicities import multiplicities
from goldstone.representations.finite.tabulated import tabulated_irreps
from goldstone.representations.finite.young import SymmetricGroupIrrep
from goldstone.testing import check_representation_laws

GOLDEN = Path(__file__).parents[2] / "golden"
TABLES = json.loads((GOLDEN / "character_tables.json").read_text())["groups"]
SOLIDS = json.loads((GOLDEN / "polyhedral.json").read_text())["groups"]
Q8 = quaternion_group()
GROUPS = (
    CyclicGroup(1),
    CyclicGroup(2),
    CyclicGroup(7),
    CyclicGroup(12),
    DihedralGroup(1),
    DihedralGroup(2),
    DihedralGroup(5),
    DihedralGroup(8),
    GridTranslations((4, 6)),
    p4m(3),
    SymmetricGroup(5),
    AlternatingGroup(5),
    Q8,
    *(PolyhedralGroup(symbol) for symbol in ("T", "Td", "Th", "O", "Oh", "I", "Ih")),
    direct_product(CyclicGroup(3), CyclicGroup(3)),
    direct_product(DihedralGroup(4), CyclicGroup(3)),
    direct_product(Q8, CyclicGroup(3)),
    direct_product(Q8, Q8),
)
FIELDS = ("real", "complex")
TYPES = {1: "real", 0: "complex", -1: "quaternionic"}


def of_all(test):
    by_name = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
    return by_name(pytest.mark.parametrize("field", FIELDS)(test))


@of_all
def test_irreps_are_unitary_homomorphisms(group, field):
    g = group.element_tensor()
    steps = group.tensor(group.generators())
    for irrep in irreps(group, field):
        matrices = irrep(g)
        one = torch.eye(irrep.dimension, dtype=irrep.dtype)
        assert (matrices.mH @ matrices - one).abs().max() < 1e-12
        for s in steps:
            assert (irrep(s) @ matrices - irrep(group.compose(s, g))).abs().max() < 1e-12
        check_representation_laws(irrep)


@of_all
def test_schur_orthogonality_and_completeness(group, field):
    found = irreps(group, field)
    g = group.element_tensor()
    characters = torch.stack([irrep.character(g) for irrep in found])
    gram = (characters.conj() @ characters.mT / group.order).real
    norms = [irrep.endomorphism_dimension for irrep in found]
    expected = torch.diag(torch.tensor(norms, dtype=torch.float64))
    torch.testing.assert_close(gram, expected, atol=1e-12, rtol=0)
    assert sum(i.dimension**2 // i.endomorphism_dimension for i in found) == group.order
    classes = conjugacy_classes(group)
    real = {frozenset(pair) for pair in enumerate(classes.powers(-1))}
    assert len(found) == (len(classes) if field == "complex" else len(real))


@of_all
def test_frobenius_schur_types(group, field):
    g = group.element_tensor()
    for irrep in irreps(group, field):
        indicator = float(irrep.character(group.power(g, 2)).mean().real)
        # Over ℝ the character is that of d/dim End complex irreps of the same type.
        wanted = {"real": 1, "complex": 0, "quaternionic": -1 if field == "complex" else -2}
        assert round(indicator, 9) == wanted[irrep.frobenius_schur_type]
        assert irrep.dtype.is_complex == (field == "complex")


@of_all
def test_order_names_and_values(group, field):
    found = irreps(group, field)
    names = [irrep.name for irrep in found]
    assert len(set(names)) == len(names)
    g = group.element_tensor()
    assert torch.equal(found[0](g), TrivialRepresentation(group)(g).to(found[0].dtype))
    assert [irrep.allows_pointwise for irrep in found] == [True] + [False] * (len(found) - 1)
    assert [i.dimension for i in found] == sorted(i.dimension for i in found)
    again = irreps(group, field)
    assert again == found
    copies = pickle.loads(pickle.dumps(found))
    assert copies == found
    assert [hash(copy) for copy in copies] == [hash(irrep) for irrep in found]
    for irrep, other in zip(found, again, strict=True):
        assert torch.equal(irrep(g), other(g))


@pytest.mark.parametrize("name", [name for name in TABLES if TABLES[name]["order"] <= 400])
def test_character_tables_of_gap(name):
    golden = TABLES[name]
    group = PermutationGroup(golden["generators"], name)
    representatives = group.tensor([tuple(a) for a in golden["class_representatives"]])
    expected = [
        _row([complex(*z) for z in values], TYPES[indicator])
        for values, indicator in zip(golden["values"], golden["frobenius_schur"], strict=True)
    ]
    assert _rows(irreps(group, "complex"), representatives) == Counter(expected)


@pytest.mark.parametrize("name", ["S4", "S5", "S6"])
def test_young_characters_of_gap(name):
    golden = TABLES[name]
    group = SymmetricGroup(int(name[1]))
    representatives = group.tensor([tuple(a) for a in golden["class_representatives"]])
    found = [tuple(irrep.character(representatives).round().tolist()) for irrep in irreps(group)]
    expected = [tuple(float(z[0]) for z in values) for values in golden["values"]]
    assert Counter(found) == Counter(expected)


@pytest.mark.parametrize("solid", SOLIDS)
def test_polyhedral_irreps_of_gap(solid):
    golden = SOLIDS[solid]
    group = PolyhedralGroup(solid[0].upper())
    matrices = torch.tensor(golden["class_representatives"], dtype=torch.float64)
    g = group.from_matrices(matrices)
    found = {irrep.name: irrep.character(g).tolist() for irrep in irreps(group, "complex")}
    for expected in golden["irreps"]:
        # Which of the two conjugate irreps is E+ is a convention.
        name = {"E+": "E-", "E-": "E+"}.get(expected["name"], expected["name"])
        wanted = torch.tensor([complex(*z) for z in expected["characters"]])
        torch.testing.assert_close(torch.tensor(found[name]), wanted)


@pytest.mark.parametrize("solid", SOLIDS)
def test_crystal_field_splitting(solid):
    """Irreps of SO(3) restricted to a polyhedral group."""
    group = PolyhedralGroup(solid[0].upper())
    inclusion = embedding(group, SpecialOrthogonalGroup(3))
    for degree, expected in enumerate(SOLIDS[solid]["so3_restricted"][:5]):
        merged = Counter({name.rstrip("+-"): count for name, count in expected.items()})
        found = decompose(Pullback(inclusion, SO3Irrep(degree)))
        assert {irrep.name: count for irrep, count in found.components} == merged


@pytest.mark.parametrize(
    "group", [CyclicGroup(9), DihedralGroup(7), GridTranslations((3, 4)), SymmetricGroup(5)]
)
@pytest.mark.parametrize("field", FIELDS)
def test_closed_forms_have_the_characters_of_the_general_algorithm(group, field):
    g = group.element_tensor()
    assert _rows(irreps(group, field), g) == _rows(tabulated_irreps(group, field), g)


def test_names_of_the_field():
    def names(group, field="real"):
        return [irrep.name for irrep in irreps(group, field)]

    assert names(DihedralGroup(3)) == ["A1", "A2", "E"]
    assert names(DihedralGroup(4)) == ["A1", "A2", "B1", "B2", "E"]
    assert names(DihedralGroup(6)) == ["A1", "A2", "B1", "B2", "E1", "E2"]
    assert names(CyclicGroup(4)) == ["A", "B", "E"]
    assert names(CyclicGroup(5), "complex") == ["A", "E1+", "E1-", "E2+", "E2-"]
    assert names(SymmetricGroup(3)) == ["[3]", "[1,1,1]", "[2,1]"]
    assert names(AlternatingGroup(5)) == ["1a", "3a", "3b", "4a", "5a"]
    assert names(PolyhedralGroup("Td")) == ["A1", "A2", "E", "T1", "T2"]
    assert names(PolyhedralGroup("Ih"))[:4] == ["Ag", "Au", "T1g", "T2g"]
    assert names(direct_product(DihedralGroup(3), CyclicGroup(2)))[-1] == "E⊠B"
    assert [i.name for i in irreps(GridTranslations((2, 2)))] == [
        "(0,0)",
        "(0,1)",
        "(1,0)",
        "(1,1)",
    ]


@pytest.mark.parametrize(
    ("symbol", "vector"),
    [
        ("T", "T"),
        ("Td", "T2"),
        ("Th", "Tu"),
        ("O", "T1"),
        ("Oh", "T1u"),
        ("I", "T1"),
        ("Ih", "T1u"),
    ],
)
def test_the_vector_of_a_polyhedral_group(symbol, vector):
    group = PolyhedralGroup(symbol)
    found = decompose(StandardRepresentation(group))
    assert str(found) == vector


def test_the_standard_representation_of_a_dihedral_group_is_its_first_plane():
    for n in (3, 4, 7):
        group = DihedralGroup(n)
        standard = StandardRepresentation(group)(group.element_tensor())
        torch.testing.assert_close(DihedralIrrep(group, 1)(group.element_tensor()), standard)
    turn = FourierIrrep(CyclicGroup(4), (1,))
    assert torch.equal(turn(1), torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64))


def test_young_dimensions_are_the_hook_lengths():
    """dim λ = n! / Π hooks; for n = 8 the squares sum to 8!."""
    group = SymmetricGroup(8)
    found = irreps(group)
    assert sum(irrep.dimension**2 for irrep in found) == 40320
    dimensions = {irrep.partition: irrep.dimension for irrep in found}
    assert dimensions[5, 3] == 28
    assert dimensions[4, 2, 1, 1] == 90
    assert dimensions[7, 1] == 7


def test_young_on_a_batch_of_a_large_group():
    group = SymmetricGroup(10)
    irrep = SymmetricGroupIrrep(group, (8, 2))
    a, b = group.sample(torch.Generator().manual_seed(0), (2, 3))
    torch.testing.assert_close(irrep(a) @ irrep(b), irrep(group.compose(a, b)))
    one = torch.eye(35, dtype=torch.float64).expand(3, -1, -1)
    torch.testing.assert_close(irrep(a).mT @ irrep(a), one)
    sign = SymmetricGroupIrrep(group, (1,) * 10)
    assert float(sign((1, 0, *range(2, 10)))) == -1
    # The standard representation is [n] ⊕ [n−1,1]: fixed points less one.
    fixed = (a == torch.arange(10)).sum(-1).double()
    torch.testing.assert_close(SymmetricGroupIrrep(group, (9, 1)).character(a), fixed - 1)


def test_multiplicities_in_a_permutation_representation():
    """Burnside: the trivial irrep is contained as often as there are orbits."""
    group = PermutationGroup([(1, 0, 2, 3, 4, 5), (0, 1, 3, 2, 4, 5)], "two swaps")
    counts = multiplicities(StandardRepresentation(group), irreps(group))
    assert counts[0] == 4
    assert sum(counts) == 6


def test_errors():
    with pytest.raises(InputError, match=r"order 2\.?520\) have no closed form here"):
        irreps(AlternatingGroup(7))
    with pytest.raises(InputError, match=r"expected the field \"real\" or \"complex\", got 'C'"):
        irreps(CyclicGroup(3), "C")
    with pytest.raises(InputError, match="expected a finite group"):
        irreps(SpecialOrthogonalGroup(3))
    with pytest.raises(InputError, match=r"partition of 4, got \(1, 3\)"):
        SymmetricGroupIrrep(SymmetricGroup(4), (1, 3))
    with pytest.raises(InputError, match=r"frequency in 0 … n/2, got 3"):
        DihedralIrrep(DihedralGroup(4), 3)
    with pytest.raises(InputError, match=r"expected ±1 for a sign and 1 else, got -1"):
        DihedralIrrep(DihedralGroup(4), 1, -1)
    with pytest.raises(InputError, match="expected 2 frequencies"):
        FourierIrrep(GridTranslations((2, 2)), (1,))
    half = irreps(CyclicGroup(4), "complex")[2]
    with pytest.raises(InputError, match=r"multiplicity of E comes out as 0\.5"):
        multiplicities(half, irreps(CyclicGroup(4), "real"))


def _rows(irreps, g):
    return Counter(_row(i.character(g).tolist(), i.frobenius_schur_type) for i in irreps)


def _row(character, kind):
    values = [complex(z) for z in character]
    # Adding zero turns −0 into 0.
    return tuple((round(z.real, 6) + 0.0, round(z.imag, 6) + 0.0) for z in values), kind

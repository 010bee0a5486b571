"""The laws of the irreps of compact Lie groups, and what makes each the one that it says."""

import pickle
from fractions import Fraction
from math import comb, cos, pi, sin

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from goldstone.core import InputError
from goldstone.groups import (
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
)
from goldstone.representations import (
    O2Irrep,
    O3Irrep,
    SO2ComplexIrrep,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    SU3Irrep,
    irreps_up_to,
    spherical_harmonics,
)
from goldstone.representations.irrep import Irrep
from goldstone.testing import check_representation_laws

SEEDS = st.integers(0, 2**31)
IRREPS = (
    *irreps_up_to(SpecialOrthogonalGroup(2), 3),
    *irreps_up_to(SpecialOrthogonalGroup(2), 2, "complex"),
    *irreps_up_to(OrthogonalGroup(2), 3),
    *irreps_up_to(SpecialOrthogonalGroup(3), 4),
    *irreps_up_to(OrthogonalGroup(3), 2),
    *irreps_up_to(SpecialUnitaryGroup(2), 2.5),
    *irreps_up_to(SpecialUnitaryGroup(3), 4),
    SO2Irrep(20),
    SO3Irrep(12),
    SO3Irrep(20),
    SU2Irrep(20),
)
each_irrep = pytest.mark.parametrize("irrep", IRREPS, ids=lambda r: f"{r.group.name}:{r.name}")


@each_irrep
@settings(max_examples=5)
@given(seed=SEEDS)
def test_products_become_products(irrep: Irrep, seed: int) -> None:
    group = irrep.group
    a, b = group.sample(torch.Generator().manual_seed(seed), (2,))
    of_a = irrep(a)
    assert of_a.dtype is irrep.dtype
    assert of_a.shape == (irrep.dimension, irrep.dimension)
    assert (irrep(group.compose(a, b)) - of_a @ irrep(b)).abs().max() < 1e-12
    one = torch.eye(irrep.dimension, dtype=irrep.dtype)
    assert (of_a @ of_a.mH - one).abs().max() < 1e-12
    assert (irrep(group.inverse(a)) - of_a.mH).abs().max() < 1e-12


@each_irrep
@settings(max_examples=5)
@given(seed=SEEDS)
def test_the_algebra_exponentiates_to_the_group(irrep: Irrep, seed: int) -> None:
    group = irrep.group
    x, y = torch.randn(
        2, group.dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    of_x, of_y = irrep.derivative(x), irrep.derivative(y)
    assert of_x.dtype is irrep.dtype
    # scipy's: torch's loses digits for matrices of norm 0.01 to 0.05.
    exponential = torch.from_numpy(expm(of_x.numpy()))
    assert (exponential - irrep(group.exp(x))).abs().max() < 1e-11
    bracket = of_x @ of_y - of_y @ of_x
    assert (irrep.derivative(group.bracket(x, y)) - bracket).abs().max() < 1e-11
    assert (of_x + of_x.mH).abs().max() < 1e-13


@each_irrep
def test_laws_by_the_shipped_checker(irrep: Irrep) -> None:
    check_representation_laws(irrep)


@each_irrep
def test_values_batches_and_pickles(irrep: Irrep) -> None:
    group = irrep.group
    elements = group.sample(torch.Generator().manual_seed(5), (2, 3))
    matrices = irrep(elements)
    n = irrep.dimension
    assert matrices.shape == (2, 3, n, n)
    assert irrep.derivative(torch.zeros(4, group.dimension)).shape == (4, n, n)
    assert (irrep(group.value(elements[1, 2])) - matrices[1, 2]).abs().max() < 1e-14
    assert (irrep(group.identity) - torch.eye(n, dtype=irrep.dtype)).abs().max() < 1e-13
    again = pickle.loads(pickle.dumps(irrep))
    assert again == irrep
    assert hash(again) == hash(irrep)
    assert torch.equal(again(elements), matrices)


@pytest.mark.parametrize(
    "irrep", [r for r in IRREPS if r.dimension <= 15], ids=lambda r: f"{r.group.name}:{r.name}"
)
def test_irreducible_and_of_the_type_it_says(irrep: Irrep) -> None:
    """Schur: what commutes with the generators has the dimension of the endomorphisms."""
    group = irrep.group
    generators = [irrep(g) for g in group.generators()]
    one = torch.eye(irrep.dimension, dtype=irrep.dtype)
    equations = torch.cat(
        [torch.kron(g, one) - torch.kron(one, g.mT.contiguous()) for g in generators]
    )
    sizes = torch.linalg.svdvals(equations)
    assert int((sizes < 1e-9).sum()) == irrep.endomorphism_dimension


@pytest.mark.parametrize(
    "irrep",
    [r for r in IRREPS if r.dtype.is_complex and r.dimension <= 15],
    ids=lambda r: f"{r.group.name}:{r.name}",
)
def test_frobenius_schur_indicator(irrep: Irrep) -> None:
    """A form invariant under the algebra exists unless the type is complex; its symmetry tells."""
    algebra = irrep.derivative(torch.eye(irrep.group.dimension, dtype=torch.float64))
    one = torch.eye(irrep.dimension, dtype=irrep.dtype)
    equations = torch.cat(
        [torch.kron(x.mT.contiguous(), one) + torch.kron(one, x.mT.contiguous()) for x in algebra]
    )
    _, sizes, rows = torch.linalg.svd(equations)
    forms = rows[sizes < 1e-9].conj().reshape(-1, irrep.dimension, irrep.dimension)
    if irrep.frobenius_schur_type == "complex":
        assert len(forms) == 0
        return
    (form,) = forms
    sign = 1 if irrep.frobenius_schur_type == "real" else -1
    assert (form - sign * form.mT).abs().max() < 1e-12


def test_names_are_those_of_the_field() -> None:
    names = {str(r.group.name) + " " + r.name for r in IRREPS}
    assert len(names) == len(set(IRREPS))
    for irrep, name in {
        SO2Irrep(2): "E2",
        SO2ComplexIrrep(-1): "k=-1",
        O2Irrep(0, -1): "A2",
        SO3Irrep(2): "D2",
        O3Irrep(2, 1): "2e",
        O3Irrep(1, -1): "1o",
        SU2Irrep(1.5): "D3/2",
        SU3Irrep(2, 1): "(2,1)",
    }.items():
        assert irrep.name == name


def test_a_spin_is_the_same_however_it_is_written() -> None:
    assert SU2Irrep(1.5) == SU2Irrep(Fraction(3, 2))
    assert hash(SU2Irrep(2)) == hash(SU2Irrep(2.0))


@pytest.mark.parametrize(
    "irrep", [SO2Irrep(1), O2Irrep(1), SU2Irrep(0.5), SU3Irrep(1, 0)], ids=lambda r: r.group.name
)
def test_the_smallest_faithful_one_is_the_standard_representation(irrep: Irrep) -> None:
    elements = irrep.group.sample(torch.Generator().manual_seed(6), (5,))
    standard = StandardRepresentation(irrep.group)(elements)
    assert (irrep(elements) - standard).abs().max() < 1e-15


@given(SEEDS, st.integers(1, 5))
def test_plane_irreps_turn_the_harmonics_of_the_circle(seed: int, k: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    element = OrthogonalGroup(2).sample(generator)
    x, y = torch.randn(2, generator=generator, dtype=torch.float64)

    def harmonics(point: torch.Tensor) -> torch.Tensor:
        power = torch.complex(*point) ** k / point.norm() ** k
        return torch.stack((power.real, power.imag))

    point = torch.stack((x, y))
    turned = harmonics(element @ point)
    assert (O2Irrep(k)(element) @ harmonics(point) - turned).abs().max() < 1e-13
    if torch.linalg.det(element) > 0:
        assert torch.equal(SO2Irrep(k)(element), O2Irrep(k)(element))
    assert O2Irrep(0, -1)(element) == torch.linalg.det(element).round()


def test_complex_frequencies_are_phases() -> None:
    angle = 0.3
    element = SpecialOrthogonalGroup(2).exp((angle,))
    for k in (-3, 0, 2):
        found = complex(SO2ComplexIrrep(k)(element))
        assert abs(found - complex(cos(k * angle), sin(k * angle))) < 1e-15


@given(SEEDS, st.integers(0, 4), st.sampled_from([1, -1]))
def test_parity_is_that_of_inversion(seed: int, degree: int, parity: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    irrep = O3Irrep(degree, parity)
    element = OrthogonalGroup(3).sample(generator)
    assert (irrep(-element) - parity * irrep(element)).abs().max() < 1e-13
    rotation = SpecialOrthogonalGroup(3).sample(generator)
    assert torch.equal(irrep(rotation), SO3Irrep(degree)(rotation))
    if parity == (-1) ** degree:
        point = torch.randn(3, generator=generator, dtype=torch.float64)
        turned = spherical_harmonics(degree, element @ point)
        assert (irrep(element) @ spherical_harmonics(degree, point) - turned).abs().max() < 1e-13


def test_a_pseudovector_is_a_vector_product() -> None:
    generator = torch.Generator().manual_seed(7)
    element = OrthogonalGroup(3).sample(generator, (6,))
    a, b = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    order = [1, 2, 0]
    before = torch.linalg.cross(a, b)[order]
    after = torch.linalg.cross(element @ a, element @ b)[:, order]
    assert (O3Irrep(1, 1)(element) @ before - after).abs().max() < 1e-13


@pytest.mark.parametrize("spin", [1, 2, 5])
def test_whole_spins_are_the_rotations_irreps(spin: int) -> None:
    """The covering SU(2) → SO(3) carries the character of D^l to that of spin l."""
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    of_spin = SU2Irrep(spin).character(SpecialUnitaryGroup(2).exp(x))
    of_degree = SO3Irrep(spin).character(SpecialOrthogonalGroup(3).exp(x))
    assert (of_spin - of_degree).abs().max() < 1e-13


@pytest.mark.parametrize("n", range(1, 7))
def test_spin_is_the_symmetric_power_of_a_half(n: int) -> None:
    """On polynomials of degree n in (u, v), the basis √C(n, k) u^(n−k) v^k, by expansion."""
    g = SpecialUnitaryGroup(2).sample(torch.Generator().manual_seed(n))
    expected = torch.zeros(n + 1, n + 1, dtype=torch.complex128)
    for k in range(n + 1):
        # Coefficients of (g00 u + g10 v)^(n−k) (g01 u + g11 v)^k by powers of v.
        polynomial = torch.ones(1, dtype=torch.complex128)
        for column in [0] * (n - k) + [1] * k:
            longer = torch.zeros(len(polynomial) + 1, dtype=torch.complex128)
            longer[:-1] += g[0, column] * polynomial
            longer[1:] += g[1, column] * polynomial
            polynomial = longer
        scale = torch.tensor([comb(n, k) / comb(n, i) for i in range(n + 1)], dtype=torch.float64)
        expected[:, k] = polynomial * scale.sqrt()
    assert (SU2Irrep(Fraction(n, 2))(g) - expected).abs().max() < 1e-13


@pytest.mark.parametrize("irrep", [SO2Irrep(3), O2Irrep(2), SO3Irrep(3), O3Irrep(2, -1)])
def test_differentiable_in_the_element(irrep: Irrep) -> None:
    for element in (
        irrep.group.identity_tensor(torch.empty(0)),
        irrep.group.exp(torch.full((irrep.group.dimension,), pi).double()),
    ):
        free = element.clone().requires_grad_()
        assert torch.autograd.gradcheck(irrep.matrix_unchecked, (free,))


@pytest.mark.parametrize("irrep", [SU2Irrep(1.5), SU3Irrep(1, 1)])
def test_complex_irreps_are_differentiable_in_the_element(irrep: Irrep) -> None:
    free = irrep.group.sample(torch.Generator().manual_seed(9)).requires_grad_()
    assert torch.autograd.gradcheck(irrep.matrix_unchecked, (free,))


@pytest.mark.parametrize(
    "irrep", [SO2Irrep(2), O2Irrep(3), SO3Irrep(4), SU2Irrep(2.5), SU3Irrep(2, 1)]
)
def test_the_derivative_is_that_of_the_matrices(irrep: Irrep) -> None:
    group = irrep.group
    zero = torch.zeros(group.dimension, dtype=torch.float64)
    for direction in torch.eye(group.dimension, dtype=torch.float64):
        _, slope = torch.func.jvp(
            lambda t: irrep.matrix_unchecked(group.exp(t)), (zero,), (direction,)
        )
        assert (slope - irrep.derivative(direction)).abs().max() < 1e-13


def test_lists_of_irreps() -> None:
    assert irreps_up_to(SpecialOrthogonalGroup(2), 1) == (SO2Irrep(0), SO2Irrep(1))
    complex_ones = irreps_up_to(SpecialOrthogonalGroup(2), 1, "complex")
    assert complex_ones == tuple(SO2ComplexIrrep(k) for k in (0, 1, -1))
    assert irreps_up_to(OrthogonalGroup(2), 1) == (O2Irrep(0), O2Irrep(0, -1), O2Irrep(1))
    assert [r.name for r in irreps_up_to(OrthogonalGroup(3), 1)] == ["0e", "0o", "1e", "1o"]
    assert irreps_up_to(SpecialUnitaryGroup(2), 1.5) == tuple(SU2Irrep(k / 2) for k in range(4))
    assert [r.dimension for r in irreps_up_to(SpecialUnitaryGroup(3), 2)] == [1, 3, 3, 6, 8, 6]


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="frequency k ≥ 0"):
        SO2Irrep(-1)
    with pytest.raises(InputError, match="parity -1 for frequency 2"):
        O2Irrep(2, -1)
    with pytest.raises(InputError, match="degree l ≥ 0"):
        SO3Irrep(-1)
    with pytest.raises(InputError, match="parity 1 or −1"):
        O3Irrep(1, 0)
    with pytest.raises(InputError, match="spin 0, 1/2"):
        SU2Irrep(0.3)
    with pytest.raises(InputError, match="p, q ≥ 0"):
        SU3Irrep(1, -1)
    with pytest.raises(InputError, match="not an element"):
        SO3Irrep(1)(OrthogonalGroup(3).component_generators()[0])
    with pytest.raises(InputError, match="given by irreps"):
        irreps_up_to(SymmetricGroup(3), 1)
    with pytest.raises(InputError, match="field real or complex"):
        irreps_up_to(SpecialUnitaryGroup(2), 1, "rational")
    with pytest.raises(InputError, match="half an integer"):
        irreps_up_to(SpecialUnitaryGroup(2), 0.3)
    with pytest.raises(InputError, match="an integer"):
        irreps_up_to(SpecialOrthogonalGroup(3), 1.5)

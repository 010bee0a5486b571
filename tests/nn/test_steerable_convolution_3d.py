"""Convolution in space: dimensions by theory, the law at any rotation, exact turns of the cube."""

import copy
import pickle

import pytest
import torch

from goldstone.actions import FeatureFieldAction, Symmetry
from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    OrthogonalGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
)
from goldstone.nn import (
    GroupConv3d,
    LiftingConv3d,
    ProjectingConv3d,
    SteerableConv3d,
    exactness,
    kernel_basis,
    spherical_kernel_basis,
)
from goldstone.nn.spherical_filters import SphericalFilters
from goldstone.nn.turning_error import turning_error
from goldstone.representations import (
    DeterminantRepresentation,
    DirectSum,
    O3Irrep,
    RegularRepresentation,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    TrivialRepresentation,
    multiple,
    spherical_harmonics,
)
from goldstone.testing import assert_equivariant

O, OH, I = (PolyhedralGroup(symbol) for symbol in ("O", "Oh", "I"))  # noqa: E741
SO3, O3 = SpecialOrthogonalGroup(3), OrthogonalGroup(3)


def mixed(group):
    """Parts in an order that grouping must undo."""
    if group == SO3:
        return DirectSum(group, (SO3Irrep(1), SO3Irrep(0), SO3Irrep(2), SO3Irrep(0)))
    if group == O3:
        return DirectSum(group, (O3Irrep(1, -1), O3Irrep(0, 1), O3Irrep(1, 1), O3Irrep(0, -1)))
    vector, sign = StandardRepresentation(group), DeterminantRepresentation(group)
    return DirectSum(group, (vector, TrivialRepresentation(group), vector, sign))


def noise(*shape, seed=0, dtype=torch.float64):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source).to(dtype)


def randomised(layer, seed=0):
    with torch.no_grad():
        for k, parameter in enumerate(layer.parameters()):
            parameter.copy_(noise(*parameter.shape, seed=seed + k))
    return layer


@pytest.mark.parametrize("group", [O, OH], ids=lambda group: group.name)
@pytest.mark.parametrize("size", [2, 3])
def test_dimensions_of_free_voxels_by_characters(group, size):
    """dim = mean over g of χ_out(g) χ_in(g) · (voxels that g leaves in place)."""
    vector, regular = StandardRepresentation(group), RegularRepresentation(group)
    kinds = [TrivialRepresentation(group), DeterminantRepresentation(group), vector, regular]
    elements = group.element_tensor()
    taps = SphericalFilters(size).taps.reshape(-1, 3)
    turned = torch.einsum("gij,pj->gpi", group.matrices(elements), taps)
    fixed = ((turned - taps).abs().amax(-1) < 1e-9).sum(1).double()
    for source in kinds:
        for target in kinds:
            characters = source.character(elements) * target.character(elements)
            expected = float((characters * fixed).mean())
            if source is not regular or target is not regular:
                basis = kernel_basis(source, target, size)
                assert len(basis) == pytest.approx(expected)
                gram = basis.flatten(1) @ basis.flatten(1).T
                torch.testing.assert_close(gram, torch.eye(len(basis)).double())
            else:
                layer = SteerableConv3d(source, target, size, stride=size)
                assert layer.map_dimension == pytest.approx(expected)
    assert len(kernel_basis(kinds[0], kinds[0], 3)) == 4  # centre, faces, edges, corners


def test_free_voxels_of_a_group_convolution_are_one_filter_for_each_element():
    assert GroupConv3d(O, 1, 1, 3).map_dimension == 24 * 27
    assert GroupConv3d(OH, 1, 1, 3).map_dimension == 48 * 27
    assert LiftingConv3d(O, 2, 3, 3).map_dimension == 2 * 3 * 27


@pytest.mark.parametrize("size", [3, 5])
def test_dimensions_between_irreps(size):
    """On a shell with degrees up to L as many as there are |l − l′| ≤ k ≤ l + l′, k ≤ L."""
    cutoffs = SphericalFilters(size).cutoffs
    for a in range(3):
        for b in range(3):
            degrees = range(abs(a - b), a + b + 1)
            expected = sum(sum(k <= most for k in degrees) for _, most in cutoffs)
            assert len(spherical_kernel_basis(SO3Irrep(a), SO3Irrep(b), size)) == expected
            for sign in (1, -1):
                odd = [k for k in degrees if (-1) ** k == sign]
                expected = sum(sum(k <= most for k in odd) for _, most in cutoffs)
                basis = spherical_kernel_basis(O3Irrep(a, 1), O3Irrep(b, sign), size)
                assert len(basis) == expected
    assert cutoffs == (((0.0, 0), (1.0, 2)) if size == 3 else ((0.0, 0), (1.0, 2), (2.0, 3)))


def kernels_beyond_the_grid(basis, size, matrix):
    """The basis' kernels at the taps turned by a matrix: (kernel, out, in, tap).

    A kernel is Σ c R_jl(|p|) Y_lm(p); the c are fitted at the taps, and must fit. Turning a tap
    leaves |p|, so that it is Y_lm alone that is evaluated off the grid.
    """
    filters = SphericalFilters(size)
    taps = filters.taps.reshape(-1, 3)

    def functions(points):
        found = []
        for degree in filters.degrees:
            waves = spherical_harmonics(degree, points, "component")
            found += [shell[:, None] * waves for shell in filters.shells(degree).flatten(1)]
        return torch.cat(found, 1)

    values = basis.flatten(3).reshape(-1, size**3).T
    fit = torch.linalg.lstsq(functions(taps), values, driver="gelsd").solution
    torch.testing.assert_close(functions(taps) @ fit, values, atol=1e-10, rtol=0)
    turned = functions(taps @ matrix.T) @ fit
    return turned.T.reshape(*basis.shape[:3], -1)


PAIRS = [
    (SO3Irrep(1), SO3Irrep(2)),
    (StandardRepresentation(SO3), StandardRepresentation(SO3)),
    (O3Irrep(1, -1), O3Irrep(1, 1)),
    (O3Irrep(2, 1), O3Irrep(0, 1)),
    (TrivialRepresentation(I), RegularRepresentation(I)),
    (StandardRepresentation(I), StandardRepresentation(I)),
    (RegularRepresentation(PolyhedralGroup("T")), RegularRepresentation(PolyhedralGroup("T"))),
    (RegularRepresentation(OH), StandardRepresentation(OH)),
]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_law_at_any_rotation(source, target):
    """K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹ for the kernels as functions in space."""
    basis = spherical_kernel_basis(source, target, 3)
    assert len(basis)
    for g in source.group.sample(torch.Generator().manual_seed(0), (3,)):
        after = kernels_beyond_the_grid(basis, 3, source.group.matrices(g))
        expected = torch.einsum(
            "ij,njkp,lk->nilp", target.matrix(g), basis.flatten(3), source.matrix(g)
        )
        torch.testing.assert_close(after, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_shells_are_orthonormal_and_deaf_to_the_lowest_aliased_moment(size):
    filters = SphericalFilters(size)
    x, y, z = filters.taps.unbind(-1)
    radius = filters.taps.norm(dim=-1)
    cubic = (x**4 + y**4 + z**4) / radius.clamp(min=0.5) ** 4 - 0.6
    for degree in filters.degrees:
        shells = filters.shells(degree)
        gram = torch.einsum("jxyz,kxyz->jk", shells, shells)
        torch.testing.assert_close(gram, torch.eye(len(shells)).double())
        moment = radius ** abs(degree - 4) * cubic * (radius > 0 if degree else 1)
        response = torch.einsum("jxyz,xyz->j", shells, moment)
        if size > 3:  # else there are too few radii for some
            assert float(response.abs().max()) < 1e-9 * float(moment.abs().sum())


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float64, 1e-14), (torch.float32, 2e-6)])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 1), (2, 2), (4, 2)])
@pytest.mark.parametrize("group", [O, OH, SO3, O3], ids=lambda group: group.name)
@pytest.mark.parametrize("mode", ["circular", "zeros"])
def test_turns_of_the_cube_are_exact(dtype, allowed, size, stride, group, mode):
    padding = max(size - stride, 0) // 2
    layer = SteerableConv3d(
        mixed(group), mixed(group), size, stride, padding=padding, padding_mode=mode, dtype=dtype
    )
    layer = randomised(layer)
    x = noise(2, layer.source.dimension, 4, 4, 4, dtype=dtype)
    assert turning_error(layer, layer.source, layer.target, x) < allowed
    y = layer(x).detach()
    assert (layer(x.flip(0)) - y).norm() > 0.1 * y.norm()
    if group in (O, OH):
        fields = [FeatureFieldAction(group, end) for end in (layer.source, layer.target)]
        assert_equivariant(
            layer, Symmetry(group.name, group, *fields), x, tolerance=max(allowed, 1e-13)
        )


@pytest.mark.parametrize("mode", ["circular", "zeros", "reflect"])
def test_it_is_the_written_sum(mode):
    """out(p) = Σ_d K(d) in(p + d) + b, by loops."""
    layer = randomised(SteerableConv3d(mixed(O), mixed(O), 3, padding_mode=mode)).double()
    x = noise(1, 8, 3, 3, 3)
    weight, bias = layer.weight(), layer.bias()
    expected = torch.zeros_like(x)
    steps = [(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
    for place in steps:
        for step in steps:
            at = [a + b - 1 for a, b in zip(place, step, strict=True)]
            if mode == "zeros" and not all(0 <= a < 3 for a in at):
                continue
            at = [a % 3 if mode == "circular" else {-1: 1, 3: 1}.get(a, a) for a in at]
            expected[0, :, *place] += weight[:, :, *step] @ x[0, :, *at]
        expected[0, :, *place] += bias
    torch.testing.assert_close(layer(x), expected)


def test_group_convolution_is_a_sum_over_turned_filters():
    """out[g](p) = Σ_{h,d} K[g⁻¹h](g⁻¹d) in[h](p + d): row e of the weight, turned."""
    layer = randomised(GroupConv3d(O, 1, 1, 3, dtype=torch.float64))
    weight = layer.weight()
    elements = O.element_tensor()
    identity = O.index(O.identity_tensor(elements))
    action = FeatureFieldAction(O, TrivialRepresentation(O))
    for g in O.elements()[::5]:
        row = O.index(O.tensor((g,))[0])
        for h in O.elements()[::7]:
            inner = O.index(O.tensor((O.compose(O.inverse(g), h),))[0])
            turned = action.act(g, weight[identity, inner][None, None], None)[0, 0]
            torch.testing.assert_close(weight[row, O.index(O.tensor((h,))[0])], turned)


@pytest.mark.parametrize("group", [O, SO3], ids=lambda group: group.name)
def test_unit_variance_at_initialisation(group):
    parts = RegularRepresentation(O) if group == O else DirectSum(SO3, (SO3Irrep(0), SO3Irrep(1)))
    fields = multiple(parts, 2 if group == O else 8)
    layer = SteerableConv3d(fields, fields, 3)
    x = noise(2, fields.dimension, 6, 6, 6, dtype=torch.float32)
    variances = []
    for seed in range(24):
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        variances.append(float(layer(x).detach().var()))
    assert sum(variances) / 24 == pytest.approx(1.0, abs=0.08)


def test_habits_of_a_module(tmp_path):
    layer = randomised(SteerableConv3d(mixed(SO3), mixed(SO3), 3))
    x = noise(1, 10, 4, 4, 4, dtype=torch.float32)
    expected = layer(x)
    for other in (copy.deepcopy(layer.eval()), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), expected)
    fresh = SteerableConv3d(mixed(SO3), mixed(SO3), 3).eval()
    fresh.load_state_dict(layer.state_dict())
    assert torch.equal(fresh(x), expected)
    assert not any("basis" in name for name in layer.state_dict())
    plain = layer.to_plain()
    assert type(plain) is torch.nn.Conv3d
    torch.testing.assert_close(plain(x), expected)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), expected)
    captured = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(captured(x), expected)
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(x)
    assert (half.float() - expected).norm() < 0.05 * expected.norm()
    vector = SO3Irrep(1)
    layer = SteerableConv3d(vector, vector, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(layer, noise(1, 3, 2, 2, 2).requires_grad_())
    meta = SteerableConv3d(vector, vector, 3, device="meta")
    assert all(t.device.type == "meta" for t in (*meta.parameters(), *meta.buffers()))
    assert "SO(3), 3 → 3, kernel_size=3" in repr(layer)


def test_groups_of_channels():
    fields = multiple(StandardRepresentation(O), 4)
    layer = randomised(SteerableConv3d(fields, fields, 3, groups=2, dtype=torch.float64))
    x = noise(1, 12, 4, 4, 4)
    assert turning_error(layer, fields, fields, x) < 1e-14
    changed = x.clone()
    changed[:, :6] += 1
    same = (layer(changed) - layer(x)).detach().abs().amax((0, 2, 3, 4))
    assert float(same[:6].min()) > 0
    assert float(same[6:].max()) == 0


def test_what_loses_exactness_is_refused_or_reported():
    vector = StandardRepresentation(O)
    with pytest.raises(InputError, match="relative error of a turn is"):
        SteerableConv3d(vector, vector, 3, stride=2)
    layer = SteerableConv3d(vector, vector, 3, 2, padding=1, padding_mode="zeros")
    assert layer(noise(1, 3, 5, 5, 5, dtype=torch.float32)).shape[-1] == 3
    with pytest.raises(InputError, match=r"use a grid of size 5 or 7"):
        layer(noise(1, 3, 6, 6, 6, dtype=torch.float32))
    loose = SteerableConv3d(vector, vector, 3, 2, padding=1, padding_mode="zeros", exact=False)
    with pytest.warns(UserWarning, match="the centre is lost"):
        found = exactness(loose, noise(1, 3, 6, 6, 6, dtype=torch.float32))
    assert found[0].grid == (6, 6, 6)
    assert found[0].error > 0.1
    found = exactness(layer, noise(1, 3, 5, 5, 5, dtype=torch.float32))
    assert found[0].error < 1e-6
    # About a box the elements that map it onto itself remain exact.
    circular = randomised(SteerableConv3d(vector, vector, 3, dtype=torch.float64))
    assert turning_error(circular, vector, vector, noise(1, 3, 4, 4, 6)) < 1e-14


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: SteerableConv3d(*[TrivialRepresentation(CyclicGroup(4))] * 2, 3), "of space"),
        (lambda: SteerableConv3d(SU2Irrep(1), SU2Irrep(1), 3), "of space"),
        (lambda: SteerableConv3d(SO3Irrep(0), SO3Irrep(0), 3, kernel="voxels"), "harmonics"),
        (lambda: SteerableConv3d(SO3Irrep(0), SO3Irrep(0), 3, kernel="pixels"), "'voxels'"),
        (lambda: LiftingConv3d(O, 1, 1, 3, max_degree=2), "no max_degree"),
        (lambda: LiftingConv3d(SO3, 1, 1, 3), "a finite group"),
        (lambda: LiftingConv3d(SymmetricGroup(4), 1, 1, 3), "of space"),
        (lambda: ProjectingConv3d(O, 0, 1, 3), "positive number"),
        (lambda: SphericalFilters(3, -1), "max_degree"),
        (lambda: LiftingConv3d(O, 1, 1, 3)(noise(1, 1, 4, 4)), "expected 1 channels"),
        (lambda: SteerableConv3d(SO3Irrep(0), O3Irrep(0, 1), 3), "one group"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()

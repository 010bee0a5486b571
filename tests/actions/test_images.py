"""Images under rotations, reflections, motions and scalings of any size."""

from math import pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.actions import (
    Action,
    Context,
    Field,
    FieldLayout,
    ImageAction,
    ImageScaling,
    PointAction,
    disc_window,
)
from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    EuclideanGroup,
    OrthogonalGroup,
    ScalingGroup,
    SpecialEuclideanGroup,
    SpecialLinearGroup,
    SpecialOrthogonalGroup,
)
from goldstone.testing import check_action_laws

SO2, O2, SE2, E2 = (
    SpecialOrthogonalGroup(2),
    OrthogonalGroup(2),
    SpecialEuclideanGroup(2),
    EuclideanGroup(2),
)
LAYOUT = FieldLayout(
    (
        Field("grey", "scalar"),
        Field("vorticity", "pseudoscalar"),
        Field("flow", "velocity", axes=(1, 0), signs=(1, -1)),
    )
)
GREY = FieldLayout((Field("grey", "scalar"),))
CONTEXT = Context()


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def places(n):
    axis = torch.arange(n, dtype=torch.float64) - (n - 1) / 2
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"))


def smooth(p, n):
    """The fields of LAYOUT at places p (2, …), gone at the edges; components in its frame."""
    x, y = p / n
    window = torch.exp(-250 * ((x - 0.03) ** 2 + (y + 0.04) ** 2))
    flow = torch.stack((1 + 3 * x, 2 * y - 1))
    return torch.stack((1 + 4 * x, y + x * y, flow[1], -flow[0])) * window


def moved_exactly(matrix, shift, n):
    """ρ(A) f(A⁻¹(p − t)) of the closed form, in the frame of LAYOUT: u = (flow₂, −flow₁)."""
    back = torch.linalg.inv(matrix)
    p = torch.einsum("ij,jxy->ixy", back, places(n) - shift[:, None, None])
    f = smooth(p, n)
    turned = torch.einsum("ij,jxy->ixy", matrix, torch.stack((-f[3], f[2])))
    sign = torch.linalg.det(matrix).sign()
    return torch.stack((f[0], sign * f[1], turned[1], -turned[0]))[None]


@pytest.mark.parametrize("group", [CyclicGroup(4), DihedralGroup(4), DihedralGroup(1)])
@pytest.mark.parametrize("n", [5, 6])
def test_quarter_turns_and_flips_are_exact(group, n):
    x = noise(2, 4, n, n)
    action, exact = ImageAction(group, LAYOUT), PointAction(group, LAYOUT)
    for g in group.elements():
        assert torch.equal(action.act(g, x, CONTEXT), exact.act(g, x, CONTEXT))
    check_action_laws(action, group, x, tolerance=0.0)


@pytest.mark.parametrize("n", [5, 6])
def test_resampling_agrees_with_moving_pixels(n):
    """As tensors, quarter turns of splines and Fourier sums go through the arithmetic."""
    x, group = noise(2, 4, n, n), DihedralGroup(4)
    for mode, boundary in (("spline", "zero"), ("fourier", "periodic"), ("bilinear", "reflect")):
        action = ImageAction(group, LAYOUT, mode, boundary)
        for g in group.elements():
            found = action.act(group.tensor((g,))[0], x, CONTEXT)
            torch.testing.assert_close(found, action.act(g, x, CONTEXT), rtol=0, atol=1e-12)


@pytest.mark.parametrize("group", [CyclicGroup(7), DihedralGroup(6), SO2, O2, SE2, E2])
def test_against_closed_forms(group):
    """Smooth content, 2 cells wide, that stays clear of the edges and of its periodic copies."""
    elements = group.sample(torch.Generator().manual_seed(3), (4,))
    for g in elements:
        matrix = group.matrices(g)
        shift = matrix.new_zeros(2)
        if len(matrix) == 3:
            matrix, shift = matrix[:2, :2], matrix[:2, 2]
        for mode, boundary, allowed in (
            ("spline", "zero", 3e-3),
            ("fourier", "periodic", 1e-5),
            ("bilinear", "zero", 0.15),
        ):
            action = ImageAction(group, LAYOUT, mode, boundary)
            found = action.act(group.value(g), smooth(places(48), 48)[None], CONTEXT)
            expected = moved_exactly(matrix, shift, 48)
            assert float((found - expected).abs().max()) < allowed


@settings(max_examples=4)
@given(st.floats(-pi, pi), st.floats(-pi, pi))
def test_composition_of_rotations(a, b):
    x = smooth(places(48), 48)[None]
    one, two = SO2.exp((a,)), SO2.exp((b,))
    for mode, boundary, allowed in (("spline", "zero", 2e-3), ("fourier", "periodic", 1e-6)):
        action = ImageAction(SO2, LAYOUT, mode, boundary)
        check_action_laws(action, SO2, x, elements=[one, two], tolerance=allowed)


@pytest.mark.parametrize("group", [SO2, SE2])
@pytest.mark.parametrize(("mode", "boundary"), [("spline", "zero"), ("fourier", "periodic")])
def test_lie_derivative(group, mode, boundary):
    """Of noise: finite differences of the action itself. Of a smooth field: the closed form."""
    action = ImageAction(group, LAYOUT, mode, boundary)
    zero = torch.zeros(group.dimension, dtype=torch.float64)

    def derivative(x, direction):
        _, tangent = torch.func.jvp(
            lambda t: action.act(group.exp(t), x, CONTEXT), (zero,), (direction,)
        )
        return tangent

    h = 1e-4
    for direction in torch.eye(group.dimension, dtype=torch.float64):
        x = noise(1, 4, 9, 9)
        sides = [action.act(group.exp(s * h * direction), x, CONTEXT) for s in (1, -1)]
        found = derivative(x, direction)
        assert float(((sides[0] - sides[1]) / (2 * h) - found).norm() / found.norm()) < 1e-5

        def exact(t, direction=direction):
            matrix = group.matrices(group.exp(t * direction))
            shift = matrix[:2, 2] if len(matrix) == 3 else matrix.new_zeros(2)
            return moved_exactly(matrix[:2, :2], shift, 48)

        here = torch.zeros((), dtype=torch.float64)
        _, expected = torch.func.jvp(exact, (here,), (torch.ones_like(here),))
        found = derivative(smooth(places(48), 48)[None], direction)
        allowed = 1e-2 if mode == "spline" else 1e-5
        assert float((found - expected).norm() / expected.norm()) < allowed


def test_a_linear_map_turns_vectors_by_its_matrix():
    group = SpecialLinearGroup(2)
    g = group.exp((0.1, -0.2, 0.15))
    found = ImageAction(group, LAYOUT).act(g, smooth(places(64), 64)[None], CONTEXT)
    matrix = torch.tensor(g, dtype=torch.float64)
    expected = moved_exactly(matrix, matrix.new_zeros(2), 64)
    assert float((found - expected).abs().max()) < 1e-3


def test_scaling():
    group, n = ScalingGroup(), 64
    x = smooth(places(n), n)[None]
    for weight in (0.0, 1.0):
        action = ImageScaling(group, 4, weight=weight)
        for factor in (0.9, 1.0, 1.2):
            expected = factor**weight * smooth(places(n) / factor, n)[None]
            assert float((action.act(factor, x, CONTEXT) - expected).abs().max()) < 1e-3
        check_action_laws(action, group, x, elements=[0.9, 1.2], tolerance=1e-3)
    action = ImageScaling(group, 4, "fourier", "periodic", weight=1.0)
    one = torch.zeros(1, dtype=torch.float64)
    _, found = torch.func.jvp(
        lambda t: action.act(group.exp(t), x, CONTEXT), (one,), (torch.ones_like(one),)
    )
    here = torch.ones((), dtype=torch.float64)
    _, expected = torch.func.jvp(
        lambda s: s * smooth(places(n) / s, n)[None], (here,), (torch.ones_like(here),)
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_the_disc_window_keeps_the_content_of_images():
    window = disc_window((32, 32), 6.0)
    assert window[0, 0] == 0.0
    assert window[15, 16] == 1.0
    from_edges = window[0].max()
    assert from_edges < 0.05
    # Low-pass noise that fills the square: turned back and forth, the corners are lost.
    i = torch.arange(32.0, dtype=torch.float64) / 32
    f = torch.cos(6 * pi * i[:, None] + 1) + torch.cos(6 * pi * i + 2)
    action, g = ImageAction(SO2, GREY), SO2.exp((0.5,))

    def lost(x):
        back = action.act(SO2.inverse(g), action.act(g, x, CONTEXT), CONTEXT)
        return float((back - x).norm() / x.norm())

    assert lost(f[None, None]) > 0.2
    assert lost((f * window)[None, None]) < 5e-3


def test_non_square_images():
    x = noise(1, 1, 6, 10)
    flips = ImageAction(DihedralGroup(2), GREY)
    check_action_laws(flips, DihedralGroup(2), x, tolerance=0.0)
    with pytest.raises(InputError, match="square grid, got 6×10"):
        ImageAction(CyclicGroup(4), GREY).act(1, x, CONTEXT)
    assert ImageAction(SO2, GREY).act(SO2.exp((0.3,)), x, CONTEXT).shape == x.shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.complex64])
def test_dtypes_are_kept(dtype):
    x = noise(1, 4, 8, 8).to(dtype)
    for g in (SO2.exp((0.3,)), ((0.0, -1.0), (1.0, 0.0))):
        assert ImageAction(SO2, LAYOUT).act(g, x, CONTEXT).dtype == dtype
    assert ImageScaling(ScalingGroup(), 4, weight=1.0).act(1.1, x, CONTEXT).dtype == dtype


def test_errors():
    x = noise(1, 1, 6, 6)
    turn = ImageAction(SO2, GREY)
    assert isinstance(turn, Action)
    with pytest.raises(InputError, match=r"not an element of SO\(2\)"):
        turn.act(((1.0, 0.0), (0.0, 2.0)), x, CONTEXT)
    with pytest.raises(InputError, match="one element of SO"):
        turn.act(torch.eye(2, dtype=torch.float64).expand(3, 2, 2), x, CONTEXT)
    with pytest.raises(InputError, match="expected 1 channels as declared, got 3"):
        turn.act(SO2.identity, noise(1, 3, 6, 6), CONTEXT)
    with pytest.raises(InputError, match=r"\(batch, channel, X, Y\), got \(1, 6, 6\)"):
        turn.act(SO2.identity, x[0], CONTEXT)
    with pytest.raises(InputError, match=r"or complex numbers, got torch\.int64"):
        turn.act(SO2.identity, x.long(), CONTEXT)
    with pytest.raises(InputError, match=r"group of 2×2 matrices, SE\(2\) or E\(2\), got SO\(3\)"):
        ImageAction(SpecialOrthogonalGroup(3), GREY)
    with pytest.raises(InputError, match="'fourier' is for periodic fields"):
        ImageAction(SO2, GREY, "fourier", "zero")
    with pytest.raises(InputError, match=r"-1\.0 is not an element of scalings"):
        ImageScaling(ScalingGroup(), 1).act(-1.0, x, CONTEXT)

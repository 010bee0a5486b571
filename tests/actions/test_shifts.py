"""Shifts of grids in any number of dimensions, periodic and not."""

import pytest
import torch

from goldstone.actions import Context, FourierTranslation, GridShift, ShiftAction
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, GridTranslations, TorusGroup
from goldstone.testing import check_action_laws

PLANE, LINE, SPACE = (AdditiveGroup("shift", n) for n in (2, 1, 3))
CONTEXT = Context()


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_whole_cells_are_exact_and_agree_with_rolling():
    x = noise(2, 3, 5, 6)
    for mode in ("fourier", "spline", "bilinear"):
        shift = GridShift(PLANE, mode=mode)
        for a in ((2.0, -3.0), (0.0, 0.0), (11.0, 1.0)):
            whole = tuple(int(c) for c in a)
            expected = ShiftAction().act(whole, x, CONTEXT)
            assert torch.equal(shift.act(a, x, CONTEXT), expected)
            resampled = shift.act(torch.tensor(a, dtype=torch.float64), x, CONTEXT)
            torch.testing.assert_close(resampled, expected)
    grid = GridTranslations((5, 6))
    assert torch.equal(
        GridShift(grid).act((2, 3), x, CONTEXT), ShiftAction().act((2, 3), x, CONTEXT)
    )


def test_parts_of_a_cell_agree_with_the_planar_translation():
    x = noise(2, 3, 5, 6)
    found = GridShift(PLANE).act((0.3, -1.7), x, CONTEXT)
    torch.testing.assert_close(found, FourierTranslation().act((0.3, -1.7), x, CONTEXT))


@pytest.mark.parametrize(
    ("group", "axes", "shape"),
    [
        (LINE, (0,), (5, 4)),
        (LINE, (1,), (4, 5)),
        (SPACE, (0, 1, 2), (3, 5, 7)),
        (TorusGroup((3.0, 5.0, 7.0)), (0, 1, 2), (3, 5, 7)),
    ],
)
def test_laws(group, axes, shape):
    """Odd sizes: at even ones the Nyquist mode of noise does not compose."""
    x = noise(2, 1, *shape)
    elements = group.values(group.sample(torch.Generator().manual_seed(1), (4,)))
    check_action_laws(GridShift(group, axes), group, x, elements=elements)


@pytest.mark.parametrize("boundary", ["zero", "reflect"])
def test_bounded_shifts_by_loops(boundary):
    x = noise(1, 1, 5, 3)
    found = GridShift(PLANE, mode="spline", boundary=boundary).act((2.0, -4.0), x, CONTEXT)
    for i in range(5):
        for j in range(3):
            a, b = i - 2, j + 4
            if boundary == "zero":
                expected = x[0, 0, a, b] if 0 <= a < 5 and 0 <= b < 3 else 0.0
            else:
                while not 0 <= a < 5:
                    a = -a if a < 0 else 8 - a
                while not 0 <= b < 3:
                    b = -b if b < 0 else 4 - b
                expected = x[0, 0, a, b]
            assert found[0, 0, i, j] == expected
    if boundary == "reflect":
        smooth = GridShift(PLANE, mode="spline", boundary=boundary)
        again = smooth.act(torch.tensor((2.0, -4.0), dtype=torch.float64), x, CONTEXT)
        torch.testing.assert_close(again, found)


def test_derivatives():
    x = noise(1, 1, 5, 6)
    zero, v = torch.zeros(2, dtype=torch.float64), torch.tensor([0.6, -0.8], dtype=torch.float64)
    for mode in ("fourier", "spline"):
        shift = GridShift(PLANE, mode=mode)
        _, found = torch.func.jvp(lambda t, s=shift: s.act(t, x, CONTEXT), (zero,), (v,))
        h = 1e-5
        two = [shift.act(s * h * v, x, CONTEXT) for s in (1, -1)]
        torch.testing.assert_close((two[0] - two[1]) / (2 * h), found, rtol=1e-6, atol=1e-6)


def test_errors():
    with pytest.raises(InputError, match=r"shifts with 2 components .* element shape \(3,\)"):
        GridShift(SPACE, (0, 1))
    with pytest.raises(InputError, match="expected a tensor of shape"):
        GridShift(PLANE).act((1.0, 0.0), noise(1, 1, 5), CONTEXT)
    with pytest.raises(InputError, match="not an element"):
        GridShift(PLANE).act((1.0,), noise(1, 1, 5, 5), CONTEXT)

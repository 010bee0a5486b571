"""The ready symmetries of images, by short name."""

from math import pi
from typing import Any

import torch

from goldstone.actions.action import Action
from goldstone.actions.fields import Field, FieldLayout
from goldstone.actions.images import ImageAction, ImageScaling
from goldstone.actions.naming import (
    Output,
    check_size,
    check_square_image,
    known_name,
    output_action,
)
from goldstone.actions.resampling import Boundary, Mode
from goldstone.actions.shifts import GridShift
from goldstone.actions.symmetry import Symmetry
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DihedralGroup,
    FiniteGroup,
    Group,
    ScalingGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    subgroup,
    subgroup_as_group,
)

IMAGE_SYMMETRIES = {
    "quarter-turns": "rotations by quarter turns, C4",
    "turns-and-flips": "quarter turns and reflections, D4",
    "flips": "up-down and left-right flips, D2",
    "left-right": "reversal of the second axis",
    "up-down": "reversal of the first axis",
    "rotations": "rotations by any angle about the centre, SO(2)",
    "scale": "growth and shrinking about the centre",
    "shifts": "shifts by whole pixels and parts of one",
    "motions": "rotations and shifts together, SE(2)",
}
"""Short names and what they mean."""

ANGLES = (5, 15, 30, 45, 60, 90, 135, 180)
FACTORS = (0.8, 0.9, 1.1, 1.25)


def image_symmetry(
    name: str,
    size: tuple[int, int],
    channels: int | FieldLayout = 3,
    output: Output = "invariant",
    mode: Mode = "spline",
    boundary: Boundary = "zero",
) -> Symmetry:
    """A ready symmetry of images (batch, channel, X, Y).

    Rotations are tested at 5° … 180°, scalings from 0.8 to 1.25, shifts along each axis from half
    a pixel to a quarter of the image, motions at some of these together.

    Args:
        name: one of :data:`IMAGE_SYMMETRIES`, in any case.
        size: rows and columns.
        channels: the number of scalar channels, or a layout that says which are vectors (in cells,
            so that they grow with the image under ``scale``).
        output: how the output moves: ``invariant`` for classes, ``same`` for images, or an action,
            such as :class:`goldstone.actions.ClassPermutation`.
        mode: how images are continued between pixels, :data:`goldstone.actions.Mode`.
        boundary: and beyond their edges, :data:`goldstone.actions.Boundary`.

    Raises:
        InputError: an unknown name, or quarter turns of images that are not square.
    """
    key = known_name(name, IMAGE_SYMMETRIES)
    check_size(size, 2)
    if isinstance(channels, FieldLayout):
        layout = channels
    else:
        layout = FieldLayout(tuple(Field(f"channel {i + 1}", "scalar") for i in range(channels)))
    if key in ("quarter-turns", "turns-and-flips", "rotations", "motions"):
        check_square_image(size, name)
    group, action, elements = _parts(key, size, layout, mode, boundary)
    on_output = output_action(output, action)
    return Symmetry(key, group, action, on_output, elements=elements)


def _parts(
    key: str, size: tuple[int, int], layout: FieldLayout, mode: Mode, boundary: Boundary
) -> tuple[Group[Any], Action, tuple[Any, ...]]:
    """Group, action and tested elements."""
    finite: dict[str, FiniteGroup[Any]] = {
        "quarter-turns": CyclicGroup(4),
        "turns-and-flips": DihedralGroup(4),
        "flips": DihedralGroup(2),
        "up-down": DihedralGroup(1),
    }
    if key in finite:
        return finite[key], ImageAction(finite[key], layout, mode, boundary), ()
    if key == "left-right":
        flips = DihedralGroup(2)
        mirror = subgroup_as_group(flips, subgroup(flips, [(1, 1)]))
        return mirror, ImageAction(flips, layout, mode, boundary), ()
    if key == "rotations":
        turns = SpecialOrthogonalGroup(2)
        return turns, ImageAction(turns, layout, mode, boundary), tuple(map(rotation, ANGLES))
    if key == "scale":
        scalings = ScalingGroup()
        # Vectors in cells grow with the image.
        weights = [float(f.is_vector) for f in layout.fields for _ in range(f.channels)]
        weight = tuple(weights) if any(weights) else 0.0
        return scalings, ImageScaling(scalings, layout.channels, mode, boundary, weight), FACTORS
    if key == "shifts":
        shifts = AdditiveGroup("shift", 2, "pixels")
        return shifts, GridShift(shifts, (0, 1), mode, boundary), _axis_steps(size)
    motions = SpecialEuclideanGroup(2)
    tested = tuple(
        motion(angle, (cells, -cells / 2)) for angle, cells in ((0, 2.0), (15, 1.0), (90, 2.0))
    )
    return motions, ImageAction(motions, layout, mode, boundary), tested


def rotation(degrees: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The rotation of the plane as a value of SO(2); quarter turns are exact."""
    if degrees % 90 == 0:
        return CyclicGroup(4).matrix(int(degrees // 90) % 4)
    angle = torch.tensor(degrees * pi / 180, dtype=torch.float64)
    c, s = float(angle.cos()), float(angle.sin())
    return ((c, -s), (s, c))


def motion(degrees: float, shift: tuple[float, float]) -> Any:
    """The rotation followed by the shift as a value of SE(2)."""
    (a, b), (c, d) = rotation(degrees)
    return ((a, b, shift[0]), (c, d, shift[1]), (0.0, 0.0, 1.0))


def _axis_steps(size: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    """Half a pixel, a pixel and the powers of two up to a quarter of the image, along each axis."""
    tested: list[tuple[float, float]] = []
    for axis, n in enumerate(size):
        steps = [0.5, 1.0] + [2.0**k for k in range(1, n.bit_length()) if 4 * 2**k <= n]
        tested += [(a, 0.0) if axis == 0 else (0.0, a) for a in steps]
    return tuple(tested)

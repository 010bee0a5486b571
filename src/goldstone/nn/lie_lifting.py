"""Lifting points of a homogeneous space, and features there, to samples of the group."""

from math import pi
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import SpecialEuclideanGroup, SpecialOrthogonalGroup
from goldstone.representations import Representation

Spacing = Literal["random", "even"]
"""Independent samples of the stabiliser by Haar measure, or equal steps from a random start."""


def lift_points(
    group: SpecialEuclideanGroup | SpecialOrthogonalGroup,
    points: Tensor,
    samples: int = 1,
    *,
    generator: torch.Generator,
    spacing: Spacing = "random",
) -> Tensor:
    """Elements g = s(x) h with g·o = x: for each point some samples of the coset of all such g.

    The section s(x) is the shift exp(x) for SE(n), whose origin o is 0, and for SO(n) a rotation of
    o = e_n to x/|x|; there points are lifted up to their distance |x|, an invariant of the orbit
    that :func:`relative_logarithms` passes on. h are samples of the stabiliser of o, SO(n) or
    SO(n−1). Lifting u·x gives samples of the same distribution as moving those of x by u (Finzi et
    al. 2020, "Generalizing convolutional neural networks for equivariance to Lie groups on
    arbitrary continuous data").

    Args:
        group: SE(n) or SO(n).
        points: (batch, point, n).
        samples: elements for each point; 1 is enough where the stabiliser is trivial.
        generator: of the samples of the stabiliser, in float64.
        spacing: ``"even"`` for a stabiliser SO(2), as in SE(2) and SO(3): functions along it that
            are band-limited to less than ``samples`` frequencies are then averaged without error.
            An odd number, lest two samples of a point differ by a half turn, which has no
            logarithm.

    Returns:
        (batch, point·samples, *element shape) in float64, the samples of a point together.

    Raises:
        InputError: another group, points that do not fit, the point 0 under SO(n), or an even
            spacing that is not to be had.
    """
    n = _space_dimension(group)
    if points.ndim != 3 or points.shape[-1] != n or not points.is_floating_point():
        raise InputError(
            f"expected points (batch, point, {n}) for {group.name}, got {tuple(points.shape)} of "
            f"{points.dtype}"
        )
    if samples < 1 or spacing not in get_args(Spacing):
        raise InputError(
            f"expected one sample or more and the spacing 'random' or 'even', got {samples} and "
            f"{spacing!r}"
        )
    points = points.double()
    rigid = isinstance(group, SpecialEuclideanGroup)
    shape = (*points.shape[:2], samples)
    turns = _stabiliser(n if rigid else n - 1, shape, generator, spacing).to(points.device)
    if rigid:
        algebra = torch.cat((points.new_zeros(*points.shape[:2], group.dimension - n), points), -1)
        section = group.exp(algebra)
    else:
        section = _towards(points)
    grown = torch.eye(section.shape[-1], dtype=torch.float64, device=points.device)
    grown = grown.expand(*shape, *grown.shape).clone()
    grown[..., : turns.shape[-1], : turns.shape[-1]] = turns
    return group.compose(section[:, :, None], grown).flatten(1, 2)


def lift_features(
    features: Tensor, elements: Tensor, representation: Representation | None = None
) -> Tensor:
    """f(g) = ρ(A)⁻¹ v(x) for g = s(x) h with the linear part A: v as seen in the frame g.

    When the points and what sits there move by u, f moves as a function on the group does,
    f(u⁻¹g): the components have become invariants, and any nonlinearity may act on them. Without a
    representation v is invariant itself and each sample has a copy of its point's.

    Args:
        features: (batch, point, channels).
        elements: what :func:`lift_points` made of the points.
        representation: ρ of SO(n), of the features.

    Returns:
        (batch, point·samples, channels), of the dtype of the features.

    Raises:
        InputError: shapes or a representation that do not fit.
    """
    samples = _samples(features.shape[1], elements)
    copies = features.repeat_interleave(samples, 1)
    if representation is None:
        return copies
    rho = _fibre(representation, elements, features)
    # Real orthogonal or not: solve, rather than transpose.
    seen: Tensor = torch.linalg.solve(rho, copies[..., None])[..., 0]
    return seen


def lower_features(
    features: Tensor, elements: Tensor, points: int, representation: Representation | None = None
) -> Tensor:
    """v(x) = mean of ρ(A) f(g) over the samples g of x: from the group back to the space.

    The inverse of :func:`lift_features` where f is lifted, and else the projection on such f.

    Args:
        features: (batch, point·samples, channels).
        elements: the samples.
        points: how many points there are.
        representation: ρ of SO(n), of the result; None for invariant channels.

    Returns:
        (batch, point, channels).

    Raises:
        InputError: shapes or a representation that do not fit.
    """
    samples = _samples(points, elements)
    if representation is not None:
        features = (_fibre(representation, elements, features) @ features[..., None])[..., 0]
    batch, _, channels = features.shape
    return features.reshape(batch, points, samples, channels).mean(2)


def _space_dimension(group: Any) -> int:
    if isinstance(group, SpecialEuclideanGroup) or (
        isinstance(group, SpecialOrthogonalGroup) and group.n > 1
    ):
        return int(group.n)
    name = getattr(group, "name", group)
    raise InputError(
        f"expected SE(n) or SO(n), n ≥ 2, to lift points to, got {name}; give LieConv the elements "
        "of other groups directly"
    )


def _stabiliser(
    n: int, shape: tuple[int, ...], generator: torch.Generator, spacing: Spacing
) -> Tensor:
    """Samples of SO(n), (*shape, n, n)."""
    if spacing == "random":
        return SpecialOrthogonalGroup(n).sample(generator, shape)
    if n != 2 or shape[-1] % 2 == 0:
        raise InputError(
            "even spacing needs a stabiliser SO(2), as in SE(2) and SO(3), and an odd number of "
            f"samples, got SO({n}) and {shape[-1]}; use spacing='random' or an odd number"
        )
    start = torch.rand(
        (*shape[:-1], 1), generator=generator, dtype=torch.float64, device=generator.device
    )
    step = torch.arange(shape[-1], dtype=torch.float64, device=generator.device)
    angles: Tensor = 2 * pi * (start + step) / shape[-1]
    return SpecialOrthogonalGroup(2).exp(angles[..., None])


def _towards(points: Tensor) -> Tensor:
    """The rotations in the plane of e_n and x that take e_n to x/|x|, (*batch, n, n)."""
    size = torch.linalg.vector_norm(points, dim=-1, keepdim=True)
    if bool((size == 0).any()):
        raise InputError("the point 0 has no direction; leave it out, or use SE(n)")
    n = points.shape[-1]
    x = points / size
    # A product of two reflections, of e_n and then of the vector between: no angle, no division by
    # sin θ, and a good rotation at x = −e_n too.
    upper = x[..., -1:] >= 0
    o = torch.zeros_like(x)
    o[..., -1] = 1.0
    between = torch.where(upper, x + o, x - o)
    between = between / torch.linalg.vector_norm(between, dim=-1, keepdim=True)
    one = torch.eye(n, dtype=x.dtype, device=x.device)
    fold = one - 2 * between[..., :, None] * between[..., None, :]
    # fold takes e_n to ∓x; the first reflection reverses e_n, or for the lower half e_1.
    first = one.expand_as(fold).clone()
    first[..., -1, -1] = torch.where(upper[..., 0], -1.0, 1.0).to(x.dtype)
    first[..., 0, 0] = torch.where(upper[..., 0], 1.0, -1.0).to(x.dtype)
    section: Tensor = fold @ first
    return section


def _samples(points: int, elements: Tensor) -> int:
    if elements.ndim < 2 or not points or elements.shape[1] % points:
        raise InputError(
            f"expected the elements of lift_points for {points} points, so many for each, got "
            f"shape {tuple(elements.shape)}"
        )
    return elements.shape[1] // points


def _fibre(representation: Representation, elements: Tensor, features: Tensor) -> Tensor:
    """ρ of the linear parts, (batch, n, channels, channels)."""
    group = representation.group
    n = group.n if isinstance(group, SpecialOrthogonalGroup) else 0
    if elements.shape[-1] not in (n, n + 1) or features.shape[-1] != representation.dimension:
        raise InputError(
            "expected a representation of the rotations SO(n), of the dimension of the channels, "
            f"got one of {group.name} of dimension {representation.dimension} for "
            f"{features.shape[-1]} channels"
        )
    linear = elements[..., :n, :n]
    matrices: Tensor = representation.matrix_unchecked(linear).to(features.dtype)
    return matrices

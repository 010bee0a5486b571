"""The symmetry groups of the Platonic solids."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import atan2, pi, sqrt

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.permutation_group import PermutationGroup
from goldstone.groups.permutations import Permutation
from goldstone.groups.planar import power_name
from goldstone.groups.vector_permutations import VectorPermutations, match_vectors

GOLDEN_RATIO = (1 + sqrt(5)) / 2

_SYMBOLS = ("T", "Td", "Th", "O", "Oh", "I", "Ih")


@dataclass(frozen=True)
class PolyhedralGroup(VectorPermutations):
    """A symmetry group of a Platonic solid, by its Schoenflies symbol.

    T (order 12), O (24) and I (60) are the rotations of the tetrahedron, the octahedron or cube,
    and the icosahedron or dodecahedron. Td (24), Oh (48) and Ih (120) are all their symmetries;
    Th (24) is T with the inversion. The coordinate axes are two- or fourfold axes.

    An element is a permutation of :attr:`vectors`: the vertices (1, 1, 1), … of the tetrahedron
    for T and Td, those of the octahedron, ±e_i, for Th, O and Oh, and those of the icosahedron,
    (0, ±1, ±φ) and cyclic, for I and Ih.

    Names: ``C3²[1,-1,1]`` turns by 2·2π/3 counter-clockwise about that axis, ``i`` is the
    inversion, ``σ[1,0,0]`` the reflection along the axis and ``S4³[0,0,1]`` the turn by 3·2π/4
    with a reflection along the axis; φ = (1 + √5)/2.
    """

    symbol: str
    vectors: Tensor = field(init=False, compare=False, repr=False)
    permutations: PermutationGroup = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.symbol not in _SYMBOLS:
            raise InputError(
                f"expected one of {', '.join(_SYMBOLS)} as the symbol of a polyhedral group, got "
                f"{self.symbol!r}"
            )
        vectors = _vertices(self.symbol)
        images = match_vectors(_generating_matrices(self.symbol), vectors, 1e-9)
        if images is None:
            raise InputError(f"the generators of {self.symbol} do not permute its vertices")
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "permutations", PermutationGroup(images.tolist(), self.symbol))

    @property
    def name(self) -> str:
        return self.symbol

    def matrices(self, a: Tensor) -> Tensor:
        """The orthogonal 3×3 matrices, (*batch, 3, 3) in float64.

        Their entries are 0, ±1, ±1/2, ±φ/2 and ±(φ − 1)/2, correctly rounded.
        """
        # The vertices are a tight frame: Σ v vᵀ = s·1.
        vectors = self.vectors.to(a.device)
        frame = vectors.square().sum() / 3
        found = vectors[a].mT @ vectors / frame
        entries = vectors.new_tensor([0.0, (GOLDEN_RATIO - 1) / 2, 0.5, GOLDEN_RATIO / 2, 1.0])
        nearest = entries[(found.abs()[..., None] - entries).abs().argmin(-1)]
        return nearest.copysign(found).add(0.0)

    def element_name(self, a: Permutation) -> str:
        matrix = self.matrices(self.tensor((a,)))[0]
        proper = bool(torch.linalg.det(matrix) > 0)
        turn, axis = _turn_and_axis(matrix if proper else -matrix)
        if proper:
            return f"{_turn_name('C', turn)}[{axis}]" if turn else "e"
        if turn == 0:
            return "i"
        # −1 is the half turn about any axis with the reflection along it.
        turn = (turn + Fraction(1, 2)) % 1
        return f"{_turn_name('S', turn)}[{axis}]" if turn else f"σ[{axis}]"

    def parse(self, name: str) -> Permutation:
        # By the names above, not in cycle notation.
        return FiniteGroup.parse(self, name)


def tetrahedral_group(reflections: bool = False) -> PolyhedralGroup:
    """T, or Td with reflections."""
    return PolyhedralGroup("Td" if reflections else "T")


def octahedral_group(reflections: bool = False) -> PolyhedralGroup:
    """O, or Oh with reflections."""
    return PolyhedralGroup("Oh" if reflections else "O")


def icosahedral_group(reflections: bool = False) -> PolyhedralGroup:
    """I, or Ih with reflections."""
    return PolyhedralGroup("Ih" if reflections else "I")


def _vertices(symbol: str) -> Tensor:
    if symbol in ("T", "Td"):
        rows = [(1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0)]
    else:
        long = GOLDEN_RATIO if symbol.startswith("I") else 0.0
        rows = [(0.0, s, t * long) for s in (1.0, -1.0) for t in ((1.0, -1.0) if long else (1.0,))]
        rows = [(row[k], row[k - 2], row[k - 1]) for row in rows for k in range(3)]
    return torch.tensor(rows, dtype=torch.float64)


def _generating_matrices(symbol: str) -> Tensor:
    third = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    # The second rotation: a half turn, a quarter turn, a half turn about an edge (1/φ, φ, 1)/2.
    p, q = GOLDEN_RATIO / 2, (GOLDEN_RATIO - 1) / 2
    rotation = {
        "T": [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]],
        "O": [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
        "I": [[-p, 0.5, q], [0.5, q, p], [q, p, -0.5]],
    }[symbol[0]]
    inversion = [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]
    reflection = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    more = {"": [], "h": [inversion], "d": [reflection]}[symbol[1:]]
    return torch.tensor([third, rotation, *more], dtype=torch.float64)


def _turn_name(letter: str, turn: Fraction) -> str:
    return power_name(f"{letter}{turn.denominator}", turn.numerator)


def _turn_and_axis(rotation: Tensor) -> tuple[Fraction, str]:
    """The angle over 2π, in [0, 1), and the axis, its first component ≠ 0 positive."""
    trace = float(rotation.trace())
    if trace > 3 - 1e-9:
        return Fraction(0), ""
    # R + Rᵀ + (1 − tr R)·1 = 2(1 − cos θ) v vᵀ for the unit axis v.
    one = torch.eye(3, dtype=rotation.dtype)
    projector = rotation + rotation.T + (1 - trace) * one
    axis = projector[int(projector.diagonal().argmax())]
    axis = axis / axis.norm()
    first = next(x for x in axis.tolist() if abs(x) > 1e-9)
    axis = axis if first > 0 else -axis
    # R − Rᵀ = 2 sin θ [v]×.
    twist = torch.stack(
        (
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        )
    )
    angle = atan2(float(twist @ axis) / 2, (trace - 1) / 2)
    return Fraction(angle / (2 * pi)).limit_denominator(5) % 1, _axis_name(axis)


def _axis_name(axis: Tensor) -> str:
    """Components in units of the smallest that is not zero: 0, ±1, ±φ, ±φ²."""
    smallest = min(abs(x) for x in axis.tolist() if abs(x) > 1e-9)
    sizes = {"0": 0.0, "1": 1.0, "φ": GOLDEN_RATIO, "φ²": GOLDEN_RATIO**2}
    words = []
    for x in axis.tolist():
        size = min(sizes, key=lambda word: abs(abs(x) / smallest - sizes[word]))
        words.append(("-" if x < -1e-9 else "") + size)
    return ",".join(words)

"""Groups by the names that the field writes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from goldstone.core import InputError
from goldstone.groups.additive import AdditiveGroup
from goldstone.groups.binary_polyhedral import binary_polyhedral_group
from goldstone.groups.direct_product import direct_product
from goldstone.groups.group import Group
from goldstone.groups.klein_four import KleinFourGroup
from goldstone.groups.matrix.euclidean import EuclideanGroup, SpecialEuclideanGroup
from goldstone.groups.matrix.galilei import GalileiGroup
from goldstone.groups.matrix.heisenberg import HeisenbergGroup
from goldstone.groups.matrix.lorentz import LorentzGroup
from goldstone.groups.matrix.orthogonal import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.groups.matrix.special_linear import SpecialLinearGroup
from goldstone.groups.matrix.symplectic import SymplecticGroup
from goldstone.groups.matrix.unitary import SpecialUnitaryGroup, UnitaryGroup
from goldstone.groups.planar import CyclicGroup, DihedralGroup
from goldstone.groups.polyhedral import PolyhedralGroup
from goldstone.groups.quaternion import DicyclicGroup
from goldstone.groups.scaling import ScalingGroup
from goldstone.groups.signed_permutations import SignedPermutationGroup
from goldstone.groups.spin import SpinGroup
from goldstone.groups.symmetric_group import AlternatingGroup, SymmetricGroup
from goldstone.groups.torus import TorusGroup
from goldstone.groups.translations import GridTranslations
from goldstone.groups.wallpaper import WallpaperGroup

MOST_MATRIX_SIZE = 40
MOST_POINTS = 100
LONGEST_NAME = 200


@dataclass(frozen=True)
class NameForm:
    """A form of names that :func:`group_named` reads.

    Attributes:
        form: the name with letters for its numbers, such as ``Dn``.
        example: a name of this form.
        meaning: the group, in a few words.
    """

    form: str
    example: str
    meaning: str


def group_named(name: str) -> Group[Any]:
    """The group of a name such as ``D4``, ``C2×S3``, ``p4m(8)`` or ``SO(3)``.

    Names are read without regard to case, spaces and underscores; ``×``, ``x`` and ``*`` make
    direct products, parentheses group them. ``Zm×Zn`` are the translations of a periodic grid.
    :data:`GROUP_NAME_FORMS` lists the forms. A group that this function makes has a ``name`` from
    which it makes the same group again, but for ℝⁿ, scalings and tori.

    Raises:
        InputError: the name is of no known form, or its numbers make no group.
    """
    if len(name) > LONGEST_NAME:
        raise InputError(f"expected a name of up to {LONGEST_NAME} letters, got {len(name)}")
    text = name.translate(_PLAIN).casefold()
    while _is_enclosed(text):
        text = text[1:-1]
    factors = _split(text)
    if len(factors) == 2 and all(re.fullmatch(r"z\d{1,6}", factor) for factor in factors):
        return GridTranslations((int(factors[0][1:]), int(factors[1][1:])))
    if len(factors) > 1:
        return direct_product(*(group_named(factor) for factor in factors))
    for pattern, make, _ in _READERS:
        found = re.fullmatch(pattern, text)
        if found:
            return make(*found.groups())
    raise InputError(_unknown(name, text))


def _is_enclosed(text: str) -> bool:
    """Whether one pair of parentheses encloses the whole."""
    depth = 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return letter == ")" and place == len(text) - 1
    return False


def _split(text: str) -> list[str]:
    """The factors of a product, split outside parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "×" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _unknown(name: str, text: str) -> str:
    examples = {
        form.example.translate(_PLAIN).casefold(): form.example for form in GROUP_NAME_FORMS
    }
    # Digits differ within a form: D6 is as near to D4 as D5 is.
    near = get_close_matches(text, examples, n=3, cutoff=0.5)
    hint = f"; did you mean one like {' or '.join(examples[e] for e in near)}" if near else ""
    forms = ", ".join(form.form for form in GROUP_NAME_FORMS)
    return f"{name!r} names no group{hint}; names have one of the forms {forms}"


# "x" and "*" stand for "×" in products, where no name has them.
_PLAIN = str.maketrans(
    {"x": "×", "X": "×", "*": "×", "ℝ": "R", "ℂ": "C", "ℤ": "Z", "⁺": "+", " ": None, "_": None}
    | dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
)

_Maker = Callable[..., Group[Any]]
_N = r"(\d{1,6})"


def _of(make: Callable[[int], Group[Any]]) -> _Maker:
    return lambda digits: make(int(digits))


def _permutations(make: Callable[[int], Group[Any]]) -> _Maker:
    def checked(digits: str) -> Group[Any]:
        if int(digits) > MOST_POINTS:
            raise InputError(
                f"expected up to {MOST_POINTS} points for a group of permutations by name, got "
                f"{digits}"
            )
        return make(int(digits))

    return checked


def _matrices(make: Callable[[int], Group[Any]]) -> _Maker:
    """Of n×n matrices: the basis of the Lie algebra alone takes memory of order n⁴."""

    def checked(digits: str) -> Group[Any]:
        if int(digits) > MOST_MATRIX_SIZE:
            raise InputError(
                f"expected matrices of size up to {MOST_MATRIX_SIZE} for a group by name, got "
                f"{digits}"
            )
        return make(int(digits))

    return checked


def _dicyclic(order: str) -> Group[Any]:
    if int(order) % 4 or order == "0":
        raise InputError(
            f"expected an order divisible by 4 for a quaternion or dicyclic group, as in Q8 or "
            f"Q12, got Q{order}"
        )
    return DicyclicGroup(int(order) // 4)


def _symplectic(size: int) -> Group[Any]:
    if size % 2 or size == 0:
        raise InputError(
            f"expected an even size for a symplectic group, as in Sp(4,R), got Sp({size},R)"
        )
    return SymplecticGroup(size // 2)


def _heisenberg(dimension: int) -> Group[Any]:
    if dimension % 2 == 0 or dimension < 3:
        raise InputError(
            f"expected an odd dimension ≥ 3 for a Heisenberg group, as in Heis(3), got {dimension}"
        )
    return HeisenbergGroup((dimension - 1) // 2)


def _linear(size: str, field: str) -> Group[Any]:
    over: Literal["real", "complex"] = "complex" if field == "c" else "real"
    return _matrices(lambda n: SpecialLinearGroup(n, over))(size)


def _lorentz(letters: str, space: str) -> Group[Any]:
    parts: dict[str, Literal["restricted", "proper", "full"]] = {
        "so+": "restricted",
        "so": "proper",
        "o": "full",
    }
    return _matrices(lambda n: LorentzGroup(n, parts[letters]))(space)


def _wallpaper(letter: str, one: str, other: str | None) -> Group[Any]:
    grid = GridTranslations((int(one), int(other or one)))
    return WallpaperGroup(grid, DihedralGroup(4) if letter else CyclicGroup(4))


def _polyhedral(symbol: str) -> Group[Any]:
    return PolyhedralGroup(symbol.capitalize())


_READERS: tuple[tuple[str, _Maker, NameForm], ...] = (
    (rf"[cz]{_N}", _of(CyclicGroup), NameForm("Cn", "C8", "cyclic, of order n; also Zn")),
    (rf"d{_N}", _of(DihedralGroup), NameForm("Dn", "D4", "dihedral, of order 2n")),
    (
        rf"s{_N}",
        _permutations(SymmetricGroup),
        NameForm("Sn", "S4", "symmetric, all permutations of n points"),
    ),
    (
        rf"a{_N}",
        _permutations(AlternatingGroup),
        NameForm("An", "A5", "alternating, the even permutations"),
    ),
    (r"[vk]4?", lambda: KleinFourGroup(), NameForm("V4", "V4", "Klein's four-group; also K4")),
    (
        rf"q{_N}",
        _dicyclic,
        NameForm("Qn", "Q8", "quaternion or dicyclic, of order n = 4, 8, 12, …"),
    ),
    (
        rf"b{_N}",
        _permutations(SignedPermutationGroup),
        NameForm("Bn", "B3", "signed permutations: symmetries of the n-dimensional cube"),
    ),
    (
        r"(t|td|th|o|oh|i|ih)",
        _polyhedral,
        NameForm("T, Td, Th, O, Oh, I, Ih", "Oh", "of the tetrahedron, cube and icosahedron"),
    ),
    (
        r"2([toi])",
        lambda symbol: binary_polyhedral_group(symbol.upper()),
        NameForm("2T, 2O, 2I", "2T", "binary polyhedral groups"),
    ),
    (
        rf"p4(m?)\({_N}(?:×{_N})?\)",
        _wallpaper,
        NameForm("p4(n), p4m(n)", "p4m(8)", "shifts and turns (and reflections) of an n×n grid"),
    ),
    (
        rf"so\({_N}\)",
        _matrices(SpecialOrthogonalGroup),
        NameForm("SO(n)", "SO(3)", "rotations"),
    ),
    (rf"o\({_N}\)", _matrices(OrthogonalGroup), NameForm("O(n)", "O(2)", "with reflections")),
    (rf"su\({_N}\)", _matrices(SpecialUnitaryGroup), NameForm("SU(n)", "SU(2)", "special unitary")),
    (rf"u\({_N}\)", _matrices(UnitaryGroup), NameForm("U(n)", "U(1)", "unitary")),
    (rf"spin\({_N}\)", _of(SpinGroup), NameForm("Spin(n)", "Spin(4)", "double cover of SO(n)")),
    (
        rf"se\({_N}\)",
        _matrices(SpecialEuclideanGroup),
        NameForm("SE(n)", "SE(3)", "rotations and translations"),
    ),
    (rf"e\({_N}\)", _matrices(EuclideanGroup), NameForm("E(n)", "E(2)", "isometries of space")),
    (
        rf"sl\({_N},([rc])\)",
        _linear,
        NameForm("SL(n,R), SL(n,C)", "SL(2,R)", "matrices of determinant 1"),
    ),
    (
        rf"sp\({_N},r\)",
        _matrices(_symplectic),
        NameForm("Sp(2n,R)", "Sp(4,R)", "linear canonical maps of phase space"),
    ),
    (
        rf"(so\+|so|o)\(1,{_N}\)",
        _lorentz,
        NameForm("SO+(1,n), SO(1,n), O(1,n)", "SO(1,3)", "Lorentz: restricted, proper, full"),
    ),
    (rf"gal\({_N}\)", _matrices(GalileiGroup), NameForm("Gal(n)", "Gal(3)", "Galilei")),
    (
        rf"heis\({_N}\)",
        _matrices(_heisenberg),
        NameForm("Heis(2n+1)", "Heis(3)", "Heisenberg, of n pairs"),
    ),
    (
        rf"r{_N}?",
        lambda n: AdditiveGroup("shift", int(n or 1)),
        NameForm("Rn", "R3", "shifts of ℝⁿ"),
    ),
    (r"r\+", lambda: ScalingGroup(), NameForm("R+", "R+", "scalings by positive factors")),
    (
        rf"torus\({_N}\)",
        lambda n: TorusGroup((1.0,) * int(n)),
        NameForm("Torus(n)", "Torus(2)", "shifts modulo 1"),
    ),
)

GROUP_NAME_FORMS: tuple[NameForm, ...] = (
    *(form for _, _, form in _READERS),
    NameForm("Zm×Zn", "Z4×Z4", "translations of a periodic m×n grid"),
    NameForm("G×H", "C2×S3", "direct product; also C2xS3 or C2*S3"),
)
"""The forms of names that :func:`group_named` reads."""

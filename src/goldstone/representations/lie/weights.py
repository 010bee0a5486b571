"""What irreps a representation of a compact Lie group contains, read off its weights."""

from collections import Counter

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup, SpecialOrthogonalGroup, SpecialUnitaryGroup
from goldstone.representations.irrep import Field, Irrep
from goldstone.representations.lie.gelfand_tsetlin import gelfand_tsetlin
from goldstone.representations.lie.planar import O2Irrep, SO2ComplexIrrep, SO2Irrep
from goldstone.representations.lie.real_form import RealIrrep
from goldstone.representations.lie.spatial import O3Irrep, SO3Irrep
from goldstone.representations.lie.special_unitary import SU2Irrep, SU3Irrep
from goldstone.representations.representation import Representation

_Counts = dict[SU2Irrep | SU3Irrep, int]


def compact_multiplicities(representation: Representation, field: Field | None) -> dict[Irrep, int]:
    """How often each irrep occurs in a representation of SO(2), O(2), SO(3), O(3), SU(2) or SU(3).

    See :func:`irrep_multiplicities`. The weights are the eigenvalues of i·dρ on a maximal torus,
    and whole numbers decide: an irrep occurs as often as its highest weight does, less the
    occurrences inside irreps of higher weight. For the full orthogonal groups a reflection that
    commutes with the torus splits the weights by parity.

    Raises:
        InputError: another group, or weights that are no whole numbers.
    """
    group = representation.group
    if isinstance(group, SpecialOrthogonalGroup) and group.n == 2:
        return _planar_rotations(representation, field)
    if isinstance(group, OrthogonalGroup) and group.n == 2:
        return _planar_isometries(representation)
    if isinstance(group, SpecialOrthogonalGroup) and group.n == 3:
        found = _strings(_weights(representation, (0, 0, 2)), 2)
        return {SO3Irrep(w // 2): count for w, count in found.items()}
    if isinstance(group, OrthogonalGroup) and group.n == 3:
        return _spatial_isometries(representation)
    if isinstance(group, SpecialUnitaryGroup) and group.n == 2:
        found = _strings(_weights(representation, (0, 0, 2)), 2)
        spins: _Counts = {SU2Irrep(w / 2): count for w, count in found.items()}
        return _over_field(spins, field)
    if isinstance(group, SpecialUnitaryGroup) and group.n == 3:
        return _over_field(_special_unitary_three(representation), field)
    raise InputError(
        "irreps are known of finite groups, SO(2), O(2), SO(3), O(3), SU(2) and SU(3), not "
        f"{group.name}"
    )


def _planar_rotations(representation: Representation, field: Field | None) -> dict[Irrep, int]:
    # e^ikθ has dρ = ik.
    found = Counter({-w: n for w, n in _weights(representation, (1,)).items()})
    frequencies = sorted(found, key=lambda k: (abs(k), -k))
    if field == "complex" or representation.dtype.is_complex:
        return {SO2ComplexIrrep(k): found[k] for k in frequencies}
    return {SO2Irrep(k): found[k] for k in frequencies if k >= 0}


def _planar_isometries(representation: Representation) -> dict[Irrep, int]:
    found = _weights(representation, (1,))
    flip = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    # The trace of a reflection is 1 on A1, −1 on A2 and 0 on the others.
    difference = round(float(representation.character(flip).real))
    counts: dict[Irrep, int] = {
        O2Irrep(0): (found[0] + difference) // 2,
        O2Irrep(0, -1): (found[0] - difference) // 2,
    }
    counts |= {O2Irrep(k): found[k] for k in sorted(found) if k > 0}
    return {irrep: count for irrep, count in counts.items() if count}


def _spatial_isometries(representation: Representation) -> dict[Irrep, int]:
    turn = _operator(representation, (0, 0, 2))
    inversion = representation.matrix(-torch.eye(3, dtype=torch.float64)).to(turn)
    joint = _joint_eigenvalues(turn, inversion)
    counts: dict[Irrep, int] = {}
    for parity in (1, -1):
        even = Counter({w: n for (w, sign), n in joint.items() if sign == parity})
        counts |= {O3Irrep(w // 2, parity): n for w, n in _strings(even, 2).items()}
    return counts


def _special_unitary_three(representation: Representation) -> _Counts:
    # E_11 − E_22 = λ_3 and E_22 − E_33 = (√3 λ_8 − λ_3)/2.
    first = _operator(representation, (0, 0, 2, 0, 0, 0, 0, 0))
    second = _operator(representation, (0, 0, -1, 0, 0, 0, 0, 3**0.5))
    left = _joint_eigenvalues(first, second)
    found: dict[tuple[int, int], int] = {}
    # Of what is left, a weight with the largest sum p + q of all is a highest one.
    for p, q in sorted(left, key=sum, reverse=True):
        if min(p, q) >= 0 and (count := left[p, q]) > 0:
            found[p, q] = count
            for weight in gelfand_tsetlin(p, q).weights.tolist():
                left[weight[0], weight[1]] -= count
    if any(left.values()):
        raise InputError("expected the weights of a representation of SU(3)")
    return {SU3Irrep(p, q): found[p, q] for p, q in sorted(found, key=lambda w: (sum(w), -w[0]))}


def _over_field(found: _Counts, field: Field | None) -> dict[Irrep, int]:
    counts: dict[Irrep, int] = {}
    for irrep, count in found.items():
        # Over ℂ a real irrep of quaternionic type is σ ⊕ σ, one of complex type σ ⊕ conj(σ).
        if field != "real":
            counts[irrep] = count
        elif isinstance(irrep, SU2Irrep) or irrep.p >= irrep.q:
            halved = irrep.frobenius_schur_type == "quaternionic"
            counts[RealIrrep(irrep)] = count // 2 if halved else count
    return counts


def _strings(weights: Counter[int], step: int) -> dict[int, int]:
    """The highest weights w ≥ 0 of strings w, w − step, …, −w, with multiplicities."""
    starts = {w: weights[w] - weights[w + step] for w in sorted(weights) if w >= 0}
    return {w: count for w, count in starts.items() if count}


def _weights(representation: Representation, direction: tuple[float, ...]) -> Counter[int]:
    return _whole(torch.linalg.eigvals(_operator(representation, direction)))


def _operator(representation: Representation, direction: tuple[float, ...]) -> Tensor:
    """i·dρ, complex."""
    x = torch.tensor(direction, dtype=torch.float64)
    return 1j * representation.derivative(x).to(torch.complex128)


def _joint_eigenvalues(first: Tensor, second: Tensor) -> Counter[tuple[int, int]]:
    """The pairs of whole eigenvalues of two diagonalisable matrices that commute."""
    largest = max((abs(w) for w in _whole(torch.linalg.eigvals(first))), default=0)
    base = 2 * largest + 1
    joint = _whole(torch.linalg.eigvals(first + base * second))
    found: Counter[tuple[int, int]] = Counter()
    for value, count in joint.items():
        high = (value + largest) // base
        found[value - base * high, high] += count
    return found


def _whole(values: Tensor) -> Counter[int]:
    rounded = values.real.round()
    if values.numel() and float((values - rounded).abs().max()) > 1e-3:
        raise InputError("expected whole numbers as weights: is this a representation?")
    return Counter(int(value) for value in rounded.tolist())

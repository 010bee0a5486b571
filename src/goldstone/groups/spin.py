"""The spin groups, by the Clifford algebra."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.clifford import EvenClifford
from goldstone.groups.integers import is_count
from goldstone.groups.lie import LieGroup
from goldstone.groups.matrix.algebra import planes, rotation_names
from goldstone.groups.matrix.exponential import matrix_exponential
from goldstone.groups.matrix.logarithm import matrix_logarithm, off_the_cut
from goldstone.groups.matrix.matrix_lie import CUT, numbers_text
from goldstone.groups.matrix.norms import matrix_norm, vector_norm
from goldstone.groups.matrix.orthogonal import SpecialOrthogonalGroup
from goldstone.groups.matrix.unit_quaternion import quaternion_exp, quaternion_log

LARGEST = 10


@dataclass(frozen=True)
class SpinGroup(LieGroup[tuple[float, ...]]):
    """Spin(n): products of an even number of unit vectors in the Clifford algebra, e_a² = 1.

    An element is the vector of coefficients of an even multivector, 2^(n−1) numbers for 1, e_12,
    e_13, …; for n = 3 a unit quaternion. It acts on vectors by v ↦ g v g̃, which covers SO(n) twice
    (:class:`goldstone.groups.spin_covering`). Its Lie algebra has the basis −e_a e_b / 2 for the
    planes (a, b) of SO(n) in the same order, so that coordinates, bracket and adjoint agree with
    those of SO(n). Its matrices, of size 2^(n−1), are left multiplication on even multivectors.

    The logarithm is defined where the eigenvalues of left multiplication are off the negative real
    axis (by 1e-6; 1e-8 for n = 3): in particular for exp(x) where the angles θ_j of the planes
    turned satisfy Σ |θ_j| < 2π.

    Attributes:
        n: dimension of the space, 2 to 10.
    """

    n: int
    _algebra: EvenClifford = field(init=False, repr=False, compare=False)
    _basis: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not is_count(self.n, 2) or self.n > LARGEST:
            raise InputError(f"a spin group needs a dimension n from 2 to {LARGEST}, got {self.n}")
        algebra = EvenClifford.build(self.n)
        basis = torch.stack([-algebra.bivector(a, b) / 2 for a, b in planes(self.n)])
        object.__setattr__(self, "_algebra", algebra)
        object.__setattr__(self, "_basis", basis)

    @property
    def name(self) -> str:
        return f"Spin({self.n})"

    @property
    def basis_names(self) -> tuple[str, ...]:
        return rotation_names(self.n)

    @property
    def dimension(self) -> int:
        return len(self._basis)

    @property
    def degree(self) -> int:
        """2^(n−1), the dimension of the even multivectors."""
        return len(self._algebra.blades)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (self.degree,)

    @property
    def element_dtype(self) -> torch.dtype:
        return torch.float64

    @property
    def is_compact(self) -> bool:
        return True

    @property
    def identity(self) -> tuple[float, ...]:
        return (1.0,) + (0.0,) * (self.degree - 1)

    @property
    def log_domain(self) -> str:
        return "no eigenvalue of left multiplication is −1"

    @property
    def basis(self) -> Tensor:
        """−e_a e_b / 2 as coefficients, (d, 2^(n−1))."""
        return self._basis.clone()

    def matrices(self, a: Tensor) -> Tensor:
        """Left multiplication on even multivectors: (*batch, 2^(n−1), 2^(n−1))."""
        return self._algebra.left_matrix(a)

    def rotations(self, a: Tensor) -> Tensor:
        """The rotations v ↦ g v g̃ that the elements cover: (*batch, n, n)."""
        return self._algebra.rotation(a)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self._algebra.product(a, b)

    def _inverse(self, a: Tensor) -> Tensor:
        return self._algebra.reverse(a)

    def member_mask(self, a: Tensor) -> Tensor:
        a = a if a.is_floating_point() else a.to(torch.float64)
        norm = self._compose(a, self._inverse(a)) - self.identity_tensor(a).to(a)
        # g v g̃ has the length of v; all of it must be a vector.
        turned = self.rotations(a)
        one = torch.eye(self.n, dtype=a.dtype, device=a.device)
        defect = torch.maximum(vector_norm(norm), matrix_norm(turned @ turned.mT - one))
        return defect <= max(10 * self.tolerance, 64 * self.n * torch.finfo(a.dtype).eps)

    def _exp(self, x: Tensor) -> Tensor:
        if self.n == 3:
            w, x, y, z = quaternion_exp(x).unbind(-1)
            return torch.stack((w, -z, y, -x), -1)
        return matrix_exponential(self._algebra.left_matrix(x @ self._basis.to(x)))[..., 0]

    def _log(self, a: Tensor) -> Tensor:
        if self.n == 3:
            w, z, y, x = a.unbind(-1)
            vector = quaternion_log(torch.stack((w, -x, y, -z), -1))
            return self._defined(vector, vector_norm(vector.detach()) < 2 * torch.pi - 1e-8)
        left = self.matrices(a)
        inside = off_the_cut(left, CUT)
        one = torch.eye(self.degree, dtype=a.dtype, device=a.device)
        coefficients = matrix_logarithm(torch.where(inside[..., None, None], left, one))[..., 0]
        x = 4 * coefficients @ self._basis.to(a).T
        rest = vector_norm((coefficients - x @ self._basis.to(a)).detach())
        return self._defined(x, inside & (rest <= 1e-5))

    def adjoint(self, a: Tensor) -> Tensor:
        return SpecialOrthogonalGroup(self.n).adjoint(self.rotations(a))

    def structure_constants(self) -> Tensor:
        return SpecialOrthogonalGroup(self.n).structure_constants()

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """Haar measure, by the subgroup algorithm of Diaconis and Shahshahani.

        g = ± h_n … h_2, where h_k takes e_k to a uniform unit vector v in the span of e_1 … e_k:
        h_k = (1 + v e_k) / ‖1 + v e_k‖. Probab. Eng. Inf. Sci. 1 (1987) 15.
        """
        device = generator.device
        sign = 2.0 * torch.randint(2, shape, generator=generator, device=device) - 1.0
        result = sign.to(torch.float64)[..., None] * self.identity_tensor(sign)
        for k in range(1, self.n):
            normal = torch.randn(
                (*shape, k + 1), generator=generator, dtype=torch.float64, device=device
            )
            v = normal / vector_norm(normal)[..., None]
            rotor = (1 + v[..., k:]) * self.identity_tensor(v)
            for axis in range(k):
                rotor = rotor + v[..., axis, None] * self._algebra.bivector(axis, k).to(v)
            result = self._compose(rotor / vector_norm(rotor)[..., None], result)
        return result

    def element_name(self, a: tuple[float, ...]) -> str:
        """The multivector, such as ``0.8-0.6e12``."""
        element = self.tensor((a,))[0]
        if bool(self.equal(element, self.identity_tensor(element))):
            return "e"
        terms = [
            (f"+{text}" if not text.startswith("-") else text) + ("" if blade == "1" else blade)
            for number, blade in zip(element, self._algebra.names(), strict=True)
            if (text := numbers_text(number[None])) != "0"
        ]
        return "".join(terms).removeprefix("+")

"""The contract of a Lie group."""

from abc import abstractmethod
from typing import Any, overload

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.group import Element, Group


class LieGroup(Group[Element]):
    """A Lie group, connected or with finitely many components.

    The Lie algebra has a fixed basis X_1 … X_d, and its elements are tensors of coordinates
    (*batch, d) in it. Laws that implementers must satisfy: exp(0) = e; exp((s + t)x) =
    exp(s x) exp(t x); log(exp(x)) = x in the stated domain of log; Ad_g [x, y] = [Ad_g x, Ad_g y];
    g exp(x) g⁻¹ = exp(Ad_g x).
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """d, the dimension of the Lie algebra."""

    @property
    @abstractmethod
    def is_compact(self) -> bool:
        """Whether :meth:`sample` draws from Haar measure, which is then a probability."""

    @abstractmethod
    def _exp(self, x: Tensor) -> Tensor:
        """The exponential map: coordinates (*batch, d) to a tensor of elements."""

    @abstractmethod
    def _log(self, a: Tensor) -> Tensor:
        """The principal logarithm: a tensor of elements to coordinates (*batch, d).

        Raises:
            InputError: an element lies outside the domain, which the class states.
        """

    @abstractmethod
    def adjoint(self, a: Tensor) -> Tensor:
        """Ad_g in the basis, (*batch, d, d): g exp(x) g⁻¹ = exp(Ad_g x)."""

    @abstractmethod
    def structure_constants(self) -> Tensor:
        """The tensor f, (d, d, d) in float64, of [X_i, X_j] = Σ_k f[i, j, k] X_k."""

    @property
    def log_domain(self) -> str:
        """Where :meth:`log` is defined, in words."""
        return "everywhere"

    @property
    def basis_names(self) -> tuple[str, ...]:
        """Names of the basis X_1 … X_d of the Lie algebra, such as ``Jx``."""
        return tuple(f"X{i + 1}" for i in range(self.dimension))

    def component_generators(self) -> tuple[Element, ...]:
        """Elements whose components generate the component group; none if connected."""
        return ()

    @property
    def tolerance(self) -> float:
        return 1e-9

    @overload
    def exp(self, x: Tensor) -> Tensor: ...
    @overload
    def exp(self, x: tuple[float, ...]) -> Element: ...
    def exp(self, x: Any) -> Any:
        """The exponential map, of coordinates (*batch, d) or of a tuple of d numbers."""
        if isinstance(x, Tensor):
            self.check_coordinates(x)
            return self._exp(x)
        coordinates = torch.tensor(x, dtype=torch.float64)
        self.check_coordinates(coordinates)
        return self.value(self._exp(coordinates))

    @overload
    def log(self, a: Tensor) -> Tensor: ...
    @overload
    def log(self, a: Element) -> tuple[float, ...]: ...
    def log(self, a: Any) -> Any:
        """The principal logarithm, the inverse of :meth:`exp` near the identity.

        Raises:
            InputError: an element lies outside its domain, which the class states.
        """
        if isinstance(a, Tensor):
            self.check_form(a)
            return self._log(a)
        self.check_contains(a)
        return tuple(self._log(self.tensor((a,))[0]).tolist())

    def generators(self) -> tuple[Element, ...]:
        basis = self._exp(torch.eye(self.dimension, dtype=torch.float64))
        return self.values(basis) + self.component_generators()

    def bracket(self, x: Tensor, y: Tensor) -> Tensor:
        """[x, y] of coordinates (*batch, d), broadcast."""
        f = self.structure_constants().to(x)
        return torch.einsum("...i,...j,ijk->...k", x, y, f)

    def killing_form(self) -> Tensor:
        """B_ij = tr(ad X_i ad X_j) = Σ f[i, k, l] f[j, l, k], of shape (d, d)."""
        f = self.structure_constants()
        return torch.einsum("ikl,jlk->ij", f, f)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """‖log(a⁻¹ b)‖ in the coordinates' Euclidean norm.

        Left-invariant; bi-invariant and the length of the shortest geodesic where that norm is
        invariant under Ad, as it is in this basis for the compact groups.
        """
        x = self._log(self._compose(self._inverse(a), b))
        # Not the root of a sum of squares, whose derivative at 0 is not finite.
        length: Tensor = torch.linalg.vector_norm(x, dim=-1)
        return length

    def random_walk(
        self,
        generator: torch.Generator,
        steps: int,
        step_size: float,
        shape: tuple[int, ...] = (),
    ) -> Tensor:
        """Walks g_k = g_{k−1} exp(step_size·ξ_k) from the identity, ξ_k standard normal.

        Returns a tensor of elements of batch (*shape, steps + 1). As steps → ∞ with
        step_size² · steps = t it becomes Brownian motion at time t.
        """
        noise = torch.randn(
            (*shape, steps, self.dimension),
            generator=generator,
            dtype=torch.float64,
            device=generator.device,
        )
        moves = self._exp(noise * step_size)
        axis = len(shape)
        here = self.identity_tensor(moves).expand((*shape, *self.element_shape))
        walk = [here]
        for move in moves.unbind(axis):
            here = self._compose(here, move)
            walk.append(here)
        return torch.stack(walk, axis)

    def _defined(self, x: Tensor, inside: Tensor) -> Tensor:
        """``x``, results for a batch of elements of which ``inside`` lie in the domain of log.

        Raises:
            InputError: some do not; the message names the first one's place.
        """
        if bool(inside.all()):
            return x
        place = ""
        if inside.dim():
            index = tuple((~inside).nonzero()[0].tolist())
            place = f" at place {index[0] if len(index) == 1 else index} of the batch"
        raise InputError(
            f"the logarithm in {self.name} is defined where {self.log_domain}; the element{place} "
            "lies outside"
        )

    def check_coordinates(self, x: Tensor) -> None:
        """Raise unless x holds real coordinates in the Lie algebra.

        Raises:
            InputError: it does not.
        """
        if x.dim() < 1 or x.shape[-1] != self.dimension or not x.is_floating_point():
            raise InputError(
                f"expected real coordinates (*batch, {self.dimension}) in the Lie algebra of "
                f"{self.name}, got shape {tuple(x.shape)} and dtype {x.dtype}"
            )

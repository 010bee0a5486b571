"""Incompressible Navier–Stokes in two dimensions: pseudo-spectral, in vorticity form."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.actions import NAVIER_STOKES_FIELDS, FieldLayout
from goldstone.core import InputError, check_finite, check_grid_fields
from goldstone.systems.flows.ground_truth import check_duration, check_lengths

# The number of time steps follows the root mean square of the velocity fluctuations, which
# shifts (also sub-pixel ones), boosts and the point group leave as it is, so that a moved flow
# takes the same steps. This many standard deviations stand for the largest speed.
_SPREAD = 2.5
# Flows with rarer, faster spots are held below this Courant number by their own largest speed.
# Runge–Kutta 4 is stable on the imaginary axis up to 2.83, and the largest kept wave number is
# 2π/3 per cell: the limit is 1.35.
_STABLE_COURANT = 1.2


@dataclass(frozen=True)
class NavierStokes2d:
    """∂ₜu + u·∇u = −∇p + ν (∂_x² + a ∂_y²) u, ∇·u = 0, on a periodic rectangle.

    The vorticity equation ∂ₜω + u·∇ω = ν (∂_x² + a ∂_y²) ω is solved by Fourier collocation with
    2/3 dealiasing (Orszag 1971) and fourth-order Runge–Kutta. Viscosity and the mean flow are
    integrated exactly by an integrating factor (Canuto et al., *Spectral Methods*, 2006, app. D.5),
    so that the solver commutes with shifts, boosts, the half turn and reflections of the axes to
    rounding; with a = 1 on a square domain, the usual law, also with quarter turns and reflections
    of the diagonals.

    A state is the velocity (batch, 2, X, Y). What the law cannot hold is projected away at the
    start of every call: the divergent part of the velocity, and wave numbers of a third of the
    grid size and above. The mean flow is kept.

    Attributes:
        viscosity: kinematic viscosity ν ≥ 0, in length² per time.
        lengths: size of the domain along both axes; the default is the unit square.
        courant: time steps hold (2.5 σ_u/Δx + 2.5 σ_v/Δy) Δt below this, with σ the standard
            deviations of the velocity over the domain at the start of the call.
        viscosity_ratio: the viscosity along the second axis over that along the first, a ≥ 0. Other
            than 1, it breaks quarter turns in the law itself: an eddy viscosity as of layered or
            rotating flow.
    """

    viscosity: float
    lengths: tuple[float, float] = (1.0, 1.0)
    courant: float = 1.0
    viscosity_ratio: float = 1.0

    def __post_init__(self) -> None:
        check_lengths(self.lengths)
        for name in ("viscosity", "viscosity_ratio"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise InputError(f"{name}: expected a number of zero or more, got {value}")
        if not 0 < self.courant <= _STABLE_COURANT:
            raise InputError(
                f"courant: expected a number above 0 and up to {_STABLE_COURANT}, "
                f"got {self.courant}; the default 1.0 suits most flows"
            )

    @property
    def system(self) -> str:
        """``navier-stokes``."""
        return "navier-stokes"

    @property
    def layout(self) -> FieldLayout:
        """One velocity field."""
        return NAVIER_STOKES_FIELDS

    @property
    def parameters(self) -> Mapping[str, float]:
        """``viscosity``, and ``viscosity_ratio`` where it is not 1."""
        ratio = {} if self.viscosity_ratio == 1 else {"viscosity_ratio": self.viscosity_ratio}
        return {"viscosity": self.viscosity, **ratio}

    def advance(self, state: Tensor, duration: float) -> Tensor:
        """The velocity (batch, 2, X, Y) a time ``duration`` later.

        Raises:
            InputError: the state is no finite velocity field, or the flow cannot be stepped.
        """
        check_grid_fields(state, 2, "state")
        check_finite(state, "state")
        check_duration(duration)
        waves = _Waves.of(state, self.lengths, self.viscosity_ratio)
        mean = state.mean(dim=(-2, -1))
        vorticity = waves.vorticity(state)
        counts = self._step_counts(waves.velocity(vorticity), duration)
        # Samples that need equally many steps are stepped together.
        for count in sorted(set(counts.tolist())):
            chosen = counts == count
            vorticity[chosen] = self._march(
                waves, vorticity[chosen], mean[chosen], duration / count, count
            )
        result = waves.velocity(vorticity) + mean[:, :, None, None]
        if not bool(torch.isfinite(result).all()):
            raise InputError(
                f"the flow grew out of the range of {result.dtype} while stepping; take smaller "
                f"steps than those of courant={self.courant}, or more viscosity"
            )
        return result

    def project(self, state: Tensor) -> Tensor:
        """The part of a velocity field that the law can hold: see the class."""
        return self.advance(state, 0.0)

    def _step_counts(self, fluctuation: Tensor, duration: float) -> Tensor:
        grid = fluctuation.shape[-2:]
        per_cell = fluctuation.new_tensor(
            [n / size for n, size in zip(grid, self.lengths, strict=True)]
        )
        spread = fluctuation.square().mean(dim=(-2, -1)).sqrt() @ per_cell
        largest = (fluctuation.abs() * per_cell[:, None, None]).sum(1).amax(dim=(-2, -1))
        rate = torch.maximum(_SPREAD * spread / self.courant, largest / _STABLE_COURANT)
        # The offset keeps round numbers of steps from flipping by rounding.
        return (rate * duration - 1e-3).ceil().clamp(min=1).to(torch.int64)

    def _march(
        self, waves: "_Waves", vorticity: Tensor, mean: Tensor, step: float, count: int
    ) -> Tensor:
        """Integrating-factor RK4 over ``count`` steps of ∂ₜω̂ = λ ω̂ + N(ω̂)."""
        drift = mean[:, 0, None, None] * waves.kx + mean[:, 1, None, None] * waves.ky
        rate = torch.complex((-self.viscosity * waves.damping).expand_as(drift), -drift)
        half = torch.exp(rate * (step / 2))
        full = half * half
        for _ in range(count):
            slope1 = waves.advection(vorticity)
            start, moved = half * vorticity, full * vorticity
            slope2 = waves.advection(start + (step / 2) * (half * slope1))
            slope3 = waves.advection(start + (step / 2) * slope2)
            slope4 = waves.advection(moved + step * (half * slope3))
            vorticity = moved + (step / 6) * (full * slope1 + 2 * half * (slope2 + slope3) + slope4)
        return vorticity


@dataclass(frozen=True)
class _Waves:
    """Wave numbers of a grid, with the operators that are diagonal in them.

    Waves that are not kept have the wave number zero, so every operator removes them.
    """

    grid: tuple[int, int]
    kx: Tensor
    ky: Tensor
    damping: Tensor
    biot_savart: Tensor
    product_curl: Tensor

    @classmethod
    def of(cls, state: Tensor, lengths: tuple[float, float], viscosity_ratio: float) -> "_Waves":
        x_size, y_size = state.shape[-2:]
        if min(x_size, y_size) < 4:
            raise InputError(
                f"state: expected a grid of 4×4 points or more, got {x_size}×{y_size}; "
                "is the order of its axes (batch, channel, X, Y)?"
            )
        index_x = torch.fft.fftfreq(x_size, 1 / x_size, dtype=torch.float64)[:, None]
        index_y = torch.fft.rfftfreq(y_size, 1 / y_size, dtype=torch.float64)[None, :]
        kept = (3 * index_x.abs() < x_size) & (3 * index_y < y_size)
        kx = 2 * math.pi / lengths[0] * index_x * kept
        ky = 2 * math.pi / lengths[1] * index_y * kept
        square = kx**2 + ky**2
        inverse = torch.where(square > 0, 1 / square, 0)
        biot_savart = torch.stack((1j * ky * inverse, -1j * kx * inverse))
        product_curl = torch.stack((kx**2 - ky**2, kx * ky))
        device, real = state.device, state.dtype
        return cls(
            grid=(x_size, y_size),
            kx=kx.to(device, real),
            ky=ky.to(device, real),
            damping=(kx**2 + viscosity_ratio * ky**2).to(device, real),
            biot_savart=biot_savart.to(device, torch.promote_types(real, torch.complex32)),
            product_curl=product_curl.to(device, real),
        )

    def vorticity(self, velocity: Tensor) -> Tensor:
        """ω̂ = i k_x v̂ − i k_y û of the kept waves."""
        u, v = torch.fft.rfft2(velocity).unbind(1)
        vorticity: Tensor = 1j * (self.kx * v - self.ky * u)
        return vorticity

    def velocity(self, vorticity: Tensor) -> Tensor:
        """The fluctuation u = (∂_y ψ, −∂_x ψ) with −∇²ψ = ω; its mean is zero."""
        velocity: Tensor = torch.fft.irfft2(self.biot_savart * vorticity[:, None], s=self.grid)
        return velocity

    def advection(self, vorticity: Tensor) -> Tensor:
        """−∇×(∇·uu) of the fluctuation: −(∂_x² − ∂_y²)(u v) − ∂_x ∂_y (v² − u²), dealiased.

        It equals −u·∇ω for a divergence-free u and needs four transforms instead of five.
        """
        u, v = self.velocity(vorticity).unbind(1)
        products = torch.stack((u * v, (v - u) * (v + u)), dim=1)
        advection: Tensor = (self.product_curl * torch.fft.rfft2(products)).sum(1)
        return advection

"""Compressible Euler equations in two dimensions: finite volumes, MUSCL–HLLC, SSP-RK2."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.actions import EULER_FIELDS, FieldLayout
from goldstone.core import InputError, check_finite, check_grid_fields
from goldstone.systems.flows.ground_truth import check_duration, check_lengths
from goldstone.systems.flows.reconstruction import face_values, pad_periodic
from goldstone.systems.flows.riemann_hllc import hllc_flux, sound_speed


@dataclass(frozen=True)
class CompressibleEuler2d:
    """∂ₜ(ρ, ρu, E) + ∇·(ρu, ρuu + p, (E + p)u) = 0 with p = (γ − 1)(E − ½ρ|u|²), periodic.

    Cell averages are advanced by the method of lines: primitive variables are reconstructed with
    the monotonized central limiter, faces take the HLLC flux, and time goes by the two-stage
    strong-stability-preserving Runge–Kutta method (Gottlieb, Shu & Tadmor, *SIAM Review* 43,
    2001). Density, momentum and energy are conserved to rounding. Where a stage would leave a
    cell without positive density and pressure, that cell and its neighbours take first-order
    face values, further out until the stage is positive; each face keeps one flux, so
    conservation is not touched.

    The solver commutes with shifts by whole cells, quarter turns and reflections to rounding.
    Galilean boosts it violates by its truncation error, which shrinks with the cell size.

    A state is (batch, 4, X, Y): density ρ, momentum ρu and ρv, total energy E per volume.

    Attributes:
        gamma: ratio of specific heats γ > 1.
        lengths: size of the domain along both axes; the default is the unit square.
        courant: each sample's time step is this number over the largest
            (|u| + c)/Δx + (|v| + c)/Δy, c the speed of sound.
    """

    gamma: float = 1.4
    lengths: tuple[float, float] = (1.0, 1.0)
    courant: float = 0.4

    def __post_init__(self) -> None:
        check_lengths(self.lengths)
        if not math.isfinite(self.gamma) or self.gamma <= 1:
            raise InputError(f"gamma: expected a number above 1 (1.4 for air), got {self.gamma}")
        if not 0 < self.courant <= 0.5:
            raise InputError(
                f"courant: expected a number above 0 and up to 0.5, got {self.courant}; "
                "the default is 0.4"
            )

    @property
    def system(self) -> str:
        """``compressible-euler``."""
        return "compressible-euler"

    @property
    def layout(self) -> FieldLayout:
        """Density, momentum and energy."""
        return EULER_FIELDS

    @property
    def parameters(self) -> Mapping[str, float]:
        """``gamma``."""
        return {"gamma": self.gamma}

    def conserved(self, primitive: Tensor) -> Tensor:
        """(ρ, ρu, ρv, E) from (ρ, u, v, p), along axis 1."""
        density, u, v, pressure = primitive.unbind(1)
        energy = pressure / (self.gamma - 1) + 0.5 * density * (u.square() + v.square())
        return torch.stack((density, density * u, density * v, energy), dim=1)

    def primitive(self, state: Tensor) -> Tensor:
        """(ρ, u, v, p) from (ρ, ρu, ρv, E), along axis 1."""
        density, energy = state[:, 0], state[:, 3]
        velocity = state[:, 1:3] / density[:, None]
        kinetic = 0.5 * density * velocity.square().sum(1)
        pressure = (self.gamma - 1) * (energy - kinetic)
        return torch.cat((density[:, None], velocity, pressure[:, None]), dim=1)

    def advance(self, state: Tensor, duration: float) -> Tensor:
        """The conserved state (batch, 4, X, Y) a time ``duration`` later.

        Raises:
            InputError: the state is not finite, or its density or pressure is not positive.
        """
        check_grid_fields(state, 4, "state")
        check_finite(state, "state")
        check_duration(duration)
        if bool(self._not_positive(state).any()):
            raise InputError(
                "state: expected positive density and pressure everywhere, in the channels "
                "(density, momentum x, momentum y, energy per volume); got density down to "
                f"{float(state[:, 0].min()):.3g} and pressure down to "
                f"{float(self.primitive(state)[:, 3].min()):.3g}; check the order of the channels"
            )
        result = state.clone()
        # Each sample keeps its own clock, in float64.
        remaining = torch.full((len(state),), float(duration), dtype=torch.float64)
        while bool((remaining > 0).any()):
            active = (remaining > 0).nonzero()[:, 0]
            index = active.to(state.device)
            current = result[index]
            # Equal steps to the end, as far as known now: no sliver of a step at the end.
            steps = (remaining[active] * self._rate(current) - 1e-3).ceil().clamp(min=1)
            step = remaining[active] / steps
            size = step.to(state.device, state.dtype)[:, None, None, None]
            first = self._stage(current, size)
            result[index] = 0.5 * (current + self._stage(first, size))
            remaining[active] = torch.where(steps > 1, remaining[active] - step, 0)
        return result

    def _rate(self, state: Tensor) -> Tensor:
        """Time steps per unit of time that the Courant number asks of each sample, on the CPU."""
        primitive = self.primitive(state)
        u, v, sound = primitive[:, 1], primitive[:, 2], sound_speed(primitive, self.gamma)
        x_rate, y_rate = (n / size for n, size in zip(state.shape[-2:], self.lengths, strict=True))
        rate = (u.abs() + sound) * x_rate + (v.abs() + sound) * y_rate
        return rate.amax(dim=(-2, -1)).to("cpu", torch.float64) / self.courant

    def _not_positive(self, state: Tensor) -> Tensor:
        """Cells (batch, 1, X, Y) whose density or pressure is not above zero (or not a number)."""
        # The internal energy without a division, which a density of zero would spoil.
        density, energy = state[:, :1], state[:, 3:]
        internal = energy * density - 0.5 * state[:, 1:3].square().sum(1, keepdim=True)
        return ~((density > 0) & (internal > 0))

    def _stage(self, state: Tensor, step: Tensor) -> Tensor:
        """One forward Euler stage, of first order where it would lose positivity otherwise."""
        result = state + step * self._tendency(state)
        bad = self._not_positive(result)
        # One sample at a time, so that none feels how far its batch mates had to go.
        for k in bad.flatten(1).any(1).nonzero()[:, 0].tolist():
            one = slice(k, k + 1)
            result[one] = self._repaired_stage(state[one], step[one], bad[one])
        return result

    def _repaired_stage(self, state: Tensor, step: Tensor, bad: Tensor) -> Tensor:
        """The stage of one sample with flat cells around ``bad``, further out while need be."""
        flat = _grown(bad)
        for _ in range(max(state.shape[-2:])):
            result = state + step * self._tendency(state, flat)
            bad = self._not_positive(result)
            if not bool(bad.any()):
                return result
            flat = _grown(_grown(flat | bad))
        raise InputError(
            "the flow lost positive density or pressure although all of it was of first order; "
            f"take smaller steps than those of courant={self.courant}"
        )

    def _tendency(self, state: Tensor, flat: Tensor | None = None) -> Tensor:
        """−∂_x F − ∂_y G from the fluxes through the faces."""
        primitive = self.primitive(state)
        tendency = torch.zeros_like(state)
        for axis, dim in ((0, -2), (1, -1)):
            cells = state.shape[dim]
            left, right = face_values(primitive, dim, flat)
            flux = hllc_flux(left, right, self.gamma, axis)
            tendency -= flux.diff(dim=dim) * (cells / self.lengths[axis])
        return tendency


def _grown(cells: Tensor) -> Tensor:
    """The marked cells and their eight neighbours, periodically."""
    for dim in (-2, -1):
        padded = pad_periodic(cells, dim, 1)
        size = cells.shape[dim]
        cells = padded.narrow(dim, 0, size) | cells | padded.narrow(dim, 2, size)
    return cells

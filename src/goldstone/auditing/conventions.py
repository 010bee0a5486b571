"""Is the declared layout the one the data are written in? Asked of the data alone.

Velocities of incompressible flows are divergence-free, densities and momenta obey the continuity
equation, vorticity is carried by the flow: each is true under the right convention and clearly
false when components are swapped, mirrored or reversed.
"""

from dataclasses import replace
from itertools import pairwise, product
from math import isfinite, nan, pi

import torch
from torch import Tensor

from goldstone.actions import Field, FieldLayout
from goldstone.auditing.results import ConventionCheck
from goldstone.auditing.samples import Samples

CLEARLY_BETTER = 1 / 3
"""An alternative convention must leave less than this share of the declared one's residual."""

_FRAMES = {
    "components swapped": ((1, 0), (1, 1)),
    "second component mirrored": ((0, 1), (1, -1)),
    "swapped, second mirrored": ((1, 0), (1, -1)),
}
_TURNED = "swapped, second mirrored"
_DIVERGENCE_FREE = 0.2


def convention_checks(samples: Samples, layout: FieldLayout) -> tuple[ConventionCheck, ...]:
    """Every check that the declared fields allow."""
    checks: list[ConventionCheck | None] = []
    slices = layout.slices()
    density = next((c for field, c in slices if field.fibre == "density"), None)
    for field, channels in slices:
        if field.fibre in ("velocity", "vector"):
            checks.append(_divergence_check(samples, field, channels))
        if field.fibre == "velocity":
            checks.append(_transport_check(samples, field, channels))
        if field.fibre == "momentum" and density is not None:
            checks.append(_continuity_check(samples, field, channels, density))
    for (first, a), (second, b) in pairwise(slices):
        if first.fibre == second.fibre == "scalar":
            checks.append(_hidden_vector_check(samples, first, second, slice(a.start, b.stop)))
    return tuple(check for check in checks if check is not None)


def _divergence_check(samples: Samples, field: Field, channels: slice) -> ConventionCheck | None:
    x = samples.inputs[:, channels]
    declared = divergence_share(x, field, samples)
    # A gradient field is divergence-free when its components are turned by 90°: only a velocity is
    # expected not to be one.
    frames = [name for name in _FRAMES if field.fibre == "velocity" or name != _TURNED]
    others = {name: divergence_share(x, _reframed(field, name), samples) for name in frames}
    if not min(declared, *others.values()) <= _DIVERGENCE_FREE:
        # No convention makes it divergence-free: a compressible flow or a field without structure,
        # which this cannot judge.
        return None
    return ConventionCheck(
        f"divergence of {field.name}",
        declared,
        others,
        not min(others.values()) < CLEARLY_BETTER * declared,
        "rms divergence over rms gradient; 0 for an incompressible flow in the right convention",
    )


def _transport_check(samples: Samples, field: Field, channels: slice) -> ConventionCheck | None:
    """1 − corr(∂ω/∂t, −u·∇ω): small if the flow carries its vorticity forward in time."""
    x, y = samples.inputs[:, channels], samples.targets[:, channels]
    before, after = _physical(x, field), _physical(y, field)
    vorticity = [_curl(u, samples) for u in (before, after)]
    rate = vorticity[1] - vorticity[0]
    velocity, middle = (before + after) / 2, (vorticity[0] + vorticity[1]) / 2
    gradient = torch.stack([_derivative(middle, axis, samples) for axis in (0, 1)], 1)
    carried = -(velocity * gradient).sum(1)
    correlation = float(torch.corrcoef(torch.stack([rate.flatten(), carried.flatten()]))[0, 1])
    if not isfinite(correlation):
        # No vorticity to carry.
        return None
    return ConventionCheck(
        f"transport by {field.name}",
        1 - correlation,
        {"velocity reversed": 1 + correlation},
        correlation > -0.5,
        "1 − correlation of ∂ω/∂t with −u·∇ω; near 0 if vorticity moves with the flow, near 2 if "
        "against it",
    )


def _continuity_check(
    samples: Samples, field: Field, channels: slice, density: slice
) -> ConventionCheck:
    rate = (samples.targets[:, density] - samples.inputs[:, density])[:, 0] / samples.context.dt
    momentum = (samples.inputs[:, channels] + samples.targets[:, channels]) / 2

    def residual(candidate: Field, sign: float) -> float:
        flow = _divergence(_physical(momentum, candidate), samples)
        return float((rate + sign * flow).norm() / rate.norm().clamp_min(1e-30))

    others = {
        f"{name}{'' if sign > 0 else ', reversed'}": residual(_reframed(field, name), sign)
        for name, sign in product(_FRAMES, (1.0, -1.0))
    }
    others["momentum reversed"] = residual(field, -1.0)
    declared = residual(field, 1.0)
    return ConventionCheck(
        f"continuity with {field.name}",
        declared,
        others,
        not min(others.values()) < CLEARLY_BETTER * declared,
        "‖∂ρ/∂t + ∇·m‖/‖∂ρ/∂t‖; small in the right convention (snapshots limit how small)",
    )


def _hidden_vector_check(
    samples: Samples, first: Field, second: Field, channels: slice
) -> ConventionCheck | None:
    """Two scalars that are divergence-free as a vector are a velocity that would not turn."""
    x = samples.inputs[:, channels]
    pair = Field("pair", "vector")
    frames = {"as a vector": pair} | {
        f"as a vector, {name}": _reframed(pair, name) for name in _FRAMES
    }
    shares = {name: divergence_share(x, frame, samples) for name, frame in frames.items()}
    if not min(shares.values()) <= 0.05:
        return None
    return ConventionCheck(
        f"{first.name} and {second.name} as scalars",
        1.0,
        shares,
        passes=False,
        meaning="rms divergence over rms gradient of the two scalars read as a vector; near 0 says "
        "that they are the components of a velocity, which must turn with the grid",
    )


def divergence_share(x: Tensor, field: Field, samples: Samples) -> float:
    """Rms ∇·u / rms ∇u of (n, 2, X, Y) given in the field's frame; NaN if it is uniform."""
    u = _physical(x, field)
    gradients = [_derivative(u[:, i], j, samples) for i, j in product((0, 1), (0, 1))]
    scale = torch.stack(gradients).square().sum(0).mean().sqrt()
    uniform = 1e-5 * float(u.square().mean().sqrt()) / max(samples.context.lengths)
    if float(scale) <= uniform:
        return nan
    return float(_divergence(u, samples).square().mean().sqrt() / scale)


def _reframed(field: Field, name: str) -> Field:
    """The field with the named change made to its declared components."""
    swap, signs = _FRAMES[name]
    return replace(
        field,
        axes=(field.axes[swap[0]], field.axes[swap[1]]),
        signs=(field.signs[swap[0]] * signs[0], field.signs[swap[1]] * signs[1]),
    )


def _physical(x: Tensor, field: Field) -> Tensor:
    """Components along the two spatial axes."""
    result = torch.empty_like(x, dtype=torch.float64)
    for k in (0, 1):
        result[:, field.axes[k]] = field.signs[k] * x[:, k]
    return result


def _derivative(f: Tensor, axis: int, samples: Samples) -> Tensor:
    """∂f/∂x_axis of (n, X, Y), spectrally, the Nyquist modes left out."""
    n = f.shape[axis + 1]
    modes = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64, device=f.device)
    if n % 2 == 0:
        modes[n // 2] = 0
    wave = 2j * pi / samples.context.lengths[axis] * modes
    shape = [1, 1, 1]
    shape[axis + 1] = n
    spectrum = torch.fft.fft(f, dim=axis + 1) * wave.reshape(shape)
    return torch.real(torch.fft.ifft(spectrum, dim=axis + 1))


def _divergence(u: Tensor, samples: Samples) -> Tensor:
    return _derivative(u[:, 0], 0, samples) + _derivative(u[:, 1], 1, samples)


def _curl(u: Tensor, samples: Samples) -> Tensor:
    return _derivative(u[:, 1], 0, samples) - _derivative(u[:, 0], 1, samples)

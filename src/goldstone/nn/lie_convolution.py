"""Convolution on a Lie group, between functions known at sampled elements."""

from math import pi, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.groups import LieGroup
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.lie_distance import Scales, coordinate_scales
from goldstone.nn.radial_basis import smooth_cutoff
from goldstone.nn.relative_logarithms import check_neighbours, of_neighbours
from goldstone.nn.second_moment import second_moment


class LieConv(Constants):
    """Convolution on a Lie group, from samples.

    f′(g_i) = Σ_j w_j u(a_ij) K(a_ij) f(h_j) / Σ_j w_j u(a_ij) + b with a_ij = log(h_j⁻¹ g_i): the
    estimate of ∫ K(log h⁻¹g) f(h) dh from samples of f, with K a learned function of the Lie
    algebra, K(a) = Σ_m W_m φ_m(a), W_m matrices of the channels and φ a small network (Finzi et al.
    2020, "Generalizing convolutional neural networks for equivariance to Lie groups on arbitrary
    continuous data", with the factorisation of Wu et al. 2019, "PointConv").

    - If all samples move by u from the left, h⁻¹g does not change: equivariant to rounding, for
      any samples and weights.
    - For a field lifted afresh (:func:`lift_points` draws new samples) it is equivariant in the
      mean, with an error that falls as one over the root of the samples, and faster with even
      spacing.
    - With the weights of a quadrature rule it is the integral itself, in the normalised measure.

    (features (batch, n, in_channels), a (batch, m, n, ·)) → (batch, m, out_channels): all pairs, in
    time and memory m·n. With a list of k neighbours of each target and a (batch, m, k, ·) the sum
    is over these alone, in time and memory m·k. u is a window that vanishes smoothly at the
    ``cutoff``; where it leaves out half turns K is smooth on the group, else it may jump there, as
    the logarithm does. So does a list of the k nearest where a neighbour changes, unless they are
    all within the window.

    Initially features that agree at all samples keep their variance where K varies little within
    the window; independent ones are averaged, and shrink as the root of the samples.

    Args:
        group: any Lie group; a comes from :func:`relative_logarithms`.
        in_channels: channels of the input, any function on the group each.
        out_channels: of the output.
        scales: a unit for each coordinate of the Lie algebra, which φ and the distance ‖a‖ count
            in; of rotations radians and of shifts those of the points. One number serves all.
        cutoff: the ‖a‖ in these units where the window ends; None for no window.
        invariants: further coordinates of pairs after those of the algebra, as orbits have.
        functions: how many φ_m there are.
        hidden: width of their network.
        kernel: a module to use for φ, (*batch, coordinates) → (*batch, functions); it sees
            a / scales.
        bias: whether there is a bias.

    Raises:
        InputError: numbers that are not positive, or scales of another number.
    """

    scales: Tensor

    @computed_on_cpu
    def __init__(
        self,
        group: LieGroup[Any],
        in_channels: int,
        out_channels: int,
        *,
        scales: Scales = 1.0,
        cutoff: float | None = None,
        invariants: int = 0,
        functions: int = 16,
        hidden: int = 32,
        kernel: nn.Module | None = None,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(group, LieGroup):
            raise InputError(f"expected a Lie group, got {group}; finite ones have GroupConv2d")
        units = coordinate_scales(group, scales)
        sizes = (in_channels, out_channels, functions, hidden)
        if min(sizes) < 1 or invariants < 0 or (cutoff is not None and not cutoff > 0):
            raise InputError(
                "expected positive channels, functions, hidden width and cutoff, got "
                f"{in_channels}, {out_channels}, {functions}, {hidden} and {cutoff}"
            )
        self.group, self.dimension = group, group.dimension
        self.cutoff, self.invariants = cutoff, invariants
        self.in_channels, self.out_channels, self.functions = in_channels, out_channels, functions
        dtype = dtype or torch.get_default_dtype()
        self.register_constant("scales", torch.tensor(units, dtype=torch.float64))
        self.cast(device, dtype)
        self.kernel = (
            _AlgebraFunctions(self.dimension + invariants, hidden, functions, device, dtype)
            if kernel is None
            else kernel
        )
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, functions, device=device, dtype=dtype)
        )
        self.bias = (
            nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Matrices of unit variance for functions of unit variance; zero the bias."""
        if isinstance(self.kernel, _AlgebraFunctions):
            self.kernel.reset_parameters(generator)
        std = 1 / sqrt(self.in_channels * self.functions)
        nn.init.normal_(self.weight, std=std, generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self,
        features: Tensor,
        steps: Tensor,
        weights: Tensor | None = None,
        neighbours: Tensor | None = None,
    ) -> Tensor:
        """Convolve.

        Args:
            features: (batch, n, in_channels).
            steps: a, (batch, m, n, d + invariants), or (batch, m, k, d + invariants) of neighbours.
            weights: w ≥ 0, (batch, n), as of a quadrature rule, and 0 for padding; None for equal
                ones.
            neighbours: the numbers of the samples that each target sees, int64 (batch, m, k), −1
                for none, as :func:`relative_logarithms` was given them; None for all.

        Raises:
            InputError: shapes that do not fit.
        """
        self._check(features, steps, weights, neighbours)
        coordinates = steps.to(self.scales.dtype)
        algebra = coordinates[..., : self.dimension] / self.scales
        functions = self.kernel(torch.cat((algebra, coordinates[..., self.dimension :]), -1))
        if self.cutoff is None:
            window = torch.ones_like(algebra[..., 0])
        else:
            window = smooth_cutoff(torch.linalg.vector_norm(algebra, dim=-1), self.cutoff)
        if weights is not None:
            window = window * of_neighbours(weights, neighbours, steps.shape[1]).to(window.dtype)
        if neighbours is not None:
            window = window.masked_fill(neighbours < 0, 0)
        total = window.sum(-1, keepdim=True)
        # A target that no sample reaches has no mean; it gets the bias.
        shares = window / torch.where(total > 0, total, torch.ones_like(total))
        if neighbours is None:
            gathered = torch.einsum("bijm,bjc->bicm", shares[..., None] * functions, features)
        else:
            seen = of_neighbours(features, neighbours, steps.shape[1])
            gathered = torch.einsum("bikm,bikc->bicm", shares[..., None] * functions, seen)
        found = torch.einsum("bicm,ocm->bio", gathered, self.weight)
        return found if self.bias is None else found + self.bias

    def _check(
        self,
        features: Tensor,
        steps: Tensor,
        weights: Tensor | None,
        neighbours: Tensor | None,
    ) -> None:
        if features.ndim != 3 or features.shape[-1] != self.in_channels:
            raise InputError(
                f"expected features (batch, n, {self.in_channels}), got {tuple(features.shape)}"
            )
        size = self.dimension + self.invariants
        fits = steps.ndim == 4 and steps.shape[0] == features.shape[0] and steps.shape[-1] == size
        if neighbours is None and (not fits or steps.shape[2] != features.shape[1]):
            raise InputError(
                f"expected steps (batch, m, n, {size}) from relative_logarithms with (batch, n) = "
                f"{tuple(features.shape[:2])}, got {tuple(steps.shape)}; 'invariants' counts the "
                "coordinates of orbits, and steps to neighbours alone need the list of these"
            )
        if neighbours is not None:
            if not fits or steps.shape[:-1] != neighbours.shape:
                raise InputError(
                    f"expected steps (batch, m, k, {size}) and neighbours (batch, m, k), got "
                    f"{tuple(steps.shape)} and {tuple(neighbours.shape)}; 'invariants' counts the "
                    "coordinates of orbits"
                )
            check_neighbours(neighbours, len(features), steps.shape[1])
        if weights is not None and weights.shape != features.shape[:2]:
            raise InputError(
                f"expected weights {tuple(features.shape[:2])}, got {tuple(weights.shape)}"
            )

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.group.name}, {self.in_channels} → {self.out_channels}, cutoff={self.cutoff}, "
            f"functions={self.functions}"
        )


class _AlgebraFunctions(nn.Module):
    """φ(a) = V σ(U √2 sin(T a + c)): T and c at random, so that no a is distinguished.

    A layer of sines has unit variance at every a, 0 among them.
    """

    def __init__(
        self,
        coordinates: int,
        hidden: int,
        functions: int,
        device: torch.device | str | None,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.waves = nn.Linear(coordinates, hidden, device=device, dtype=dtype)
        self.middle = nn.Linear(hidden, hidden, device=device, dtype=dtype)
        self.last = nn.Linear(hidden, functions, bias=False, device=device, dtype=dtype)
        self.gain = 1 / sqrt(second_moment(functional.silu))

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        nn.init.normal_(self.waves.weight, generator=generator)
        nn.init.uniform_(self.waves.bias, -pi, pi, generator=generator)
        for layer in (self.middle, self.last):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
        nn.init.zeros_(self.middle.bias)

    def forward(self, a: Tensor) -> Tensor:
        hidden = self.middle(sqrt(2) * self.waves(a).sin())
        found: Tensor = self.last(functional.silu(hidden) * self.gain)
        return found

"""Gauge fields of the Wilson action, by the Metropolis algorithm."""

from typing import Any

import torch
from scipy.special import ive
from torch import Tensor

from goldstone.core import InputError, Progress, SilentProgress, generator
from goldstone.groups import LieGroup, SpecialUnitaryGroup, UnitaryGroup

_SILENT = SilentProgress()
_WANTED = 0.5
"""Share of proposals that is to be accepted; the step is tuned to it while the field settles."""


def sample_links(
    group: LieGroup[Any],
    lattice: tuple[int, ...],
    beta: float,
    count: int,
    *,
    sweeps: int = 200,
    hits: int = 4,
    seed: int = 0,
    dtype: torch.dtype = torch.complex64,
    progress: Progress = _SILENT,
) -> Tensor:
    """Independent fields of links from e^{−S}, S = β Σ_{x, μ<ν} (1 − (Re tr P_{x,μν})/n).

    Each is the end of a Markov chain of its own from a random field. Links of one axis on sites of
    one parity are proposed together: U ↦ exp(ε Σ ξ_a X_a) U with standard normal ξ, the same
    chance in both directions, accepted with min(1, e^{−ΔS}); ε is tuned in the first half of the
    sweeps.

    Args:
        group: ``UnitaryGroup(1)``, ``SpecialUnitaryGroup(2)`` or another of unitary matrices.
        lattice: an even number of sites along each of two or more axes; periodic.
        beta: inverse coupling.
        count: fields.
        sweeps: over all links.
        hits: proposals for each link and sweep.
        seed: of everything; the fields depend on how many there are.
        dtype: of the links.
        progress: shows the sweeps.

    Returns:
        (count, axis, *lattice, n, n).

    Raises:
        InputError: no group of unitary matrices, an odd or flat lattice, or a number below one.
    """
    if not isinstance(group, (UnitaryGroup, SpecialUnitaryGroup)):
        raise InputError(f"expected U(n) or SU(n), got {group!r}")
    if len(lattice) < 2 or any(length < 2 or length % 2 for length in lattice):
        raise InputError(
            "expected a lattice of two axes or more, each of an even number of sites, got "
            f"{lattice}"
        )
    if min(count, sweeps, hits) < 1:
        raise InputError("expected count, sweeps and hits of at least 1")
    source = generator(seed, "links", group.name, *lattice)
    axes = len(lattice)
    links = group.sample(source, (count, axes, *lattice))
    places = torch.stack(torch.meshgrid(*map(torch.arange, lattice), indexing="ij")).sum(0)
    step = 0.5
    with progress.task("links", sweeps) as task:
        for sweep in range(sweeps):
            accepted = []
            for axis in range(axes):
                for parity in (0, 1):
                    chosen = places % 2 == parity
                    accepted.append(_update(group, links, axis, chosen, beta, step, hits, source))
            if sweep < sweeps // 2:
                step *= float(torch.tensor(accepted).mean()) / _WANTED + 0.1
                step = min(max(step, 1e-3), 3.0)
            task.advance()
    return links.to(dtype)


def _update(
    group: LieGroup[Any],
    links: Tensor,
    axis: int,
    chosen: Tensor,
    beta: float,
    step: float,
    hits: int,
    source: torch.Generator,
) -> float:
    """Propose new links of one axis on the chosen sites, in place; the share accepted."""
    sum_of_staples = staples(links, axis)[:, chosen]
    link = links[:, axis][:, chosen]
    n = link.shape[-1]
    accepted = 0.0
    for _ in range(hits):
        noise = torch.randn(
            (*link.shape[:-2], group.dimension), generator=source, dtype=torch.float64
        )
        proposed = group.exp(step * noise) @ link
        gain = ((proposed - link) @ sum_of_staples).diagonal(dim1=-2, dim2=-1).sum(-1).real
        chance = torch.rand(gain.shape, generator=source, dtype=torch.float64)
        better = chance.log() < beta / n * gain
        link = torch.where(better[..., None, None], proposed, link)
        accepted += float(better.double().mean()) / hits
    links[:, axis, chosen] = link
    return accepted


def staples(links: Tensor, axis: int) -> Tensor:
    """A_x with Σ of the plaquettes through U_{x,μ} = tr U_{x,μ} A_x, for μ = ``axis``."""
    link, total = links[:, axis], torch.zeros_like(links[:, axis])
    for other in range(links.shape[1]):
        if other == axis:
            continue
        side = links[:, other]
        # Above: U_{x+μ,ν} U†_{x+ν,μ} U†_{x,ν}; below: U†_{x+μ−ν,ν} U†_{x−ν,μ} U_{x−ν,ν}.
        above = side.roll(-1, 1 + axis) @ link.roll(-1, 1 + other).mH @ side.mH
        low = side.roll(1, 1 + other)
        below = low.roll(-1, 1 + axis).mH @ link.roll(1, 1 + other).mH @ low
        total = total + above + below
    return total


def mean_plaquette_2d(group: LieGroup[Any], beta: float) -> float:
    """The exact ⟨(Re tr P)/n⟩ on the infinite plane: I₁(β)/I₀(β) for U(1), I₂(β)/I₁(β) for SU(2).

    There plaquettes are independent, so a Wilson loop of area A has the mean ⟨P⟩^A (Gross and
    Witten 1980). Tori of 8×8 differ by less than 1e-8 for β ≤ 2.

    Raises:
        InputError: another group.
    """
    orders = {UnitaryGroup(1): (1, 0), SpecialUnitaryGroup(2): (2, 1)}
    if group not in orders:
        raise InputError(f"expected U(1) or SU(2), got {group!r}")
    above, below = orders[group]
    return float(ive(above, beta) / ive(below, beta))

"""Favoni et al. 2022: gauge-equivariant networks learn Wilson loops that plain ones do not."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, gauge_symmetry
from goldstone.core import Progress, SilentProgress, generator
from goldstone.groups import LieGroup, SpecialUnitaryGroup, UnitaryGroup
from goldstone.nn.gauge import GaugeBilinear, GaugeConv, GaugeTrace, plaquettes, wilson_loops
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.results import (
    Claim,
    Comparison,
    Provenance,
    Reproduction,
    over_seeds,
)
from goldstone.reproductions.versions import versions
from goldstone.systems.lattice import mean_plaquette_2d, sample_links

_SILENT = SilentProgress()
_SOURCE = "Favoni, Ipp, Müller, Schuh 2022, PRL 128, 032003 (arXiv 2012.12901)"
_GROUPS: dict[str, LieGroup[Any]] = {"U(1)": UnitaryGroup(1), "SU(2)": SpecialUnitaryGroup(2)}
_BETA = {"U(1)": 2.0, "SU(2)": 3.0}
_LOOP = (2, 2)


@dataclass(frozen=True)
class _Sizes:
    """How much is trained and on what."""

    seeds: int = 3
    train: int = 512
    test: int = 128
    small: int = 8
    large: int = 16
    sweeps: int = 80
    steps: int = 600
    batch: int = 16
    epochs_of_plain: int = 3
    """The plain network may take so many times the steps."""


_FULL = _Sizes()
_QUICK = _Sizes(seeds=1, train=48, test=16, sweeps=10, steps=60, epochs_of_plain=1)


class GaugeNetwork(nn.Module):
    """Plaquettes; twice a convolution and its product with what came before; traces; a sum."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.first, self.first_product = GaugeConv(2, 1, width), GaugeBilinear(width, 1, width)
        self.second = GaugeConv(2, width, width)
        self.second_product = GaugeBilinear(width, width, width)
        self.traces, self.head = GaugeTrace(), nn.Conv2d(2 * width, 1, 1)

    def forward(self, links: Tensor) -> Tensor:
        """A number at every site, (batch, *lattice)."""
        start = plaquettes(links)
        once = self.first_product(self.first(links, start), start)
        twice = self.second_product(self.second(links, once), once)
        found: Tensor = self.head(self.traces(twice))
        return found[:, 0]


class PlainNetwork(nn.Module):
    """Four circular convolutions on the real and imaginary parts of the links."""

    def __init__(self, degree: int, width: int = 32) -> None:
        super().__init__()
        sizes = [2 * 2 * degree**2, width, width, width]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, padding_mode="circular"),
                nn.LeakyReLU(0.1),
            ]
        self.body = nn.Sequential(
            *layers, nn.Conv2d(width, 1, 3, padding=1, padding_mode="circular")
        )

    def forward(self, links: Tensor) -> Tensor:
        """A number at every site, (batch, *lattice)."""
        parts = torch.view_as_real(links).movedim((2, 3), (-2, -1)).flatten(1, -3)
        found: Tensor = self.body(parts)
        return found[:, 0]


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Train both networks for both groups, and measure errors, transfer and invariance."""
    sizes = _QUICK if quick else _FULL
    kept = Kept(out, {"sizes": asdict(sizes), "beta": _BETA})
    runs = [
        (group, kind, seed)
        for group in _GROUPS
        for kind in ("gauge-equivariant", "plain")
        for seed in range(sizes.seeds)
    ]
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with progress.task("gauge networks", len(runs)) as task:
        for group, kind, seed in runs:
            values = kept.measure(f"{group}-{kind}-{seed}", partial(_run, group, kind, seed, sizes))
            found.setdefault((group, kind), []).append(values)
            task.advance()
    seconds = sum(kept.seconds(f"{group}-{kind}-{seed}") for group, kind, seed in runs)
    return Reproduction(
        name="gauge_networks",
        title="Gauge-equivariant networks and Wilson loops",
        source=_SOURCE,
        setting=(
            f"Wilson loops of {_LOOP[0]}×{_LOOP[1]} at every site of planar lattices, U(1) at β = "
            f"{_BETA['U(1)']:g} and SU(2) at β = {_BETA['SU(2)']:g}; {sizes.train} fields of "
            f"{sizes.small}×{sizes.small} to train on, {sizes.seeds} seeds. The gauge-equivariant "
            "network has two convolutions and two products; the plain one four circular "
            f"convolutions on the links, trained {sizes.epochs_of_plain} times as long. The paper "
            "goes on to loops of "
            "4×4, four dimensions and SU(3), which is left out here. Errors are mean squares over "
            "the variance of the loops: 1 is what a constant reaches."
        ),
        claims=_claims(found),
        provenance=Provenance(
            versions(), tuple(range(sizes.seeds)), asdict(sizes), {"all": seconds}, quick
        ),
        tables={f"{group}, {kind}": values for (group, kind), values in found.items()},
    )


def _run(name: str, kind: str, seed: int, sizes: _Sizes) -> dict[str, Any]:
    """Data, training and measurements of one network."""
    group, beta = _GROUPS[name], _BETA[name]

    def fields(length: int, count: int, which: int) -> Tensor:
        lattice = (length, length)
        return sample_links(group, lattice, beta, count, sweeps=sizes.sweeps, seed=which)

    # Every seed has its own fields.
    train = fields(sizes.small, sizes.train, 3 * seed)
    tests = {
        "small": fields(sizes.small, sizes.test, 3 * seed + 1),
        "large": fields(sizes.large, sizes.test // 4, 3 * seed + 2),
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network: nn.Module = (
            GaugeNetwork() if kind == "gauge-equivariant" else PlainNetwork(train.shape[-1])
        )
    steps = sizes.steps * (1 if kind == "gauge-equivariant" else sizes.epochs_of_plain)
    _train(network, train, steps, sizes.batch, seed)
    with torch.no_grad():
        errors = {place: _relative_error(network, links) for place, links in tests.items()}
        moved = _gauge_error(network, group, tests["small"][:8])
        exact = mean_plaquette_2d(group, beta) ** (_LOOP[0] * _LOOP[1])
        means = {
            place: [float(network(links).mean()), float(wilson_loops(links, _LOOP).mean()), exact]
            for place, links in tests.items()
        }
    return {
        "errors": errors,
        "gauge_error": moved,
        "means": means,
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def _train(network: nn.Module, links: Tensor, steps: int, batch: int, seed: int) -> None:
    """Adam with one cycle of the learning rate on the mean squared error at every site."""
    targets = wilson_loops(links, _LOOP)[:, 0]
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    source = generator(seed, "batches")
    for _ in range(steps):
        some = torch.randint(len(links), (batch,), generator=source)
        optimiser.zero_grad()
        loss = (network(links[some]) - targets[some]).square().mean()
        torch.autograd.backward(loss)
        optimiser.step()
        cycle.step()


def _relative_error(network: nn.Module, links: Tensor) -> float:
    targets = wilson_loops(links, _LOOP)[:, 0]
    return float((network(links) - targets).square().mean() / targets.var())


def _gauge_error(network: nn.Module, group: LieGroup[Any], links: Tensor) -> float:
    """‖f(U^Ω) − f(U)‖/‖f(U)‖ under a random gauge transformation."""
    symmetry = gauge_symmetry(group, tuple(links.shape[2:4]), elements=1, seed=1)
    moved = symmetry.on_input.act(symmetry.elements[0], links, Context())
    value = network(links)
    return float((network(moved) - value).norm() / value.norm())


_Found = Mapping[tuple[str, str], list[dict[str, Any]]]


def _claims(found: _Found) -> tuple[Claim, ...]:
    return (_better(found), _transfers(found), _invariant(found))


def _compared(
    found: _Found, quantity: str, value: Callable[[dict[str, Any]], float], published: str = ""
) -> tuple[Comparison, ...]:
    """The logarithm's mean with its interval: errors spread over orders of magnitude."""
    return tuple(
        Comparison(
            f"log₁₀ {quantity}, {kind} network, {group}",
            published,
            over_seeds([log10(max(value(run), 1e-16)) for run in runs]),
        )
        for (group, kind), runs in found.items()
    )


def _better(found: _Found) -> Claim:
    ratios = _worst_ratio(found, "small")
    good = ratios >= 100
    return Claim(
        "A gauge-equivariant network learns Wilson loops to errors that a plain convolutional "
        "network does not come near.",
        _SOURCE,
        _compared(found, "relative squared error", lambda run: float(run["errors"]["small"])),
        "reproduced" if good else "not reproduced",
        "" if good else f"the smallest ratio of the two errors over groups is {ratios:.3g}",
    )


def _transfers(found: _Found) -> Claim:
    ours = [run for (_, kind), runs in found.items() if kind != "plain" for run in runs]
    growth = max(run["errors"]["large"] / run["errors"]["small"] for run in ours)
    good = growth < 3
    return Claim(
        "Trained on small lattices, the gauge-equivariant network is as good on larger ones.",
        _SOURCE,
        _compared(
            found,
            "relative squared error on the larger lattice",
            lambda run: float(run["errors"]["large"]),
        ),
        "reproduced" if good else "not reproduced",
        "" if good else f"its error grows by up to a factor of {growth:.3g}",
    )


def _invariant(found: _Found) -> Claim:
    worst = max(
        run["gauge_error"] for (_, kind), runs in found.items() if kind != "plain" for run in runs
    )
    good = worst < 1e-5
    return Claim(
        "Its output does not change under any gauge transformation; a plain network's does.",
        _SOURCE,
        _compared(
            found, "change under a random gauge", lambda run: float(run["gauge_error"]), "0 (exact)"
        ),
        "reproduced" if good else "not reproduced",
        "" if good else f"the largest change is {worst:.2g}, above 1e-5",
    )


def _worst_ratio(found: _Found, place: str) -> float:
    """Of the plain network's error to that of the other: the geometric means, the worst group."""

    def mean(group: str, kind: str) -> float:
        values = [log10(run["errors"][place]) for run in found[group, kind]]
        return sum(values) / len(values)

    return float(10 ** min(mean(g, "plain") - mean(g, "gauge-equivariant") for g in _GROUPS))

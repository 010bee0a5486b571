"""Batzner et al. 2022: features that turn with the molecule learn forces from fewer examples."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import exp, log, sqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import Progress, SilentProgress, generator
from goldstone.groups import OrthogonalGroup
from goldstone.nn import EquivariantLinear, GatedActivation, PointConv
from goldstone.representations import DirectSum, O3Irrep, Representation, multiple
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.results import (
    Claim,
    Comparison,
    Provenance,
    Reproduction,
    over_seeds,
)
from goldstone.reproductions.versions import versions
from goldstone.systems.molecules import Clusters, sample_clusters

_SILENT = SilentProgress()
_SOURCE = "Batzner et al. 2022, Nature Communications 13, 2453 (NequIP)"
_KINDS = (0, 0, 0, 1, 1, 1)
_CUTOFF = 3.5
_FORCES = 0.9
"""Weight of the forces in the loss, beside the energies."""
ARMS = ("equivariant", "invariant", "coordinates")


@dataclass(frozen=True)
class _Sizes:
    """How much is trained and on what."""

    seeds: int = 3
    train: tuple[int, ...] = (32, 128, 512)
    test: int = 256
    sampling: int = 1200
    steps: int = 500
    longer: int = 3
    """The two that see distances are also trained so many times as long on the most examples."""
    batch: int = 16
    width: int = 8


_FULL = _Sizes()
_QUICK = _Sizes(seeds=1, train=(16,), test=16, sampling=100, steps=8, width=4)


class PointPotential(nn.Module):
    """Two convolutions over the atoms with gates, a scalar for each, their sum.

    Args:
        degree: largest l of the features and of the harmonics; 0 sees distances alone.
        width: scalars, and half as many copies of each higher feature.
    """

    def __init__(self, degree: int, width: int) -> None:
        super().__init__()
        group = OrthogonalGroup(3)
        kinds: Representation = multiple(O3Irrep(0, 1), 2)
        parts: list[Representation] = [O3Irrep(0, 1)] * width
        for k in range(1, degree + 1):
            parts += [O3Irrep(k, (-1) ** k)] * (width // 2)
        hidden = DirectSum(group, tuple(parts))
        layers, before = [], kinds
        for _ in range(2):
            gate = GatedActivation(hidden)
            conv = PointConv(before, gate.source, degree, cutoff=_CUTOFF, neighbours=4.0)
            layers.append(nn.ModuleList([conv, gate]))
            before = hidden
        self.layers = nn.ModuleList(layers)
        self.head = EquivariantLinear(hidden, O3Irrep(0, 1))

    def forward(self, kinds: Tensor, positions: Tensor) -> Tensor:
        """Energies (batch,)."""
        x = nn.functional.one_hot(kinds, 2).to(positions.dtype)
        for layer in self.layers:
            conv, gate = layer.children()
            x = gate(conv(x, positions))
        found: Tensor = self.head(x)
        return found.sum((1, 2)) / sqrt(kinds.shape[1])


class CoordinatePotential(nn.Module):
    """A perceptron of the centred coordinates in the order given."""

    def __init__(self, atoms: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(3 * atoms, 16 * width),
            nn.SiLU(),
            nn.Linear(16 * width, 16 * width),
            nn.SiLU(),
            nn.Linear(16 * width, 1),
        )

    def forward(self, kinds: Tensor, positions: Tensor) -> Tensor:
        """Energies (batch,); the kinds are the same in all clusters."""
        del kinds
        centred = positions - positions.mean(1, keepdim=True)
        found: Tensor = self.body(centred.flatten(1))
        return found[:, 0]


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Train potentials on energies and forces of clusters, for several numbers of examples."""
    sizes = _QUICK if quick else _FULL
    kept = Kept(out, asdict(sizes))
    runs = [
        (arm, count, seed) for count in sizes.train for arm in ARMS for seed in range(sizes.seeds)
    ]
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    with progress.task("potentials", len(runs)) as task:
        for arm, count, seed in runs:
            name = f"{arm}-{count}-{seed}"
            values = kept.measure(name, partial(_run, arm, count, seed, sizes))
            found.setdefault((arm, count), []).append(values)
            task.advance()
    longer = _longer(kept, sizes)
    names = [f"{arm}-{count}-{seed}" for arm, count, seed in runs]
    names += [f"{arm}-longer-{seed}" for arm in longer for seed in range(sizes.seeds)]
    seconds = sum(kept.seconds(name) for name in names)
    return Reproduction(
        name="equivariant_potentials",
        title="Potentials of equivariant features",
        source=_SOURCE,
        setting=(
            f"Clusters of {len(_KINDS)} atoms of two kinds with Morse bonds and angular forces at "
            f"a temperature of 0.2 bond energies; {', '.join(map(str, sizes.train))} clusters to "
            f"learn from, {sizes.seeds} seeds, {sizes.steps} steps of Adam. Equivariant: features "
            "and harmonics up to l = 2; invariant: the same network with l = 0, which sees "
            "distances alone; coordinates: a perceptron of the coordinates. The paper has "
            "molecules and materials from quantum chemistry, more layers and days of training. "
            "Errors of forces are root mean squares over those of the forces: zero reaches 1."
        ),
        claims=_claims(found, longer, sizes),
        provenance=Provenance(
            versions(), tuple(range(sizes.seeds)), kept.settings, {"all": seconds}, quick
        ),
        tables={
            **{f"{arm}, {count}": values for (arm, count), values in found.items()},
            **{f"{arm}, longer": values for arm, values in longer.items()},
        },
    )


def _longer(kept: Kept, sizes: _Sizes) -> dict[str, list[dict[str, Any]]]:
    """Is it the steps or the examples that end the learning curve?"""
    more = replace(sizes, steps=sizes.longer * sizes.steps)
    most = sizes.train[-1]
    return {
        arm: [
            kept.measure(f"{arm}-longer-{seed}", partial(_run, arm, most, seed, more))
            for seed in range(sizes.seeds)
        ]
        for arm in ("equivariant", "invariant")
    }


def _run(arm: str, count: int, seed: int, sizes: _Sizes) -> dict[str, Any]:
    train = sample_clusters(_KINDS, count, steps=sizes.sampling, seed=2 * seed)
    test = sample_clusters(_KINDS, sizes.test, steps=sizes.sampling, seed=2 * seed + 1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network: nn.Module = (
            CoordinatePotential(len(_KINDS), sizes.width)
            if arm == "coordinates"
            else PointPotential(2 if arm == "equivariant" else 0, sizes.width)
        )
    mean, scale = train.energies.mean(), train.forces.square().mean().sqrt()
    _train(network, train, mean, scale, sizes, seed)
    energies, forces = (v.detach() for v in _predicted(network, test, graph=False))
    return {
        "forces": float((scale * forces - test.forces).square().mean().sqrt())
        / float(test.forces.square().mean().sqrt()),
        "energies": float((scale * energies + mean - test.energies).square().mean().sqrt())
        / float(test.energies.std()),
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def _predicted(network: nn.Module, clusters: Clusters, *, graph: bool) -> tuple[Tensor, Tensor]:
    """Energies and forces in units of the training forces' size."""
    positions = clusters.positions.detach().requires_grad_()
    energies = network(clusters.kinds, positions)
    (slope,) = torch.autograd.grad(energies.sum(), positions, create_graph=graph)
    return energies, -slope


def _train(
    network: nn.Module, data: Clusters, mean: Tensor, scale: Tensor, sizes: _Sizes, seed: int
) -> None:
    """Adam with one cycle on the mean squares of energies and forces."""
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=sizes.steps)
    source = generator(seed, "batches")
    atoms = data.kinds.shape[1]
    for _ in range(sizes.steps):
        some = torch.randint(len(data.energies), (sizes.batch,), generator=source)
        batch = Clusters(
            data.kinds[some], data.positions[some], data.energies[some], data.forces[some]
        )
        optimiser.zero_grad()
        energies, forces = _predicted(network, batch, graph=True)
        of_energies = (energies - (batch.energies - mean) / scale).square().mean() / atoms
        of_forces = (forces - batch.forces / scale).square().mean()
        torch.autograd.backward((1 - _FORCES) * of_energies + _FORCES * of_forces)
        optimiser.step()
        cycle.step()


_Found = Mapping[tuple[str, int], list[dict[str, Any]]]


_Longer = Mapping[str, list[dict[str, Any]]]


def _claims(found: _Found, longer: _Longer, sizes: _Sizes) -> tuple[Claim, ...]:
    compared = tuple(
        Comparison(
            f"relative error of forces, {arm}, {count} clusters",
            measured=over_seeds([run["forces"] for run in runs]),
        )
        for (arm, count), runs in found.items()
    )
    most = sizes.train[-1]
    ratio = [_error(found, "invariant", c) / _error(found, "equivariant", c) for c in sizes.train]
    gain = over_seeds(
        [
            log(b["forces"] / a["forces"])
            for a, b in zip(longer["equivariant"], longer["invariant"], strict=True)
        ]
    )
    trained_out = gain.low is not None and gain.low > 0
    claims = [
        Claim(
            "At equal numbers of examples, equivariant features predict forces better than "
            "invariant ones.",
            _SOURCE,
            (
                *compared,
                *(
                    Comparison(
                        f"the same, {arm}, {most} clusters, {sizes.longer} times as many steps",
                        measured=over_seeds([run["forces"] for run in runs]),
                    )
                    for arm, runs in longer.items()
                ),
                Comparison("log of the last over the one before", "> 0", gain),
            ),
            "reproduced"
            if min(ratio) > 1 and trained_out
            else "partly"
            if (gain.estimate or 0.0) > 0
            else "not reproduced",
            ""
            if min(ratio) > 1 and trained_out
            else "The ratio of errors, invariant over equivariant, by number of examples: "
            + ", ".join(f"{r:.2f}" for r in ratio)
            + f", after {sizes.steps} steps, which end training before the examples do. "
            f"{sizes.longer} times as many steps on {most} clusters bring it to "
            f"{exp(gain.estimate or 0.0):.2f}, with an interval over {sizes.seeds} seeds that "
            f"{'leaves 1 out' if trained_out else 'holds 1'}. Distances alone may say nearly all "
            f"of clusters of {len(_KINDS)} atoms; that was not tested.",
        ),
        _saving(found, sizes),
    ]
    plain = _error(found, "coordinates", most) / _error(found, "equivariant", most)
    claims.append(
        Claim(
            "Without the symmetry many times as many examples are needed.",
            _SOURCE,
            (
                Comparison(
                    f"error of forces, coordinates over equivariant, {most} clusters",
                    words=f"{plain:.1f}",
                ),
            ),
            "reproduced" if plain > 2 else "not reproduced",
            "" if plain > 2 else f"the ratio of errors is {plain:.2f}",
        )
    )
    return tuple(claims)


def _saving(found: _Found, sizes: _Sizes) -> Claim:
    """The exponent of the learning curve."""
    said = "The learning curve of equivariant features is steeper than that of invariant ones."
    if len(sizes.train) < 2:
        return Claim(said, _SOURCE, (), "not tested", "one size alone")

    def slopes(arm: str) -> list[float]:
        first, last = sizes.train[0], sizes.train[-1]
        return [
            -(log(b["forces"]) - log(a["forces"])) / (log(last) - log(first))
            for a, b in zip(found[arm, first], found[arm, last], strict=True)
        ]

    one, two = slopes("equivariant"), slopes("invariant")
    difference = over_seeds([a - b for a, b in zip(one, two, strict=True)])
    steeper = difference.low is not None and difference.low > 0
    return Claim(
        said,
        _SOURCE,
        (
            Comparison("exponent, equivariant", measured=over_seeds(one)),
            Comparison("exponent, invariant", measured=over_seeds(two)),
            Comparison("difference", "> 0", difference),
        ),
        "reproduced" if steeper else "not reproduced",
        ""
        if steeper
        else "the interval of the paired difference holds zero or lies below: with "
        f"{sizes.steps} steps for every number of examples, training may end before the data do",
    )


def _error(found: _Found, arm: str, count: int) -> float:
    """The geometric mean over seeds."""
    values = [log(run["forces"]) for run in found[arm, count]]
    return float(torch.tensor(values).mean().exp())

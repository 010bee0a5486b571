"""What does a constraint cost where the data's symmetry H is smaller than the imposed group G?

Maps from two points on the circle to a vector in the plane, f(x₁, x₂) ∈ ℝ², in the span of the
products of circular harmonics up to frequency 4 of each point: 81 functions, orthonormal for
uniform angles. A rotation or reflection g moves both points and the vector.

1. Dimension of the space of equivariant maps, against the order of the group: the average of the
   product of characters, the projector of Reynolds, the basis of the library and its linear layer;
   and the same of one convolution.
2. The floor: what no G-equivariant map can predict of an H-equivariant target, as a share of the
   target's variance. For poses that are all as frequent: 1 − ‖P_G f‖²/‖f‖² with the Reynolds
   operator P_G (sum over orbits of the variance of g⁻¹ f(gx)). Where some poses are more frequent
   than others: the same with the density as weight (Wang et al. 2023, "A general theory of correct,
   incorrect, and extrinsic equivariance", proposition 5); where each orbit is seen in one pose
   alone, nothing is lost ("extrinsic").
3. Linear regression in these functions, on noisy samples: error against number of samples.
4. Small equivariant networks of equal numbers of parameters, trained on samples of the same target.

The target of 3 and 4 is f = (f₀ + ε f₁)/‖f₀ + ε f₁‖ with f₀ symmetric under O(2) and f₁ under
H = C2 alone, without a part that is symmetric under O(2).

    python -m benchmarks.cost_of_constraint [--quick]

Goes on from results/cost_of_constraint.json; writes .md and .svg there. One thread, about five
minutes.
"""

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.study import RESULTS, Runs, figure, interval, shown, table, write_text
from goldstone.core import generator
from goldstone.groups import CyclicGroup, DihedralGroup, PointGroup
from goldstone.nn import EquivariantLinear, EquivariantMLP, SteerableConv2d
from goldstone.report.marks import INK, SERIES
from goldstone.report.svg import Axes, log_axis
from goldstone.representations import (
    DirectSum,
    MatrixRepresentation,
    RegularRepresentation,
    Representation,
    StandardRepresentation,
    TensorProduct,
    TrivialRepresentation,
    intertwiner_basis,
    multiple,
)

FREQUENCIES = 4
GROUPS: dict[str, PointGroup[Any]] = {
    "C1": CyclicGroup(1),
    "C2": CyclicGroup(2),
    "C4": CyclicGroup(4),
    "D4": DihedralGroup(4),
    "C8": CyclicGroup(8),
    "D8": DihedralGroup(8),
    "C16": CyclicGroup(16),
    "D16": DihedralGroup(16),
}
TRAINED = ("C1", "C2", "C4", "D4", "C8", "C16")
CONTAINS = {
    "C1": tuple(GROUPS),
    "C2": tuple(GROUPS)[1:],
    "C4": ("C4", "D4", "C8", "D8", "C16", "D16"),
    "D4": ("D4", "D8", "D16"),
}
"""By data symmetry H: the groups G ⊇ H."""
SHARPNESS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
BREAKING, NOISE = 0.3, 0.1
SAMPLES = (32, 64, 128, 256, 512, 1024, 2048)
NET_SAMPLES = (64, 512, 4096)
STEPS, BATCH, TEST = 800, 128, 2000


# The space of maps: coefficients (2, 81) over the orthonormal functions.


def harmonics(angle: Tensor) -> Tensor:
    """1, √2 cos kθ, √2 sin kθ for k ≤ 4: (*batch, 9)."""
    parts = [torch.ones_like(angle)]
    for k in range(1, FREQUENCIES + 1):
        parts += [math.sqrt(2) * (k * angle).cos(), math.sqrt(2) * (k * angle).sin()]
    return torch.stack(parts, -1)


def functions(angles: Tensor) -> Tensor:
    """The 81 products at pairs of angles (*batch, 2)."""
    first, second = harmonics(angles[..., 0]), harmonics(angles[..., 1])
    return (first[..., :, None] * second[..., None, :]).flatten(-2)


def on_functions(group: PointGroup[Any]) -> Representation:
    """How the functions move: φ(gx) = ρ(g) φ(x)."""
    steps = group.generators() or (group.identity,)
    parts: list[Representation] = [TrivialRepresentation(group)]
    for k in range(1, FREQUENCIES + 1):
        moved = {g: _power(group.matrix(g), k) for g in steps}
        parts.append(MatrixRepresentation.from_mapping(group, moved))
    one = DirectSum(group, tuple(parts))
    return TensorProduct(group, (one, one))


def _power(matrix: Sequence[Sequence[float]], k: int) -> Tensor:
    """The matrix of g on (cos kθ, sin kθ): the angle taken k times, reflections kept."""
    (a, b), (c, d) = matrix
    angle, sign = k * math.atan2(c, a), 1.0 if a * d - b * c > 0 else -1.0
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sign * sin], [sin, sign * cos]], dtype=torch.float64)


@cache
def matrices(name: str) -> tuple[Tensor, Tensor]:
    """ρ(g) on the functions and on vectors, for all g."""
    group = GROUPS[name]
    elements = group.tensor(group.elements())
    source = on_functions(group).matrix(elements).double()
    return source, StandardRepresentation(group).matrix(elements).double()


def reynolds(name: str, maps: Tensor) -> Tensor:
    """|G|⁻¹ Σ_g ρ_V(g)⁻¹ W ρ(g) of coefficients (*batch, 2, 81): the best equivariant map."""
    source, target = matrices(name)
    moved = target.mT @ maps[..., None, :, :] @ source
    return moved.mean(-3)


def dimensions(name: str) -> dict[str, int]:
    """Of the space of equivariant maps, in four ways."""
    group = GROUPS[name]
    source, target = matrices(name)
    traces = source.diagonal(dim1=1, dim2=2).sum(1) * target.diagonal(dim1=1, dim2=2).sum(1)
    unit = torch.eye(162, dtype=torch.float64).reshape(162, 2, 81)
    projector = reynolds(name, unit).reshape(162, 162)
    whole, vector = on_functions(group), StandardRepresentation(group)
    return {
        "characters": round(float(traces.mean())),
        "reynolds": int(torch.linalg.matrix_rank(projector)),
        "basis": intertwiner_basis(whole, vector).dimension,
        "layer": EquivariantLinear(whole, vector, bias=False).map_dimension,
    }


def convolution_dimensions(name: str, channels: int = 32, taps: int = 5) -> dict[str, int | None]:
    """Of one convolution between fields of the regular representation, 32 channels at each end.

    Theory for free pixels: (1/|G|) Σ_g χ(g)² · #(taps that g leaves where they are), to which only
    the identity adds, so 32²·25/|G|. Other groups have band-limited kernels: no entry.
    """
    group = GROUPS[name]
    fields = multiple(RegularRepresentation(group), channels // group.order)
    layer = SteerableConv2d(fields, fields, taps, bias=False)
    on_grid = name in ("C1", "C2", "C4", "D4")
    return {
        "theory": channels**2 * taps**2 // group.order if on_grid else None,
        "layer": layer.map_dimension,
    }


# Targets and floors.


def random_maps(seed: int, count: int = 1) -> Tensor:
    """Coefficients (count, 2, 81) whose variance falls as 1/(1 + k₁² + k₂²)."""
    k = torch.tensor([0] + [k for k in range(1, FREQUENCIES + 1) for _ in range(2)]).double()
    spectrum = (1 + k[:, None] ** 2 + k[None, :] ** 2).flatten().rsqrt()
    rng = generator(seed, "target")
    return torch.randn(count, 2, 81, generator=rng, dtype=torch.float64) * spectrum


def share_lost(name: str, maps: Tensor) -> Tensor:
    """1 − ‖P_G W‖²/‖W‖² for each map."""
    kept = reynolds(name, maps).square().sum((-2, -1))
    return 1 - kept / maps.square().sum((-2, -1))


def expected_share(data: str, imposed: str) -> float:
    """E‖W − P_G W‖² / E‖W‖² of random maps that were averaged under H, by traces alone."""
    unit = torch.eye(162, dtype=torch.float64).reshape(162, 2, 81)
    k = torch.tensor([0] + [k for k in range(1, FREQUENCIES + 1) for _ in range(2)]).double()
    variance = (1 / (1 + k[:, None] ** 2 + k[None, :] ** 2)).flatten().repeat(2)
    kept = [
        (reynolds(name, unit).reshape(162, 162).diagonal() * variance).sum()
        for name in (data, imposed)
    ]
    return float(1 - kept[1] / kept[0])


def weighted_floor(imposed: str, maps: Tensor, sharpness: float, points: int = 64) -> Tensor:
    """The share of variance that no G-equivariant function reaches, where poses differ.

    Density ∝ exp(κ cos 2(θ₁ − π/6)), which has the symmetry of the data, C2. The best function is
    the average of g⁻¹ f(gx) with the density at gx as weight; its loss is summed over a grid of
    points × points angles.
    """
    angle = torch.arange(points, dtype=torch.float64) * (2 * math.pi / points)
    angles = torch.stack(torch.meshgrid(angle, angle, indexing="ij"), -1).reshape(-1, 2)
    density = _density(angles, sharpness)
    source, target = matrices(imposed)
    values = functions(angles)
    f = torch.einsum("cij,pj->cpi", maps, values)
    # Where g takes each point of the grid, and the density there.
    moved, weights = [], []
    for on_f, on_v in zip(source, target, strict=True):
        moved.append(torch.einsum("ji,cjk,pk->cpi", on_v, maps, values @ on_f.mT))
        weights.append(_density(angles_under(on_v, angles), sharpness))
    weight = torch.stack(weights)
    each = torch.stack(moved)
    best = (each * weight[:, None, :, None]).sum(0) / weight.sum(0)[None, :, None]
    lost, total = ((v.square().sum(-1) * density).sum(-1) for v in (f - best, f))
    return lost / total


def _density(angles: Tensor, sharpness: float) -> Tensor:
    return (sharpness * (2 * (angles[:, 0] - math.pi / 6)).cos()).exp()


def angles_under(matrix: Tensor, angles: Tensor) -> Tensor:
    """The angles of moved points on the circle."""
    points = torch.stack((angles.cos(), angles.sin()), -1) @ matrix.mT
    return torch.atan2(points[..., 1], points[..., 0])


def broken_target(seed: int, breaking: float = BREAKING) -> Tensor:
    """W of unit norm: a part with O(2)'s symmetry, and ε times a part with that of C2 alone."""
    first, second = random_maps(seed, 2)
    # Total frequencies reach 8, so that maps which commute with D16 do with all of O(2).
    symmetric, half = reynolds("D16", first), reynolds("C2", second)
    half = half - reynolds("D16", half)
    whole = symmetric / symmetric.norm() + breaking * half / half.norm()
    return whole / whole.norm()


def drawn(maps: Tensor, count: int, seed: int, name: str) -> tuple[Tensor, Tensor]:
    """Uniform pairs of angles and noisy vectors; ‖f‖² = 1 on average and noise of NOISE each."""
    rng = generator(seed, "samples", name)
    angles = 2 * math.pi * torch.rand(count, 2, generator=rng, dtype=torch.float64)
    noise = NOISE * torch.randn(count, 2, generator=rng, dtype=torch.float64)
    return angles, functions(angles) @ maps.mT + noise


# Learning.


@cache
def orthonormal_basis(name: str) -> Tensor:
    """Basis of the equivariant maps, (k, 2, 81), from the library."""
    group = GROUPS[name]
    return intertwiner_basis(on_functions(group), StandardRepresentation(group)).dense()


def regression(name: str, seed: int, samples: Sequence[int]) -> dict[str, Any]:
    """Squared error of the best equivariant map, fitted to n noisy samples, less the noise's.

    Minimum-norm least squares over the orthonormal basis; the error is exact: ‖Ŵ − W‖².
    """
    maps = broken_target(seed)
    basis = orthonormal_basis(name)
    angles, y = drawn(maps, max(samples), seed, "regression")
    design = torch.einsum("bij,pj->pib", basis, functions(angles))
    errors = []
    for n in samples:
        found = torch.linalg.lstsq(design[:n].flatten(0, 1), y[:n].flatten(), driver="gelsd")
        wrong = torch.einsum("b,bij->ij", found.solution, basis) - maps
        errors.append(float(wrong.square().sum()))
    return {"floor": float(share_lost(name, maps)), "errors": errors}


def network(name: str, seed: int) -> EquivariantMLP:
    """Two hidden layers of copies of the regular representation."""
    group = GROUPS[name]
    vector, regular = StandardRepresentation(group), RegularRepresentation(group)
    # C1 has one component a copy, C16 sixteen.
    model = EquivariantMLP(multiple(vector, 2), multiple(regular, copies(name)), vector, 2)
    model.reset_parameters(generator(seed, "weights"))
    return model


def copies(name: str) -> int:
    """So many that the width is about 48·√|G|, and the parameters are about equal."""
    return max(1, round(48 / math.sqrt(GROUPS[name].order)))


def training(name: str, seed: int, samples: int, steps: int = STEPS) -> dict[str, Any]:
    """Squared error of a trained network on fresh points without noise, mean of ‖f̂ − f‖²."""
    maps = broken_target(seed)
    angles, y = (v.float() for v in drawn(maps, samples, seed, "training"))
    fresh, _ = drawn(maps, TEST, seed, "test")
    truth = (functions(fresh) @ maps.mT).float()
    model = network(name, seed)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2, weight_decay=1e-4)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    source = generator(seed, "batches")
    x = points(angles)
    for _ in range(steps):
        some = torch.randint(samples, (BATCH,), generator=source)
        optimiser.zero_grad()
        (model(x[some]) - y[some]).square().mean().backward()
        optimiser.step()
        cycle.step()
    with torch.no_grad():
        error = (model(points(fresh.float())) - truth).square().sum(1).mean()
        seen = (model(x) - (functions(angles.double()) @ maps.mT).float()).square().sum(1).mean()
    return {
        "floor": float(share_lost(name, maps)),
        "error": float(error),
        "error_on_samples": float(seen),
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def points(angles: Tensor) -> Tensor:
    """Both points' coordinates, (*batch, 4)."""
    return torch.stack((angles.cos(), angles.sin()), -1).flatten(-2)


# The study.


def study(runs: Runs, *, quick: bool = False) -> None:
    """Run what is not there yet."""
    seeds = range(3 if quick else 200)
    for name in GROUPS:
        runs.get(f"dimension {name}", {}, lambda n=name: dimensions(n))
        runs.get(f"convolution {name}", {}, lambda n=name: convolution_dimensions(n))
    for data, over in CONTAINS.items():
        for imposed in over:
            runs.get(
                f"floor {data} under {imposed}",
                {"seeds": len(seeds)},
                lambda d=data, g=imposed: {
                    "expected": expected_share(d, g),
                    "shares": [float(share_lost(g, reynolds(d, random_maps(s)))) for s in seeds],
                },
            )
    for imposed in CONTAINS["C2"]:
        for sharpness in SHARPNESS:
            maps = torch.cat([broken_target(s)[None] for s in range(2 if quick else 10)])
            runs.get(
                f"poses C2 under {imposed}, sharpness {sharpness:g}",
                {"seeds": len(maps), "breaking": BREAKING},
                lambda g=imposed, k=sharpness, m=maps: {"shares": weighted_floor(g, m, k).tolist()},
            )
    common = {"breaking": BREAKING, "noise": NOISE}
    for name in GROUPS:
        for seed in range(2 if quick else 10):
            runs.get(
                f"regression {name}, seed {seed}",
                {**common, "samples": SAMPLES},
                lambda n=name, s=seed: regression(n, s, SAMPLES),
            )
    steps = 60 if quick else STEPS
    for seed in range(1 if quick else 5):
        for samples in NET_SAMPLES[:1] if quick else NET_SAMPLES:
            for name in TRAINED:
                runs.get(
                    f"network {name}, {samples} samples, seed {seed}",
                    {**common, "steps": steps, "copies": copies(name)},
                    lambda n=name, s=seed, m=samples: training(n, s, m, steps),
                )


def of(runs: Runs, start: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Runs whose name starts so."""
    return ((name, run) for name, run in runs.found.items() if name.startswith(start))


def regression_errors(runs: Runs, name: str, samples: int) -> list[float]:
    """By seed."""
    place = SAMPLES.index(samples)
    return [run["errors"][place] for _, run in of(runs, f"regression {name},")]


def network_errors(runs: Runs, name: str, samples: int) -> list[float]:
    """By seed."""
    return [run["error"] for _, run in of(runs, f"network {name}, {samples} samples,")]


def _least(
    runs: Runs,
    names: Iterable[str],
    errors: Callable[[Runs, str, int], list[float]],
    samples: int,
) -> str:
    """The group of least mean error, and those whose errors do not differ at 95 % by seed."""
    values = {name: errors(runs, name, samples) for name in names}
    best = min(values, key=lambda name: interval(values[name])[0])
    alike = []
    for name, own in values.items():
        # Pairs of one seed have the same target and the same samples.
        mean, half = interval([a - b for a, b in zip(own, values[best], strict=False)])
        if name != best and not mean > half:
            alike.append(name)
    return best + (f" (or {', '.join(alike)})" if alike else "")


def page(runs: Runs) -> str:
    """The tables."""
    written = "Written by `python -m benchmarks.cost_of_constraint`, which says what is measured."
    lines = ["# The cost of a constraint", "", written, ""]
    lines += ["## Dimension of the space of maps", ""]
    lines += [
        (
            "Products of harmonics: 2 × 81 = 162 free coefficients. Convolution: 5×5, fields of "
            "the regular representation, 32 channels at each end; kernels of C8 and beyond are "
            "band-limited. The space shrinks as 1/order only while the group is coarser than the "
            "band: C16 leaves as many maps as all of SO(2), D16 as many as O(2)."
        ),
        "",
    ]
    rows = []
    for name, group in GROUPS.items():
        d, c = runs.found[f"dimension {name}"], runs.found[f"convolution {name}"]
        ways = [str(d[k]) for k in ("characters", "reynolds", "basis", "layer")]
        theory = "–" if c["theory"] is None else str(c["theory"])
        order = group.order
        rows.append([name, str(order), *ways, f"{162 / order:.1f}", theory, str(c["layer"])])
    head = ["group", "order", "characters", "rank of Reynolds", "intertwiner_basis"]
    head += ["EquivariantLinear", "162/order", "convolution, theory", "SteerableConv2d"]
    lines += [*table(head, rows), ""]
    lines += ["## What no equivariant map reaches", ""]
    lines += [
        (
            "Share of the variance of random targets of symmetry H, all poses as frequent: "
            "expectation by traces (ratio of means); mean ± 95 % interval over 200 targets. The "
            "order alone does not tell it: C16 loses less than D4, a group of half its order."
        ),
        "",
    ]
    rows = []
    for data, over in CONTAINS.items():
        cells = []
        for imposed in GROUPS:
            run = runs.found.get(f"floor {data} under {imposed}")
            if imposed not in over or run is None:
                cells.append("")
            else:
                cells.append(f"{run['expected']:.3f}; {shown(run['shares'])}")
        rows.append([data, *cells])
    lines += [*table(["H \\ G", *GROUPS], rows), ""]
    lines += [
        (
            f"Target of the learning runs (ε = {BREAKING:g}), where poses are not all as frequent: "
            "density ∝ exp(κ cos 2(θ₁ − π/6)), which C2 keeps. Mean ± 95 % over targets."
        ),
        "",
    ]
    rows = [
        [g]
        + [shown(runs.found[f"poses C2 under {g}, sharpness {k:g}"]["shares"]) for k in SHARPNESS]
        for g in CONTAINS["C2"]
    ]
    lines += [*table(["G", *(f"κ = {k:g}" for k in SHARPNESS)], rows), ""]
    lines += ["## Linear regression", ""]
    lines += [
        (
            "Squared error against the noiseless target (variance 1, noise "
            f"{NOISE:g} a component), mean ± 95 % over seeds. Last row: the group of "
            "least error, and those from which it does not differ at 95 % (paired by seed)."
        ),
        "",
    ]
    rows = []
    for name in GROUPS:
        cells = [shown(regression_errors(runs, name, n)) for n in SAMPLES]
        floors = [run["floor"] for _, run in of(runs, f"regression {name},")]
        rows.append([name, shown(floors), *cells])
    rows.append(["least", "", *(_least(runs, GROUPS, regression_errors, n) for n in SAMPLES)])
    lines += [*table(["G", "floor", *(str(n) for n in SAMPLES)], rows), ""]
    lines += ["## Networks", ""]
    lines += [
        (
            "Squared error on fresh points, mean ± 95 % over seeds; two hidden layers, "
            f"{STEPS} steps of AdamW, no early stopping."
        ),
        "",
    ]
    sizes = [n for n in NET_SAMPLES if network_errors(runs, "C1", n)]
    rows = []
    for name in TRAINED:
        floors = [run["floor"] for _, run in of(runs, f"network {name}, {sizes[0]} samples,")]
        count = next(of(runs, f"network {name},"))[1]["parameters"]
        cells = [shown(network_errors(runs, name, n)) for n in sizes]
        rows.append([name, str(count), shown(floors), *cells])
    rows.append(["least", "", "", *(_least(runs, TRAINED, network_errors, n) for n in sizes)])
    lines += [*table(["G", "parameters", "floor", *(str(n) for n in sizes)], rows), ""]
    return "\n".join(lines)


def picture(runs: Runs) -> str:
    """Four panels."""
    colours = dict(zip(GROUPS, (SERIES[6], SERIES[0], SERIES[2], SERIES[3], SERIES[4],
                                SERIES[7], SERIES[1], SERIES[5]), strict=True))  # fmt: skip
    orders = [g.order for g in GROUPS.values()]

    def dimension(axes: Axes) -> None:
        axes.set_title("Dimension of the space of maps")
        kinds = {
            "harmonics": ("dimension", "basis", "o"),
            "convolution": ("convolution", "layer", "s"),
        }
        for k, (label, (start, key, mark)) in enumerate(kinds.items()):
            values = [runs.found[f"{start} {n}"][key] for n in GROUPS]
            axes.plot(orders, values, mark, color=SERIES[k], label=label, markersize=5)
            axes.plot(sorted(orders), [values[0] / n for n in sorted(orders)], "-",
                      color=SERIES[k], linewidth=0.8, label=f"{values[0]} / order")  # fmt: skip
        axes.set_xscale("log", base=2)
        log_axis(axes.yaxis, 4, 6e4)
        axes.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
        axes.set_xlabel("order of the imposed group")
        axes.legend(fontsize=9, frameon=False, labelcolor=INK)

    def poses(axes: Axes) -> None:
        axes.set_title("Floor of a C2-symmetric target")
        for name in ("C2", "C4", "D4", "C8", "C16", "D16"):
            values = [
                interval(runs.found[f"poses C2 under {name}, sharpness {k:g}"]["shares"])
                for k in SHARPNESS
            ]
            axes.errorbar(SHARPNESS, [v[0] for v in values], [v[1] for v in values], fmt="o-",
                          color=colours[name], label=name, markersize=4, linewidth=1.2)  # fmt: skip
        axes.set_xlabel("how unequal poses are, κ")
        axes.set_ylabel("share of variance out of reach")
        axes.legend(fontsize=9, frameon=False, labelcolor=INK, ncols=2)

    def curve(axes: Axes, name: str, sizes: Sequence[int], values: Any, floor: float) -> None:
        known = [interval(v) for v in values]
        axes.errorbar(sizes, [v[0] for v in known], [v[1] for v in known], fmt="o-",
                      color=colours[name], label=name, markersize=4, linewidth=1.2)  # fmt: skip
        if floor > 1e-6:
            axes.axhline(floor, color=colours[name], linewidth=0.7, linestyle="--")

    def style(axes: Axes, sizes: Sequence[int], low: float, high: float) -> None:
        axes.set_xscale("log", base=2)
        log_axis(axes.yaxis, low, high)
        axes.set_xticks(sizes, [str(n) for n in sizes])
        axes.set_xlabel("samples (dashed: floors)")
        axes.set_ylabel("squared error")
        axes.legend(fontsize=9, frameon=False, labelcolor=INK, ncols=2)

    def linear(axes: Axes) -> None:
        axes.set_title("Linear regression")
        for name in GROUPS:
            found = [run for _, run in of(runs, f"regression {name},")]
            values = [regression_errors(runs, name, n) for n in SAMPLES]
            curve(axes, name, SAMPLES, values, interval([f["floor"] for f in found])[0])
        style(axes, SAMPLES, 3e-4, 3)

    def nets(axes: Axes) -> None:
        axes.set_title("Networks of equal size")
        sizes = [n for n in NET_SAMPLES if network_errors(runs, "C1", n)]
        for name in TRAINED:
            values = [network_errors(runs, name, n) for n in sizes]
            floors = [run["floor"] for _, run in of(runs, f"network {name}, {sizes[0]} samples,")]
            curve(axes, name, sizes, values, interval(floors)[0])
        style(axes, sizes, 2e-3, 1)

    return figure("The cost of a constraint", [dimension, poses, linear, nets])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runs = Runs(given.out / "cost_of_constraint.json")
    study(runs, quick=given.quick)
    write_text(given.out / "cost_of_constraint.md", page(runs))
    write_text(given.out / "cost_of_constraint.svg", picture(runs))
    print(page(runs))


if __name__ == "__main__":
    main()

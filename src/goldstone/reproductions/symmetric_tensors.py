"""Arjevani et al. 2021: critical points of symmetric tensor decomposition, by symmetry."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from goldstone.core import Progress, SilentProgress, Statistic, from_json, to_json
from goldstone.report.dots import DotPlot, dot_plot, series_dots
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.results import Claim, Comparison, Provenance, Reproduction
from goldstone.reproductions.versions import versions
from goldstone.weightspace.tensor_decomposition import (
    Catalogue,
    CatalogueEntry,
    CriticalPoint,
    SymmetricTensorDecomposition,
    critical_point,
    diagonal_subgroup,
    find_critical_points,
)

_SILENT = SilentProgress()
_SOURCE = "Arjevani, Bruna, Field, Kileel, Trager, Williams 2021 (arXiv 2103.06234)"
_LEVELS = (0.0, 1.0, 2.0)
_MOST_SHOWN = 14


@dataclass(frozen=True)
class _Sizes:
    """How much is searched, for order 3 and as many components as dimensions."""

    dimension: int = 5
    """Of the search everywhere."""
    starts: int = 200
    restricted: int = 6
    """Of the searches in fixed-point spaces."""
    restricted_starts: int = 60
    dimensions: tuple[int, ...] = (4, 5, 6, 7, 8, 9, 10)
    """Of the spectra of points with all permutations."""
    spectrum_starts: int = 24


_FULL = _Sizes()
_QUICK = _Sizes(starts=12, restricted_starts=6, dimensions=(4, 6), spectrum_starts=16)


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Search critical points everywhere and in fixed-point spaces, and measure their spectra."""
    sizes = _QUICK if quick else _FULL
    kept = Kept(out, {"sizes": asdict(sizes)})
    blocks = _blocks(sizes.restricted)
    names = ["everywhere", *(f"blocks-{'-'.join(map(str, b))}" for b in blocks)]
    names += [f"all-permutations-{d}" for d in sizes.dimensions]
    makes = [
        partial(_everywhere, sizes),
        *(partial(_within, sizes.restricted, b, sizes.restricted_starts) for b in blocks),
        *(partial(_within, d, (d,), sizes.spectrum_starts) for d in sizes.dimensions),
    ]
    found: dict[str, Catalogue] = {}
    with progress.task("symmetric tensors", len(names)) as task:
        for name, make in zip(names, makes, strict=True):
            values = kept.measure(name, make)
            found[name] = from_json(Catalogue, values, name)
            task.advance()
    saddles = {d: _saddle(found[f"all-permutations-{d}"]) for d in sizes.dimensions}
    restricted = _merged([found[name] for name in names if name.startswith("blocks")])
    drawings = {
        "catalogue": side_by_side([_catalogue_panel(restricted), _index_panel(restricted)]),
        "spectrum": side_by_side([_spectrum_panel(saddles)]),
    }
    captions = {
        "catalogue": (
            f"Critical points for d = {sizes.restricted}, found in the fixed-point spaces of "
            "subgroups, by isotropy subgroup: loss, and share of negative eigenvalues."
        ),
        "spectrum": "The different eigenvalues of the Hessian at the saddle of isotropy ΔS_d.",
    }
    return Reproduction(
        name="symmetric_tensors",
        title="Symmetry breaking in symmetric tensor decomposition",
        source=_SOURCE,
        setting=(
            "L(W) = ‖Σ wᵢ⊗wᵢ⊗wᵢ − Σ eⱼ⊗eⱼ⊗eⱼ‖², as many components as dimensions. Minima by BFGS "
            f"from {sizes.starts} starts N(0, 1/d) for d = {sizes.dimension}; critical points of "
            f"any index in the fixed-point spaces of subgroups ΔS_a × … for d = {sizes.restricted}."
            " The paper constructs its families analytically; here they are found by search."
        ),
        claims=(
            _closed_forms(),
            _large_isotropy(found["everywhere"], restricted),
            _few_eigenvalues(saddles),
            _levels(found["everywhere"]),
        ),
        provenance=Provenance(
            versions(), (0,), kept.settings["sizes"], {n: kept.seconds(n) for n in names}, quick
        ),
        figures={name: captions[name] for name, drawing in drawings.items() if drawing},
        tables={name: to_json(catalogue) for name, catalogue in found.items()},
        drawings={name: drawing for name, drawing in drawings.items() if drawing},
    )


def _blocks(d: int) -> tuple[tuple[int, ...], ...]:
    return ((d,), (d - 1, 1), (d - 2, 2), (d - 2, 1, 1), (d - 3, 3))


def _everywhere(sizes: _Sizes) -> Mapping[str, Any]:
    problem = SymmetricTensorDecomposition(sizes.dimension)
    values: dict[str, Any] = to_json(find_critical_points(problem, sizes.starts, seed=0))
    return values


def _within(d: int, blocks: tuple[int, ...], starts: int) -> Mapping[str, Any]:
    problem = SymmetricTensorDecomposition(d)
    within = diagonal_subgroup(blocks, d, d)
    catalogue = find_critical_points(problem, starts, seed=0, kind="critical points", within=within)
    values: dict[str, Any] = to_json(catalogue)
    return values


def _saddle(catalogue: Catalogue) -> CriticalPoint | None:
    """The saddle of isotropy ΔS_d: neither W = 1 nor the constant matrix nor zero."""
    d = catalogue.problem.dimension
    points = [entry.point for entry in catalogue.entries]
    return next((p for p in points if p.isotropy.name == f"ΔS{d}" and p.index > 0), None)


def _merged(catalogues: Sequence[Catalogue]) -> list[CatalogueEntry]:
    """The entries of several searches, each class once, by loss."""
    found: dict[tuple[str, float, int], CatalogueEntry] = {}
    for entry in (e for catalogue in catalogues for e in catalogue.entries):
        key = (entry.point.isotropy.name, round(entry.point.loss, 5), entry.point.index)
        found.setdefault(key, entry)
    return sorted(found.values(), key=lambda entry: entry.point.loss)


def _joined(point: CriticalPoint) -> list[tuple[float, int]]:
    """The different eigenvalues with multiplicities, those that coincide joined."""
    joined: list[tuple[float, int]] = []
    for value, count in point.eigenvalues:
        if joined and abs(value - joined[-1][0]) < 1e-6 * max(1.0, abs(value)):
            joined[-1] = (joined[-1][0], joined[-1][1] + count)
        else:
            joined.append((value, count))
    return joined


def _closed_forms() -> Claim:
    problem = SymmetricTensorDecomposition(5)
    one = critical_point(problem, torch.eye(5))
    constant = critical_point(problem, torch.full((5, 5), 0.2, dtype=torch.float64))
    expected = {
        "W = 1": (one, 0.0, [(6.0, 20), (18.0, 5)]),
        "W = 11ᵀ/d": (constant, 4.8, [(-2.4, 16), (-1.2, 4), (0.0, 4), (3.6, 1)]),
    }
    rows, good = [], True
    for name, (point, loss, spectrum) in expected.items():
        joined = _joined(point)
        same = len(joined) == len(spectrum) and all(
            abs(a - b) < 1e-9 and m == n for (a, m), (b, n) in zip(joined, spectrum, strict=True)
        )
        good &= same and abs(point.loss - loss) < 1e-9
        rows.append(Comparison(f"{name}, d = 5", _words(spectrum), words=_words(joined)))
    return Claim(
        "The Hessian at the symmetric points W = 1 and W = 11ᵀ/d has few eigenvalues of high "
        "multiplicity, in closed form.",
        _SOURCE,
        tuple(rows),
        "reproduced" if good else "not reproduced",
        "" if good else "the spectra differ, as the table shows",
    )


def _words(spectrum: Sequence[tuple[float, int]]) -> str:
    return ", ".join(f"{round(value, 9) + 0.0:.4g} (×{count})" for value, count in spectrum)


def _large_isotropy(everywhere: Catalogue, restricted: Sequence[CatalogueEntry]) -> Claim:
    trivial = sum(e.count for e in everywhere.entries if e.point.isotropy.order == 1)
    total = sum(e.count for e in everywhere.entries)
    share = 1 - trivial / max(total, 1)
    good = share > 0.9
    return Claim(
        "Critical points that optimisation finds break S_k × S_d to large subgroups, and not to "
        "the trivial one.",
        _SOURCE,
        (
            Comparison(
                "minima of random starts with nontrivial isotropy",
                "large",
                Statistic(share, n=total),
                "degenerate sets by their most symmetric point found",
            ),
            Comparison(
                "different isotropy subgroups in fixed-point spaces",
                words=", ".join(sorted({e.point.isotropy.name for e in restricted})),
            ),
        ),
        "reproduced" if good else "not reproduced",
        "" if good else f"{trivial} of {total} starts ended with trivial isotropy",
        ("catalogue",),
    )


def _few_eigenvalues(saddles: Mapping[int, CriticalPoint | None]) -> Claim:
    known = {d: point for d, point in saddles.items() if point is not None}
    published = {6: (5.4792, 24), 10: (9.7781, 80)}
    rows = []
    good = len(known) == len(saddles)
    for d, point in known.items():
        count = len(_joined(point))
        good &= count <= 7
        if d in published:
            good &= abs(point.loss - published[d][0]) < 1e-4 and point.index == published[d][1]
        rows.append(
            Comparison(
                f"d = {d}: different eigenvalues",
                "at most 7",
                Statistic(float(count), n=1),
                f"of {d * d}; loss {point.loss:.4f}, index {point.index}",
            )
        )
    missing = sorted(set(saddles) - set(known))
    return Claim(
        "At points of isotropy ΔS_d the Hessian has at most seven different eigenvalues, whatever "
        "d: M(d, d) = 2·trivial + 3·standard + Λ² + S^(d−2,2).",
        _SOURCE,
        tuple(rows),
        "reproduced" if good else "partly",
        "" if good else f"no such saddle was found for d in {missing}, or a number differs",
        ("spectrum",),
    )


def _levels(everywhere: Catalogue) -> Claim:
    total = sum(e.count for e in everywhere.entries)
    rows = []
    for level, share in zip(_LEVELS, (0.57, 0.375, 0.05), strict=True):
        count = sum(e.count for e in everywhere.entries if abs(e.point.loss - level) < 1e-3)
        p = count / max(total, 1)
        half = 1.96 * (p * (1 - p) / max(total, 1)) ** 0.5
        measured = Statistic(p, max(p - half, 0), min(p + half, 1), total)
        rows.append(
            Comparison(f"share of starts that end at L = {level:g}", f"{share:g}", measured)
        )
    stray = [e.point.loss for e in everywhere.entries if round(e.point.loss, 3) not in _LEVELS]
    inside = all(
        row.measured is not None
        and row.measured.low is not None
        and row.measured.high is not None
        and row.measured.low - 0.02 <= share <= row.measured.high + 0.02
        for row, share in zip(rows, (0.57, 0.375, 0.05), strict=True)
    )
    good = inside and not stray
    return Claim(
        "From random starts BFGS ends at L = 0, 1 or 2: all targets found, or one or two missed.",
        "200 starts of an independent program, d = 5",
        tuple(rows),
        "reproduced" if good else "partly",
        "" if good else f"shares differ, or other losses occur: {stray[:5]}",
    )


def _catalogue_panel(entries: Sequence[CatalogueEntry]) -> str:
    shown = entries[:_MOST_SHOWN]
    losses = [Statistic(entry.point.loss, n=entry.count) for entry in shown]
    plot = DotPlot(
        title="loss of the critical points",
        unit="L",
        rows=tuple(entry.point.isotropy.name for entry in shown),
        dots=series_dots(losses),
        lines={},
        per="isotropy subgroup",
        longest=18,
    )
    return dot_plot("tensor-loss", plot)


def _index_panel(entries: Sequence[CatalogueEntry]) -> str:
    shown = entries[:_MOST_SHOWN]
    size = len(shown[0].point.weights) ** 2 if shown else 1
    plot = DotPlot(
        title="share of negative eigenvalues",
        unit="index / dimension",
        rows=tuple(entry.point.isotropy.name for entry in shown),
        dots=series_dots([Statistic(entry.point.index / size, n=entry.count) for entry in shown]),
        lines={},
        per="isotropy subgroup",
        longest=18,
    )
    return dot_plot("tensor-index", plot)


def _spectrum_panel(saddles: Mapping[int, CriticalPoint | None]) -> str:
    known = {d: point for d, point in saddles.items() if point is not None}
    if not known:
        return ""
    most = max(len(_joined(point)) for point in known.values())
    lines = []
    for k in range(most):
        values = tuple(_joined(p)[k][0] if k < len(_joined(p)) else None for p in known.values())
        lines.append(Line(f"{k + 1}.", values, SERIES[k % len(SERIES)]))
    return line_plot(
        "tensor-spectrum", "eigenvalues at the saddle of isotropy ΔS_d", "d",
        [float(d) for d in known], lines, width=420,
    )  # fmt: skip

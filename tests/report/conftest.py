"""Synthetic audits of the shapes that reports must take: complete, minimal, Lie group, hostile."""

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from goldstone.actions import NAVIER_STOKES_FIELDS, Context, PointAction
from goldstone.auditing import (
    AuditResult,
    BandError,
    CoherenceSummary,
    Curvature,
    DataSymmetry,
    DirectionError,
    EigenspaceShare,
    ElementDataTest,
    ElementError,
    ElementMetric,
    EquivarianceErrors,
    GroupCoherence,
    IrrepShare,
    LayerCoherence,
    LayerError,
    LearningCurve,
    LessonCheck,
    LieDerivative,
    LieDerivativeByLayer,
    LossLandscape,
    MCoherence,
    OrbitMetric,
    OrbitSpectrum,
    PairStiffness,
    Stiffness,
    TaughtBudget,
    TaughtElement,
    TaughtOnce,
    UnrolledCoherence,
)
from goldstone.auditing.probe_results import ProbeResults
from goldstone.auditing.results import (
    AxisVerdict,
    Control,
    ConventionCheck,
    CosetHistory,
    ElementResult,
    GroundTruthCheck,
    HistoryEntry,
    MetricDetails,
    ModelSummary,
    Precheck,
    Provenance,
    ShiftProfile,
    SubgroupSummary,
    SymmetrySummary,
    Verdict,
)
from goldstone.auditing.teach_once_results import statement
from goldstone.auditing.two_sample import TwoSampleTest
from goldstone.core import Statistic
from goldstone.groups import DihedralGroup, all_subgroups
from goldstone.report import write_report

D4 = DihedralGroup(4)
KEPT = ("r²", "s", "sr²")
BROKEN = ("r", "r³", "sr", "sr³")
HOSTILE = '<script>alert("x")</script> & $\\frac{$ \'"'
NOTHING = Statistic(None)


def statistic(value: float, width: float = 0.1) -> Statistic:
    half = width * (abs(value) + 0.2)
    low, high = value - half, value + half
    return Statistic(value, low, high, 16, value * 0.98, value - half / 2, value + half / 2)


def positive(value: float) -> Statistic:
    return Statistic(value, value * 0.8, value * 1.25, 16, value * 0.97, value * 0.7, value * 1.3)


def element(name: str, place: int) -> ElementResult:
    holds = name in KEPT
    orbit = {"r²": 0.49, "s": 0.215, "sr²": 0.183}.get(name, 0.012 * (place - 2))
    both = {"euclidean": statistic(orbit), "galerkin": statistic(orbit * 1.1)}
    pair = {m: statistic(0.78 if holds else 0.09 + 0.01 * place) for m in both}
    label: Any = "internalised" if holds else "broken"
    return ElementResult(
        name=name,
        equivariance_error=positive((0.021 if holds else 0.31) * (1 + 0.013 * place)),
        equivariance_error_of_change=positive((0.11 if holds else 1.7) * (1 + 0.013 * place)),
        equivariance_error_of_model_error=positive((0.52 if holds else 8.3) * (1 + 0.013 * place)),
        log_loss_ratio=statistic((0.0213 if holds else 2.31) + 0.0017 * place),
        error_sharing=statistic(0.56 if holds else 0.27),
        rollout_equivariance_error=tuple(
            positive((0.021 if holds else 0.31) * 1.25**k * (1 + 0.02 * place)) for k in range(8)
        ),
        pair_coherence=pair,
        null={m: statistic(0.6 if holds else 0.08) for m in both},
        orbit_coherence=both,
        common_mode_coherence={m: statistic(0.9 if holds else 0.2) for m in both},
        probe_coherence={m: statistic(0.41) for m in both},
        raw_pair_coherence=pair,
        raw_orbit_coherence=both,
        permutation_p={"euclidean": 0.0005 if holds else 0.41, "galerkin": 0.0005},
        adjusted_p={"euclidean": 0.0035 if holds else 0.82, "galerkin": 0.0035},
        holds="yes" if holds else "no",
        grade="approximate" if holds else "violated",
        transports="yes" if holds else "no",
        label=label,
        reason="" if holds else "the loss grows tenfold",
        support={"holds": 0.998, "transports": 0.97},
    )


def waves(size: int, seed: int) -> np.ndarray:
    """A divergence-free velocity (2, size, size) from a few random stream-function waves."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(*2 * (np.arange(size) / size * 2 * np.pi,), indexing="ij")
    stream = sum(
        random.normal() / (1 + k * k + q * q) * np.cos(k * x + q * y + random.uniform(0, 6.28))
        for k, q in product(range(-5, 6), repeat=2)
    )
    u = (np.roll(stream, -1, 1) - np.roll(stream, 1, 1)) / 2
    v = -(np.roll(stream, -1, 0) - np.roll(stream, 1, 0)) / 2
    return np.stack([u, v]) * 10


def turned(state: np.ndarray, name: str) -> np.ndarray:
    """The state moved by the element of D4 of this name; itself for any other name."""
    for g in D4.elements():
        if D4.element_name(g) == name:
            action = PointAction(D4, NAVIER_STOKES_FIELDS)
            return action.act(g, torch.tensor(state)[None], Context(1.0, (1.0, 1.0)))[0].numpy()
    return state


def arrays(elements: tuple[str, ...], size: int = 64) -> dict[str, np.ndarray]:
    """Every array of a complete audit."""
    steps, coarse = np.arange(0, size, 2), np.arange(0, 17)
    state, target = waves(size, 0), waves(size, 0) * 0.9
    predicted = target + 0.05 * waves(size, 1)
    moved = np.stack([turned(state, name) for name in elements])
    error = np.stack([0.3 * (name in BROKEN) * waves(size, 2) for name in elements])
    curve = np.stack([np.where(steps % 4, 0.03, 1e-7), np.where(steps % 4, 0.05, 1e-7)])
    pair = np.stack([1 - 0.03 * np.abs(np.sin(np.pi * coarse / 4)) * k for k in (1, 2)])
    torus = np.outer(np.sin(np.pi * np.arange(size) / 4) ** 2, np.ones(size)) * 0.04 + 1e-7
    cell = np.ones((4, 4)) - 0.2 * np.add.outer(np.arange(4) % 2, np.arange(4) % 2)
    return {
        "display_input": state,
        "display_target": target,
        "display_prediction": predicted,
        "display_elements": np.array(elements),
        "display_moved_input": moved,
        "display_prediction_of_moved": moved * 0.9 + error,
        "display_moved_prediction": moved * 0.9,
        "display_moved_target": moved * 0.9,
        "shift_steps": steps,
        "shift_axis_log_loss_ratio": curve,
        "shift_axis_log_loss_ratio_low": curve - 0.01,
        "shift_axis_log_loss_ratio_high": curve + 0.01,
        "shift_axis_equivariance_error": curve,
        "shift_gradient_steps": coarse,
        "shift_axis_pair_coherence": pair,
        "shift_axis_pair_coherence_q1": pair - 0.01,
        "shift_axis_pair_coherence_q3": pair + 0.01,
        "shift_axis_null": pair * 0.6,
        "shift_axis_orbit_coherence": pair * 0.95,
        "shift_axis_orbit_coherence_low": pair * 0.9,
        "shift_axis_orbit_coherence_high": pair,
        "torus_equivariance_error": torus,
        "cell_pair_coherence": cell,
        "cell_orbit_coherence": cell * 0.9,
    }


def history(elements: tuple[str, ...]) -> tuple[HistoryEntry, ...]:
    entries = []
    for epoch in (0, 1, 2, 4, 8, 12):
        done = epoch / 12
        ratio = {g: statistic(2.3 * done if g in BROKEN else 0.02) for g in elements}
        pair = {g: statistic(0.95 - (0.85 if g in BROKEN else 0.2) * done) for g in elements}
        orbit = {g: statistic(0.1 + (0 if g in BROKEN else 0.3) * done) for g in elements}
        null = {g: statistic(0.95 - 0.5 * done) for g in elements}
        cosets = (
            CosetHistory(("e", *KEPT), 0.02, 0.95 - 0.2 * done, 0.1 + 0.3 * done),
            CosetHistory(BROKEN, 2.3 * done, 0.95 - 0.85 * done, 0.1),
        )
        loss = positive(0.4 * 0.7**epoch)
        entries.append(HistoryEntry(epoch, loss, ratio, pair, null, orbit, cosets))
    return tuple(entries)


LAYERS = ("down.0.conv", "down.1.conv", "up.0.conv", "head")


def around(value: float) -> Statistic:
    return Statistic(value, value - 0.125 * abs(value), value + 0.125 * abs(value), 16)


def probe_results(
    elements: tuple[str, ...], layers: tuple[str, ...] = LAYERS, irreps: int = 5
) -> ProbeResults:
    """All of them, with numbers that tell where they come from."""
    return ProbeResults(
        equivariance=equivariance(elements, layers),
        orbit_metric=orbit_metric(elements),
        lie_derivative=LieDerivative(
            "translations", 8, 512, (direction((1.0, 0.0), 0.31), direction((0.0, 1.0), 0.62))
        ),
        lie_derivative_by_layer=(by_layer((1.0, 0.0), layers), by_layer((0.0, 1.0), layers)),
        layer_coherence={
            name: LayerCoherence(
                {layer: group(0.1 + 0.5 * k / len(layers)) for k, layer in enumerate(layers)},
                coherence(0.4),
            )
            for name in elements
        },
        stiffness=Stiffness(
            {
                name: PairStiffness(
                    around(0.71), around(0.83), around(0.22), around(0.11), coherence(0.45)
                )
                for name in elements
            },
            around(0.66),
            around(0.77),
            MCoherence(len(elements) + 1, around(2.34), around(2.56)),
            MCoherence(16, around(1.23), around(1.45)),
            0.0,
        ),
        orbit_spectrum=OrbitSpectrum(
            "D4",
            8,
            True,
            tuple(
                IrrepShare(
                    f"σ{k}", 1, 1 / irreps, around(0.6 if k == 0 else 0.4 / irreps),
                    around(0.35), (0.6,),
                )
                for k in range(irreps)
            ),
            0.0,
        ),
        unrolled=tuple(
            UnrolledCoherence(
                k, around(0.01 * k), {name: coherence(0.48 / k) for name in elements}
            )
            for k in (1, 2, 4)
        ),
        landscape=LossLandscape(
            95234, curvature(elements, 31.2, -0.93), curvature(elements, 15.6, None)
        ),
        data_symmetry=data_symmetry(elements),
        teach_once=taught_once(elements),
        left_out={"orbit-spectrum": "SO(2) is no finite group of at most 64 elements"},
    )  # fmt: skip


def taught_once(elements: tuple[str, ...]) -> TaughtOnce:
    """A lesson that a quarter of the poses know."""
    gains = [around(v) for v in (0.05, 0.01, -0.002, 0.04)]
    taught = TaughtElement(*gains, around(100.0), around(100.0))
    budgets = tuple(
        TaughtBudget(
            share, steps, share, True,
            {"e": taught}
            | {
                name: TaughtElement(*gains, around(100.0 / (1 + k)), around(90.0 / (1 + k)))
                for k, name in enumerate(elements)
            },
        )
        for share, steps in ((0.25, 3), (0.5, 7), (0.9, 40))
    )  # fmt: skip
    none = dict.fromkeys(elements, 0.0)
    return TaughtOnce(
        lesson="fast flows are viscous",
        optimiser="AdamW, learning rate 0.001, 100 steps of 16",
        taught=40,
        held_out=38,
        clusters=12,
        check=LessonCheck(none, none, none, True),
        posed=0.4,
        novelty={name: 0.5 if k == 0 else 1.0 for k, name in enumerate(elements)},
        achievable=0.06,
        still_learning=True,
        budgets=budgets,
        curve=LearningCurve((0, 1, 50, 100), (0.1, 0.08, 0.05, 0.04), (0.01,) * 4, (0.0,) * 4),
        statement=statement("fast flows are viscous", "e", budgets),
    )


def equivariance(elements: tuple[str, ...], layers: tuple[str, ...]) -> EquivarianceErrors:
    """Exact to rounding in the first layer, broken from the second on, worst in the last."""
    return EquivarianceErrors(
        "d4",
        tuple(
            ElementError(
                name,
                around(0.31 + 0.001 * i),
                (0.3, 0.32),
                (around(0.21), around(0.43)),
                tuple(
                    BandError(low, 2 * low, around(0.1 * low), around(share))
                    for low, share in ((1.0, 0.15), (2.0, 0.7), (4.0, 0.15))
                ),
                tuple(around(0.31 * k) for k in (1, 2, 3)),
                {
                    layer: around(1e-7 if k == 0 else 0.05 + 0.4 * k / len(layers))
                    for k, layer in enumerate(layers)
                },
            )
            for i, name in enumerate(elements)
        ),
        around(0.3125),
        elements[-1],
        dict.fromkeys(layers, "inferred"),
        ("norm.0",),
    )


def orbit_metric(elements: tuple[str, ...], angles: bool = False) -> OrbitMetric:
    return OrbitMetric(
        "d4",
        "accuracy",
        True,
        around(0.975),
        tuple(
            ElementMetric(name, 15.0 * (i + 1) if angles else None, around(0.6), around(-0.375))
            for i, name in enumerate(elements)
        ),
        elements[0],
        around(0.615),
        around(0.125),
        around(0.845),
        Statistic(-0.0135, -0.04, 0.02, 16),
    )


def direction(coordinates: tuple[float, ...], value: float) -> DirectionError:
    return DirectionError(
        coordinates, around(0.0471), (0.04,), around(1.57), around(value), "forward-mode", 1e-6,
        1e-7, "forward-mode", "exact", 2e-7, None, 1e-8,
    )  # fmt: skip


def by_layer(coordinates: tuple[float, ...], layers: tuple[str, ...]) -> LieDerivativeByLayer:
    """The first layer takes 0.02 away, the last adds 0.0671, the others nothing."""
    parts = [0.0] * len(layers)
    parts[0], parts[-1] = -0.02, 0.0671
    return LieDerivativeByLayer(
        "translations",
        coordinates,
        around(0.0471),
        tuple(
            LayerError(layer, "inferred", around(part), around(abs(part)), around(0.5))
            for layer, part in zip(layers, parts, strict=True)
        ),
        ("cat",),
        3e-8,
        8,
    )


def coherence(value: float) -> CoherenceSummary:
    return CoherenceSummary(
        around(0.78), around(0.33), around(value), around(0.9), permutation_p=0.004
    )


def group(value: float) -> GroupCoherence:
    return GroupCoherence(1234, coherence(value), around(0.5), around(0.25), around(0.25 * value))


def curvature(elements: tuple[str, ...], top: float, smallest: float | None) -> Curvature:
    share = EigenspaceShare(around(0.875), around(0.01), Statistic(None))
    return Curvature(
        (top, top / 4, top / 16),
        (1e-5, 1e-3, 0.5),
        smallest,
        False,
        top * 2,
        0.1,
        top * 2 / 95234,
        {"e": share} | dict.fromkeys(elements, share),
        around(top / 2),
        dict.fromkeys(elements, around(top / 3)),
    )


def data_symmetry(elements: tuple[str, ...]) -> DataSymmetry:
    return DataSymmetry(
        "d4",
        "mmd",
        24,
        0.05,
        tuple(
            ElementDataTest(
                name,
                TwoSampleTest(0.501 if i == 0 else 0.001, 0.113, 0.002 if i == 0 else 0.62),
                0.014 if i == 0 else 1.0,
                "broken" if i == 0 else "not seen to be broken",
            )
            for i, name in enumerate(elements)
        ),
        1.0,
        f"The data are not symmetric under {elements[0]}: explicit breaking.",
    )


def undefined_results(elements: tuple[str, ...]) -> ProbeResults:
    """Every statistic without a value, as of a model whose outputs are all zero."""
    none = Statistic(None)
    no_coherence = CoherenceSummary(none, none, none, none, permutation_p=float("nan"))
    flat = Curvature(
        (0.0,), (0.0,), None, True, 0.0, 0.0, 0.0,
        {"e": EigenspaceShare(none, none, none)}, none, {},
    )  # fmt: skip
    return ProbeResults(
        equivariance=EquivarianceErrors(
            "d4",
            tuple(
                ElementError(
                    name, none, (), (none, none),
                    (BandError(0, 1, none, none), BandError(1, 2, none, none)),
                    (none, none), dict.fromkeys(LAYERS, none),
                )
                for name in elements
            ),
            none,
            elements[0],
            {},
        ),
        orbit_metric=OrbitMetric(
            "d4", "mse", False, none,
            tuple(ElementMetric(name, None, none, none) for name in elements),
            elements[0], none, None, none, none,
        ),
        lie_derivative=LieDerivative(
            "d4", 2, 3,
            tuple(
                DirectionError(x, none, (), none, none, "-", 0.0, 0.0, "-", "-", None, None, 0.0)
                for x in ((1.0, 0.0), (0.0, 1.0))
            ),
        ),
        lie_derivative_by_layer=(
            LieDerivativeByLayer(
                "d4", (1.0, 0.0), none, (LayerError("a", "declared", none, none, none),), (), 0.0, 0
            ),
        ),
        layer_coherence={
            name: LayerCoherence(
                {layer: GroupCoherence(3, no_coherence, none, none, none) for layer in LAYERS},
                no_coherence,
            )
            for name in elements
        },
        stiffness=Stiffness(
            {name: PairStiffness(none, none, none, none, no_coherence) for name in elements},
            none, none, MCoherence(2, none, none), MCoherence(2, none, none), 0.0,
        ),
        orbit_spectrum=OrbitSpectrum(
            "C2", 2, True,
            (IrrepShare("A", 1, 0.5, none, none, ()), IrrepShare("B", 1, 0.5, none, none, ())), 0.0,
        ),
        unrolled=tuple(
            UnrolledCoherence(k, none, dict.fromkeys(elements, no_coherence)) for k in (1, 2)
        ),
        landscape=LossLandscape(3, flat, flat),
        data_symmetry=DataSymmetry("d4", "mmd", 8, 0.05, (), None, "Nothing was tested."),
        teach_once=TaughtOnce(
            "x", "SGD", 2, 2, 1, LessonCheck({}, {}, {}, False), 0.0, {}, 0.0, False, (),
            LearningCurve((0,), (0.0,), (0.0,), (0.0,)), "The model did not learn.",
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def complete() -> AuditResult:
    """A D4 audit with everything in it."""
    tested = tuple(D4.element_name(g) for g in D4.elements() if g != D4.identity)
    elements = tuple(element(name, place) for place, name in enumerate(tested))
    lattice = tuple(
        SubgroupSummary(
            h.name, h.order, tuple(D4.element_name(g) for g in D4.elements() if g in h.elements)
        )
        for h in all_subgroups(D4)
    )
    rest = next(h for h in lattice if set(h.elements) == {"e", *KEPT})
    axis = AxisVerdict("no", (rest,), (rest,), (BROKEN,))
    return AuditResult(
        provenance=Provenance(
            created="2026-01-02T03:04:05Z",
            versions={"goldstone": "0.1.0", "torch": "2.13.0"},
            seed=0,
            device="cpu",
            dtype="float32",
            data_sha256="a" * 64,
            weights_sha256="b" * 64,
            settings={"tolerance": 0.1, "least_coherence": 0.1, "metrics": ["euclidean"]},
            gradients=128,
            gradient_path="vmap of grad",
            seconds={"forward": 3.21, "gradients": 61.0},
        ),
        model=ModelSummary(
            "U-Net, anisotropic", 95234, "scaled mean squared error",
            positive(0.00412), positive(0.0371), statistic(-1.83), statistic(-2.71), True, 2.1e-7,
        ),
        symmetry=SymmetrySummary(
            "d4", "D4", 8, tested,
            ({"name": "velocity", "fibre": "velocity", "axes": [0, 1], "signs": [1, 1]},),
            "cell centre",
        ),
        precheck=Precheck(
            "verified",
            "All 7 elements commute with the solver to 4e-7.",
            ("nothing suspicious",),
            {"identity": 0.0, "composition": 3.2e-8},
            tuple(GroundTruthCheck(g, 4.1e-7, 2.2e-6, passes=True) for g in tested),
            (
                ConventionCheck(
                    "divergence", 0.0012, {"swapped channels": 0.83}, passes=True,
                    meaning="the velocity is divergence-free as declared",
                ),
            ),
            dict.fromkeys(tested, 1e-8),
            loss_is_invariant=True,
        ),
        elements=elements,
        controls=(
            Control(
                "reversed velocity", "a quarter turn with u → −u, no symmetry of the flow",
                "loss ratio ≫ 1 and ρ ≈ 0", statistic(3.1),
                {"euclidean": statistic(0.02), "galerkin": statistic(0.05)}, as_expected=True,
            ),
        ),
        verdict=Verdict(
            axis, axis, {"holds": 0.998, "transports": 0.97}, "euclidean",
            "The model has learned the half turn and the axis reflections, and not the quarter "
            "turns. Train on flows of every orientation, or augment with quarter turns.",
            lattice,
        ),
        history=history(tested),
        shifts=ShiftProfile((4, 4), 0.052, 4),
        arrays=arrays(tested),
    )  # fmt: skip


@pytest.fixture(scope="session")
def minimal(complete: AuditResult) -> AuditResult:
    """Nothing measured but one undetermined element; no arrays, no symmetry check."""
    bare = replace(
        complete.elements[0],
        **dict.fromkeys(
            (
                "equivariance_error",
                "equivariance_error_of_change",
                "equivariance_error_of_model_error",
                "log_loss_ratio",
                "error_sharing",
            ),
            NOTHING,
        ),
        rollout_equivariance_error=(),
        **{
            name: {}
            for name in (
                "pair_coherence", "null", "orbit_coherence", "common_mode_coherence",
                "probe_coherence", "raw_pair_coherence", "raw_orbit_coherence",
                "permutation_p", "adjusted_p", "support",
            )
        },
        holds="undetermined", grade="undetermined", transports="undetermined",
        label="undetermined", reason="the model has no skill",
    )  # fmt: skip
    axis = AxisVerdict("undetermined", (), (), ())
    return replace(
        complete,
        model=replace(
            complete.model, loss=NOTHING, relative_error=NOTHING, has_skill=False,
            log_loss_over_persistence=NOTHING, log_loss_over_climatology=NOTHING,
        ),
        symmetry=replace(complete.symmetry, layout=(), pivot=None),
        precheck=Precheck("assumed", "No solver was given.", (), {}, (), (), {}, True),
        elements=(bare,), controls=(), history=(), shifts=None, arrays={},
        verdict=Verdict(axis, axis, {}, "euclidean", "Undetermined."),
        provenance=replace(complete.provenance, settings={}, seconds={}),
    )  # fmt: skip


@pytest.fixture(scope="session")
def boosts(complete: AuditResult) -> AuditResult:
    """A Lie group of order None with compressible fields, refused but forced."""
    names = tuple(f"boost({c:g}, 0)" for c in (0.1, 0.2, 0.4))
    elements = tuple(
        replace(e, name=name, label="latent", holds="no", transports="yes")
        for e, name in zip(complete.elements, names, strict=False)
    )
    line = SubgroupSummary("boosts along (1,0), tested up to 0.4", None, names)
    size, random = 16, np.random.default_rng(0)
    state = 1 + 0.2 * random.random((4, size, size))
    layout = (
        {"name": "density", "fibre": "density"},
        {"name": "momentum", "fibre": "momentum", "axes": [0, 1], "signs": [1, 1]},
        {"name": "energy", "fibre": "energy"},
    )
    return replace(
        complete,
        symmetry=SymmetrySummary("galilean", "ℝ²", None, names, layout),
        precheck=replace(complete.precheck, status="refused", forced=True,
                         statement="Boosts are violated by 1.5 %.", loss_is_invariant=False),
        elements=elements, history=(), shifts=None,
        verdict=replace(complete.verdict, subgroups=(),
                        holds=AxisVerdict("no", (), (line,), ()),
                        transports=AxisVerdict("yes", (line,), (line,), ())),
        arrays={
            "display_input": state,
            "display_elements": np.array(names),
            "display_moved_input": np.stack([state] * 3),
            "display_prediction_of_moved": np.stack([state * 1.01] * 3),
            "display_moved_prediction": np.stack([state] * 3),
        },
    )  # fmt: skip


@pytest.fixture(scope="session")
def hostile(complete: AuditResult) -> AuditResult:
    """Names that would break out of HTML, SVG or mathematics if they were not escaped."""
    first = replace(complete.elements[0], name=HOSTILE, reason=HOSTILE)
    arrays = dict(complete.arrays)
    arrays["display_elements"] = np.array([HOSTILE, *arrays["display_elements"][1:]])
    return replace(
        complete,
        model=replace(complete.model, name=HOSTILE),
        symmetry=replace(
            complete.symmetry, name=HOSTILE, tested=(HOSTILE, *complete.symmetry.tested[1:])
        ),
        elements=(first, *complete.elements[1:]),
        verdict=replace(complete.verdict, summary=HOSTILE),
        provenance=replace(complete.provenance, settings={HOSTILE: HOSTILE}),
        metrics={HOSTILE: MetricDetails(uncovered={HOSTILE: HOSTILE})},
        probes=replace(
            probe_results((HOSTILE, "r²"), (HOSTILE, f"{HOSTILE} 2", "head")),
            left_out={HOSTILE: HOSTILE},
        ),
        arrays=arrays,
    )


@pytest.fixture(scope="session")
def many(complete: AuditResult) -> AuditResult:
    """A sampled audit with more elements than can be named one by one."""
    names = tuple(f"shift({i}, {j})" for i in range(16) for j in range(8))
    elements = tuple(
        replace(
            complete.elements[0], name=name, label="covered", holds="yes", transports="no",
            equivariance_error=positive(0.01 + 1e-4 * i),
        )
        for i, name in enumerate(names)
    )  # fmt: skip
    past = tuple(
        HistoryEntry(
            epoch, positive(0.4 * 0.9**epoch),
            {g: statistic(0.01 * i * epoch / len(names)) for i, g in enumerate(names)},
            {g: statistic(0.9) for g in names}, {g: statistic(0.6) for g in names},
            {g: statistic(0.5) for g in names},
        )
        for epoch in (0, 4, 8)
    )  # fmt: skip
    axis = AxisVerdict("yes", (), (), ())
    return replace(
        complete,
        symmetry=replace(complete.symmetry, name="translations", group="Z16×Z8", tested=names),
        elements=elements, history=past,
        verdict=replace(complete.verdict, holds=axis, subgroups=()),
        arrays=arrays(names[:20], 24),
    )  # fmt: skip


@pytest.fixture(scope="session")
def probed(complete: AuditResult) -> AuditResult:
    """The complete audit with every further probe."""
    details = MetricDetails(
        damping=0.0021, rows=96, residual=3.4e-9, uncovered={"head.bias": "it is not a layer's"},
        distance_to_gauss_newton=0.043,
    )  # fmt: skip
    return replace(
        complete,
        metrics={"euclidean": MetricDetails(), "galerkin": details},
        probes=probe_results(complete.symmetry.tested),
    )


@pytest.fixture(scope="session")
def undefined(minimal: AuditResult) -> AuditResult:
    """Every probe was run on one sample a pair, and no statistic is defined."""
    return replace(
        minimal,
        provenance=replace(minimal.provenance, data={"pairs": 1}),
        probes=undefined_results(("r", "s")),
    )


@pytest.fixture(scope="session")
def large(many: AuditResult) -> AuditResult:
    """64 elements, 100 layers and 64 irreps."""
    names = many.symmetry.tested[:64]
    layers = tuple(f"encoder.block.{i}.attention.output" for i in range(100))
    return replace(
        many,
        symmetry=replace(many.symmetry, tested=names),
        elements=many.elements[:64],
        history=(),
        arrays={},
        probes=probe_results(names, layers, irreps=64),
    )


VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Collects the text by section, the links and the identifiers; checks that tags match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {"": ""}
        self.section = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert len(values) == len(attrs), f"an attribute of {tag} is repeated: {attrs}"
        self.tags.append((tag, values))
        if tag == "section":
            self.section = values["id"] or ""
            self.text[self.section] = ""
        if "id" in values:
            self.ids.append(values["id"] or "")
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text[self.section] += data

    @property
    def whole(self) -> str:
        return " ".join(self.text.values())


Save = Callable[[AuditResult], Path]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """Write an audit into a fresh folder."""

    def save(result: AuditResult) -> Path:
        folder = tmp_path_factory.mktemp("audit")
        result.save(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def rendered(saved: Save) -> Callable[[AuditResult], Path]:
    """The report on an audit, made once."""
    made: dict[int, tuple[AuditResult, Path]] = {}

    def render(result: AuditResult) -> Path:
        if id(result) not in made:
            made[id(result)] = (result, write_report(saved(result)))
        return made[id(result)][1]

    return render


@pytest.fixture
def page_of(rendered: Callable[[AuditResult], Path]) -> Any:
    """The text of a report and the same, parsed."""

    def make(result: AuditResult) -> tuple[str, Page]:
        text = rendered(result).read_text(encoding="utf-8")
        return text, Page(text)

    return make

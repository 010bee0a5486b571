"""What an audit finds, piece by piece: the parts of audit.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from goldstone.core import Statistic

Answer = Literal["yes", "no", "undetermined"]
Grade = Literal["exact", "approximate", "violated", "undetermined"]
Label = Literal["internalised", "covered", "latent", "broken", "undetermined"]


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from.

    ``gradients`` counts those along the orbits, ``other_gradients`` by purpose those of controls,
    shifts and history. ``gradients_saved`` is how many more of the former a fixed number of samples
    would have taken. ``memory`` has, in bytes, what was *allowed*, what the gradients take as
    *planned*, and what they would take *whole*. ``data`` is what the data set says of itself:
    system, parameters, dt, lengths, initial condition, seed and shape; ``ground_truth`` what the
    symmetry was verified against.
    """

    created: str
    versions: Mapping[str, str]
    seed: int
    device: str
    dtype: str
    data_sha256: str
    weights_sha256: str
    settings: Mapping[str, Any]
    gradients: int
    gradient_path: str
    seconds: Mapping[str, float]
    data: Mapping[str, Any] = field(default_factory=dict)
    ground_truth: str = "none"
    other_gradients: Mapping[str, int] = field(default_factory=dict)
    gradients_saved: int = 0
    memory: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSummary:
    """The audited model and whether it has skill.

    Attributes:
        loss: loss of the untransformed pairs, over samples.
        relative_error: ‖f(x) − y‖/‖y‖, over samples.
        log_loss_over_persistence: mean log ℓ(f(x), y)/ℓ(x, y); skill needs an upper bound < 0.
        log_loss_over_climatology: the same against the mean target field.
        log_loss_over_mean_prediction: the same against the mean of the model's own predictions.
        has_skill: whether it beats all three.
        numerical_floor: relative rounding error of the model's output in its dtype.
        trainable: how many of its ``parameters`` are not frozen: those that gradients are of.
    """

    name: str
    parameters: int
    loss_name: str
    loss: Statistic
    relative_error: Statistic
    log_loss_over_persistence: Statistic
    log_loss_over_climatology: Statistic
    has_skill: bool
    numerical_floor: float
    trainable: int | None = None
    log_loss_over_mean_prediction: Statistic | None = None


@dataclass(frozen=True)
class SymmetrySummary:
    """The audited symmetry.

    ``order`` is null for a Lie group, whose ``tested`` elements say the range. ``layout`` is the
    list of declared fields; ``pivot`` the fixed point of a point group, if it has one.
    """

    name: str
    group: str
    order: int | None
    tested: tuple[str, ...]
    layout: tuple[Mapping[str, Any], ...]
    pivot: str | None = None


@dataclass(frozen=True)
class GroundTruthCheck:
    """One element against the ground truth Φ.

    Attributes:
        violation: ‖Φ(gx) − gΦ(x)‖/‖Φ(x)‖: the floor below which no model can be judged.
        violation_of_change: the same relative to ‖Φ(x) − x‖.
        passes: whether g is a symmetry of the ground truth.
    """

    name: str
    violation: float
    violation_of_change: float
    passes: bool


@dataclass(frozen=True)
class ConventionCheck:
    """A statistic of the data that tells conventions apart, such as the divergence.

    Attributes:
        declared: value under the declared convention.
        alternatives: value under other conventions, by name.
        passes: whether the declared one is not clearly worse than an alternative.
        meaning: what it says, in words.
    """

    name: str
    declared: float
    alternatives: Mapping[str, float]
    passes: bool
    meaning: str


@dataclass(frozen=True)
class Precheck:
    """Is the declared action an action, and a symmetry of the ground truth and of the loss?

    ``status``: *verified* against a ground truth; *assumed* when there is none; *refused* when a
    check failed (an audit goes on only if forced).
    """

    status: Literal["verified", "assumed", "refused"]
    statement: str
    findings: tuple[str, ...]
    law_errors: Mapping[str, float]
    ground_truth: tuple[GroundTruthCheck, ...]
    conventions: tuple[ConventionCheck, ...]
    loss_invariance: Mapping[str, float]
    loss_is_invariant: bool
    forced: bool = False


@dataclass(frozen=True)
class ElementResult:
    """Every number of one group element; docs/methods/influence.md defines them.

    ``null`` is the mean of K(x_i, g x_j) over distinct trajectories. Statistics by metric are of
    unit gradients; ``raw_*`` are of raw ones. ``permutation_p`` is not corrected; ``adjusted_p``
    is, for the looks of an adaptive audit and by Holm over the elements. ``support`` is, by axis,
    the share of bootstrap replicates on the answer's side of its threshold; ``reason`` says why an
    answer is undetermined, ``reasons`` the same by axis. ``samples_used`` is the number of
    pairs of gradients.
    """

    name: str
    equivariance_error: Statistic
    equivariance_error_of_change: Statistic
    equivariance_error_of_model_error: Statistic
    log_loss_ratio: Statistic
    error_sharing: Statistic
    rollout_equivariance_error: tuple[Statistic, ...]
    pair_coherence: Mapping[str, Statistic]
    null: Mapping[str, Statistic]
    orbit_coherence: Mapping[str, Statistic]
    common_mode_coherence: Mapping[str, Statistic]
    probe_coherence: Mapping[str, Statistic]
    raw_pair_coherence: Mapping[str, Statistic]
    raw_orbit_coherence: Mapping[str, Statistic]
    permutation_p: Mapping[str, float]
    adjusted_p: Mapping[str, float]
    holds: Answer
    grade: Grade
    transports: Answer
    label: Label
    reason: str
    support: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    samples_used: int | None = None


@dataclass(frozen=True)
class Control:
    """A known answer measured beside the audit, to show that the instrument can tell."""

    name: str
    description: str
    expected: str
    log_loss_ratio: Statistic | None
    orbit_coherence: Mapping[str, Statistic]
    as_expected: bool


@dataclass(frozen=True)
class SubgroupSummary:
    """A subgroup by name; ``elements`` are those of its elements that were tested, and e.

    For a Lie group it is a one-parameter subgroup over the tested range, and its order is null.
    """

    name: str
    order: int | None
    elements: tuple[str, ...]


@dataclass(frozen=True)
class AxisVerdict:
    """One axis of the verdict.

    Attributes:
        answer: *yes* if every tested element passes, *no* if any fails, else *undetermined*.
        residual_low: the maximal subgroups all of whose tested elements pass.
        residual_up: the maximal subgroups that contain no failed element.
        broken_cosets: the left cosets of the first ``residual_low`` that hold a failed element.
    """

    answer: Answer
    residual_low: tuple[SubgroupSummary, ...]
    residual_up: tuple[SubgroupSummary, ...]
    broken_cosets: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Verdict:
    """Both axes, what they mean together, and how sure.

    ``confidence`` is, by axis, the smallest bootstrap support among the tested elements' answers.
    ``subgroups`` is the lattice for small groups: every subgroup with its order and the names of
    all its elements.
    """

    holds: AxisVerdict
    transports: AxisVerdict
    confidence: Mapping[str, float]
    metric: str
    summary: str
    subgroups: tuple[SubgroupSummary, ...] = ()


@dataclass(frozen=True)
class HistoryEntry:
    """The cheap part of the audit at one checkpoint, Euclidean metric."""

    epoch: int
    loss: Statistic
    log_loss_ratio: Mapping[str, Statistic]
    pair_coherence: Mapping[str, Statistic]
    null: Mapping[str, Statistic]
    orbit_coherence: Mapping[str, Statistic]
    cosets: tuple["CosetHistory", ...] = ()


@dataclass(frozen=True)
class CosetHistory:
    """Means over one left coset of the residual subgroup of the final model."""

    elements: tuple[str, ...]
    log_loss_ratio: float | None
    pair_coherence: float | None
    orbit_coherence: float | None


@dataclass(frozen=True)
class ShiftProfile:
    """The shift symmetry beside the audited one; its curves and maps are in the arrays.

    ``exact_period`` is the smallest shift (cells, per axis) whose multiples all hold to ten times
    the numerical floor, None if only the identity does. ``gradients`` counts those taken.
    """

    exact_period: tuple[int | None, int | None]
    worst_log_loss_ratio: float
    cell: int
    gradients: int = 0


@dataclass(frozen=True)
class MetricDetails:
    """What a metric of the gradient probes is made of, and how well it was solved.

    Attributes:
        damping: λ, absolute; None where there is none or each element has its own.
        rows: how many gradients or probes span it, where it is spanned by them.
        relative_error: of its estimate from random probes, where that is known.
        residual: the largest relative residual of an iterative solve.
        uncovered: parameters that it treats as uncoupled, and why.
        distance_to_gauss_newton: root mean square difference between its cosines of gradients and
            those of the full Gauss–Newton metric, over all pairs, if both were measured.
        sketch_error: the largest standard error of an element's ρ that sketches of the gradients
            cause, where memory asked for them; intervals have it in them.
    """

    damping: float | None = None
    rows: int | None = None
    relative_error: float | None = None
    residual: float | None = None
    uncovered: Mapping[str, str] = field(default_factory=dict)
    distance_to_gauss_newton: float | None = None
    sketch_error: float | None = None

"""What can be set about an audit."""

from dataclasses import dataclass
from math import inf, log1p
from typing import Literal, get_args

from goldstone.core import InputError
from goldstone.curvature import memory_bytes

MetricName = Literal[
    "euclidean",
    "galerkin",
    "gauss-newton",
    "randomised-gauss-newton",
    "gauss-newton-diagonal",
    "kfac",
    "ekfac",
    "empirical-fisher",
    "adam",
]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
ProbeName = Literal[
    "equivariance",
    "orbit-metric",
    "lie-derivative",
    "lie-derivative-by-layer",
    "layer-coherence",
    "stiffness",
    "orbit-spectrum",
    "unrolled",
    "landscape",
    "data-symmetry",
    "teach-once",
]
PROBES: tuple[ProbeName, ...] = get_args(ProbeName)
NullName = Literal["all", "same class"]
FEWEST_AUDITED = 6
FEWEST_REFERENCE = 2


@dataclass(frozen=True)
class AuditSettings:
    """Sizes, thresholds and seed of an audit.

    Attributes:
        trajectories: at most so many are audited; forward tests use them all.
        samples: the first of them, which the gradient probes use, one pair of gradients each.
        reference: further trajectories, disjoint from the audited, whose outputs define η.
        snapshots: transitions per trajectory in the forward tests.
        rollout_steps: how far rollouts are compared; 0 for none.
        metrics: metrics of the gradient probes (docs/methods/influence.md says what each is and
            costs); empty for forward tests alone.
        decisive_metric: the one whose orbit coherence decides *transports*.
        tolerance: δ; a symmetry holds if the loss grows by less than the factor 1 + δ.
        least_coherence: ρ_min; learning transports if orbit coherence is above it. The default
            follows from models of known status (docs/validity.md).
        bootstrap, permutations: replicates.
        seed: of every random choice.
        batch: samples evaluated together in the forward tests.
        damping: relative damping λ of the Gauss–Newton metrics, times tr η/k (Galerkin) or, in the
            metrics of the whole parameter space, times the mean curvature gᵀηg/gᵀg of the gradients
            (there at least 1e-4, for conjugate gradients to converge).
        probes: further ones to run, each with its page in docs/methods; ``"all"`` for those that
            apply to the model, the data and the symmetry (``"teach-once"``, which trains, only
            where the model is small).
        memory: bytes that the audit may take beyond model and data, or text such as ``"2GB"``;
            gradients that do not fit are sketched, with the error in their intervals.
        adaptive: take each element's gradients in growing looks, and stop when its answer is
            settled; ``samples`` is then the most.
        null: which pairs of distinct samples make the null of ρ, and are exchanged in its test:
            ``"all"``, or those of the ``"same class"`` where targets are class labels.
    """

    trajectories: int = 64
    samples: int = 16
    reference: int = 8
    snapshots: int = 4
    rollout_steps: int = 8
    metrics: tuple[MetricName, ...] = ("euclidean", "galerkin")
    decisive_metric: MetricName = "euclidean"
    tolerance: float = 0.1
    least_coherence: float = 0.2
    bootstrap: int = 2000
    permutations: int = 2000
    seed: int = 0
    batch: int = 32
    damping: float = 1e-6
    probes: tuple[ProbeName | Literal["all"], ...] = ()
    memory: str | int = "4GB"
    adaptive: bool = False
    null: NullName = "all"

    def __post_init__(self) -> None:
        if (
            min(self.trajectories, self.samples) < FEWEST_AUDITED
            or self.reference < FEWEST_REFERENCE
        ):
            raise InputError(
                f"an audit needs trajectories and samples ≥ {FEWEST_AUDITED} and reference ≥ "
                f"{FEWEST_REFERENCE}, got {self.trajectories}, {self.samples} and {self.reference}"
            )
        unknown = set(self.metrics) - set(METRICS)
        if unknown:
            raise InputError(f"unknown metrics {sorted(unknown)}; expected some of {METRICS}")
        strange = set(self.probes) - {*PROBES, "all"}
        if strange:
            raise InputError(f"unknown probes {sorted(strange)}; expected some of {PROBES} or all")
        memory_bytes(self.memory)
        if self.null not in get_args(NullName):
            raise InputError(f"unknown null {self.null!r}; expected one of {get_args(NullName)}")
        if self.metrics and self.decisive_metric not in self.metrics:
            raise InputError(
                f"the decisive metric {self.decisive_metric!r} is not among those measured "
                f"{self.metrics}"
            )
        if not self.tolerance > 0 or not 0 < self.least_coherence < 1:
            raise InputError(
                "expected tolerance > 0 and least_coherence between 0 and 1, got "
                f"{self.tolerance} and {self.least_coherence}"
            )
        if min(self.snapshots, self.batch, self.bootstrap, self.permutations) < 1:
            raise InputError("snapshots, batch, bootstrap and permutations must be at least 1")
        if self.rollout_steps < 0 or not 0 < self.damping < inf:
            raise InputError(
                "expected rollout_steps of zero or more and a positive damping, got "
                f"{self.rollout_steps} and {self.damping}"
            )

    @property
    def log_tolerance(self) -> float:
        """log(1 + δ)."""
        return log1p(self.tolerance)

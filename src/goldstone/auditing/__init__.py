"""Floor 5: was the symmetry learned? Forward and gradient probes, nulls, statistics, verdict."""

from goldstone.auditing.architecture_table import ArchitectureCell, ArchitectureTable
from goldstone.auditing.architectures import compare_architectures
from goldstone.auditing.audit import audit
from goldstone.auditing.audit_result import AuditResult
from goldstone.auditing.breaking import breaking_kind
from goldstone.auditing.breaking_results import BreakingKinds, ElementBreaking
from goldstone.auditing.coherence_summary import (
    CoherenceSummary,
)
from goldstone.auditing.comparison import compare_audits
from goldstone.auditing.comparison_results import AuditComparison
from goldstone.auditing.connecting_path import (
    ConnectingPath,
    PathCurve,
    SymmetryBasin,
    connecting_path,
    symmetry_basin,
)
from goldstone.auditing.data_symmetry import DataSymmetry, ElementDataTest, data_symmetry
from goldstone.auditing.distribution_shift import (
    DistributionShift,
    ElementShift,
    FamilyElement,
    FamilyResult,
    distribution_shift,
)
from goldstone.auditing.equivariance_error import (
    BandError,
    ElementError,
    EquivarianceErrors,
    equivariance_errors,
)
from goldstone.auditing.further_training import FineTuning
from goldstone.auditing.layer_coherence import (
    GroupCoherence,
    LayerCoherence,
    group_products,
    layer_coherence,
    measure_layer_coherence,
    parameter_groups,
)
from goldstone.auditing.lesson_pairs import LessonCheck, check_lesson
from goldstone.auditing.lessons import (
    FlaggedLesson,
    Lesson,
    Marked,
    MarkedLesson,
    RelabelledClass,
    next_label,
    scaled,
    size,
    stepped_by,
    variation,
)
from goldstone.auditing.lie_derivative import (
    DirectionError,
    LieDerivative,
    lie_derivative,
    lie_derivative_vectors,
)
from goldstone.auditing.lie_derivative_by_layer import (
    LayerError,
    LieDerivativeByLayer,
    lie_derivative_by_layer,
)
from goldstone.auditing.loss_landscape import (
    Curvature,
    EigenspaceShare,
    LandscapeSettings,
    LossLandscape,
    loss_landscape,
)
from goldstone.auditing.orbit_fine_tuning import fine_tune
from goldstone.auditing.orbit_gram import (
    OrbitGram,
    orbit_gram,
    orbit_pairs,
)
from goldstone.auditing.orbit_metrics import (
    ElementMetric,
    OrbitMetric,
    StatefulMetric,
    metric_over_orbit,
)
from goldstone.auditing.orbit_spectrum import (
    IrrepShare,
    OrbitSpectrum,
    measure_orbit_spectrum,
    orbit_spectrum,
)
from goldstone.auditing.results import (
    AxisVerdict,
    Control,
    ElementResult,
    HistoryEntry,
    Precheck,
    SubgroupSummary,
    Verdict,
)
from goldstone.auditing.samples import (
    Samples,
)
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.stiffness import (
    MCoherence,
    PairStiffness,
    Stiffness,
    stiffness,
)
from goldstone.auditing.subject import (
    Subject,
)
from goldstone.auditing.teach_once import Teaching, teach_once
from goldstone.auditing.teach_once_results import (
    LearningCurve,
    TaughtBudget,
    TaughtElement,
    TaughtOnce,
)
from goldstone.auditing.unrolled import (
    Unrolled,
    UnrolledCoherence,
    unrolled_coherence,
    unrolled_samples,
    unrolled_subject,
    unrolled_symmetry,
)
from goldstone.auditing.usual_lesson import usual_lesson
from goldstone.auditing.weight_perturbation import perturbed_copy

__all__ = [
    "ArchitectureCell",
    "ArchitectureTable",
    "AuditComparison",
    "AuditResult",
    "AuditSettings",
    "AxisVerdict",
    "BandError",
    "BreakingKinds",
    "CoherenceSummary",
    "ConnectingPath",
    "Control",
    "Curvature",
    "DataSymmetry",
    "DirectionError",
    "EigenspaceShare",
    "ElementBreaking",
    "ElementDataTest",
    "ElementError",
    "ElementMetric",
    "ElementResult",
    "EquivarianceErrors",
    "FineTuning",
    "GroupCoherence",
    "HistoryEntry",
    "IrrepShare",
    "LandscapeSettings",
    "LayerCoherence",
    "LayerError",
    "LieDerivative",
    "LieDerivativeByLayer",
    "LossLandscape",
    "MCoherence",
    "OrbitGram",
    "OrbitMetric",
    "OrbitSpectrum",
    "PairStiffness",
    "PathCurve",
    "Precheck",
    "Samples",
    "StatefulMetric",
    "Stiffness",
    "SubgroupSummary",
    "Subject",
    "SymmetryBasin",
    "Unrolled",
    "UnrolledCoherence",
    "Verdict",
    "audit",
    "breaking_kind",
    "compare_architectures",
    "compare_audits",
    "connecting_path",
    "data_symmetry",
    "equivariance_errors",
    "fine_tune",
    "group_products",
    "layer_coherence",
    "lie_derivative",
    "lie_derivative_by_layer",
    "lie_derivative_vectors",
    "loss_landscape",
    "measure_layer_coherence",
    "measure_orbit_spectrum",
    "metric_over_orbit",
    "orbit_gram",
    "orbit_pairs",
    "orbit_spectrum",
    "parameter_groups",
    "perturbed_copy",
    "stiffness",
    "symmetry_basin",
    "unrolled_coherence",
    "unrolled_samples",
    "unrolled_subject",
    "unrolled_symmetry",
    "FlaggedLesson",
    "LearningCurve",
    "Lesson",
    "LessonCheck",
    "Marked",
    "MarkedLesson",
    "RelabelledClass",
    "TaughtBudget",
    "TaughtElement",
    "TaughtOnce",
    "Teaching",
    "check_lesson",
    "next_label",
    "scaled",
    "size",
    "stepped_by",
    "teach_once",
    "usual_lesson",
    "variation",
    "DistributionShift",
    "ElementShift",
    "FamilyElement",
    "FamilyResult",
    "distribution_shift",
]

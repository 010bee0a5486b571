"""Floor 5: was the symmetry learned? Forward and gradient probes, nulls, statistics, verdict."""

from goldstone.auditing.audit import audit
from goldstone.auditing.breaking import BreakingKinds, ElementBreaking, breaking_kind
from goldstone.auditing.data_symmetry import DataSymmetry, ElementDataTest, data_symmetry
from goldstone.auditing.equivariance_error import (
    BandError,
    ElementError,
    EquivarianceErrors,
    equivariance_errors,
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
from goldstone.auditing.orbit_metrics import (
    ElementMetric,
    OrbitMetric,
    StatefulMetric,
    metric_over_orbit,
)
from goldstone.auditing.results import (
    AuditResult,
    AxisVerdict,
    Control,
    ElementResult,
    HistoryEntry,
    Precheck,
    SubgroupSummary,
    Verdict,
)
from goldstone.auditing.settings import AuditSettings

__all__ = [
    "AuditResult",
    "AuditSettings",
    "AxisVerdict",
    "BandError",
    "BreakingKinds",
    "Control",
    "DataSymmetry",
    "DirectionError",
    "ElementBreaking",
    "ElementDataTest",
    "ElementError",
    "ElementMetric",
    "ElementResult",
    "EquivarianceErrors",
    "HistoryEntry",
    "LayerError",
    "LieDerivative",
    "LieDerivativeByLayer",
    "OrbitMetric",
    "Precheck",
    "StatefulMetric",
    "SubgroupSummary",
    "Verdict",
    "audit",
    "breaking_kind",
    "data_symmetry",
    "equivariance_errors",
    "lie_derivative",
    "lie_derivative_by_layer",
    "lie_derivative_vectors",
    "metric_over_orbit",
]

"""Floor 5: was the symmetry learned? Forward and gradient probes, nulls, statistics, verdict."""

from goldstone.auditing.audit import audit
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
    "Control",
    "DirectionError",
    "ElementResult",
    "HistoryEntry",
    "LayerError",
    "LieDerivative",
    "LieDerivativeByLayer",
    "Precheck",
    "SubgroupSummary",
    "Verdict",
    "audit",
    "lie_derivative",
    "lie_derivative_by_layer",
    "lie_derivative_vectors",
]

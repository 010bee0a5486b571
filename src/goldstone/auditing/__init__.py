"""Floor 5: was the symmetry learned? Forward and gradient probes, nulls, statistics, verdict."""

from goldstone.auditing.audit import audit
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
    "ElementResult",
    "HistoryEntry",
    "Precheck",
    "SubgroupSummary",
    "Verdict",
    "audit",
]

"""Floor 5: was the symmetry learned? Forward and gradient probes, nulls, statistics, verdict."""

from goldstone.auditing.results import AuditResult

__all__ = ["AuditResult"]

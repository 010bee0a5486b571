"""goldstone: symmetry in deep networks, measured, built, broken and discovered."""

from goldstone.actions import Symmetry
from goldstone.auditing import AuditResult, AuditSettings, audit

__all__ = ["AuditResult", "AuditSettings", "Symmetry", "audit"]

"""Floor 6: pages made from saved audits, with no model, data or accelerator at hand."""

from goldstone.report.index import write_index
from goldstone.report.page import write_report

__all__ = ["write_index", "write_report"]

"""Every statistic of every element, for the last table of a page."""

from dataclasses import dataclass

from goldstone.auditing import AuditResult
from goldstone.auditing.results import ElementResult
from goldstone.core import Statistic

_PLAIN = (
    ("equivariance error", "equivariance_error"),
    ("equivariance error / change", "equivariance_error_of_change"),
    ("equivariance error / model error", "equivariance_error_of_model_error"),
    ("log loss ratio", "log_loss_ratio"),
    ("error sharing ς", "error_sharing"),
)
_BY_METRIC = (
    ("pair coherence K", "pair_coherence"),
    ("null of K", "null"),
    ("orbit coherence ρ", "orbit_coherence"),
    ("common-mode coherence μ", "common_mode_coherence"),
    ("probe coherence", "probe_coherence"),
    ("pair coherence K, raw", "raw_pair_coherence"),
    ("orbit coherence ρ, raw", "raw_orbit_coherence"),
)


@dataclass(frozen=True)
class Row:
    """One statistic."""

    quantity: str
    metric: str
    statistic: Statistic


def full_table(result: AuditResult) -> tuple[tuple[ElementResult, tuple[Row, ...]], ...]:
    """Each element with the rows of all its statistics that were measured."""
    return tuple((element, _rows(element)) for element in result.elements)


def _rows(element: ElementResult) -> tuple[Row, ...]:
    rows = [Row(title, "", getattr(element, name)) for title, name in _PLAIN]
    for title, name in _BY_METRIC:
        by_metric = getattr(element, name)
        rows += [Row(title, metric, by_metric[metric]) for metric in sorted(by_metric)]
    steps = enumerate(element.rollout_equivariance_error, start=1)
    rows += [Row(f"equivariance error at step {k}", "", statistic) for k, statistic in steps]
    return tuple(row for row in rows if row.statistic.estimate is not None)

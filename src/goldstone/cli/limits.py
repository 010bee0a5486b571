"""``--fail-under`` and ``--fail-over``: what an exit code answers in continuous integration."""

from dataclasses import dataclass

from goldstone.auditing import AuditResult
from goldstone.auditing.limits import (
    LimitCheck,
    check_coherence_limit,
    check_factor_limit,
    check_largest_loss_factor,
    check_least_coherence,
)
from goldstone.auditing.results import Answer


@dataclass(frozen=True)
class Limits:
    """The limits that were asked for.

    Attributes:
        least_coherence: of ρ, from ``--fail-under``.
        largest_loss_factor: of exp(T), from ``--fail-over``.
    """

    least_coherence: float | None
    largest_loss_factor: float | None

    def __post_init__(self) -> None:
        # Before the long work, not after it.
        if self.least_coherence is not None:
            check_coherence_limit(self.least_coherence, "--fail-under")
        if self.largest_loss_factor is not None:
            check_factor_limit(self.largest_loss_factor, "--fail-over")

    def check(self, result: AuditResult) -> tuple[Answer, tuple[str, ...]]:
        """The answer of the limits with a line for each; without limits that of *holds*."""
        found: list[tuple[str, LimitCheck]] = []
        if self.least_coherence is not None:
            found.append(("--fail-under", check_least_coherence(result, self.least_coherence)))
        if self.largest_loss_factor is not None:
            check = check_largest_loss_factor(result, self.largest_loss_factor)
            found.append(("--fail-over", check))
        if not found:
            return result.verdict.holds.answer, ()
        answers = {check.answer for _, check in found}
        answer: Answer = (
            "no" if "no" in answers else "undetermined" if "undetermined" in answers else "yes"
        )
        return answer, tuple(f"{option}: {check.statement}" for option, check in found)

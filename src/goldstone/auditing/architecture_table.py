"""Which architecture keeps which symmetry before any training: the table and its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from goldstone.core import InputError, Statistic

Standing = Literal["built in", "initial only", "approximate", "broken", "undetermined"]
"""How an untrained architecture stands to an element:

================  ================================================================================
``built in``      exact at the initial weights, at perturbed ones and to first order between them
``initial only``  exact at the initial weights, by accident: training can break it
``approximate``   the error is below the tolerance times the distance of two samples' outputs
``broken``        above it
``undetermined``  its interval spans the tolerance
================  ================================================================================
"""

Shown = Literal["standing", "error", "spread", "perturbed", "coherence"]

_LEGENDS = {
    "standing": "**exact**: built in, for all weights. Start: exact at the initial weights only, "
    "and the error when they are perturbed. ≈: approximate; broken: not even that; (?): its "
    "interval spans the tolerance. Numbers: error over the distance between two samples' outputs; "
    "ρ: orbit coherence of gradients.",
    "error": "‖f(gx) − g f(x)‖/‖f(x)‖ at the initial weights.",
    "spread": "‖f(gx) − g f(x)‖ over the distance ‖f(gx) − g f(x′)‖ of two samples' outputs, at "
    "the initial weights; 1 where f(x) knows nothing of f(gx).",
    "perturbed": "‖f(gx) − g f(x)‖ over the distance of two samples' outputs, at weights moved at "
    "random.",
    "coherence": "Orbit coherence ρ of the gradients at the initial weights; 1 where equivariance "
    "is built in, 0 where the pair has no more in common than two samples.",
}


@dataclass(frozen=True)
class ArchitectureCell:
    """One architecture under one element.

    Intervals are over seeds and samples together; for errors at perturbed weights too.

    Attributes:
        architecture, symmetry, element: names.
        standing: see :data:`Standing`.
        error: mean of ‖f(gx) − g f(x)‖/‖f(x)‖ at the initial weights.
        exact: for every seed it is at most 10 numerical floors.
        spread_error: ‖f(gx) − g f(x)‖ over the root mean square of ‖f(gx) − g f(x′)‖, x′ another
            sample. An untrained network maps all inputs to nearly one output, so that ``error``
            is small whether or not anything is equivariant; this is not.
        perturbed_spread_error: as ``spread_error``, with the weights moved at random.
        perturbed_exact: as ``exact``, there.
        coherence: ρ of ∇⟨w, g f(x)⟩ and ∇⟨w, f(gx)⟩ at the initial weights, w white noise, the same
            for all samples; None without trainable parameters.
        gradient_error: the largest ‖∇⟨w, f(gx) − g f(x)⟩‖/‖∇⟨w, g f(x)⟩‖.
    """

    architecture: str
    symmetry: str
    element: str
    standing: Standing
    error: Statistic
    exact: bool
    spread_error: Statistic
    perturbed_spread_error: Statistic
    perturbed_exact: bool
    coherence: Statistic | None
    gradient_error: float | None


@dataclass(frozen=True)
class ArchitectureTable:
    """Architectures × elements, from :func:`goldstone.auditing.compare_architectures`.

    Attributes:
        cells: architecture by architecture, each under all elements.
        seeds: independent initialisations.
        samples: inputs, and how many of them gave gradients.
        perturbation: size of the perturbation of the weights, relative to them.
        tolerance: of ``spread_error``, for *approximate*.
    """

    cells: tuple[ArchitectureCell, ...]
    seeds: int
    samples: tuple[int, int]
    perturbation: float
    tolerance: float

    @property
    def architectures(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(dict.fromkeys(cell.architecture for cell in self.cells))

    @property
    def elements(self) -> tuple[tuple[str, str], ...]:
        """Names (symmetry, element), in order."""
        return tuple(dict.fromkeys((cell.symmetry, cell.element) for cell in self.cells))

    def cell(
        self, architecture: str, element: str, symmetry: str | None = None
    ) -> ArchitectureCell:
        """The cell of these names.

        Raises:
            InputError: there is none, or several symmetries have such an element.
        """
        found = [
            c
            for c in self.cells
            if c.architecture == architecture
            and c.element == element
            and symmetry in (None, c.symmetry)
        ]
        if len(found) != 1:
            raise InputError(
                f"expected one cell of {architecture!r} under {element!r}, got {len(found)}; the "
                f"architectures are {', '.join(self.architectures)}, the elements "
                f"{', '.join(f'{e} of {s}' for s, e in self.elements)}"
            )
        return found[0]

    def to_markdown(
        self,
        shown: Shown = "standing",
        *,
        heads: Sequence[str] | None = None,
        legend: bool = True,
    ) -> str:
        """A Markdown table, a row for each architecture.

        Args:
            shown: the standing in words, or one quantity with its interval.
            heads: of the columns, in the order of :attr:`elements`; their names by default.
            legend: what the entries mean, below.

        Raises:
            InputError: an unknown quantity, or another number of heads than of elements.
        """
        if shown not in _LEGENDS:
            raise InputError(f"expected one of {', '.join(_LEGENDS)}, got {shown!r}")
        if heads is None:
            several = len({symmetry for symmetry, _ in self.elements}) > 1
            heads = [f"{s}: {e}" if several else e for s, e in self.elements]
        elif len(heads) != len(self.elements):
            raise InputError(f"expected {len(self.elements)} heads of columns, got {len(heads)}")
        by_name = {(c.architecture, c.symmetry, c.element): c for c in self.cells}
        lines = [_row(["architecture", *heads]), _row(["---"] * (1 + len(heads)))]
        for name in self.architectures:
            cells = [by_name[name, *key] for key in self.elements]
            lines.append(_row([name, *(_entry(cell, shown) for cell in cells)]))
        if legend:
            lines += ["", f"{_LEGENDS[shown]} {self._sizes()}"]
        return "\n".join(lines) + "\n"

    def _sizes(self) -> str:
        inputs, gradients = self.samples
        return (
            f"{self.seeds} seed{'s' * (self.seeds != 1)}, {inputs} inputs, {gradients} of them for "
            f"gradients; weights perturbed by {self.perturbation:g} of their size; tolerance "
            f"{self.tolerance:g}."
        )


def _row(entries: Sequence[str]) -> str:
    return "| " + " | ".join(entry.replace("|", "\\|") for entry in entries) + " |"


def _entry(cell: ArchitectureCell, shown: Shown) -> str:
    if shown == "error":
        return _with_interval(cell.error)
    if shown == "spread":
        return _with_interval(cell.spread_error)
    if shown == "perturbed":
        return _with_interval(cell.perturbed_spread_error)
    if shown == "coherence":
        return "–" if cell.coherence is None else _with_interval(cell.coherence)
    coherence = cell.coherence.estimate if cell.coherence is not None else None
    rho = f", ρ {_number(coherence)}" if coherence is not None else ""
    size = _number(cell.spread_error.estimate)
    if cell.standing == "built in":
        return "**exact**"
    if cell.standing == "initial only":
        return f"start ({_number(cell.perturbed_spread_error.estimate)}{rho})"
    word = {"approximate": "≈ ", "broken": "broken ", "undetermined": "(?) "}[cell.standing]
    return word + size + rho


def _with_interval(statistic: Statistic) -> str:
    text = _number(statistic.estimate)
    if statistic.low is None or statistic.high is None:
        return text
    return f"{text} [{_number(statistic.low)}, {_number(statistic.high)}]"


def _number(value: float | None) -> str:
    """Two decimals; one digit and a power of ten, of the distance to one too, for what is near."""
    if value is None or not isfinite(value):
        return "–"
    if 1e-9 < 1 - value < 0.005:
        return f"1−{1 - value:.0e}"
    if value == 0 or 0.005 <= abs(value) < 100:
        return f"{value:.2f}"
    return f"{value:.0e}"

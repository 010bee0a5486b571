"""Which architecture keeps which symmetry, before any training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.architecture_probe import (
    Architecture,
    ArchitectureProbe,
    MeasuredElement,
)
from goldstone.auditing.architecture_table import ArchitectureCell, ArchitectureTable, Standing
from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.gram_statistics import covariance
from goldstone.auditing.statistics import Bootstrap, interval
from goldstone.core import InputError, Progress, SilentProgress, Statistic, derive_seed, trees
from goldstone.core.trees import Tree

FEWEST_SAMPLES = 3
_CONTEXT = Context()
_SILENT = SilentProgress()


def compare_architectures(
    architectures: Mapping[str, Architecture],
    inputs: Tree,
    symmetries: Symmetry | Sequence[Symmetry],
    elements: Sequence[Any] | int | None = None,
    *,
    seeds: int = 5,
    perturb: float = 0.1,
    tolerance: float = 0.1,
    gradient_samples: int = 8,
    context: Context = _CONTEXT,
    batch: int = 32,
    replicates: int = 1000,
    seed: int = 0,
    progress: Progress = _SILENT,
) -> ArchitectureTable:
    """What each architecture makes of each element at its initial weights.

    Three questions are asked of every pair, for several seeds. Is f(gx) = g f(x) at the initial
    weights? Still when all trainable weights are moved at random
    (:func:`goldstone.auditing.perturbed_copy`)? Are the gradients of ⟨w, f(gx)⟩ and ⟨w, g f(x)⟩
    the same, w a random output? Equivariance that is *built in* passes all three. Positions or
    biases that start at zero pass the first alone.

    No loss, targets or data are needed beside ``inputs``. At initialisation the gradients of any
    two inputs are nearly parallel, so cosines say nothing; ρ, the orbit coherence, has what all
    samples share taken off.

    Args:
        architectures: by name: modules, or functions without arguments (classes) that make one,
            called ``seeds`` times with torch's random state seeded. All are copied and looked at in
            evaluation mode. Of a module as it is, seeds are those of the perturbation alone.
        inputs: n independent samples, a tensor or a tree of tensors; cast to each model's dtype.
        symmetries: one or more.
        elements: as in :func:`goldstone.auditing.equivariance_errors`; a list for one symmetry
            only, None for each symmetry's own choice.
        seeds: number of initialisations.
        perturb: how far the weights are moved, relative to their size.
        tolerance: below it the error, relative to the distance of two samples' outputs, is
            *approximate*.
        gradient_samples: the first of the inputs, which give gradients; 0 for no gradients.
        context: the frame of the inputs; outputs lie one model step later.
        batch: samples evaluated together.
        replicates: of the bootstrap, which draws seeds and samples, each for itself (Owen 2007,
            "The pigeonhole bootstrap": on the safe side).
        seed: of all random choices.
        progress: shows progress.

    Raises:
        InputError: nothing to compare, fewer than 3 samples, two elements of one name, an
            architecture that makes no module or is refused (see
            :func:`goldstone.auditing.probed_model.probed`), or an element that cannot act; the
            message names the architecture.
    """
    several = (symmetries,) if isinstance(symmetries, Symmetry) else tuple(symmetries)
    _check(architectures, inputs, several, elements, seeds, tolerance, gradient_samples)
    n = trees.batch_size(inputs)
    few = min(n, gradient_samples)
    probe = ArchitectureProbe(
        tuple((s, g) for s in several for g in choose_elements(s, elements, seed)),
        inputs,
        few,
        perturb,
        context,
        batch,
        seed,
    )
    bootstraps = _Bootstraps(
        Bootstrap.draw(n, replicates, seed),
        Bootstrap.draw(max(few, 1), replicates, seed),
        Bootstrap.draw(seeds, replicates, derive_seed(seed, "seeds")),
    )
    _check_names(probe.elements)
    cells: list[ArchitectureCell] = []
    with progress.task("architectures", len(architectures) * seeds) as task:
        for name, architecture in architectures.items():
            found = []
            for k in range(seeds):
                try:
                    found.append(probe.measure(architecture, k))
                except InputError as error:
                    raise InputError(f"architecture {name!r}: {error}") from error
                task.advance(note=name)
            for i, (symmetry, element) in enumerate(probe.elements):
                named = (name, symmetry.name, symmetry.group.element_name(element))
                cells.append(_cell(named, [m[i] for m in found], bootstraps, tolerance))
    return ArchitectureTable(tuple(cells), seeds, (n, few), perturb, tolerance)


@dataclass(frozen=True, eq=False)
class _Bootstraps:
    """Resamples of samples, of those with gradients, and of seeds."""

    samples: Bootstrap
    gradients: Bootstrap
    seeds: Bootstrap

    def mean(self, values: Sequence[Tensor]) -> Statistic:
        """Of (n,) numbers for each seed."""
        counts = _with_all_once(self.samples)
        each = counts @ torch.stack(list(values), 1) / self.samples.n
        return self._statistic(self._summed(each) / self.seeds.n)

    def coherence(self, products: Sequence[PairProducts]) -> Statistic:
        """ρ, the seeds' covariances added up: Σ cov(a, b)/√(Σ var(a) Σ var(b))."""
        counts = _with_all_once(self.gradients)

        def total(matrices: Sequence[Tensor]) -> Tensor:
            each = torch.stack([covariance(matrix, counts) for matrix in matrices], 1)
            return self._summed(each)

        ab = total([p.ab for p in products])
        aa, bb = total([p.aa for p in products]), total([p.bb for p in products])
        positive = (aa > 0) & (bb > 0)
        return self._statistic(torch.where(positive, ab / (aa * bb).abs().sqrt(), torch.nan))

    def _summed(self, each: Tensor) -> Tensor:
        """Over drawn seeds; ``each`` is (1 + replicates, seed)."""
        return torch.einsum("rs,rs->r", _with_all_once(self.seeds), each)

    def _statistic(self, values: Tensor) -> Statistic:
        """The first is the estimate, the others its replicates."""
        seeds = self.seeds.n
        n = seeds if seeds > 1 else self.samples.n
        if not bool(torch.isfinite(values[0])):
            return Statistic(None, None, None, n)
        return Statistic(float(values[0]), *interval(values[1:], n), n)


def _with_all_once(bootstrap: Bootstrap) -> Tensor:
    return torch.cat((torch.ones_like(bootstrap.counts[:1]), bootstrap.counts))


def _cell(
    named: tuple[str, str, str],
    found: Sequence[MeasuredElement],
    bootstraps: _Bootstraps,
    tolerance: float,
) -> ArchitectureCell:
    spread_error = bootstraps.mean([m.initial.relative_to_spread for m in found])
    exact = all(m.initial.exact for m in found)
    perturbed_exact = all(m.perturbed.exact for m in found)
    gradients = [m.gradients for m in found if m.gradients is not None]
    coherent = all(g.error <= g.tolerance for g in gradients)
    return ArchitectureCell(
        *named,
        standing=_standing(
            spread_error, tolerance, exact=exact, for_all=exact and perturbed_exact and coherent
        ),
        error=bootstraps.mean([m.initial.error for m in found]),
        exact=exact,
        spread_error=spread_error,
        perturbed_spread_error=bootstraps.mean([m.perturbed.relative_to_spread for m in found]),
        perturbed_exact=perturbed_exact,
        coherence=bootstraps.coherence([g.products for g in gradients]) if gradients else None,
        gradient_error=max(g.error for g in gradients) if gradients else None,
    )


def _standing(spread_error: Statistic, tolerance: float, *, exact: bool, for_all: bool) -> Standing:
    if exact:
        return "built in" if for_all else "initial only"
    if spread_error.low is None or spread_error.high is None:
        return "undetermined"
    if spread_error.high < tolerance:
        return "approximate"
    return "broken" if spread_error.low > tolerance else "undetermined"


def _check(
    architectures: Mapping[str, Architecture],
    inputs: Tree,
    symmetries: Sequence[Symmetry],
    elements: Sequence[Any] | int | None,
    seeds: int,
    tolerance: float,
    gradient_samples: int,
) -> None:
    if not architectures or not symmetries:
        raise InputError("expected one or more architectures and one or more symmetries")
    if len(symmetries) > 1 and not (elements is None or isinstance(elements, int)):
        raise InputError(
            "a list of elements goes with one symmetry; of several, give each its own in "
            "Symmetry(elements=…)"
        )
    samples = trees.batch_size(inputs)
    fewest = samples if gradient_samples == 0 else min(samples, gradient_samples)
    if fewest < FEWEST_SAMPLES:
        raise InputError(
            f"expected {FEWEST_SAMPLES} or more samples, and as many (or 0) with gradients, so "
            f"that different ones can be compared; got {samples} and {gradient_samples}"
        )
    if seeds < 1 or not 0 < tolerance < 1:
        raise InputError(
            f"expected one or more seeds and a tolerance between 0 and 1, got {seeds} and "
            f"{tolerance}"
        )


def _check_names(elements: Sequence[tuple[Symmetry, Any]]) -> None:
    names = [(s.name, s.group.element_name(g)) for s, g in elements]
    twice = sorted({f"{g} of {s}" for s, g in names if names.count((s, g)) > 1})
    if twice:
        raise InputError(
            f"expected different names, got {', '.join(twice)} twice; rename a symmetry by "
            "dataclasses.replace(symmetry, name=…)"
        )

"""The curvature of the loss, and where the gradients of orbits lie in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.named_elements import as_elements
from goldstone.auditing.orbit_samples import (
    check_subject,
    element_names,
    loss_gradients,
)
from goldstone.auditing.probed_model import leaves_model_as_found
from goldstone.auditing.sample_curvature import (
    KINDS,
    Kind,
    curvature_operator,
    curvatures_along,
    rounding,
)
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, Progress, SilentProgress, Statistic, Task
from goldstone.curvature import deflated_trace, lanczos

_SILENT = SilentProgress()


@dataclass(frozen=True)
class LandscapeSettings:
    """How closely the curvature is looked at.

    Attributes:
        eigenpairs: k, the dimension of the top eigenspace; of the Hessian the smallest eigenvalue
            is found besides.
        products: at most so many curvature products for the eigenpairs; as many vectors of the
            model's size are held.
        tolerance: of the eigenpairs, relative to the largest eigenvalue.
        trace_products: curvature products for the trace, besides those of the eigenpairs, whose
            Krylov space holds the largest part of it: the rest, and its error, come from these.
        batch: samples differentiated together; their activations, for second derivatives too, are
            held at a time (those of all samples, where a quarter of the audit's memory holds
            them). The result does not depend on it.
    """

    eigenpairs: int = 5
    products: int = 80
    tolerance: float = 1e-3
    trace_products: int = 10
    batch: int = 4

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise InputError(f"expected a batch of at least 1, got {self.batch}")
        if not 1 <= self.eigenpairs <= self.products or self.trace_products < 6:
            raise InputError(
                "expected at least one eigenpair, as many products, and six products for the "
                f"trace, got {self.eigenpairs}, {self.products} and {self.trace_products}"
            )


@dataclass(frozen=True)
class EigenspaceShare:
    """‖P v‖²/‖v‖², P the projector on the top eigenspace, of the gradients of one element.

    Attributes:
        share: mean over samples, v = ∇ℓ_gx.
        over_plain: mean of the share of ∇ℓ_gx less that of ∇ℓ_x, paired.
        of_change: mean share of v = ∇ℓ_gx − ∇ℓ_x; None where they are equal.
    """

    share: Statistic
    over_plain: Statistic
    of_change: Statistic


@dataclass(frozen=True)
class Curvature:
    """One curvature matrix A = mean_i A_i over the plain samples.

    Attributes:
        eigenvalues: the largest ones.
        residuals: ‖A v − λ v‖ of each.
        smallest: the smallest eigenvalue; None for Gauss–Newton, which has no negative ones.
        converged: whether the eigenpairs are within tolerance and their values have stayed for two
            steps more: see :func:`goldstone.curvature.lanczos`.
        trace: of the Krylov space exactly, of the rest by random probes, with the standard error.
        random: trace/p, the curvature vᵀAv/vᵀv along a random direction in the mean.
        shares: by element, the identity among them; a random vector's share is k/p.
        along: vᵀAv/vᵀv along the mean gradient over samples and poses, which lowers the loss of
            whole orbits. The interval is over the samples in A, for this v.
        across: by element, the same along mean ∇ℓ_gx − mean ∇ℓ_x, which trades the loss in one
            pose for that in another; None where the two are equal.
    """

    eigenvalues: tuple[float, ...]
    residuals: tuple[float, ...]
    smallest: float | None
    converged: bool
    trace: float
    trace_standard_error: float
    random: float
    shares: Mapping[str, EigenspaceShare]
    along: Statistic
    across: Mapping[str, Statistic]


@dataclass(frozen=True)
class LossLandscape:
    """The Hessian of the mean loss and the Gauss–Newton matrix JᵀJ/N_out on the same samples."""

    parameters: int
    hessian: Curvature
    gauss_newton: Curvature


@leaves_model_as_found
def loss_landscape(
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    settings: LandscapeSettings | None = None,
    progress: Progress = _SILENT,
) -> LossLandscape:
    """Top eigenpairs, trace, and the curvature that gradients along orbits meet.

    Eigenpairs by Lanczos; the trace by probes of what its Krylov space leaves. Training moves
    mostly in the top eigenspace of the Hessian (Gur-Ari, Roberts & Dyer 2018, "Gradient Descent
    Happens in a Tiny Subspace"): where the gradients at g x lie in it as those at x do, but in
    other directions, see the coherences; where they lie outside, the poses are learned in flat
    directions.

    Args:
        subject: with one sample of each trajectory; the model is left as found.
        symmetry: of the elements.
        elements: by value or by name, without the identity.
        settings: number of eigenpairs and of products.
        progress: shows curvature products and gradients.

    Raises:
        InputError: several samples of one trajectory, a BatchNorm in training mode, fewer
            parameters than eigenpairs, or a product that is not finite.
    """
    check_subject(subject)
    elements = as_elements(symmetry, elements)
    settings = settings or LandscapeSettings()
    names = element_names(symmetry, (symmetry.group.identity, *elements))
    with progress.task("eigenpairs and traces", 0) as task:
        spectra = [_Spectrum.find(kind, subject, settings, task) for kind in KINDS]
    n = subject.samples.trajectories
    with progress.task("gradients in the landscape", n * len(names)) as task:
        plain = loss_gradients(subject, symmetry, symmetry.group.identity, task)
        everywhere = plain.double().mean(0)
        shares = [{names[0]: s.share(plain, plain, subject)} for s in spectra]
        changes = []
        for name, g in zip(names[1:], elements, strict=True):
            moved = loss_gradients(subject, symmetry, g, task)
            everywhere += moved.double().mean(0)
            changes.append((moved - plain).mean(0))
            for k, spectrum in enumerate(spectra):
                shares[k][name] = spectrum.share(moved, plain, subject)
    directions = torch.stack([(everywhere / len(names)).to(plain), *changes])
    scale = float(plain.double().square().sum(1).mean().sqrt())
    found = []
    for spectrum, of_elements in zip(spectra, shares, strict=True):
        along, *across = curvatures_along(directions, spectrum.kind, subject, scale, settings.batch)
        found.append(
            spectrum.summary(of_elements, along, dict(zip(names[1:], across, strict=True)))
        )
    hessian, gauss_newton = found
    return LossLandscape(plain.shape[1], hessian, gauss_newton)


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """What does not depend on the elements; ``vectors`` are (k, p)."""

    kind: Kind
    values: Tensor
    vectors: Tensor
    residuals: Tensor
    smallest: float | None
    converged: bool
    trace: float
    trace_error: float

    @classmethod
    def find(
        cls, kind: Kind, subject: Subject, settings: LandscapeSettings, task: Task
    ) -> "_Spectrum":
        seed = subject.settings.seed
        operator = curvature_operator(kind, subject, settings.batch)
        both = kind == "hessian" and settings.eigenpairs < min(settings.products, operator.size)
        found = lanczos(
            operator,
            settings.eigenpairs,
            "ends" if both else "largest",
            settings.tolerance,
            min(settings.products, operator.size),
            seed,
            task,
        )
        top = slice(settings.eigenpairs)
        smallest = float(found.values[-1]) if kind == "hessian" else None
        trace = deflated_trace(
            operator, found.basis, found.captured, settings.trace_products, seed, task
        )
        return cls(
            kind,
            found.values[top],
            found.vectors[top],
            found.residuals[top],
            smallest,
            found.converged,
            trace.trace,
            trace.standard_error,
        )

    def share(self, moved: Tensor, plain: Tensor, subject: Subject) -> EigenspaceShare:
        def of(rows: Tensor) -> Tensor:
            inside = (rows @ self.vectors.T).double().square().sum(1)
            return inside / rows.double().square().sum(1)

        there = of(moved)
        change = moved - plain
        # Gradients that differ by rounding have no change to speak of.
        size = change.norm(dim=1)
        floor = rounding(plain) * plain.norm(dim=1)
        of_change = torch.where(size > floor, of(change), torch.nan)
        return EigenspaceShare(
            subject.mean(there), subject.mean(there - of(plain)), subject.mean(of_change)
        )

    def summary(
        self,
        shares: Mapping[str, EigenspaceShare],
        along: Statistic,
        across: Mapping[str, Statistic],
    ) -> Curvature:
        return Curvature(
            eigenvalues=tuple(self.values.tolist()),
            residuals=tuple(self.residuals.tolist()),
            smallest=self.smallest,
            converged=self.converged,
            trace=self.trace,
            trace_standard_error=self.trace_error,
            random=self.trace / self.vectors.shape[1],
            shares=shares,
            along=along,
            across=across,
        )

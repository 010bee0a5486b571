"""Inner products of the loss gradients of all samples at all poses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.named_elements import as_elements
from goldstone.auditing.orbit_samples import (
    check_subject,
    element_names,
    loss_gradients,
    moved_samples,
    sample_loss,
)
from goldstone.auditing.probed_model import leaves_model_as_found
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, Progress, SilentProgress
from goldstone.curvature import (
    TreeBatch,
    TreeModel,
    chunk_rows,
    inner_products,
    memory_bytes,
    sketch_gradients,
    trainable_parameters,
)
from goldstone.curvature.parameters import real_dtype, vector_size

SKETCHES = 8
_SILENT = SilentProgress()


@dataclass(frozen=True, eq=False)
class OrbitGram:
    """⟨∇ℓ_{g x_i}, ∇ℓ_{h x_j}⟩ in the Euclidean metric.

    Attributes:
        elements: names of the m elements g, the identity first.
        products: (m, n, m, n) float64.
        relative_error: root mean square standard error of the products over their mean square
            norm, where the gradients were sketched; 0 where they were not.
    """

    elements: tuple[str, ...]
    products: Tensor
    relative_error: float = 0.0

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.products.shape[1])

    def unit(self) -> "OrbitGram":
        """The products of the gradients divided by their norms (NaN where a norm is zero)."""
        m, n = self.products.shape[:2]
        flat = self.products.reshape(m * n, m * n)
        norms = flat.diagonal().sqrt()
        scaled = (flat / norms[:, None] / norms).reshape(m, n, m, n)
        return OrbitGram(self.elements, scaled, self.relative_error)

    def pairs(self, element: int) -> PairProducts:
        """The products of a_i at x_i and b_i at g x_i, g the element of this number."""
        p = self.products
        return PairProducts(p[0, :, 0], p[0, :, element], p[element, :, element])

    def of_samples(self) -> Tensor:
        """Products within the orbit of each sample, (n, m, m)."""
        return self.products.diagonal(dim1=1, dim2=3).permute(2, 0, 1)


@leaves_model_as_found
def orbit_pairs(
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    progress: Progress = _SILENT,
) -> dict[str, PairProducts]:
    """Euclidean products of the gradients at x and at g x, by the name of g.

    Two sets of gradients are held at a time, (n, p) each.

    Raises:
        InputError: as :func:`orbit_gram`.
    """
    check_subject(subject)
    elements = as_elements(symmetry, elements)
    names = element_names(symmetry, elements)
    found = {}
    total = subject.samples.trajectories * (len(names) + 1)
    with progress.task("gradients of orbits", total) as task:
        plain = loss_gradients(subject, symmetry, symmetry.group.identity, task)
        aa = inner_products(plain).cpu()
        for name, g in zip(names, elements, strict=True):
            moved = loss_gradients(subject, symmetry, g, task)
            found[name] = PairProducts(
                aa, inner_products(plain, moved).cpu(), inner_products(moved).cpu()
            )
    return found


@leaves_model_as_found
def orbit_gram(
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    memory: str | int = "4GB",
    progress: Progress = _SILENT,
) -> OrbitGram:
    """All inner products of ∇_θ ℓ(f(g x_i), g y_i), each gradient taken once.

    Where the m·n gradients do not fit in ``memory`` they are sketched as they come
    (:func:`~goldstone.curvature.sketch_gradients`), which makes the products unbiased estimates.

    Args:
        subject: with one sample of each trajectory.
        symmetry: of the elements.
        elements: by value or by name, without the identity, which comes first by itself.
        memory: bytes for the gradients, or text such as ``"4GB"``.
        progress: shows the gradients.

    Raises:
        InputError: several samples of one trajectory; elements are missing, doubled or the
            identity; not even the sketches fit; or a gradient is not finite.
    """
    check_subject(subject)
    elements = as_elements(symmetry, elements)
    poses = (symmetry.group.identity, *elements)
    names = element_names(symmetry, poses)
    m, n = len(poses), subject.samples.trajectories
    parameters = trainable_parameters(subject.model)
    if not parameters:
        raise InputError("the model has no trainable parameter, so it has no gradients")
    size, dtype = vector_size(parameters), real_dtype(parameters)
    with progress.task("gradients of orbits", m * n) as task:
        if m * n * size * dtype.itemsize <= memory_bytes(memory):
            device = next(iter(parameters.values())).device
            rows = torch.empty(m * n, size, dtype=dtype, device=device)
            for k, g in enumerate(poses):
                rows[k * n : (k + 1) * n] = loss_gradients(subject, symmetry, g, task)
            gram = inner_products(rows).cpu()
            return OrbitGram(names, gram.reshape(m, n, m, n))
        # As many numbers a row as leave room for all of them.
        width = chunk_rows(memory, m * n * SKETCHES, dtype)
        found = None
        for g in poses:
            moved = moved_samples(subject.samples, symmetry, g)
            part = sketch_gradients(
                TreeModel(subject.model),
                sample_loss(subject.loss, moved),
                TreeBatch(moved.inputs),
                width,
                SKETCHES,
                subject.settings.seed,
                task,
            )
            found = part if found is None else found.joined(part)
    if found is None:
        raise InputError("expected at least one element")
    sketched = found.gram()
    error = sketched.standard_error.square().mean().sqrt() / sketched.gram.diagonal().mean()
    return OrbitGram(names, sketched.gram.cpu().reshape(m, n, m, n), float(error))

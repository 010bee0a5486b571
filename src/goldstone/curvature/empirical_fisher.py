"""Inner products in the empirical Fisher metric, in sample space."""

from dataclasses import dataclass

from torch import Tensor

from goldstone.core import InputError
from goldstone.curvature.inner_products import inner_products
from goldstone.curvature.woodbury import span_products, woodbury_products


@dataclass(frozen=True, eq=False)
class EmpiricalFisherProducts:
    """Gᵀ(F + λ)⁻¹G, F = (1/n) Σ r rᵀ.

    Attributes:
        gram: (m, m) float64.
        damping: λ, absolute.
        trace: tr F = mean ‖r‖².
        reference: n, the number of gradients that F is made of.
    """

    gram: Tensor
    damping: float
    trace: float
    reference: int


def empirical_fisher_gram(
    gradients: Tensor, damping: float, reference: Tensor | None = None
) -> EmpiricalFisherProducts:
    """G (F + λ)⁻¹ Gᵀ for gradients in rows, F = (1/n) Σ r rᵀ of the rows r of ``reference``.

    By Woodbury on Gram matrices: (1/λ)[K_GG − K_GR(nλ + K_RR)⁻¹K_RG]; no matrix of the size of the
    model squared is formed. F is the uncentred covariance of loss gradients, not the Fisher matrix:
    it vanishes where the errors do (Kunstner, Balles & Hennig 2019, "Limitations of the empirical
    Fisher approximation").

    Args:
        gradients: (m, p).
        damping: λ > 0, absolute; ``relative · trace / n`` is relative to the mean of F's non-zero
            eigenvalues.
        reference: (n, p) per-sample gradients; None for the audited gradients themselves, and then
            the result depends on which are included.

    Raises:
        InputError: λ is not positive, a set is empty or their lengths differ.
    """
    if not len(gradients) or (reference is not None and not len(reference)):
        raise InputError("the empirical Fisher needs at least one gradient and one reference")
    gram = inner_products(gradients)
    if reference is None:
        n, trace = len(gradients), float(gram.trace()) / len(gradients)
        return EmpiricalFisherProducts(span_products(gram, 1 / n, damping), damping, trace, n)
    n = len(reference)
    cross = inner_products(gradients, reference)
    span = inner_products(reference) / n
    products = woodbury_products(gram, cross / n**0.5, span, damping)
    return EmpiricalFisherProducts(products, damping, float(span.trace()), n)

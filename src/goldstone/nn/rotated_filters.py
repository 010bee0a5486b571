"""Kernels between regular representations: one filter per element, and its turned copies."""

import torch
from torch import Tensor

from goldstone.nn.block_bases import BlockBasis


class RotatedFilters(BlockBasis):
    """K[g, h](p) = Σ_b c[g⁻¹h, b] B_b(g⁻¹p) / √|G|, without the dense basis.

    That would have |G|³·filters·taps numbers; this combines |G|·filters·taps of them, one batched
    product over g (Cohen & Welling 2016, "Group equivariant convolutional networks", eq. 11).

    Args:
        turned: B_b(g⁻¹p), (elements, filters, *kernel).
        origins: the number of g⁻¹h, int64 (elements, elements).
    """

    turned: Tensor
    origins: Tensor

    def __init__(self, turned: Tensor, origins: Tensor) -> None:
        super().__init__()
        order, filters, *self.kernel = turned.shape
        self.order, self.filters, self.count = order, filters, order * filters
        self.register_constant("turned", turned.flatten(2) / order**0.5)
        self.register_constant("origins", origins.flatten())

    def blocks(self, coefficients: Tensor) -> Tensor:
        out, inner, n = *coefficients.shape[:2], self.order
        free = coefficients.reshape(out, inner, n, self.filters).permute(2, 0, 1, 3)
        # (g, h, out, in, filter), then one product for each g.
        each = free.index_select(0, self.origins).reshape(n, -1, self.filters)
        turned = torch.bmm(each, self.turned).reshape(n, n, out, inner, *self.kernel)
        return turned.permute(2, 0, 3, 1, *range(4, turned.ndim))

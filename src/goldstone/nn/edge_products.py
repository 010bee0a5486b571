"""Products of features and harmonics along edges, summed at the points that they go to."""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from goldstone.nn.constants import Constants
from goldstone.nn.parts import Types

Path = tuple[int, int, Tensor]
"""The number of the kind of part, the harmonics' degree and the product (in, harmonic, out)."""


class EdgeProducts(Constants):
    """m_i = Σ_e w_e ⊙ (x_e ⊗ Y_e) over the edges e to i, with a weight for each path and copy.

    All paths of one kind of part are taken together: the harmonics of an edge give one matrix from
    the part's components to those of all products, and it is multiplied with all copies at once.
    So that these lie side by side, components come before copies until the sum is done.

    Args:
        types: the kinds of parts of the features.
        paths: in the order of the weights, those of a kind one after the other.
        degree: largest l of the harmonics.
    """

    _order: Tensor

    def __init__(self, types: Types, paths: Sequence[Path], degree: int) -> None:
        super().__init__()
        self.kinds: list[tuple[int, int, int, int]] = []
        order, start = [], 0
        for s, of_kind in groupby(paths, lambda path: path[0]):
            products = [(low, product) for _, low, product in of_kind]
            part, starts = types[s]
            channels = [[first + k for first in starts] for k in range(part.dimension)]
            self.register_constant(f"_channels_{s}", torch.tensor(channels).flatten())
            sizes = [product.shape[2] for _, product in products]
            matrix = torch.zeros((degree + 1) ** 2, sum(sizes), part.dimension, dtype=torch.float64)
            first = 0
            for (low, product), size in zip(products, sizes, strict=True):
                of_degree = slice(low**2, (low + 1) ** 2)
                matrix[of_degree, first : first + size] = product.permute(1, 2, 0)
                # (component, copy) → (copy, component).
                places = torch.arange(size * len(starts)).reshape(size, -1).T
                order.append(start + first * len(starts) + places.flatten())
                first += size
            start += first * len(starts)
            self.register_constant(f"_matrix_{s}", matrix.flatten(1))
            path_of = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
            self.register_constant(f"_path_{s}", path_of)
            self.kinds.append((s, len(sizes), part.dimension, len(starts)))
        self.register_constant("_order", torch.cat(order))

    def forward(
        self,
        features: Tensor,
        sender: Tensor,
        receiver: Tensor,
        harmonics: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """The sums, (point, path and copy and component).

        Args:
            features: (point, components).
            sender: (edge), int64, the points that edges come from.
            receiver: (edge), int64, those that they go to.
            harmonics: (edge, (degree + 1)²).
            weights: (edge, path and copy).
        """
        sums, first = [], 0
        for s, count, dimension, copies in self.kinds:
            x = features.index_select(1, getattr(self, f"_channels_{s}"))
            x = x.index_select(0, sender).reshape(-1, dimension, copies)
            path_of = getattr(self, f"_path_{s}")
            matrices = harmonics @ getattr(self, f"_matrix_{s}")
            matrices = matrices.reshape(-1, path_of.shape[0], dimension)
            of_kind = weights[:, first : first + count * copies].reshape(-1, count, copies)
            first += count * copies
            messages = (torch.bmm(matrices, x) * of_kind.index_select(1, path_of)).flatten(1)
            nothing = messages.new_zeros(features.shape[0], messages.shape[1])
            sums.append(nothing.index_add(0, receiver, messages))
        return torch.cat(sums, 1).index_select(1, self._order)

"""What normalisations of fields share: which channels are averaged together."""

import torch
from torch import Tensor

from goldstone.nn.parts import check_unitary, flat_parts, part_of_channel
from goldstone.nn.pointwise_activation import permutes_components
from goldstone.representations import Representation


class FieldParts:
    """The parts ("fields") of a representation as normalisations need them.

    The mean of a part is subtracted only where the group permutes its components: it is invariant
    there, and the mean of a vector is not.

    Args:
        representation: of the channels.
        layer: the normalisation, for errors.

    Attributes:
        count: number of parts.
        components: their common dimension if all are permuted and of one dimension, so that a
            field is a plain block of channels; None else.
        part: int64 (channels,), the part of each channel.
        weights: (channels,), one over the dimension of the channel's part.
        centred: (parts,), 1 where the mean is subtracted, else 0.

    Raises:
        InputError: a part is not orthogonal.
    """

    def __init__(self, representation: Representation, layer: str) -> None:
        check_unitary(representation, layer)
        parts = flat_parts(representation)
        permuted = {part: permutes_components(part) for part in dict.fromkeys(parts)}
        sizes = torch.tensor([part.dimension for part in parts])
        self.count = len(parts)
        blocks = len(set(sizes.tolist())) == 1 and all(permuted.values())
        self.components = parts[0].dimension if blocks else None
        self.part = part_of_channel(representation)
        self.weights = 1 / sizes[self.part].double()
        self.centred = torch.tensor([float(permuted[part]) for part in parts]).double()


def part_means(x: Tensor, part: Tensor, weights: Tensor, count: int) -> Tensor:
    """Means over the channels of each part, (batch, channels) → (batch, parts)."""
    return x.new_zeros(x.shape[0], count).index_add(1, part, x * weights.to(x.dtype))

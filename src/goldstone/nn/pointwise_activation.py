"""A function of each component, where the group permutes the components."""

from collections.abc import Callable
from math import sqrt

from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.nn.parts import is_trivial, part_name, parts_by_type
from goldstone.nn.second_moment import second_moment
from goldstone.representations import Representation
from goldstone.representations.intertwiners import permutation_images


class PointwiseActivation(nn.Module):
    """y_k = f(x_k) / √E[f(z)²] with z standard normal, which keeps unit variance.

    It is equivariant where ρ(g) permutes the components: for trivial, regular and quotient
    representations, permutation matrices, their sums and products.

    Args:
        representation: of the components.
        activation: f, from tensors to tensors, component by component.
        normalise: divide by the root of the second moment; False for f itself.

    Raises:
        InputError: a part of the representation is not a permutation representation.
    """

    def __init__(
        self,
        representation: Representation,
        activation: Callable[[Tensor], Tensor] = functional.relu,
        *,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        for part, _ in parts_by_type(representation):
            if not permutes_components(part):
                raise InputError(
                    f"a function of single components does not commute with {part_name(part)} of "
                    f"{part.group.name}, which mixes or signs them; use GatedActivation or "
                    "NormActivation, or features in the regular representation"
                )
        self.representation = representation
        self.activation = activation
        self.gain = 1 / sqrt(second_moment(activation)) if normalise else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Apply to a tensor of any shape."""
        y = self.activation(x)
        return y if self.gain == 1 else y * self.gain

    def extra_repr(self) -> str:
        """Shown by print."""
        return getattr(self.activation, "__name__", "")


def permutes_components(part: Representation) -> bool:
    """Whether every ρ(g) is a permutation matrix."""
    if part.allows_pointwise or is_trivial(part):
        return True
    group = part.group
    if not isinstance(group, FiniteGroup):
        return False
    return permutation_images(part, group.tensor(group.generators())) is not None

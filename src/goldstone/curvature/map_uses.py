"""Linear maps among the parameters, and their uses in a forward pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor
from torch.autograd.graph import GradientEdge

Positions = Iterator[Tensor]
"""(positions, features), a part at a time."""


@dataclass(frozen=True)
class LinearMap:
    """The block of a matrix W (rows, columns) and, as one more column, of its bias.

    Attributes:
        name: of the parameters, for people.
        rows, columns: W's; ``columns`` 0 for a bias alone.
        weight, bias: where they lie in the parameter vector, as (start, stop).
    """

    name: str
    rows: int
    columns: int
    weight: tuple[int, int] | None
    bias: tuple[int, int] | None

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where its parameters lie."""
        return tuple(span for span in (self.weight, self.bias) if span is not None)


@dataclass(frozen=True, eq=False)
class MapUse:
    """One application of a linear map, to every position of its input.

    The gradient of a scalar in W is Σ_t left_t right_tᵀ over positions t. One side comes from the
    input, the other from the gradient with respect to the output (``edge``); in a transposed
    convolution they change places.

    Attributes:
        map: what is applied.
        edge: the output in the graph, before anything is done to it in place.
        inputs: (positions, features) of the input, a part at a time.
        gradients: the same of a gradient with respect to the output.
        input_is_left: whether the input gives the rows.
    """

    map: LinearMap
    edge: GradientEdge
    inputs: Callable[[], Positions]
    gradients: Callable[[Tensor], Positions]
    input_is_left: bool = False

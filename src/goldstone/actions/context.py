"""What an action needs to know and the tensor does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor


@dataclass(frozen=True)
class Context:
    """The frame in which an action acts.

    Attributes:
        dt: physical time of one model step.
        lengths: size of the periodic domain along the two spatial axes, in physical units.
        step: how many model steps the state lies after the model's input (0 for the input itself).
        parameters: physical parameters such as ``viscosity`` or ``gamma``.
        batch: for ragged batches, the number of the graph of each node, int64 (node); contexts
            compare without it.
    """

    dt: float = 1.0
    lengths: tuple[float, float] = (1.0, 1.0)
    step: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict, hash=False)
    batch: Tensor | None = field(default=None, compare=False)

    @property
    def elapsed(self) -> float:
        """Physical time since the model's input: ``step · dt``."""
        return self.step * self.dt

    def at(self, step: int) -> "Context":
        """The same frame, ``step`` model steps after the input."""
        return replace(self, step=step)

"""Averaging a model over an equivariant frame."""

from collections.abc import Callable

from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.nn.symmetrised import CONTEXT, Posed, SymmetrisedModel

Frame = Callable[[Tree], tuple[Tensor, Tensor]]
"""From n samples to elements of the group, (n, k, *element_shape), and their weights (n, k), which
sum to 1 for each sample. It is equivariant: the elements of g·x, as a set, are g times those of x,
with the same weights."""


class FrameAverage(SymmetrisedModel):
    """f̄(x) = Σ_k w_k(x) g_k · f(g_k⁻¹ · x) with {g_k} = F(x), an equivariant frame.

    Exactly equivariant for any model where the frame is (Puny et al. 2022, "Frame averaging for
    invariant and equivariant network design"), also for groups that are not compact, at the
    cost of k evaluations: 4 for rotations in space and 8 with reflections.

    Args:
        model: any module.
        symmetry: how inputs and outputs move.
        frame: F: :class:`PCAFrame` or :class:`PointPairFrame` for point clouds, or a function of
            your own (:data:`Frame`). A module is registered, and its parameters are trained.
        context, largest_batch: see :class:`SymmetrisedModel`.

    Raises:
        InputError: when called, the frame returns other shapes, or has none for a sample.
    """

    def __init__(
        self,
        model: nn.Module,
        symmetry: Symmetry,
        frame: Frame,
        *,
        context: Context = CONTEXT,
        largest_batch: int | None = None,
    ) -> None:
        super().__init__(model, symmetry, context=context, largest_batch=largest_batch)
        self.frame = frame

    def pose(self, x: Tree) -> Posed:
        """Every g_k⁻¹·x, and the weighted mean of g_k·y."""
        elements, weights = self.frame(x)
        expected = (*weights.shape, *self.symmetry.group.element_shape)
        if weights.shape[:1] != (trees.batch_size(x),) or elements.shape != expected:
            raise InputError(
                "expected a frame of elements (batch, k, *element_shape) and weights (batch, k), "
                f"got {tuple(elements.shape)} and {tuple(weights.shape)} for "
                f"{trees.batch_size(x)} samples of {self.symmetry.group.name}"
            )
        return self._weighted(x, elements, weights)

"""A model that sees its input in a canonical pose."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError
from goldstone.core.trees import Tree
from goldstone.nn.symmetrised import CONTEXT, Posed, SymmetrisedModel, arguments_tree


class Canonicaliser(nn.Module, ABC):
    """Chooses the pose h(x) in the group of every sample, equivariantly: h(g·x) = g·h(x)."""

    @abstractmethod
    def forward(self, x: Tree, symmetry: Symmetry, context: Context) -> Posed:
        """The canonical inputs h(x)⁻¹·x, and the way back from y to h(x)·y."""

    @abstractmethod
    def margin(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """How clear the choice is for each sample, (n,), from 0, a tie, to 1."""

    @abstractmethod
    def prior_loss(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """How far the poses are from a prior about the identity, averaged over the samples."""


class Canonicalised(SymmetrisedModel):
    """f̄(x) = h(x) · f(h(x)⁻¹ · x), h a learned equivariant choice of pose.

    Equivariant for any model f where h is (Kaba et al. 2023, "Equivariance with learned
    canonicalization functions"), at the cost of one evaluation of f; f may be large and
    trained before. Where two poses tie, h is not determined, by rounding or because x itself is
    symmetric, and no choice of one pose is equivariant: :meth:`margin` reports how near samples
    are to that.

    A pretrained f knows the poses of its training data, which h should hit: add
    ``strength * wrapper.prior_loss(x)`` to the loss (Mondal et al. 2023, "Equivariant adaptation of
    large pretrained models").

    Args:
        model: any module.
        symmetry: how inputs and outputs move.
        canonicaliser: h: :class:`ScoringCanonicaliser` for finite groups,
            :class:`GramSchmidtCanonicaliser` for rotations, reflections and motions, or one of your
            own. Its parameters are under the prefix ``canonicaliser.``.
        least_margin: refuse batches in which a sample's :meth:`margin` is not above this, at the
            cost of another evaluation of h; None to take all.
        context, largest_batch: see :class:`SymmetrisedModel`.

    Raises:
        InputError: when called, a margin that is too small.
    """

    def __init__(
        self,
        model: nn.Module,
        symmetry: Symmetry,
        canonicaliser: Canonicaliser,
        *,
        least_margin: float | None = None,
        context: Context = CONTEXT,
        largest_batch: int | None = None,
    ) -> None:
        super().__init__(model, symmetry, context=context, largest_batch=largest_batch)
        self.canonicaliser = canonicaliser
        self.least_margin = least_margin

    def pose(self, x: Tree) -> Posed:
        """h(x)⁻¹·x, and h(x)·y."""
        if self.least_margin is not None:
            margins = self.canonicaliser.margin(x, self.symmetry, self.context).detach()
            check_margins(margins, self.least_margin)
        posed: Posed = self.canonicaliser(x, self.symmetry, self.context)
        return posed

    def canonical_inputs(self, *args: Any, **kwargs: Any) -> Tree:
        """What the model sees of these inputs."""
        return self.pose(arguments_tree(args, kwargs)).inputs

    def margin(self, *args: Any, **kwargs: Any) -> Tensor:
        """How clear the choice of pose is for each sample, (n,): 0 is a tie; see the canonicaliser.

        A sample with the margin m keeps its pose while h's prediction changes by less than about m;
        those whose margin is within rounding of 0 are not handled equivariantly.
        """
        return self.canonicaliser.margin(arguments_tree(args, kwargs), self.symmetry, self.context)

    def prior_loss(self, *args: Any, **kwargs: Any) -> Tensor:
        """How far the poses of these inputs are from the prior; a scalar to add to the loss."""
        return self.canonicaliser.prior_loss(
            arguments_tree(args, kwargs), self.symmetry, self.context
        )


def check_margins(margins: Tensor, least: float) -> None:
    """Raise unless all margins are above the least.

    Raises:
        InputError: one is not, or is not a number.
    """
    tied = (~(margins > least)).nonzero()[:, 0]
    if len(tied):
        first = int(tied[0])
        raise InputError(
            f"the poses of {len(tied)} of {len(margins)} samples, sample {first} the first, "
            f"are not determined (margin {float(margins[first]):.1e}, expected more than "
            f"{least:g}), so that outputs are not equivariant there; leave them out, or average "
            "over poses by FrameAverage, OrbitAverage or ScoringCanonicaliser(choice='soft')"
        )

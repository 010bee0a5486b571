"""A learned choice among the elements of a finite group."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.nn.canonicalised import Canonicaliser
from goldstone.nn.orbit_elements import whole_group
from goldstone.nn.symmetrised import Posed, weighted_sum

Choice = Literal["straight-through", "soft"]
"""How poses are chosen by their probabilities: the likeliest alone, with the gradient of the
mixture, or all."""


class ScoringCanonicaliser(Canonicaliser):
    """p(g | x) = softmax_g s(g⁻¹·x)/τ with a small network s; h(x) is the likeliest element.

    p is equivariant for any network, p(hg | hx) = p(g | x) (Kaba et al. 2023, by scoring
    transformed inputs).

    - ``straight-through``: the model sees the likeliest pose alone, one evaluation; backwards the
      choice counts as the mixture Σ_g p(g|x) g⁻¹·x of inputs and Σ_g p(g|x) g·y of outputs, so
      that s is trained with the model (integers of an input are chosen, without a gradient).
    - ``soft``: f̄(x) = Σ_g p(g|x) g·f(g⁻¹x), |G| evaluations; the gradient is exact, nothing ever
      ties, and symmetric inputs are handled too.

    Args:
        network: s, from a batch of inputs to one score for each sample, (n,) or (n, 1); inputs go
            to it as to the model. Batch normalisation in training mode sees all poses together,
            which keeps it equivariant.
        choice: see above.
        temperature: τ > 0.
        prior: for :meth:`prior_loss`, a probability for each element in the group's order; by
            default all at the identity, which makes the loss −log p(e | x).

    Raises:
        InputError: an unknown choice, a temperature that is not positive, or a prior that is no
            distribution; when called, a group that is not finite or has more than 1,024 elements,
            or other scores.
    """

    def __init__(
        self,
        network: nn.Module,
        choice: Choice = "straight-through",
        temperature: float = 1.0,
        prior: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if choice not in get_args(Choice):
            raise InputError(f"expected one of {', '.join(get_args(Choice))}, got {choice!r}")
        if not temperature > 0:
            raise InputError(f"expected a temperature above 0, got {temperature}")
        if prior is not None and (min(prior) < 0 or abs(sum(prior) - 1) > 1e-6):
            raise InputError(f"expected probabilities that sum to 1, got {prior!r:.200}")
        self.network = network
        self.choice = choice
        self.prior = None if prior is None else tuple(prior)
        self.temperature = temperature

    def forward(self, x: Tree, symmetry: Symmetry, context: Context) -> Posed:
        """The chosen poses and the way back."""
        elements = whole_group(symmetry.group)
        poses = self._poses(x, symmetry, context)
        weights = self._scores(poses, len(elements)).softmax(0)
        after = context.at(context.step + 1)
        moves = symmetry.on_output
        if self.choice == "soft":

            def gather(y: Tree) -> Tree:
                n = weights.shape[1]
                back = [
                    moves.act(g, trees.take(y, slice(k * n, (k + 1) * n)), after)
                    for k, g in enumerate(elements)
                ]
                mixed = trees.concatenate(back)
                return trees.map_leaves(lambda leaf: weighted_sum(leaf, weights), mixed)

            return Posed(poses, gather)

        def restore(y: Tree) -> Tree:
            back = trees.concatenate([moves.act(g, y, after) for g in elements])
            return trees.map_leaves(lambda leaf: _select(leaf, weights), back)

        return Posed(trees.map_leaves(lambda leaf: _select(leaf, weights), poses), restore)

    def probabilities(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """p(g | x), (n, |G|), the elements in the group's order."""
        count = len(whole_group(symmetry.group))
        return self._scores(self._poses(x, symmetry, context), count).softmax(0).mT

    def margin(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """The probability of the likeliest element less that of the next, (n,)."""
        best = self.probabilities(x, symmetry, context).topk(2, -1).values
        return best[:, 0] - best[:, 1]

    def prior_loss(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """KL(prior ‖ p(· | x)), averaged over the samples; a scalar.

        Raises:
            InputError: the prior is no distribution over the group.
        """
        elements = whole_group(symmetry.group)
        log_p = self._scores(self._poses(x, symmetry, context), len(elements)).log_softmax(0)
        if self.prior is None:
            return -log_p[elements.index(symmetry.group.identity)].mean()
        if len(self.prior) != len(elements):
            raise InputError(
                f"expected a prior probability for each of {len(elements)} elements of "
                f"{symmetry.group.name}, got {len(self.prior)}"
            )
        prior = log_p.new_tensor(self.prior)
        entropy: Tensor = torch.special.entr(prior).sum()
        return -(prior @ log_p).mean() - entropy

    def _poses(self, x: Tree, symmetry: Symmetry, context: Context) -> Tree:
        """g⁻¹·x, one element after the other."""
        group = symmetry.group
        inverses = [group.inverse(g) for g in whole_group(group)]
        moved = [symmetry.on_input.act(g, x, context) for g in inverses]
        return trees.contiguous(trees.concatenate(moved))

    def _scores(self, poses: Tree, count: int) -> Tensor:
        """s(g⁻¹·x)/τ, (|G|, n)."""
        scores = trees.call_model(self.network, poses)
        total = trees.batch_size(poses)
        if not isinstance(scores, Tensor) or scores.shape not in ((total,), (total, 1)):
            raise InputError(
                f"the scoring network gives one score for each sample, (n,) or (n, 1); expected "
                f"{total} of them, got {trees.describe(scores)}"
            )
        rows: Tensor = scores.reshape(count, -1) / self.temperature
        return rows


def _select(leaf: Tensor, weights: Tensor) -> Tensor:
    """The likeliest of tensors that lie pose by pose, (k·n, …) → (n, …), exactly as it is."""
    k, n = weights.shape
    rows = leaf.reshape(k, n, *leaf.shape[1:])
    picked = rows[weights.argmax(0), torch.arange(n, device=leaf.device)]
    if not (trees.is_continuous(leaf) and weights.requires_grad):
        return picked
    slope = weights - weights.detach()
    shape = (k, n) + (1,) * (leaf.ndim - 1)
    # Zero in value; its gradient is that of the mixture in the probabilities.
    return picked + (rows.detach() * slope.reshape(shape).to(leaf.dtype)).sum(0)

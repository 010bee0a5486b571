"""Averaging a model over the orbit of its input."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree
from goldstone.groups import FiniteGroup
from goldstone.nn.orbit_elements import listed_elements, uniform_elements
from goldstone.nn.symmetrised import CONTEXT, Posed, SymmetrisedModel, check_averaged


class OrbitAverage(SymmetrisedModel):
    """f̄(x) = |S|⁻¹ Σ_{g ∈ S} g⁻¹ · f(g·x): the Reynolds operator on a whole model.

    Over a finite group f̄ is exactly equivariant, and of all equivariant functions it is the one
    nearest to f: on data whose distribution the group keeps, and outputs it moves by unitary
    matrices, ‖f − y‖² = ‖f̄ − y‖² + ‖f − f̄‖² for equivariant targets y (Elesedy & Zaidi 2021,
    "Provably strict generalisation benefit for equivariant models"), so averaging at test
    time never costs accuracy there. A model that is equivariant already stays as it is.

    Haar samples give a Monte Carlo estimate, whose equivariance error falls as |S|^(−1/2). They are
    a fixed quadrature, drawn once from ``seed``; with ``fresh=True`` every call in training mode
    draws new ones, an unbiased estimate, while eval mode keeps the fixed ones.

    The model sees all poses as one batch of |S| · n samples: batch normalisation in training mode
    takes its statistics over the whole orbit, which keeps the average exact.

    Args:
        model: any module.
        symmetry: how inputs and outputs move; outputs are averaged as the model returns them, so a
            classifier's logits, unless it ends in a softmax.
        elements: None for all of a finite group of at most 1,024 elements; a number of uniform
            ones of a compact group; or a list, exact if it is a subgroup, for that subgroup.
        seed: of the uniform elements.
        fresh: draw new ones at every call in training mode; only with a number.
        context, largest_batch: see :class:`SymmetrisedModel`.

    Raises:
        InputError: a group that is infinite, large or not compact without a choice of elements; an
            element outside the group; fresh elements without a number; or, when called, outputs of
            integers.
    """

    def __init__(
        self,
        model: nn.Module,
        symmetry: Symmetry,
        elements: Sequence[Any] | int | None = None,
        *,
        seed: int = 0,
        fresh: bool = False,
        context: Context = CONTEXT,
        largest_batch: int | None = None,
    ) -> None:
        super().__init__(model, symmetry, context=context, largest_batch=largest_batch)
        if fresh and not isinstance(elements, int):
            raise InputError("fresh=True needs the number of elements to draw, such as elements=8")
        self.elements = listed_elements(symmetry.group, elements, seed)
        self.fresh = fresh
        self.seed = seed
        self._draws = 0

    @property
    def is_exact(self) -> bool:
        """Whether the elements make up the whole group, so that the average is equivariant."""
        group = self.symmetry.group
        if not isinstance(group, FiniteGroup):
            return False
        return len(self.elements) == len(set(self.elements)) == group.order

    def pose(self, x: Tree) -> Posed:
        """Every g·x, one element after the other, and the mean of g⁻¹·y."""
        group, chosen = self.symmetry.group, self._chosen()
        moved = [self.symmetry.on_input.act(g, x, self.context) for g in chosen]

        def restore(y: Tree) -> Tree:
            outputs = _split(y, len(chosen))
            after = self.output_context
            on_output = self.symmetry.on_output
            back = [
                on_output.act(group.inverse(g), part, after)
                for g, part in zip(chosen, outputs, strict=True)
            ]
            return trees.map_leaves(_mean, back[0], *back[1:])

        return Posed(trees.concatenate(moved), restore)

    def _chosen(self) -> tuple[Any, ...]:
        if not (self.fresh and self.training):
            return self.elements
        group = self.symmetry.group
        self._draws += 1
        rng = generator(self.seed, "fresh elements", self._draws)
        return group.values(uniform_elements(group, len(self.elements), rng))

    def extra_repr(self) -> str:
        kind = "exact" if self.is_exact else "fresh in training" if self.fresh else "fixed"
        return f"{self.symmetry.group.name}, {len(self.elements)} elements, {kind}"


def _mean(*parts: Tensor) -> Tensor:
    check_averaged(parts[0])
    return torch.stack(parts).mean(0)


def _split(y: Tree, count: int) -> list[Tree]:
    """The outputs of each element."""
    n = trees.batch_size(y) // count
    return [trees.take(y, slice(k * n, (k + 1) * n)) for k in range(count)]

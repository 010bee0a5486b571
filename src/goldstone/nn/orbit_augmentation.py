"""Data augmentation by group elements that move inputs and targets together."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree
from goldstone.nn.moving_each import move_each
from goldstone.nn.orbit_elements import check_compact, listed_elements, uniform_elements
from goldstone.nn.symmetrised import CONTEXT

Sampler = Callable[[int, torch.Generator], Tensor]
"""Draws so many elements of a group by a generator, (count, *element_shape)."""


class OrbitAugmentation:
    """(x, y) ↦ (g·x, g·y) with a random g for every sample.

    Vectors turn, and targets move by ``symmetry.target_action``. As a batch transform::

        augment = OrbitAugmentation(symmetry, seed=0)
        for x, y in loader:
            x, y = augment(x, y)

    and for a data set by :class:`AugmentedDataset`. Linear actions, point clouds and permutations
    move all samples at once; others those of each distinct element together, so that a finite group
    costs at most one move per element and batch.

    Draws come from a generator of its own: one seed gives the same draws in the same order. In a
    worker of a ``DataLoader``, as part of a ``collate_fn``, they follow from this seed and that
    which the loader gives the worker in each epoch, so that workers differ; a seeded loader with as
    many workers repeats them. :class:`AugmentedDataset` repeats them for any number of workers.

    Args:
        symmetry: how inputs and targets move.
        elements: None for uniform elements of a finite or compact group, the identity among them;
            a list to draw from with equal chance, such as small rotations or shifts; a number, for
            that many uniform elements drawn once; or a function (count, generator) → elements
            (count, *element_shape), for any other distribution, such as rotations with shifts from
            a box, of groups that are not compact.
        seed: of the draws.
        context: the frame of the inputs; targets lie one model step later.

    Raises:
        InputError: a group that is not compact without a list or function, or an element outside
            the group.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        elements: Sequence[Any] | int | Sampler | None = None,
        *,
        seed: int = 0,
        context: Context = CONTEXT,
    ) -> None:
        self.symmetry = symmetry
        self.context = context
        self.seed = seed
        self._choices: Tensor | None = None
        self._sampler: Sampler | None = None
        if elements is None:
            check_compact(symmetry.group)
        elif callable(elements):
            self._sampler = elements
        else:
            listed = listed_elements(symmetry.group, elements, seed)
            self._choices = symmetry.group.tensor(listed)
        self._generator = generator(seed, "augmentation")
        self._worker_seed: int | None = None

    def draw(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        """Random elements, (count, *element_shape), from ``rng`` or the generator of its own."""
        rng = self._stream() if rng is None else rng
        if self._sampler is not None:
            return self._drawn(self._sampler(count, rng), count)
        if self._choices is None:
            return uniform_elements(self.symmetry.group, count, rng)
        places = torch.randint(
            len(self._choices), (count,), generator=rng, device=rng.device, dtype=torch.int64
        )
        return self._choices[places.cpu()]

    def _drawn(self, elements: Tensor, count: int) -> Tensor:
        """What the sampler gave, checked."""
        group = self.symmetry.group
        group.check_contains(elements)
        if elements.shape != (count, *group.element_shape):
            raise InputError(
                f"expected {count} elements of {group.name}, (count, *element_shape) = "
                f"{(count, *group.element_shape)}, from the sampler, got {tuple(elements.shape)}"
            )
        return elements

    def move(self, elements: Tensor, inputs: Tree, targets: Tree = None) -> Tree:
        """(g_i·x_i, g_i·y_i), or g_i·x_i without targets, for given elements, one a sample."""
        group = self.symmetry.group
        moved = move_each(self.symmetry.on_input, group, elements, inputs, self.context)
        if targets is None:
            return moved
        after = self.context.at(self.context.step + 1)
        action = self.symmetry.target_action
        return moved, move_each(action, group, elements, targets, after)

    def __call__(self, inputs: Tree, targets: Tree = None) -> Tree:
        """Move a batch: (inputs, targets), or inputs alone, with a random element each.

        Raises:
            InputError: inputs and targets are of different numbers of samples, or their action
                cannot move them.
        """
        n = trees.batch_size(inputs)
        if targets is not None and trees.batch_size(targets) != n:
            raise InputError(
                f"expected as many targets as inputs, got {trees.batch_size(targets)} for {n}"
            )
        return self.move(self.draw(n), inputs, targets)

    def _stream(self) -> torch.Generator:
        worker = get_worker_info()
        # A worker holds a copy of the generator; the loader seeds workers anew in every epoch.
        if worker is not None and worker.seed != self._worker_seed:
            self._worker_seed = worker.seed
            self._generator = generator(self.seed, "augmentation", worker.seed)
        return self._generator

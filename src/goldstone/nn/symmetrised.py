"""What all wrappers of whole models share: pose the input, run the model, move the output back."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.nn.moving_each import move_each

CONTEXT = Context()


@dataclass(frozen=True)
class Posed:
    """A batch brought into other poses.

    Attributes:
        inputs: what the model sees: samples in one or several poses.
        restore: from the model's outputs of these to one output for each sample.
    """

    inputs: Tree
    restore: Callable[[Tree], Tree]


class SymmetrisedModel(nn.Module, ABC):
    """A model made equivariant from outside: x is posed, the model runs, its output moves back.

    The model is the submodule ``model``: its parameters and buffers are those of the wrapper under
    the prefix ``model.``, so that ``wrapper.model.load_state_dict(saved)`` takes a checkpoint of
    the bare model. Call it as the model is called: with one or several positional arguments, or
    with keyword arguments; several arguments are moved as a tuple or dict, by a
    :class:`goldstone.actions.TreeAction`.

    Args:
        model: any module that maps batches to batches, sample axis first.
        symmetry: how inputs and outputs move.
        context: the frame of the inputs; outputs lie one model step later.
        largest_batch: the most samples that go through the model together, to save memory; all at
            once by default.

    Raises:
        InputError: ``largest_batch`` is less than 1, or the context is that of a ragged batch.
    """

    def __init__(
        self,
        model: nn.Module,
        symmetry: Symmetry,
        *,
        context: Context = CONTEXT,
        largest_batch: int | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise InputError(f"expected a torch.nn.Module to wrap, got {model!r:.100}")
        if largest_batch is not None and largest_batch < 1:
            raise InputError(f"expected a largest batch of 1 or more, got {largest_batch}")
        if context.batch is not None:
            raise InputError("ragged batches cannot be posed; pad the samples to one size")
        self.model = model
        self.symmetry = symmetry
        self.context = context
        self.largest_batch = largest_batch

    @property
    def output_context(self) -> Context:
        """The frame of the outputs: one model step after the inputs."""
        return self.context.at(self.context.step + 1)

    @abstractmethod
    def pose(self, x: Tree) -> Posed:
        """The poses in which the model sees a batch, and the way back."""

    def forward(self, *args: Any, **kwargs: Any) -> Tree:
        """The symmetrised model's output, called as the model is."""
        posed = self.pose(arguments_tree(args, kwargs))
        return posed.restore(self._run(posed.inputs, args, kwargs))

    def _run(self, inputs: Tree, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tree:
        size = self.largest_batch
        parts = [inputs] if size is None else trees.chunks(inputs, size)
        return trees.concatenate([self._call(part, args, kwargs) for part in parts])

    def _call(self, inputs: Tree, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tree:
        # Turned states are not contiguous, and models may view them in other shapes.
        inputs = trees.contiguous(inputs)
        if kwargs:
            return self.model(**inputs)
        return self.model(*inputs) if len(args) > 1 else self.model(inputs)

    def _weighted(self, x: Tree, elements: Tensor, weights: Tensor) -> Posed:
        """Σ_k w_k g_k f(g_k⁻¹ x): elements (n, k, *element_shape), weights (n, k), both by sample.

        The samples of one pose lie side by side.
        """
        group = self.symmetry.group
        n, k = weights.shape
        # Pose by pose, so that a batch of samples stays together.
        flat = elements.movedim(1, 0).reshape(k * n, *group.element_shape)
        repeated = trees.concatenate([x] * k)
        action, output = self.symmetry.on_input, self.symmetry.on_output
        inputs = move_each(action, group, group.inverse(flat), repeated, self.context)

        def restore(y: Tree) -> Tree:
            back = move_each(output, group, flat, y, self.output_context)
            return trees.map_leaves(lambda leaf: weighted_sum(leaf, weights.mT), back)

        return Posed(inputs, restore)


def weighted_sum(leaf: Tensor, weights: Tensor) -> Tensor:
    """Σ_k w[k, n] y[k·n, …] of outputs that lie pose by pose: (n, …).

    Raises:
        InputError: the outputs are integers.
    """
    check_averaged(leaf)
    k, n = weights.shape
    rows = leaf.reshape(k, n, *leaf.shape[1:])
    shape = (k, n) + (1,) * (leaf.ndim - 1)
    return (rows * weights.reshape(shape).to(leaf.device, leaf.dtype)).sum(0)


def check_averaged(leaf: Tensor) -> None:
    """Raise unless a tensor holds numbers that have a mean.

    Raises:
        InputError: it holds integers or truth values.
    """
    if not trees.is_continuous(leaf):
        raise InputError(
            f"outputs of dtype {leaf.dtype} have no mean: let the model return scores or "
            "probabilities, and choose among them after the wrapper"
        )


def arguments_tree(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tree:
    """The arguments of a call as one tree: that of a single one, a tuple, or a dict by keywords.

    Raises:
        InputError: there are none, or both kinds.
    """
    if bool(args) == bool(kwargs):
        raise InputError(
            "expected the model's inputs as positional arguments or all by keyword, got "
            f"{len(args)} positional and {len(kwargs)} keyword arguments"
        )
    return kwargs or (args[0] if len(args) == 1 else args)

"""Models on tuples and dicts of tensors, as the functions of this package take them."""

from dataclasses import dataclass

from torch import Tensor, nn

from goldstone.core import trees
from goldstone.core.trees import Tree


@dataclass(frozen=True, eq=False)
class TreeBatch:
    """Samples of a tree of tensors: a length and slices, as a tensor of samples has them."""

    tree: Tree

    def __len__(self) -> int:
        return trees.batch_size(self.tree)

    def __getitem__(self, index: slice) -> "TreeBatch":
        return TreeBatch(trees.take(self.tree, index))


class TreeModel(nn.Module):
    """A model that takes a :class:`TreeBatch`, or tensors, and calls the given one.

    With ``flat`` its outputs are real vectors (n, numbers), whatever those of the model are.
    """

    def __init__(self, model: nn.Module, *, flat: bool = False) -> None:
        super().__init__()
        self.model = model
        self.flat = flat
        # Modules start in training mode; this one must not change the model's.
        self.training = model.training

    def forward(self, batch: TreeBatch | Tensor) -> Tree:
        """Unpack, call, and flatten if asked."""
        tree = batch.tree if isinstance(batch, TreeBatch) else batch
        output = trees.call_model(self.model, tree)
        return trees.flat(output) if self.flat else output

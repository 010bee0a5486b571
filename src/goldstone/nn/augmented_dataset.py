"""A data set whose samples are moved by random group elements."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from goldstone.actions import TrivialAction
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree
from goldstone.nn.orbit_augmentation import OrbitAugmentation


class SizedDataset(Protocol):
    """A map-style data set: samples by number."""

    def __getitem__(self, index: int, /) -> Any: ...

    def __len__(self) -> int: ...


class AugmentedDataset(Dataset[Any]):
    """Sample i of epoch e is (g·x_i, g·y_i) with g drawn from (seed, e, i).

    The same sample is drawn whatever the number of workers, their order and the batches. Call
    ``set_epoch`` before each epoch for new elements; workers that persist see it too.

    Args:
        samples: a map-style data set of pairs (x, y), or of x alone, each a tensor or a tree of
            tensors without a batch axis; targets that do not move may be anything.
        augmentation: what moves them.

    Raises:
        InputError: when read, a sample is neither a tensor nor a pair.
    """

    def __init__(
        self, samples: SizedDataset | Sequence[Any], augmentation: OrbitAugmentation
    ) -> None:
        self.samples = samples
        self.augmentation = augmentation
        # In shared memory, so that persistent workers see a new epoch.
        epoch: Any = torch.zeros((), dtype=torch.int64)
        self._epoch = epoch.share_memory_()

    def __len__(self) -> int:
        return len(self.samples)

    def set_epoch(self, epoch: int) -> None:
        """Number the epoch: other elements are drawn."""
        self._epoch.fill_(epoch)

    def __getitem__(self, index: int) -> Any:
        index = range(len(self))[index]
        sample = self.samples[index]
        augmentation = self.augmentation
        rng = generator(augmentation.seed, "augmented data set", int(self._epoch), index)
        element = augmentation.draw(1, rng)
        if isinstance(sample, Tensor):
            return _single(augmentation.move(element, _batch(sample)))
        if not isinstance(sample, (tuple, list)) or len(sample) != 2:
            raise InputError(
                "expected samples that are tensors x or pairs (x, y), got "
                f"{type(sample).__name__} from the data set"
            )
        x, y = sample
        if isinstance(augmentation.symmetry.target_action, TrivialAction):
            return _single(augmentation.move(element, _batch(x))), y
        moved, target = augmentation.move(element, _batch(x), _batch(y))
        return _single(moved), _single(target)


def _batch(sample: Tree) -> Tree:
    return trees.map_leaves(lambda leaf: leaf[None], _tensors(sample))


def _single(batch: Tree) -> Tree:
    return trees.map_leaves(lambda leaf: leaf[0], batch)


def _tensors(sample: Any) -> Tree:
    """Numbers, such as class labels that permute, as tensors."""
    return torch.as_tensor(sample) if isinstance(sample, (int, float)) else sample

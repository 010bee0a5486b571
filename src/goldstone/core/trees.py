"""Batches that are a tensor, or tuples, lists and dicts of tensors, sample axis first."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core.errors import InputError

Tree = Any
"""A tensor, or tuples, lists and dicts of trees."""


def leaves(tree: Tree) -> list[Tensor]:
    """The tensors of a tree in order.

    Raises:
        InputError: something in it is neither a tensor nor a tuple, list or dict.
    """
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    raise InputError(
        f"expected a tensor, or tuples, lists and dicts of tensors, got a {type(tree).__name__}"
    )


def map_leaves(function: Callable[..., Tensor], tree: Tree, *others: Tree) -> Tree:
    """``function`` of corresponding tensors of trees of one structure.

    Raises:
        InputError: the trees differ in structure.
    """
    if isinstance(tree, Tensor):
        return function(tree, *others)
    for other in others:
        if type(other) is not type(tree) or _keys(other) != _keys(tree):
            raise InputError(
                f"expected trees of one structure, got {describe(tree)} and {describe(other)}"
            )
    if isinstance(tree, dict):
        return {
            key: map_leaves(function, part, *(other[key] for other in others))
            for key, part in tree.items()
        }
    if isinstance(tree, (tuple, list)):
        parts = [map_leaves(function, *parts) for parts in zip(tree, *others, strict=True)]
        # A named tuple takes its fields one by one.
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    raise InputError(
        f"expected a tensor, or tuples, lists and dicts of tensors, got a {type(tree).__name__}"
    )


def _keys(tree: Tree) -> Any:
    return list(tree) if isinstance(tree, dict) else len(tree) if hasattr(tree, "__len__") else None


def describe(tree: Tree) -> str:
    """Shapes of the tree's tensors, for messages."""
    if isinstance(tree, Tensor):
        return str(tuple(tree.shape))
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {describe(part)}" for key, part in tree.items()) + "}"
    if isinstance(tree, (tuple, list)):
        return "(" + ", ".join(describe(part) for part in tree) + ")"
    return type(tree).__name__


def batch_size(tree: Tree) -> int:
    """Number of samples, the size of every tensor's first axis.

    Raises:
        InputError: there is no tensor, one has no axis, or they disagree.
    """
    # In a list: while a graph is exported sizes are symbols, which have no hash.
    sizes = [leaf.shape[0] if leaf.ndim else None for leaf in leaves(tree)]
    first = sizes[0] if sizes else None
    if first is None or any(size is None or size != first for size in sizes):
        raise InputError(f"expected one number of samples in first place, got {describe(tree)}")
    return first


def take(tree: Tree, index: Any) -> Tree:
    """The samples at ``index``, a slice or a tensor of indices."""
    return map_leaves(lambda leaf: leaf[index], tree)


def concatenate(trees: Sequence[Tree]) -> Tree:
    """Batches of one structure, one after another."""
    if isinstance(trees[0], Tensor):
        return torch.cat(list(trees))
    return map_leaves(lambda *parts: torch.cat(parts), trees[0], *trees[1:])


def chunks(tree: Tree, size: int) -> list[Tree]:
    """The tree's samples in batches of at most ``size``."""
    return [take(tree, slice(i, i + size)) for i in range(0, batch_size(tree), size)]


def place(tree: Tree, device: torch.device, dtype: torch.dtype) -> Tree:
    """On the device; floating-point tensors in ``dtype``, complex ones of its precision."""

    def one(leaf: Tensor) -> Tensor:
        if leaf.is_inference():
            # One made under torch.inference_mode could not take part in a gradient.
            leaf = leaf.clone()
        if leaf.is_complex():
            paired = torch.complex128 if dtype == torch.float64 else torch.complex64
            return leaf.to(device=device, dtype=paired).contiguous()
        if leaf.is_floating_point():
            return leaf.to(device=device, dtype=dtype).contiguous()
        return leaf.to(device).contiguous()

    return map_leaves(one, tree)


def contiguous(tree: Tree) -> Tree:
    """Each tensor laid out in the order of its axes; itself if it is already."""
    return map_leaves(Tensor.contiguous, tree)


def at_least_single(tree: Tree) -> Tree:
    """Half-precision tensors made float32, whose squares neither vanish nor overflow."""

    def one(leaf: Tensor) -> Tensor:
        return leaf.float() if leaf.dtype in (torch.float16, torch.bfloat16) else leaf

    return map_leaves(one, tree)


def flat(tree: Tree) -> Tensor:
    """Every sample as one real vector, (n, numbers); complex numbers as pairs, integers as floats.

    The order is that of :func:`leaves`.
    """
    rows = []
    for leaf in leaves(tree):
        real = torch.view_as_real(leaf) if leaf.is_complex() else leaf
        real = real if real.is_floating_point() else real.to(torch.get_default_dtype())
        rows.append(real.reshape(len(leaf), -1))
    return rows[0] if len(rows) == 1 else torch.cat(rows, 1)


def equal(a: Tree, b: Tree) -> bool:
    """Whether two trees of one structure hold the same numbers, bit by bit or both NaN."""
    pairs = zip(leaves(a), leaves(b), strict=True)
    return all(bool(((x == y) | ((x != x) & (y != y))).all()) for x, y in pairs)


def same_shapes(a: Tree, b: Tree) -> bool:
    """Whether two batches have one structure and samples of equal shapes and kinds.

    Integers, such as labels and tokens, are of another kind than real and complex numbers.
    """
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape[1:] == b.shape[1:] and is_continuous(a) == is_continuous(b)
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return False
    if type(a) is not type(b) or _keys(a) != _keys(b):
        return False
    parts = a.values() if isinstance(a, dict) else a
    others = b.values() if isinstance(b, dict) else b
    return all(same_shapes(x, y) for x, y in zip(parts, others, strict=True))


def is_continuous(tensor: Tensor) -> bool:
    """Whether it holds real or complex numbers, not integers or truth values."""
    return tensor.is_floating_point() or tensor.is_complex()


def call_model(model: nn.Module | Callable[..., Tree], inputs: Tree) -> Tree:
    """``model(x)``, ``model(*inputs)`` of a tuple or list, ``model(**inputs)`` of a dict.

    An output object that is a mapping, as Hugging Face's models return it, counts as its only
    tensor, or as a dict where it has several; entries that hold no tensors (caches, None) are left
    out. Dicts stay as they are. Inputs are made contiguous first, since turned and flipped ones are
    not, and models may view them in other shapes.
    """
    inputs = contiguous(inputs)
    if isinstance(inputs, dict):
        return _plain(model(**inputs))
    return _plain(model(*inputs) if isinstance(inputs, (tuple, list)) else model(inputs))


def _plain(output: Any) -> Tree:
    if not isinstance(output, Mapping) or type(output) is dict:
        return output
    if type(output) is OrderedDict:
        return dict(output)
    entries = {key: part for key, part in output.items() if _is_tree(part)}
    parts = list(entries.values())
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Tensor) else entries


def _is_tree(part: Any) -> bool:
    if isinstance(part, dict):
        part = tuple(part.values())
    if isinstance(part, (tuple, list)):
        return bool(part) and all(map(_is_tree, part))
    return isinstance(part, Tensor)

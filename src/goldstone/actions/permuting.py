"""Permutations of nodes, points, tokens and classes."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.context import Context
from goldstone.core import InputError
from goldstone.groups.permutations import permutation_mask
from goldstone.representations import Representation


@dataclass(frozen=True)
class AxisPermutation:
    """(g·x) at g(i) is x at i, along each of the given axes: what is at i goes to g(i).

    An element is a permutation: the images (g(0), …, g(n − 1)), as a tuple or an integer tensor, of
    a symmetric group or a subgroup of one. States may have any dtype.

    Node features (batch, node, feature) move along axis 1, an adjacency matrix or edge features
    (batch, node, node, …) along (1, 2), the points of a cloud along 1, tokens along 1.

    Ragged batches, whose nodes lie one graph after the other along an axis with
    ``context.batch`` naming the graph of each: a permutation has to keep each node in its graph.
    """

    axes: tuple[int, ...] = (1,)

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Permute x.

        Raises:
            InputError: the element is no permutation, x has another size along an axis, or a
                permutation carries nodes from one graph of a ragged batch to another.
        """
        images = permutation_images(element, x.device)
        check_batch(images, context)
        source = images.argsort()
        for axis in self.axes:
            if not -x.ndim <= axis < x.ndim or x.shape[axis] != len(images):
                raise InputError(
                    f"a permutation of {len(images)} points needs as many entries along axis "
                    f"{axis}, got a tensor of shape {tuple(x.shape)}"
                )
            x = x.index_select(axis, source)
        return x


@dataclass(frozen=True)
class RelabelAction:
    """g·x = g(x): integers that name points become the names of their images.

    For edge lists (2, edge) of node numbers, whose edges stay in their order, class labels and
    tokens. Negative numbers, such as a label to be ignored or padding, stay.

    Attributes:
        representation: permutes the names when the group is not itself one of permutations, such
            as :class:`goldstone.representations.PermutationRepresentation`.
    """

    representation: Representation | None = None

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Rename the entries of x.

        Raises:
            InputError: x holds no integers, or of a dtype too small, or one that names no point; or
                the element is no permutation.
        """
        if x.is_floating_point() or x.is_complex() or x.dtype is torch.bool:
            raise InputError(f"expected integers that name points, got {x.dtype}")
        images = images_under(self.representation, element, x.device)
        check_batch(images, context)
        if x.numel() and int(x.max()) >= len(images):
            raise InputError(
                f"expected numbers below {len(images)}, the number of points permuted, got "
                f"{int(x.max())}"
            )
        if len(images) - 1 > torch.iinfo(x.dtype).max:
            raise InputError(
                f"the names of {len(images)} points exceed {x.dtype}; call .long() first"
            )
        return torch.where(x < 0, x, images.to(x.dtype)[x.clamp(min=0).long()])


@dataclass(frozen=True)
class ClassPermutation:
    """Class labels and class scores under a permutation of the classes.

    Integers are relabelled, c ↦ g(c); scores, logits or one-hot rows, as floats, are permuted along
    ``axis``, so that the score of class c becomes that of g(c). An image flip that exchanges
    ``left`` and ``right`` acts on labels in this way; labels that stay take
    :class:`goldstone.actions.TrivialAction`.

    Attributes:
        representation: a :class:`goldstone.representations.PermutationRepresentation` on classes.
        axis: the axis of the classes.
    """

    representation: Representation
    axis: int = -1

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Permute labels (integers) or scores (floats).

        Raises:
            InputError: the labels or the number of classes do not fit.
        """
        # The batch index in the context is about nodes, not about classes.
        if x.is_floating_point() or x.is_complex():
            images = images_under(self.representation, element, x.device)
            permuted = AxisPermutation((self.axis,))
            return permuted.act(images, x, Context())
        return RelabelAction(self.representation).act(element, x, Context())


def permutation_images(element: Any, device: torch.device) -> Tensor:
    """The images of a permutation, (n,), checked.

    Raises:
        InputError: the element is no permutation.
    """
    try:
        images = torch.as_tensor(element, device=device)
    except (TypeError, ValueError, RuntimeError):
        images = torch.zeros(())
    if images.ndim != 1 or images.dtype != torch.int64 or not bool(permutation_mask(images)):
        shown = f"a tensor of shape {tuple(element.shape)}" if isinstance(element, Tensor) else None
        raise InputError(
            "expected a permutation of n points, each of 0 … n − 1 once in a tuple or an int64 "
            f"tensor, got {shown or repr(element)}"
        )
    return images


def images_under(representation: Representation | None, element: Any, device: Any) -> Tensor:
    """The images of the points under an element, by a representation if one is given.

    Raises:
        InputError: the element lies outside the group or is no permutation, or the representation
            does not permute.
    """
    if representation is None:
        return permutation_images(element, device)
    matrix = representation.matrix(element).to(device)
    images = matrix.abs().argmax(-2)
    expected = torch.eye(len(images), dtype=matrix.dtype, device=device)[images].mT
    if not torch.equal(matrix, expected):
        raise InputError(
            f"expected a representation by permutations, but {type(representation).__name__} of "
            f"{representation.group.name} is none"
        )
    return images


def check_batch(images: Tensor, context: Context) -> None:
    """Raise if a permutation carries a node of a ragged batch to another graph.

    Raises:
        InputError: it does, or permutes another number of nodes.
    """
    if context.batch is None:
        return
    batch = context.batch.to(images.device)
    if len(batch) != len(images) or not torch.equal(batch[images], batch):
        raise InputError(
            f"a permutation of a ragged batch of {len(batch)} nodes has to keep each of them in "
            f"its graph, got one of {len(images)} points that does not; ragged_permutations(batch) "
            "is the group that does"
        )

"""A loss on unlabelled data: predictions agree over the orbit."""

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.nn.moving_each import move_each
from goldstone.nn.symmetrised import CONTEXT


def orbit_agreement_loss(
    model: nn.Module,
    inputs: Tree,
    symmetry: Symmetry,
    elements: Tensor,
    *,
    stop_gradient: bool = True,
    context: Context = CONTEXT,
) -> Tensor:
    """Σ_i ‖f(g_i x_i) − g_i f(x_i)‖² / Σ_i ‖g_i f(x_i)‖²: 0 for an equivariant model.

    The size of the predictions is divided out, so shrinking them does not help. A model that
    predicts the same, unmoved by the group, everywhere has loss 0 too: use it beside a loss on
    labelled data, not alone.

    Args:
        model: f.
        inputs: n unlabelled samples: a tensor, sample axis first, or a tree (a tuple goes to the
            model as positional arguments, a dict as keyword arguments).
        symmetry: how inputs and outputs move.
        elements: one for each sample, (n, *element_shape), such as ``OrbitAugmentation.draw(n)``.
        stop_gradient: take g f(x) as a fixed target, so that only f(g x) is pulled towards it; it
            costs one backward pass instead of two. Otherwise both are pulled together.
        context: the frame of the inputs; outputs lie one model step later.

    Returns:
        A scalar.

    Raises:
        InputError: outputs of integers, or another number of elements.
    """
    group = symmetry.group
    moved = move_each(symmetry.on_input, group, elements, inputs, context)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not stop_gradient):
        plain = trees.call_model(model, inputs)
        after = context.at(context.step + 1)
        target = move_each(symmetry.on_output, group, elements, plain, after)
    predicted = trees.call_model(model, moved)
    if not all(trees.is_continuous(leaf) for leaf in trees.leaves(predicted)):
        raise InputError(
            "a loss needs outputs of floating-point numbers; let the model return scores"
        )
    size = trees.flat(target).square().sum()
    gap = (trees.flat(predicted) - trees.flat(target)).square().sum()
    return gap / size.clamp_min(torch.finfo(size.dtype).tiny)

"""Orbit coherence as a differentiable term of a loss, to raise or lower it while training."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from goldstone.actions import Context, Symmetry
from goldstone.auditing.named_elements import as_elements
from goldstone.auditing.probe_fields import moved_covectors
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.curvature import TreeBatch, TreeModel, trainable_parameters

_STILL = Context()
_BATCH_DEPENDENT = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


def orbit_coherence_penalty(
    model: nn.Module,
    loss: Callable[[Tree, Tree], Tensor],
    symmetry: Symmetry,
    element: Any,
    inputs: Tree,
    targets: Tree,
    *,
    context: Context = _STILL,
    parameters: Sequence[str] | None = None,
    unit: bool = True,
) -> Tensor:
    """1 − ρ_g of loss gradients, differentiable in all parameters of the model.

    With a_i = ∇_θ ℓ(f(x_i), y_i) and b_i = ∇_θ ℓ(f(g x_i), g y_i), divided by their norms if
    ``unit``,

        ρ_g = Σ_i ⟨a_i − ā, b_i − b̄⟩ / √(Σ_i ‖a_i − ā‖² Σ_i ‖b_i − b̄‖²),

    which is the audit's ρ, [mean_i⟨a_i,b_i⟩ − mean_{i≠j}⟨a_i,b_j⟩]/√(v_a v_b), in the Euclidean
    metric: its differences are 1/(n−1) of these sums. In [0, 2]; 0, with no gradient, for a model
    that is equivariant for all θ under an invariant loss.

    Add it to a training loss with a positive weight to raise ρ, with a negative one to lower it. It
    sees the labels at g x; see :func:`probe_coherence_penalty` for one that does not.

    It costs 2n per-sample gradients and a backward pass through them: of convolutions 4 to 6 times
    what training on 2n samples does. It holds 2np numbers a few times over, p being the compared
    parameters, which is most of the cost where weights are many and activations few, as in wide
    perceptrons: choose some ``parameters`` there.

    Second derivatives of the model make its gradient: piecewise linear activations hide from it
    how θ moves their kinks, smooth ones (GELU, SiLU, tanh) do not.

    Args:
        model: with samples that do not depend on one another.
        loss: per sample, (prediction, target) → (batch,).
        symmetry: how the group acts.
        element: g, or its name.
        inputs: n samples from distinct trajectories, two at least.
        targets: as many.
        context: the frame of the inputs.
        parameters: names of those whose gradients are compared; None for all trainable ones. The
            penalty depends on the others too, and has a gradient in them.
        unit: divide gradients by their norms, as the audit's verdict does. A gradient of zero
            stays zero.

    Returns:
        The penalty, a scalar tensor.

    Raises:
        InputError: fewer than two samples, another number of targets, an unknown parameter, or
            BatchNorm or dropout in training mode.
    """
    _check_pairs(inputs, targets)
    g = as_elements(symmetry, [element])[0]
    moved = symmetry.on_input.act(g, inputs, context)
    answers = symmetry.target_action.act(g, targets, context.at(1))
    pairs = trees.concatenate([inputs, moved]), trees.concatenate([targets, answers])
    gradients = sample_gradients(model, loss, *pairs, parameters)
    return 1 - coherence_of(*gradients.chunk(2), unit=unit)


def probe_coherence_penalty(
    model: nn.Module,
    symmetry: Symmetry,
    element: Any,
    inputs: Tree,
    covectors: Tree,
    *,
    context: Context = _STILL,
    parameters: Sequence[str] | None = None,
    unit: bool = True,
) -> Tensor:
    """1 − probe coherence: as :func:`orbit_coherence_penalty`, without labels or errors.

    Of the gradients a_i = J_{x_i}ᵀ v_i and b_i = J_{g x_i}ᵀ ρ_out(g)⁻ᵀ v_i. It asks of the tangent
    kernel alone to couple the poses, whatever is to be learned.

    Args:
        model: with samples that do not depend on one another.
        symmetry: how the group acts.
        element: g, or its name.
        inputs: n samples from distinct trajectories, two at least.
        covectors: v_i, shaped as the model's outputs: random ones, fresh for each call, such as
            ``torch.randn_like(model(inputs))``.
        context: the frame of the inputs.
        parameters: names of those whose gradients are compared; None for all trainable ones.
        unit: divide gradients by their norms.

    Raises:
        InputError: as there, or the action on outputs cannot be differentiated where that is
            needed.
    """
    _check_pairs(inputs, covectors)
    g = as_elements(symmetry, [element])[0]
    moved = symmetry.on_input.act(g, inputs, context)
    turned = moved_covectors(symmetry, g, covectors, context.at(1))
    vectors = torch.cat([trees.flat(covectors), turned])
    pairs = trees.concatenate([inputs, moved]), vectors
    gradients = sample_gradients(model, _paired, *pairs, parameters, flat=True)
    return 1 - coherence_of(*gradients.chunk(2), unit=unit)


def sample_gradients(
    model: nn.Module,
    loss: Callable[[Tree, Tree], Tensor],
    inputs: Tree,
    targets: Tree,
    parameters: Sequence[str] | None = None,
    *,
    flat: bool = False,
) -> Tensor:
    """Per-sample gradients (n, p) that can be differentiated again in all parameters.

    With ``flat`` the loss is given real vectors in place of outputs.

    Raises:
        InputError: an unknown parameter, or BatchNorm or dropout in training mode.
    """
    _check_model(model)
    known = trainable_parameters(model)
    chosen = tuple(known) if parameters is None else tuple(parameters)
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        raise InputError(
            f"expected names of trainable parameters, such as {next(iter(known), None)!r}, got "
            f"{unknown or 'none'}"
        )
    wrapped = TreeModel(model, flat=flat)

    def value(taken: dict[str, Tensor], x: Tree, y: Tree) -> Tensor:
        every = {f"model.{name}": taken.get(name, p) for name, p in known.items()}
        output = functional_call(wrapped, every, (TreeBatch(_single(x)),))
        return loss(output, _single(y)).sum()

    taken = {name: known[name] for name in chosen}
    found = vmap(grad(value), in_dims=(None, 0, 0))(taken, inputs, targets)
    rows = [torch.view_as_real(g) if g.is_complex() else g for g in found.values()]
    return torch.cat([row.flatten(1) for row in rows], 1)


def coherence_of(a: Tensor, b: Tensor, *, unit: bool = True) -> Tensor:
    """ρ of paired gradients (n, p), differentiable; 0 where a side does not vary."""
    if unit:
        a, b = _normalised(a), _normalised(b)
    a, b = a - a.mean(0), b - b.mean(0)
    variance = a.square().sum() * b.square().sum()
    return (a * b).sum() * _inverse_root(variance)


def _normalised(rows: Tensor) -> Tensor:
    return rows * _inverse_root(rows.square().sum(1, keepdim=True))


def _inverse_root(square: Tensor) -> Tensor:
    """1/√s, and 0 with a gradient of 0 for s = 0."""
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1.0).rsqrt(), 0.0)


def _paired(output: Tree, covector: Tree) -> Tensor:
    return (trees.flat(output) * trees.flat(covector)).sum(1)


def _single(sample: Tree) -> Tree:
    return trees.map_leaves(lambda leaf: leaf[None], sample)


def _check_pairs(inputs: Tree, targets: Tree) -> None:
    n, answers = trees.batch_size(inputs), trees.batch_size(targets)
    if n < 2 or n != answers:
        raise InputError(
            f"expected two samples or more and as many targets, got {n} and {answers}: a single "
            "pair has no null to be coherent beside"
        )


def _check_model(model: nn.Module) -> None:
    for name, module in model.named_modules():
        what = f"{name or 'the model'} ({type(module).__name__})"
        if isinstance(module, _BATCH_DEPENDENT) and module.training:
            raise InputError(
                f"{what} is in training mode, where a sample's gradient depends on other samples "
                "or on chance: put it in evaluation mode, or use another normalisation"
            )
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
            raise InputError(
                f"{what} keeps no running statistics, so that a sample's gradient depends on other "
                "samples in evaluation mode too: use another normalisation"
            )

"""Is the loss one of each sample, and can its gradients be taken? Asked before any long work."""

import warnings

import torch
from torch import Tensor, nn

from goldstone.auditing.inspection import predict, slack
from goldstone.auditing.probed_model import BlackBox
from goldstone.auditing.subject import Loss
from goldstone.core import InputError, check_finite, trees
from goldstone.core.trees import Tree
from goldstone.curvature import trainable_parameters

_REENTRANT = ("Checkpointing is not compatible with", "None of the inputs have requires_grad=True")
"""What torch says of gradient checkpointing by a backward pass within the backward pass."""


def check_loss(model: nn.Module, loss: Loss, inputs: Tree, targets: Tree) -> None:
    """Evaluate the loss on four samples, and on the first of them alone.

    Raises:
        InputError: it fails, is not one finite number for each sample, or depends on batch mates.
    """
    few, wanted = trees.take(inputs, slice(4)), trees.take(targets, slice(4))
    output = predict(model, few)
    kept = trees.map_leaves(Tensor.clone, output)
    values = _evaluate(loss, output, wanted)
    samples = trees.batch_size(wanted)
    if not isinstance(values, Tensor) or values.shape != (samples,):
        came = tuple(values.shape) if isinstance(values, Tensor) else f"a {type(values).__name__}"
        raise InputError(
            f"expected a loss of one number per sample, shape ({samples},), got {came}; take "
            "means over channels and space, not over the batch (reduction='none')"
        )
    check_finite(values, "the loss of the first samples")
    if not trees.equal(kept, output):
        raise InputError("the loss changes the prediction in place; have it work on a copy")
    one = slice(1)
    alone = _evaluate(loss, trees.take(output, one), trees.take(wanted, one))
    if not float((alone - values[one]).abs().max()) <= slack(values):
        raise InputError(
            "the loss of a sample depends on the other samples of its batch; it has to be a "
            "function of one prediction and one target"
        )


def _evaluate(loss: Loss, prediction: Tree, target: Tree) -> Tensor:
    try:
        with torch.no_grad():
            return loss(prediction, target)
    except Exception as error:
        raise InputError(
            f"the loss fails on a prediction {trees.describe(prediction)} and a target "
            f"{trees.describe(target)}: {str(error) or type(error).__name__}; give "
            "loss=…, a function (prediction, target) → one number per sample"
        ) from error


def gradient_obstacle(model: nn.Module, loss: Loss, inputs: Tree, targets: Tree) -> str:
    """Why there are no gradients of the loss in the parameters; empty if there are.

    Raises:
        InputError: there should be, but the backward pass fails, or would leave some out.
    """
    if isinstance(model, BlackBox):
        return "the model is a plain function, a black box without gradients"
    parameters = trainable_parameters(model)
    if not parameters:
        frozen = len(list(model.parameters()))
        return "the model has no trainable parameter" + (
            f": all {frozen} tensors are frozen; call requires_grad_() on what was trained"
            if frozen
            else ""
        )
    one = slice(1)
    said, depends = "", True
    with warnings.catch_warnings(record=True) as caught, torch.enable_grad():
        warnings.simplefilter("always")
        try:
            value = loss(trees.call_model(model, trees.take(inputs, one)), trees.take(targets, one))
            depends = value.requires_grad
            if depends:
                torch.autograd.grad(value.sum(), tuple(parameters.values()), allow_unused=True)
        except RuntimeError as error:
            said = str(error)
    said = next((str(w.message) for w in caught if _REENTRANT[1] in str(w.message)), said)
    if any(sign in said for sign in _REENTRANT):
        raise InputError(
            "gradient checkpointing with use_reentrant=True gives no per-sample gradients; use "
            "checkpoint(…, use_reentrant=False), or turn it off for the audit"
        )
    if said:
        raise InputError(
            f"the backward pass of the loss fails: {said}; mend the model, or audit it without "
            "gradients: AuditSettings(metrics=())"
        )
    if not depends:
        return (
            "the loss does not depend on the parameters by autograd: the forward pass or the loss "
            "runs under torch.no_grad, detaches, or leaves torch"
        )
    return ""

"""Does the model predict anything? A model that does not is trivially symmetric."""

import torch
from torch import Tensor

from goldstone.auditing.forward import distances, norms
from goldstone.auditing.inspection import numerical_floor
from goldstone.auditing.results import ModelSummary
from goldstone.auditing.subject import Subject
from goldstone.core import Statistic, trees
from goldstone.core.trees import Tree


def model_summary(name: str, subject: Subject, climatology: Tree) -> ModelSummary:
    """Loss, relative error and the skill gate.

    Skill: the mean of log ℓ(f(x), y)/ℓ(baseline, y) has its upper 95 % bound below 0 for all
    baselines: persistence (the input itself, where it has the shape of predictions and targets),
    climatology (the mean target of the data; of class labels the logarithms of their frequencies)
    and the mean of the model's own predictions, which knows the loss's scale and margins and is
    there for outputs of any kind: what beats it depends on the input.
    """
    model, loss = subject.model, subject.loss
    targets, predictions = subject.samples.targets, subject.predictions
    own = subject.log_loss(predictions, targets)
    over: dict[str, Statistic] = {}
    n = trees.batch_size(targets)
    baselines: dict[str, Tree] = {}
    if all(trees.same_shapes(subject.samples.inputs, t) for t in (predictions, targets)):
        baselines["persistence"] = subject.samples.inputs
    constant = _constant_prediction(climatology, predictions, targets)
    if constant is not None:
        baselines["climatology"] = trees.map_leaves(lambda t: t.expand(n, *t.shape[1:]), constant)
    if all(t.is_floating_point() or t.is_complex() for t in trees.leaves(predictions)):
        baselines["mean prediction"] = trees.map_leaves(
            lambda t: t.mean(0, keepdim=True).expand_as(t), predictions
        )
    for baseline, prediction in baselines.items():
        over[baseline] = subject.mean(own - subject.log_loss(prediction, targets))
    return ModelSummary(
        name=name,
        parameters=sum(p.numel() for p in model.parameters()),
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        loss_name=getattr(loss, "__name__", type(loss).__name__),
        loss=subject.mean(loss(predictions, targets)),
        relative_error=(
            subject.mean(distances(predictions, targets) / norms(targets))
            if trees.same_shapes(predictions, targets)
            else Statistic(None)
        ),
        log_loss_over_persistence=over.get("persistence", Statistic(None)),
        log_loss_over_climatology=over.get("climatology", Statistic(None)),
        log_loss_over_mean_prediction=over.get("mean prediction"),
        has_skill=all(s.high is not None and s.high < 0.0 for s in over.values()),
        numerical_floor=numerical_floor(model, trees.take(subject.samples.inputs, slice(16))),
    )


def _constant_prediction(climatology: Tree, predictions: Tree, targets: Tree) -> Tree | None:
    """The best prediction that does not look at the input, one sample; None if none is known."""
    if trees.same_shapes(climatology, predictions):
        return climatology
    if not isinstance(climatology, Tensor) or not isinstance(predictions, Tensor):
        return None
    axis = _class_axis(predictions, targets)
    if axis is None or climatology.shape[1] > predictions.shape[axis]:
        return None
    # Frequencies of class labels against logits; unseen classes get the rounding's.
    seen = predictions.new_zeros(predictions.shape[axis])
    seen[: climatology.shape[1]] = climatology[0]
    logits = seen.clamp_min(torch.finfo(seen.dtype).eps).log()
    shape = [1] * predictions.ndim
    shape[axis] = -1
    return logits.reshape(shape).expand_as(predictions[:1])


def _class_axis(predictions: Tensor, targets: Tree) -> int | None:
    """The axis of logits that labels lack: 1 as losses of torch have it, or the last."""
    if not isinstance(targets, Tensor):
        return None
    for axis in (1, predictions.ndim - 1):
        if predictions.shape[:axis] + predictions.shape[axis + 1 :] == targets.shape:
            return axis
    return None

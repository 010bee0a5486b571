"""Does the model predict anything? A model that does not is trivially symmetric."""

import torch
from torch import Tensor, nn

from goldstone.auditing.forward import Loss, norms
from goldstone.auditing.inspection import numerical_floor
from goldstone.auditing.results import ModelSummary
from goldstone.auditing.samples import Samples
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic


def model_summary(
    name: str,
    model: nn.Module,
    samples: Samples,
    predictions: Tensor,
    loss: Loss,
    loss_name: str,
    bootstrap: Bootstrap,
) -> ModelSummary:
    """Loss, relative error and the skill gate.

    Skill: the mean of log ℓ(f(x), y)/ℓ(baseline, y) has its upper 95 % bound below 0 for both
    baselines, persistence (the input itself) and climatology (the mean target of the data).
    """
    targets, trajectory = samples.targets, samples.trajectory
    losses = loss(predictions, targets)
    tiny = torch.finfo(losses.dtype).tiny
    over: dict[str, Statistic] = {}
    for baseline, prediction in (
        ("persistence", samples.inputs),
        ("climatology", samples.climatology.expand_as(targets)),
    ):
        if prediction.shape != targets.shape:
            over[baseline] = Statistic(None)
            continue
        reference = loss(prediction, targets)
        ratio = losses.clamp_min(tiny).log() - reference.clamp_min(tiny).log()
        over[baseline], _ = mean_statistic(ratio, trajectory, bootstrap)
    return ModelSummary(
        name=name,
        parameters=sum(p.numel() for p in model.parameters()),
        loss_name=loss_name,
        loss=mean_statistic(losses, trajectory, bootstrap)[0],
        relative_error=mean_statistic(
            norms(predictions - targets) / norms(targets), trajectory, bootstrap
        )[0],
        log_loss_over_persistence=over["persistence"],
        log_loss_over_climatology=over["climatology"],
        # A baseline that does not exist (input and output of different shapes) cannot refuse.
        has_skill=all(s.estimate is None or (s.high or 0.0) < 0.0 for s in over.values()),
        numerical_floor=numerical_floor(model, samples.inputs[:4]),
    )

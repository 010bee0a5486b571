"""Does the model predict anything? A model that does not is trivially symmetric."""

from torch import Tensor

from goldstone.auditing.forward import norms
from goldstone.auditing.inspection import numerical_floor
from goldstone.auditing.results import ModelSummary
from goldstone.auditing.subject import Subject
from goldstone.core import Statistic


def model_summary(name: str, subject: Subject, climatology: Tensor) -> ModelSummary:
    """Loss, relative error and the skill gate.

    Skill: the mean of log ℓ(f(x), y)/ℓ(baseline, y) has its upper 95 % bound below 0 for both
    baselines, persistence (the input itself) and climatology (the mean target of the data).
    """
    model, loss = subject.model, subject.loss
    targets, predictions = subject.samples.targets, subject.predictions
    own = subject.log_loss(predictions, targets)
    over: dict[str, Statistic] = {}
    baselines = {"persistence": subject.samples.inputs, "climatology": climatology}
    for baseline, prediction in baselines.items():
        # Without a baseline of the target's shape there is none that could refuse.
        if prediction.shape[1:] == targets.shape[1:]:
            reference = subject.log_loss(prediction.expand_as(targets), targets)
            over[baseline] = subject.mean(own - reference)
    return ModelSummary(
        name=name,
        parameters=sum(p.numel() for p in model.parameters()),
        loss_name=getattr(loss, "__name__", type(loss).__name__),
        loss=subject.mean(loss(predictions, targets)),
        relative_error=subject.mean(norms(predictions - targets) / norms(targets)),
        log_loss_over_persistence=over.get("persistence", Statistic(None)),
        log_loss_over_climatology=over.get("climatology", Statistic(None)),
        has_skill=all(s.high is not None and s.high < 0.0 for s in over.values()),
        numerical_floor=numerical_floor(model, subject.samples.inputs[:4]),
    )

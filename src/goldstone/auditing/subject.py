"""The model under audit with the samples it is measured on."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.auditing.inspection import predict
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic

Loss = Callable[[Tensor, Tensor], Tensor]
"""Per-sample loss, (prediction, target) → (batch,)."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What every probe needs: model, samples, the model's predictions on them, loss, settings."""

    model: nn.Module
    samples: Samples
    predictions: Tensor
    loss: Loss
    settings: AuditSettings
    bootstrap: Bootstrap

    @classmethod
    def measure(
        cls, model: nn.Module, samples: Samples, loss: Loss, settings: AuditSettings
    ) -> "Subject":
        """Predict once, and draw the bootstrap's resamples of the samples' trajectories."""
        return cls(
            model,
            samples,
            predict(model, samples.inputs, settings.batch),
            loss,
            settings,
            Bootstrap.draw(samples.trajectories, settings.bootstrap, settings.seed),
        )

    def predict(self, inputs: Tensor) -> Tensor:
        """The model's outputs, in batches."""
        return predict(self.model, inputs, self.settings.batch)

    def mean(self, values: Tensor) -> Statistic:
        """Mean of a per-sample quantity with its interval."""
        return mean_statistic(values, self.samples.trajectory, self.bootstrap)[0]

    def log_loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Log ℓ, with a loss of zero taken as the smallest number."""
        values = self.loss(prediction, target)
        return values.clamp_min(torch.finfo(values.dtype).tiny).log()

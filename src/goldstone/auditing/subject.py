"""The model under audit with the samples it is measured on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from goldstone.actions import Context
from goldstone.auditing.inspection import model_place, predict
from goldstone.auditing.probed_model import trajectories_of
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.auditing.usual_loss import usual_loss
from goldstone.core import InputError, Statistic, check_finite, trees
from goldstone.core.trees import Tree

ROUNDING = 32
"""In machine epsilons of the target: errors below it are those of the arithmetic."""

Loss = Callable[[Tree, Tree], Tensor]
"""Per-sample loss, (prediction, target) → (batch,)."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What every probe needs: model, samples, the model's predictions on them, loss, settings."""

    model: nn.Module
    samples: Samples
    predictions: Tree
    loss: Loss
    settings: AuditSettings
    bootstrap: Bootstrap

    @classmethod
    def measure(
        cls, model: nn.Module, samples: Samples, loss: Loss, settings: AuditSettings
    ) -> "Subject":
        """Predict once, and draw the bootstrap's resamples of the samples' trajectories.

        Raises:
            InputError: the model is no module, or a prediction has NaN or infinite values.
        """
        if not isinstance(model, nn.Module):
            raise InputError(
                f"expected a torch.nn.Module, got a {type(model).__name__}: gradients are those in "
                "a module's parameters, and a plain function has none"
            )
        predictions = predict(model, samples.inputs, settings.batch)
        for leaf in trees.leaves(predictions):
            check_finite(leaf, "the model's outputs on the data")
        return cls(
            model,
            samples,
            predictions,
            steady_loss(loss),
            settings,
            Bootstrap.draw(samples.trajectories, settings.bootstrap, settings.seed),
        )

    @classmethod
    def of(
        cls,
        model: nn.Module,
        inputs: Tree,
        targets: Tree,
        loss: Loss | None = None,
        *,
        trajectory: Tensor | None = None,
        context: Context | None = None,
        settings: AuditSettings | None = None,
    ) -> "Subject":
        """From inputs and targets, with the usual choices for the rest.

        Args:
            model: any module; put it in evaluation mode first.
            inputs: n samples: a tensor, sample axis first, or a tree of tensors; they are moved to
                the model's device and precision.
            targets: as many.
            loss: per sample, (prediction, target) → (n,); None for ``cross_entropy`` of class
                labels, ``scaled_mse`` of grid fields and else ``mse``.
            trajectory: (n,) which trajectory each sample comes from; each its own if None, which
                gradient probes need.
            context: the frame of the inputs, such as ``data.context`` of trajectories.
            settings: of the audit; its ``samples`` do not cut these.

        Raises:
            InputError: numbers of inputs and targets differ, a value is not finite, targets have
                no usual loss, or as :meth:`measure`.
        """
        n = trees.batch_size(inputs)
        if trees.batch_size(targets) != n or n < 1:
            raise InputError(
                f"expected as many targets as inputs, one at least, got "
                f"{trees.batch_size(targets)} for {n}"
            )
        for name, tree in (("inputs", inputs), ("targets", targets)):
            for leaf in trees.leaves(tree):
                check_finite(leaf, name)
        if isinstance(model, nn.Module):  # what else it may be is refused below
            place = model_place(model, inputs)
            inputs, targets = trees.place(inputs, *place), trees.place(targets, *place)
        samples = Samples(inputs, targets, trajectories_of(trajectory, n), context or Context())
        return cls.measure(model, samples, loss or usual_loss(targets), settings or AuditSettings())

    def first(self, count: int) -> "Subject":
        """The same on the first ``count`` samples, which are of one trajectory each."""
        if count >= self.samples.trajectories:
            return self
        samples = self.samples
        few = replace(
            samples,
            inputs=trees.take(samples.inputs, slice(count)),
            targets=trees.take(samples.targets, slice(count)),
            trajectory=samples.trajectory[:count],
        )
        return replace(
            self,
            samples=few,
            predictions=trees.take(self.predictions, slice(count)),
            bootstrap=Bootstrap.draw(count, self.settings.bootstrap, self.settings.seed),
        )

    def predict(self, inputs: Tree) -> Tree:
        """The model's outputs, in batches."""
        return predict(self.model, inputs, self.settings.batch)

    def mean(self, values: Tensor) -> Statistic:
        """Mean of a per-sample quantity with its interval."""
        return mean_statistic(values, self.samples.trajectory, self.bootstrap)[0]

    def log_loss(self, prediction: Tree, target: Tree) -> Tensor:
        """Log ℓ; a loss below that of a target which is off by rounding counts as that.

        So the ratio of two losses that are nothing but rounding is near 1.
        """
        values = self.loss(prediction, target)
        if trees.same_shapes(prediction, target):
            values = torch.fmax(values, self.loss(trees.map_leaves(_rounded, target), target))
        return values.clamp_min(torch.finfo(values.dtype).tiny).log()

    def residual(self, prediction: Tree, target: Tree) -> Tensor:
        """How a prediction is wrong, (n, numbers): prediction − target.

        Where the two are of different kinds, as logits and labels are, the gradient of the loss in
        the prediction, which for a squared error is the same direction.
        """
        if trees.same_shapes(prediction, target):
            return trees.flat(prediction) - trees.flat(target)
        with torch.enable_grad():
            leaf = trees.map_leaves(lambda t: t.detach().requires_grad_(), prediction)
            total = self.loss(leaf, target).sum()
            found = torch.autograd.grad(total, trees.leaves(leaf), materialize_grads=True)
        return trees.flat(tuple(found))


def steady_loss(loss: Loss) -> Loss:
    """The loss of contiguous tensors, in single precision at least.

    Those that an action moved may not be contiguous, and losses view; errors of half-precision
    numbers vanish as they are squared.
    """

    def evaluate(prediction: Tree, target: Tree) -> Tensor:
        given = trees.contiguous(trees.at_least_single((prediction, target)))
        return loss(*given)

    evaluate.__name__ = getattr(loss, "__name__", type(loss).__name__)
    return evaluate


def _rounded(t: Tensor) -> Tensor:
    """Off by rounding; labels are exact."""
    return t * (1 + ROUNDING * torch.finfo(t.dtype).eps) if trees.is_continuous(t) else t

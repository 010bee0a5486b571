"""How an emulator is trained, as plain JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from goldstone.core import InputError
from goldstone.systems.losses import LossName, loss_by_name

Schedule = Literal["cosine", "constant"]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of next-step training with AdamW.

    Attributes:
        epochs: passes over all pairs of consecutive states.
        batch_size: pairs per step.
        learning_rate: the largest learning rate.
        weight_decay: decoupled weight decay on all parameters.
        schedule: after the warm-up the learning rate follows half a cosine to zero, or stays.
        warmup: share of all steps over which the learning rate rises linearly.
        loss: per-sample loss, averaged over the batch.
        seed: of the initial weights and of the order of the data.
        checkpoint_every: epochs between checkpoints; the first (untrained) and the last are
            always written.
    """

    epochs: int = 12
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    loss: LossName = "scaled_mse"
    seed: int = 0
    checkpoint_every: int = 1

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.checkpoint_every) < 1:
            raise InputError(
                "training: expected epochs, batch_size and checkpoint_every of at least 1, got "
                f"{self.epochs}, {self.batch_size}, {self.checkpoint_every}"
            )
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and 0 <= self.warmup < 1):
            raise InputError(
                "training: expected learning_rate > 0, weight_decay ≥ 0 and 0 ≤ warmup < 1, got "
                f"{self.learning_rate}, {self.weight_decay}, {self.warmup}"
            )
        if self.schedule not in get_args(Schedule):
            raise InputError(
                f"training: unknown schedule {self.schedule!r}; expected one of "
                f"{', '.join(get_args(Schedule))}"
            )
        loss_by_name(self.loss)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Learning rate of optimiser step ``step`` (from 0) of ``steps``.

        Linear from 0 during the warm-up; then constant, or ``½ (1 + cos π p)`` of the largest with
        p the share of the remaining steps that is done.
        """
        rising = math.ceil(self.warmup * steps)
        if step < rising:
            return self.learning_rate * (step + 1) / (rising + 1)
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - rising) / max(1, steps - rising)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; read back by :meth:`from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """Read what :meth:`to_json` wrote; what is left out takes its default.

        Raises:
            InputError: a key is unknown or a value is not allowed.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise InputError(
                f"training config: unknown {', '.join(unknown)}; expected {sorted(known)}"
            )
        return cls(**values)

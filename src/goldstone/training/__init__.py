"""Floor 6: training loops."""

from goldstone.training.config import Schedule, TrainingConfig
from goldstone.training.next_step import train_next_step
from goldstone.training.orbit_coherence_penalty import (
    orbit_coherence_penalty,
    probe_coherence_penalty,
)
from goldstone.training.result import EpochRecord, LossHistory, TrainingResult
from goldstone.training.state import read_optimiser

__all__ = [
    "EpochRecord",
    "LossHistory",
    "Schedule",
    "TrainingConfig",
    "TrainingResult",
    "orbit_coherence_penalty",
    "probe_coherence_penalty",
    "read_optimiser",
    "train_next_step",
]

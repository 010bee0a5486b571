"""What a training run leaves behind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from goldstone.core import InputError, replacing
from goldstone.systems.emulators import Emulator


@dataclass(frozen=True)
class EpochRecord:
    """Losses of one epoch; epoch 0 is the untrained emulator.

    Attributes:
        epoch: epochs done.
        train_loss: mean over the epoch's batches while they were learned; None for epoch 0.
        validation_loss: mean over the validation pairs after the epoch; None without such data.
    """

    epoch: int
    train_loss: float | None
    validation_loss: float | None


@dataclass(frozen=True)
class LossHistory:
    """The losses of a run, with two forecasts that need no learning to compare them with.

    Attributes:
        loss: name of the loss.
        compared_on: ``"validation"`` or, without such data, ``"training"``: the pairs on which
            the two forecasts are judged.
        persistence_loss: of the input itself as the prediction.
        climatology_loss: of the mean training state as the prediction.
        epochs: one record per epoch, from 0.
    """

    loss: str
    compared_on: str
    persistence_loss: float
    climatology_loss: float
    epochs: tuple[EpochRecord, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; read back by :meth:`from_json`."""
        values = asdict(self)
        values["epochs"] = [asdict(record) for record in self.epochs]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "LossHistory":
        """Read what :meth:`to_json` wrote."""
        records: Sequence[Mapping[str, Any]] = values["epochs"]
        return cls(**{**values, "epochs": tuple(EpochRecord(**record) for record in records)})


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """A trained emulator (in evaluation mode), where it lies, and its losses."""

    emulator: Emulator
    directory: Path
    history: LossHistory


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write readable JSON, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: it is no JSON.
    """
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise InputError(
            f"{path}: not JSON ({error}); remove the directory and train again"
        ) from error

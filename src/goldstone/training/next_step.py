"""Training an emulator to predict the next state, deterministic and resumable at any moment."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from goldstone.core import GoldstoneError, InputError, Progress, SilentProgress, Task
from goldstone.systems.emulators import (
    Emulator,
    EmulatorConfig,
    build_emulator,
    checkpoint_path,
    load_emulator,
    save_emulator,
)
from goldstone.systems.flows import Trajectories
from goldstone.systems.losses import Loss, loss_by_name
from goldstone.training.config import TrainingConfig
from goldstone.training.pairs import StepPairs, check_trajectories, hash_of
from goldstone.training.result import (
    EpochRecord,
    LossHistory,
    TrainingResult,
    read_json,
    write_json,
)
from goldstone.training.state import read_state, write_state

_EVALUATION_BATCH = 64


def train_next_step(
    config: EmulatorConfig,
    training: TrainingConfig,
    data: Trajectories,
    directory: str | Path,
    validation: Trajectories | None = None,
    progress: Progress | None = None,
    device: torch.device | str = "cpu",
    *,
    keep_optimiser: bool = False,
) -> TrainingResult:
    """Train an emulator on all pairs of consecutive states of ``data``.

    Minimises the mean loss of ``f(x_t)`` against ``x_{t+1}`` by AdamW. ``directory`` receives
    ``config.json``, ``checkpoints/epoch-NNNN.safetensors`` (0 is the untrained emulator, with its
    normalisers fitted), ``losses.json`` and, while training runs, ``resume.safetensors``.

    The weights depend on the arguments alone (on one machine and number of threads): a run that
    was killed goes on from the last complete epoch when called again, and ends with the same bits
    as one that was not. A finished directory is read and returned at once.

    Args:
        config: the emulator to build.
        training: the settings.
        data: trajectories to learn from.
        directory: where the run lives; it belongs to one run.
        validation: trajectories to measure the loss on after each epoch.
        progress: shows optimiser steps and the loss.
        device: where to train; the result comes on the CPU.
        keep_optimiser: leave the optimiser's last state in ``optimiser.safetensors``, from which
            :func:`read_optimiser` gives what the audit's metric ``"adam"`` needs.

    Raises:
        InputError: the data do not suit the emulator, or the directory holds another run.
        GoldstoneError: the loss became infinite or NaN.
    """
    directory = Path(directory)
    pairs = check_trajectories(data, config.layout, config.grid, "training data")
    held_out = (
        None
        if validation is None
        else check_trajectories(validation, config.layout, config.grid, "validation data")
    )
    emulator = build_emulator(config, training.seed)
    emulator.fit(*pairs[torch.arange(len(pairs))])
    with torch.no_grad():
        emulator(pairs.fields[:1, 0])  # a grid that does not suit it fails here, not later
    details = _details(training, data, validation)
    claim = {"emulator": config.to_json(), **details}
    _claim_directory(directory, claim)
    if (finished := _finished(directory, training)) is not None:
        return finished

    emulator = _channels_last(emulator.to(device))
    optimiser = torch.optim.AdamW(emulator.parameters(), weight_decay=training.weight_decay)
    loss = loss_by_name(training.loss)
    resume = directory / "resume.safetensors"
    if resume.exists():
        history = read_state(resume, emulator, optimiser)
    else:
        history = _untrained(emulator, training, pairs, held_out, loss, device)
        save_emulator(checkpoint_path(directory, 0), emulator, config, {"epoch": 0, **details})
        write_json(directory / "losses.json", history.to_json())

    batches = -(-len(pairs) // training.batch_size)
    start = history.epochs[-1].epoch + 1
    shown = progress or SilentProgress()
    with shown.task(f"training {config.architecture}", training.epochs * batches) as task:
        task.advance((start - 1) * batches)
        for epoch in range(start, training.epochs + 1):
            mean = _train_epoch(emulator, optimiser, training, pairs, loss, epoch, device, task)
            judged = None if held_out is None else _mean_loss(emulator, held_out, loss, device)
            record = EpochRecord(epoch, mean, judged)
            history = replace(history, epochs=(*history.epochs, record))
            if epoch % training.checkpoint_every == 0 or epoch == training.epochs:
                path = checkpoint_path(directory, epoch)
                save_emulator(path, emulator, config, {"epoch": epoch, **details})
            write_json(directory / "losses.json", history.to_json())
            # Last, so that a run killed before here repeats the epoch and writes the same again.
            write_state(resume, emulator, optimiser, history)
    if keep_optimiser:
        resume.replace(directory / "optimiser.safetensors")
    else:
        resume.unlink(missing_ok=True)
    return TrainingResult(load_emulator(directory), directory, history)


def _channels_last(emulator: Emulator) -> Emulator:
    """The memory format in which convolutions on CPUs are fastest, for dense kernels."""
    for parameter in emulator.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return emulator


def _train_epoch(
    emulator: Emulator,
    optimiser: torch.optim.AdamW,
    training: TrainingConfig,
    pairs: StepPairs,
    loss: Loss,
    epoch: int,
    device: torch.device | str,
    task: Task,
) -> float:
    """One pass over the pairs; the mean loss."""
    emulator.train()
    batches = -(-len(pairs) // training.batch_size)
    total = 0.0
    for batch, (inputs, targets) in enumerate(
        pairs.shuffled(training.batch_size, training.seed, epoch)
    ):
        step = (epoch - 1) * batches + batch
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate_at(step, training.epochs * batches)
        optimiser.zero_grad()
        value = loss(emulator(inputs.to(device)), targets.to(device)).mean()
        torch.autograd.backward(value)
        optimiser.step()
        total += float(value.detach()) * len(inputs)
        task.advance(1, f"epoch {epoch}, loss {float(value.detach()):.3g}")
    mean = total / len(pairs)
    if not torch.isfinite(torch.tensor(mean)):
        raise GoldstoneError(
            f"training diverged in epoch {epoch} (loss {mean}); try a learning rate below "
            f"{training.learning_rate:g}"
        )
    return mean


@torch.no_grad()
def _mean_loss(
    emulator: Emulator, pairs: StepPairs, loss: Loss, device: torch.device | str
) -> float:
    emulator.eval()
    total = sum(
        float(loss(emulator(inputs.to(device)), targets.to(device)).sum())
        for inputs, targets in pairs.in_order(_EVALUATION_BATCH)
    )
    return total / len(pairs)


def _untrained(
    emulator: Emulator,
    training: TrainingConfig,
    pairs: StepPairs,
    held_out: StepPairs | None,
    loss: Loss,
    device: torch.device | str,
) -> LossHistory:
    """Losses before training, and of persistence and climatology."""
    judged = pairs if held_out is None else held_out
    climate = pairs.fields[:, 1:].mean(dim=(0, 1))
    persistence = climatology = 0.0
    for inputs, targets in judged.in_order(_EVALUATION_BATCH):
        persistence += float(loss(inputs, targets).sum())
        climatology += float(loss(climate.expand_as(targets), targets).sum())
    start = None if held_out is None else _mean_loss(emulator, held_out, loss, device)
    return LossHistory(
        loss=training.loss,
        compared_on="training" if held_out is None else "validation",
        persistence_loss=persistence / len(judged),
        climatology_loss=climatology / len(judged),
        epochs=(EpochRecord(0, None, start),),
    )


def _details(
    training: TrainingConfig, data: Trajectories, validation: Trajectories | None
) -> dict[str, Any]:
    """What is written beside the emulator's config: how and on what it was trained."""
    return {
        "training": training.to_json(),
        "data": {
            "sha256": hash_of(data),
            "validation_sha256": None if validation is None else hash_of(validation),
            "system": data.system,
            "initial_condition": data.initial_condition,
            "seed": data.seed,
            "dt": data.dt,
            "lengths": list(data.lengths),
            "parameters": dict(data.parameters),
        },
    }


def _claim_directory(directory: Path, claim: dict[str, Any]) -> None:
    """Write the run's config, or check that the directory belongs to this very run."""
    path = directory / "config.json"
    if not path.exists():
        write_json(path, claim)
        return
    found = read_json(path)
    differences = _differences(found, claim)
    if differences:
        raise InputError(
            f"{directory}: holds another training run, which differs in {'; '.join(differences)}. "
            "Give another directory, or remove this one to train anew"
        )


def _differences(found: Any, wanted: Any, name: str = "") -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return [
            difference
            for key in sorted({*found, *wanted})
            for difference in _differences(
                found.get(key), wanted.get(key), f"{name}.{key}" if name else key
            )
        ]
    return [] if found == wanted else [f"{name} (there {found}, asked {wanted})"]


def _finished(directory: Path, training: TrainingConfig) -> TrainingResult | None:
    last, losses = checkpoint_path(directory, training.epochs), directory / "losses.json"
    if (directory / "resume.safetensors").exists() or not (last.exists() and losses.exists()):
        return None
    history = LossHistory.from_json(read_json(losses))
    if history.epochs[-1].epoch < training.epochs:
        return None
    return TrainingResult(load_emulator(last), directory, history)

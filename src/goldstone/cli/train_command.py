"""``goldstone train``: a next-step emulator on a data set."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.markup import escape

from goldstone.cli.arguments import device_by_name, key_values, two_lengths
from goldstone.cli.data import read_fields, read_flows
from goldstone.cli.guard import HOLDS, guarded
from goldstone.cli.options import Arguments, Device, Fields, Json, Lengths, Quiet, TimeStep
from goldstone.cli.places import writable_directory
from goldstone.cli.progress import RichProgress
from goldstone.core import SilentProgress
from goldstone.systems.emulators import (
    Architecture,
    EmulatorConfig,
    count_parameters,
    list_checkpoints,
)
from goldstone.systems.losses import LossName
from goldstone.training import TrainingConfig, train_next_step

HELP = """Train an emulator to predict the next state of a flow.

The directory gets a checkpoint per epoch (safetensors, with the
configuration inside) and can be audited as it is. Interrupted, the same
command goes on where it stopped.

\b
Architectures, and their arguments for --set:
  unet         base_channels=24 stages=4 blocks_per_stage=2
               attention=True heads=4 normalise=True
  vit          patch=4 width=256 heads=8 depth=5
  equivariant  copies=2 stages=2 blocks_per_stage=1   (exactly D4)

\b
Examples:
  goldstone train train.npz --out runs/unet --set base_channels=12 \\
      --set stages=2 --set blocks_per_stage=1 --set attention=False
  goldstone train train.npz --out runs/d4 --architecture equivariant
  goldstone train train.npz --out runs/vit --architecture vit \\
      --validation test.npz --batch-size 48 --epochs 20
"""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("train", help=escape(HELP))(train)


@guarded
def train(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Data set to learn from.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory of the run.", show_default=False)
    ],
    architecture: Annotated[str, typer.Option(help="unet, vit or equivariant.")] = "unet",
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA", help="Data set for the loss after each epoch.", show_default=False
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over all pairs of states.")] = 12,
    batch_size: Annotated[int, typer.Option(help="Pairs per optimiser step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="The largest, of AdamW.")] = 1e-3,
    weight_decay: Annotated[float, typer.Option(help="Of AdamW.")] = 1e-4,
    loss: Annotated[
        str, typer.Option(help="scaled_mse, squared_scaled_mse or mse.")
    ] = "scaled_mse",
    seed: Annotated[int, typer.Option(help="Seed of weights and order of the data.")] = 0,
    checkpoint_every: Annotated[int, typer.Option(help="Epochs between checkpoints.")] = 1,
    keep_optimiser: Annotated[
        bool,
        typer.Option(
            "--keep-optimiser",
            help="Leave AdamW's state in optimiser.safetensors, for audits in the metric adam.",
            show_default=False,
        ),
    ] = False,
    arguments: Arguments = None,
    fields: Fields = None,
    dt: TimeStep = None,
    lengths: Lengths = None,
    device: Device = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Train an emulator."""
    training = TrainingConfig(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        loss=cast(LossName, loss),
        seed=seed,
        checkpoint_every=checkpoint_every,
    )
    chosen = key_values(arguments)
    place = device_by_name(device)
    layout = None if fields is None else read_fields(fields)
    read = partial(read_flows, layout=layout, dt=dt, lengths=two_lengths(lengths))
    flows = read(data)
    judged = None if validation is None else read(validation)
    config = EmulatorConfig(cast(Architecture, architecture), flows.layout, flows.grid, chosen)
    result = train_next_step(
        config,
        training,
        flows,
        writable_directory(out),
        judged,
        SilentProgress() if quiet else RichProgress(),
        place,
        keep_optimiser=keep_optimiser,
    )
    last = result.history.epochs[-1]
    checkpoint = list_checkpoints(out)[-1][1]
    if as_json:
        described = {
            "directory": str(out),
            "checkpoint": str(checkpoint),
            "parameters": count_parameters(result.emulator),
            "losses": result.history.to_json(),
        }
        print(json.dumps(described))
    elif not quiet:
        final = last.train_loss if last.validation_loss is None else last.validation_loss
        print(
            f"{out}: {count_parameters(result.emulator)} parameters, {last.epoch} epochs, "
            f"{result.history.compared_on} {result.history.loss} {final:.3g} "
            f"(persistence {result.history.persistence_loss:.3g})"
        )
    return HOLDS

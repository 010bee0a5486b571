"""``goldstone simulate``: data sets of flows."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from goldstone.cli.arguments import device_by_name, grid_size
from goldstone.cli.guard import HOLDS, guarded
from goldstone.cli.options import Device, Json, Quiet
from goldstone.cli.places import writable_directory
from goldstone.cli.progress import RichProgress
from goldstone.core import InputError, SilentProgress
from goldstone.systems.flows import INITIAL_CONDITIONS, ground_truth, simulate

_PARAMETERS = {"navier-stokes": ("viscosity", 2e-3), "compressible-euler": ("gamma", 1.4)}

HELP = """Simulate flows on a periodic grid and write them as a data set.

OUT ends in .npz, or in .h5 for HDF5. Interrupted, the same command goes on
where it stopped; a finished file is left as it is.

\b
Systems, and how their flows start:
  navier-stokes       isotropic-turbulence, anisotropic-turbulence
  compressible-euler  four-quadrant-riemann, curved-riemann

\b
Examples:
  goldstone simulate train.npz --trajectories 160
  goldstone simulate test.npz --trajectories 72 --seed 1
  goldstone simulate aniso.h5 --grid 48 --steps 5 \\
      --initial-condition anisotropic-turbulence
  goldstone simulate euler.npz --system compressible-euler \\
      --initial-condition curved-riemann --dt 0.02 --gamma 1.4
"""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("simulate", help=escape(HELP))(simulate_flows)


@guarded
def simulate_flows(
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The file: .npz, .h5 or .hdf5.", show_default=False),
    ],
    system: Annotated[
        str, typer.Option(help="The law: navier-stokes or compressible-euler.")
    ] = "navier-stokes",
    initial_condition: Annotated[
        str | None,
        typer.Option(
            help="How flows start; by default the first one of the system.", show_default=False
        ),
    ] = None,
    trajectories: Annotated[int, typer.Option(help="Number of flows.")] = 80,
    steps: Annotated[int, typer.Option(help="Steps of length dt in each.")] = 10,
    grid: Annotated[str, typer.Option(help="Points, as 64 or 64x32.")] = "64",
    dt: Annotated[float, typer.Option(help="Time between snapshots.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of the initial flows.")] = 0,
    viscosity: Annotated[
        float | None,
        typer.Option(help="Kinematic viscosity, 0.002 by default.", show_default=False),
    ] = None,
    gamma: Annotated[
        float | None,
        typer.Option(help="Ratio of specific heats, 1.4 by default.", show_default=False),
    ] = None,
    warmup: Annotated[float, typer.Option(help="Time evolved before the first snapshot.")] = 0.0,
    batch: Annotated[int, typer.Option(help="Flows stepped together.")] = 32,
    device: Device = "cpu",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew over a file of other arguments.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Simulate flows."""
    if system not in _PARAMETERS:
        raise InputError(
            f"--system: expected {' or '.join(_PARAMETERS)}, got {system!r}; "
            "see goldstone simulate --help"
        )
    given = {"viscosity": viscosity, "gamma": gamma}
    needed, usual = _PARAMETERS[system]
    for name, value in given.items():
        if value is not None and name != needed:
            raise InputError(f"--{name} is no parameter of {system}; it takes --{needed}")
    value = given[needed]
    law = ground_truth(system, {needed: usual if value is None else value})
    size = grid_size(grid)
    place = device_by_name(device)
    writable_directory(out.parent, "OUT")
    try:
        data = simulate(
            law,
            initial_condition or INITIAL_CONDITIONS[system][0],
            trajectories=trajectories,
            steps=steps,
            grid=size,
            dt=dt,
            seed=seed,
            path=out,
            warmup=warmup,
            batch=batch,
            device=place,
            overwrite=overwrite,
            progress=SilentProgress() if quiet else RichProgress(),
        )
    except InputError as error:
        # The library speaks of its own argument.
        raise InputError(str(error).replace("overwrite=True", "--overwrite")) from error
    if as_json:
        described = {
            "path": str(out),
            "system": data.system,
            "initial_condition": data.initial_condition,
            "parameters": dict(data.parameters),
            "trajectories": len(data),
            "steps": data.steps,
            "grid": list(data.grid),
            "dt": data.dt,
            "seed": data.seed,
        }
        print(json.dumps(described))
    elif not quiet:
        print(
            f"{out}: {len(data)} trajectories of {data.steps} steps, "
            f"{data.grid[0]}×{data.grid[1]}, {', '.join(data.layout.channel_names())}"
        )
    return HOLDS

"""``goldstone audit``: your model, your data, a symmetry."""

import json
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from goldstone.actions import FLOW_SYMMETRIES
from goldstone.auditing import AuditResult, AuditSettings, audit
from goldstone.auditing.results import Answer
from goldstone.auditing.settings import METRICS, MetricName
from goldstone.cli.arguments import device_by_name, first_to_last, key_values, two_lengths
from goldstone.cli.audit_output import console_on, show_audit
from goldstone.cli.data import read_fields, read_flows
from goldstone.cli.declarations import read_declaration
from goldstone.cli.guard import DOES_NOT_HOLD, HOLDS, UNDETERMINED, guarded
from goldstone.cli.limits import Limits
from goldstone.cli.models import load_model
from goldstone.cli.options import Arguments, Device, Fields, Json, Lengths, Quiet, TimeStep
from goldstone.cli.places import writable_directory
from goldstone.cli.progress import RichProgress
from goldstone.core import InputError, SilentProgress
from goldstone.report import write_report
from goldstone.systems.emulators import Emulator
from goldstone.systems.flows import (
    INITIAL_CONDITIONS,
    Trajectories,
)
from goldstone.systems.losses import loss_by_name

_EXIT_CODES: dict[Answer, int] = {"yes": HOLDS, "no": DOES_NOT_HOLD, "undetermined": UNDETERMINED}
_DEFAULTS = AuditSettings()
_SYMMETRIES = "\n".join(
    f"  {name:<14}{meaning.replace(': no symmetry, a negative', ': a')}"
    for name, meaning in FLOW_SYMMETRIES.items()
)
_FIBRES = ("scalar, pseudoscalar, vector,", "density, momentum, energy")

HELP = f"""Has MODEL learned a symmetry: does it hold, does learning transport?

MODEL maps states (batch, channel, X, Y) to the states one step later. It is
a directory or checkpoint written by goldstone train, or a factory:
MODULE:NAME or FILE.py:NAME, a class or function that returns a
torch.nn.Module and takes the arguments of --set. Naming a factory runs its
code. Its weights come from --weights: safetensors, or a .pt that holds a
state_dict alone.

DATA are held-out trajectories, .npz or .h5. If goldstone wrote them, they
say what their channels are; otherwise say it by --fields and --dt, or in a
symmetry file.

\b
Examples:
  goldstone audit runs/unet --data test.npz --symmetry d4 --out audits/unet
  goldstone audit runs/unet --data test.npz --symmetry shifts --json
  goldstone audit mymodel.py:build --set width=32 --weights w.safetensors \\
      --data test.npz
  goldstone audit neuralop.models:FNO --set "n_modes=[12, 12]" \\
      --set in_channels=2 --set out_channels=2 --set hidden_channels=16 \\
      --weights fno.safetensors --data test.npz --symmetry shifts
  goldstone audit mymodel.py:Net --data plain.npz --dt 0.05 \\
      --fields density:density,momentum:momentum,energy:energy
  goldstone audit mymodel.py:Net --data plain.npz --symmetry symmetry.toml
  goldstone audit runs/unet --data test.npz --fail-under 0.3 --fail-over 1.5

\b
Symmetries:
{_SYMMETRIES}

\b
A symmetry file, for vectors that point elsewhere or for chosen elements:
  [symmetry]
  name = "d4"            # one of the above
  pivot = "cell"         # or "node": the fixed point of turns
  elements = ["r", "s"]  # if not all; for boosts [[0.5, 0.0]]
  [[fields]]
  name = "velocity"
  fibre = "velocity"     # or {_FIBRES[0]}
                         # {_FIBRES[1]}
  axes = [0, 1]          # component k points along signs[k] times
  signs = [1, 1]         # the spatial axis axes[k]
  [data]
  dt = 0.05
  lengths = [1.0, 1.0]

\b
Exit codes: 0 it holds, 1 it does not, 3 undetermined, 2 bad input or usage
(a refused symmetry is bad input).
With --fail-under or --fail-over they answer these limits instead: 0 every
tested element keeps them, with its whole 95 % interval; 1 one lies wholly
beyond; 3 undetermined, as of a model without skill.
"""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("audit", help=escape(HELP))(audit_model)


@guarded
def audit_model(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Directory, checkpoint, MODULE:NAME or FILE.py:NAME.",
            show_default=False,
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DATA", help="Held-out trajectories, .npz or .h5.", show_default=False
        ),
    ],
    symmetry: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="A short name or a .toml file.")
    ] = "d4",
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights of a factory's model.", show_default=False),
    ] = None,
    arguments: Arguments = None,
    fields: Fields = None,
    dt: TimeStep = None,
    lengths: Lengths = None,
    trajectories: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:LAST", help="Only these of the data, such as 0:24.", show_default=False
        ),
    ] = None,
    solver: Annotated[
        bool | None,
        typer.Option(
            "--solver/--no-solver",
            help="Verify the symmetry against the solver that the data name, or only assume it. "
            "By default it is verified where there is a solver.",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        str, typer.Option(help="scaled_mse, squared_scaled_mse or mse.")
    ] = "scaled_mse",
    metrics: Annotated[
        str,
        typer.Option(
            help="Of the gradient probes: euclidean, galerkin, gauss-newton by commas; or none. "
            "The first one decides."
        ),
    ] = ",".join(_DEFAULTS.metrics),
    samples: Annotated[
        int, typer.Option(help="Trajectories of the gradient probes.")
    ] = _DEFAULTS.samples,
    forward_samples: Annotated[
        int, typer.Option(help="Trajectories of the forward tests, at most.")
    ] = _DEFAULTS.trajectories,
    snapshots: Annotated[
        int, typer.Option(help="Steps of each in the forward tests.")
    ] = _DEFAULTS.snapshots,
    rollout_steps: Annotated[
        int, typer.Option(help="Length of the rollouts compared; 0 for none.")
    ] = _DEFAULTS.rollout_steps,
    delta: Annotated[
        float, typer.Option(help="It holds if the loss grows by less than the factor 1 + delta.")
    ] = _DEFAULTS.tolerance,
    least_coherence: Annotated[
        float, typer.Option(help="Learning transports if ρ is above it.")
    ] = _DEFAULTS.least_coherence,
    replicates: Annotated[
        int, typer.Option(help="Of the bootstrap and of the permutation test.")
    ] = _DEFAULTS.bootstrap,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
    shifts: Annotated[
        bool, typer.Option("--shifts/--no-shifts", help="Also curves and maps along shifts.")
    ] = False,
    history: Annotated[
        bool | None,
        typer.Option(
            "--history/--no-history",
            help="Also at each training checkpoint; by default if MODEL is a directory with them.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Audit a refused symmetry, as a negative control.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            metavar="RHO",
            help="Fail unless ρ is surely this or more: the lower 95 % bound, in the metric that "
            "decides, for every tested element.",
            show_default=False,
        ),
    ] = None,
    fail_over: Annotated[
        float | None,
        typer.Option(
            metavar="FACTOR",
            help="Fail unless the loss grows surely by this factor or less: the upper 95 % bound "
            "of exp(T), for every tested element.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model in the report.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for audit.json, audit.npz and audit.html.",
            show_default=False,
        ),
    ] = None,
    device: Device = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Audit a model."""
    chosen = _metrics(metrics)
    limits = Limits(fail_under, fail_over)
    if fail_under is not None and not chosen:
        raise InputError("--fail-under: ρ needs gradients; leave --metrics none out")
    settings = AuditSettings(
        trajectories=forward_samples,
        samples=samples,
        snapshots=snapshots,
        rollout_steps=rollout_steps,
        metrics=chosen,
        decisive_metric=chosen[0] if chosen else _DEFAULTS.decisive_metric,
        tolerance=delta,
        least_coherence=least_coherence,
        bootstrap=replicates,
        permutations=replicates,
        seed=seed,
    )
    judged_by = loss_by_name(loss)
    declared = read_declaration(symmetry)
    place = device_by_name(device)
    network = key_values(arguments)
    if out is not None:
        writable_directory(out)
    # What a user's model prints must not get into the JSON.
    with redirect_stdout(sys.stderr):
        flows = read_flows(
            data,
            layout=declared.layout if fields is None else read_fields(fields),
            dt=declared.dt if dt is None else dt,
            lengths=two_lengths(lengths) or declared.lengths,
            trajectories=first_to_last(trajectories),
        )
        wanted = declared.symmetry(flows.layout, flows.grid)
        subject = load_model(model, weights, network, seed, place)
        _check_fields(subject.module, flows, data)
        if history and not subject.checkpoints:
            raise InputError(
                f"--history: {model} has no training checkpoints; it needs a directory written by "
                "goldstone train"
            )
        # Its probes are gradients, so that without any metric it is asked for or left out.
        wants_history = bool(chosen) if history is None else history
        result = audit(
            subject.module,
            flows,
            wanted,
            loss=judged_by,
            ground_truth=_ground_truth(flows, data, solver),
            history=subject.history(place) if wants_history else (),
            shifts=shifts,
            settings=settings,
            force=force,
            name=name or subject.name,
            progress=SilentProgress() if quiet else RichProgress(),
        )
        written = () if out is None else _write(result, out)
    if not (subject.has_weights or quiet):
        sys.stderr.write("no --weights: the model was audited as its factory returns it\n")
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        console = console_on()
        show_audit(console, result)
        for path in written:
            console.print(str(path), soft_wrap=True, markup=False)
    answer, statements = limits.check(result)
    if not quiet:
        for statement in statements:
            # On stderr, which leaves the JSON alone.
            sys.stderr.write(f"{statement}\n")
    return _EXIT_CODES[answer]


def _metrics(text: str) -> tuple[MetricName, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["none"]:
        return ()
    if not names or set(names) - set(METRICS):
        raise InputError(
            f"--metrics: expected some of {', '.join(METRICS)}, by commas, or none; got {text!r}"
        )
    return tuple(cast(MetricName, name) for name in dict.fromkeys(names))


def _check_fields(model: Any, flows: Trajectories, path: Path) -> None:
    if isinstance(model, Emulator) and model.layout != flows.layout:
        raise InputError(
            f"{path}: the emulator was trained on {', '.join(model.layout.channel_names())}, the "
            f"data have {', '.join(flows.layout.channel_names())} or declare them otherwise; audit "
            "it on data like its training data"
        )


def _ground_truth(flows: Trajectories, path: Path, solver: bool | None) -> Any:
    known = flows.system in INITIAL_CONDITIONS
    if solver and not known:
        raise InputError(
            f"--solver: {path} names no system with a solver (it says {flows.system!r}; known are "
            f"{', '.join(INITIAL_CONDITIONS)}); audit it with --no-solver"
        )
    return "auto" if known and solver is not False else None


def _write(result: AuditResult, out: Path) -> tuple[Path, ...]:
    result.save(out)
    written = (out / "audit.json", out / "audit.npz")
    if any(find_spec(module) is None for module in ("jinja2", "matplotlib")):
        sys.stderr.write("audit.html is left out: it needs pip install 'goldstone[report]'\n")
        return written
    return (*written, write_report(out))

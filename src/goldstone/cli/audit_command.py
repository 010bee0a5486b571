"""``goldstone audit``: your model, your data, a symmetry."""

import json
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from rich.markup import escape

from goldstone.auditing import AuditResult, AuditSettings, audit
from goldstone.auditing.results import Answer
from goldstone.auditing.settings import METRICS, PROBES, MetricName, NullName, ProbeName
from goldstone.cli.arguments import device_by_name, key_values
from goldstone.cli.audit_help import HELP
from goldstone.cli.audit_output import console_on, show_audit
from goldstone.cli.audited import read_audited
from goldstone.cli.guard import DOES_NOT_HOLD, HOLDS, UNDETERMINED, guarded
from goldstone.cli.limits import Limits
from goldstone.cli.models import load_model
from goldstone.cli.optimiser_files import read_optimiser_state
from goldstone.cli.options import Arguments, Device, Fields, Json, Lengths, Quiet, TimeStep
from goldstone.cli.places import writable_directory
from goldstone.cli.progress import RichProgress
from goldstone.cli.scores import read_loss, read_metric
from goldstone.core import InputError, SilentProgress
from goldstone.report import write_report

_EXIT_CODES: dict[Answer, int] = {"yes": HOLDS, "no": DOES_NOT_HOLD, "undetermined": UNDETERMINED}
_DEFAULTS = AuditSettings()


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
            metavar="DATA",
            help="Held-out trajectories (.npz, .h5), or pairs (.npz).",
            show_default=False,
        ),
    ],
    symmetry: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE", help="A short name, a .toml file, FILE.py:NAME or MODULE:NAME."
        ),
    ] = "d4",
    on_output: Annotated[
        str | None,
        typer.Option(
            metavar="invariant|same",
            help="How the outputs of pairs move, if not as their shape says.",
            show_default=False,
        ),
    ] = None,
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
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Per sample: scaled_mse, squared_scaled_mse, mse, cross_entropy, FILE.py:NAME or "
            "MODULE:NAME; by default scaled_mse of fields, cross_entropy of class labels, else "
            "mse.",
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            help="Of the gradient probes, by commas; or none. The first one decides. They are "
            f"{', '.join(METRICS)}."
        ),
    ] = ",".join(_DEFAULTS.metrics),
    probes: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES|all",
            help=f"Further probes, by commas, or all that apply: {', '.join(PROBES)}.",
            show_default=False,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="What the probe orbit-metric follows: accuracy, FILE.py:NAME or MODULE:NAME (a "
            "function of prediction and target, or a torchmetrics object); by default accuracy of "
            "class labels, else the loss.",
            show_default=False,
        ),
    ] = None,
    optimiser: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="State of the Adam that trained MODEL, for the metric adam: a .pt of "
            "optimizer.state_dict(), or what goldstone train --keep-optimiser wrote.",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="For gradients, such as 2GB.")] = str(
        _DEFAULTS.memory
    ),
    samples: Annotated[
        int, typer.Option(help="Trajectories of the gradient probes.")
    ] = _DEFAULTS.samples,
    adaptive: Annotated[
        bool,
        typer.Option(
            "--adaptive",
            help="Take gradients in looks, up to --samples, and stop where an answer is settled.",
            show_default=False,
        ),
    ] = False,
    null: Annotated[
        str,
        typer.Option(help="Samples that make the null of ρ: 'all', or 'same class'."),
    ] = _DEFAULTS.null,
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
        probes=_probes(probes),
        memory=memory,
        adaptive=adaptive,
        null=cast(NullName, null),
    )
    place = device_by_name(device)
    network = key_values(arguments)
    if out is not None:
        writable_directory(out)
    # What a user's model prints must not get into the JSON.
    with redirect_stdout(sys.stderr):
        judged_by, followed = read_loss(loss), read_metric(metric)
        audited = read_audited(
            data,
            symmetry,
            fields=fields,
            dt=dt,
            lengths=lengths,
            trajectories=trajectories,
            solver=solver,
            on_output=on_output,
        )
        subject = load_model(model, weights, network, seed, place)
        audited.check_suits(subject.module)
        state = None if optimiser is None else read_optimiser_state(optimiser)
        if history and not subject.checkpoints:
            raise InputError(
                f"--history: {model} has no training checkpoints; it needs a directory written by "
                "goldstone train"
            )
        # Its probes are gradients, so that without any metric it is asked for or left out.
        wants_history = bool(chosen) if history is None else history
        result = audit(
            subject.module,
            audited.data,
            audited.symmetry,
            loss=judged_by,
            metric=followed,
            ground_truth=audited.ground_truth,
            history=subject.history(place) if wants_history else (),
            optimiser=state,
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


def _probes(text: str | None) -> tuple[ProbeName | Literal["all"], ...]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    if set(names) - {*PROBES, "all"}:
        raise InputError(
            f"--probes: expected some of {', '.join(PROBES)}, by commas, or all; got {text!r}"
        )
    return tuple(cast(ProbeName, name) for name in dict.fromkeys(names))


def _write(result: AuditResult, out: Path) -> tuple[Path, ...]:
    result.save(out)
    written = (out / "audit.json", out / "audit.npz")
    if any(find_spec(module) is None for module in ("jinja2", "matplotlib")):
        sys.stderr.write("audit.html is left out: it needs pip install 'goldstone[report]'\n")
        return written
    return (*written, write_report(out))

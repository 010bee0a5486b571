"""``goldstone align``: two networks moved towards one another, and merged."""

import copy
import json
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from goldstone.cli.align_data import read_samples
from goldstone.cli.align_help import HELP
from goldstone.cli.align_output import barrier_svg, show_alignment
from goldstone.cli.align_run import KINDS, Aligned, AlignSettings, align_networks
from goldstone.cli.arguments import device_by_name, key_values
from goldstone.cli.audit_output import console_on
from goldstone.cli.guard import DOES_NOT_HOLD, HOLDS, UNDETERMINED, guarded
from goldstone.cli.models import load_model
from goldstone.cli.options import Arguments, Device, Json, Quiet
from goldstone.cli.places import writable_directory
from goldstone.cli.progress import RichProgress
from goldstone.cli.scores import read_loss
from goldstone.core import InputError, SilentProgress, replacing
from goldstone.systems.emulators.files import write_tensors

_DEFAULTS = AlignSettings()


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("align", help=escape(HELP))(align)


@guarded
def align(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="Weights that stay.", show_default=False)
    ],
    second: Annotated[
        Path, typer.Argument(metavar="B", help="Weights to be moved.", show_default=False)
    ],
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="MODULE:NAME or FILE.py:NAME.", show_default=False)
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Pairs (.npz) on which barriers are measured; repeatable.",
            show_default=False,
        ),
    ],
    train: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Pairs for activations, learning, the curve and BatchNorm's statistics; by "
            "default those of --data. Repeatable.",
            show_default=False,
        ),
    ] = None,
    arguments: Arguments = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Per sample: scaled_mse, squared_scaled_mse, mse, cross_entropy, FILE.py:NAME or "
            "MODULE:NAME; by default cross_entropy of class labels, else mse.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        Literal["weights", "activations", "learned"], typer.Option(help="How B is moved.")
    ] = _DEFAULTS.method,
    kinds: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS",
            help=f"Symmetries to use, by commas, if not all: {', '.join(KINDS)}.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="Of learning.")] = _DEFAULTS.steps,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Of learning (by default 0.01) and of the curve (0.001).", show_default=False
        ),
    ] = None,
    curve: Annotated[
        int, typer.Option(help="Steps in which a curve is trained; 0 for none.")
    ] = _DEFAULTS.curve,
    points: Annotated[int, typer.Option(help="On each path.")] = _DEFAULTS.points,
    batch: Annotated[int, typer.Option(help="Samples computed at once.")] = _DEFAULTS.batch,
    merge_at: Annotated[float, typer.Option(help="t of the merged weights.")] = _DEFAULTS.merge_at,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = _DEFAULTS.seed,
    fail_over: Annotated[
        float | None,
        typer.Option(
            metavar="BARRIER",
            help="Fail unless the barrier after moving is surely this or less.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the results.", show_default=False),
    ] = None,
    device: Device = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Align two networks."""
    settings = AlignSettings(
        method=method,
        kinds=_kinds(kinds),
        steps=steps,
        learning_rate=learning_rate,
        curve=curve,
        points=points,
        batch=batch,
        merge_at=merge_at,
        seed=seed,
    )
    place = device_by_name(device)
    network = key_values(arguments)
    if out is not None:
        writable_directory(out)
    # What a user's model prints must not get into the JSON.
    with redirect_stdout(sys.stderr):
        judged_by = read_loss(loss)
        # Copies: what --model names may be one module, made already.
        a, b = (
            copy.deepcopy(load_model(model, path, network, seed, place).module)
            for path in (first, second)
        )
        samples = read_samples(data, a, place)
        own = samples if train is None else read_samples(train, a, place)
        progress = SilentProgress() if quiet else RichProgress()
        checkpoint = None if out is None else out / "learning.pt"
        found = align_networks(a, b, samples, own, judged_by, settings, progress, checkpoint)
        written = () if out is None else _write(found, out)
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
    if not quiet:
        for note in found.notes:
            sys.stderr.write(f"note: {note}\n")
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        console = console_on()
        show_alignment(console, found)
        for path in written:
            console.print(str(path), soft_wrap=True, markup=False)
    return HOLDS if fail_over is None else _answer(found, fail_over)


def _kinds(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names or set(names) - set(KINDS):
        raise InputError(f"--kinds: expected some of {', '.join(KINDS)}, by commas; got {text!r}")
    return names


def _answer(found: Aligned, limit: float) -> int:
    barrier = found.paths["aligned"].barrier
    low, high = barrier.low or 0.0, barrier.high or 0.0
    if high <= limit:
        return HOLDS
    return DOES_NOT_HOLD if low > limit else UNDETERMINED


def _write(found: Aligned, out: Path) -> tuple[Path, ...]:
    written = [out / "align.json", out / "aligned.safetensors", out / "merged.safetensors"]
    with replacing(written[0]) as temporary:
        temporary.write_text(
            json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False, indent=1) + "\n",
            encoding="utf-8",
        )
    for path, state in zip(written[1:], (found.aligned, found.merged), strict=True):
        # Shared weights are one tensor under two names, which safetensors does not store.
        write_tensors(path, {name: x.clone() for name, x in state.items()}, {})
    if find_spec("matplotlib") is None:
        sys.stderr.write("barrier.svg is left out: it needs pip install 'goldstone[report]'\n")
        return tuple(written)
    with replacing(out / "barrier.svg") as temporary:
        temporary.write_text(barrier_svg(found), encoding="utf-8")
    return (*written, out / "barrier.svg")

"""The experiment: what is trained and measured, and the reproduction made of it."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from goldstone.core import Progress, SilentProgress
from goldstone.reproductions.asymmetric_networks import data
from goldstone.reproductions.asymmetric_networks.barriers import interpolation, pair
from goldstone.reproductions.asymmetric_networks.bayesian import posterior
from goldstone.reproductions.asymmetric_networks.claims import claims
from goldstone.reproductions.asymmetric_networks.figures import CAPTIONS, drawings
from goldstone.reproductions.asymmetric_networks.found import Found
from goldstone.reproductions.asymmetric_networks.sizes import (
    ARMS,
    BAYESIAN,
    CONTROLS,
    FULL,
    INTERPOLATED,
    MNIST_ARMS,
    QUICK,
    Sizes,
)
from goldstone.reproductions.asymmetric_networks.speed import steps_to_level
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.results import Provenance, Reproduction
from goldstone.reproductions.versions import versions

_SILENT = SilentProgress()
_SOURCE = (
    "Lim, Putterman, Walters, Maron, Jegelka 2024, The empirical impact of neural parameter "
    "symmetries, or lack thereof, NeurIPS 2024 (arXiv 2405.20231)"
)
_Make = Callable[[], dict[str, Any]]


def reproduce(
    out: Path,
    *,
    quick: bool = False,
    mnist: str | Path | None = None,
    progress: Progress = _SILENT,
) -> Reproduction:
    """Train standard and asymmetric networks and measure what the paper says of them.

    Args:
        out: where finished measurements are kept.
        quick: a form of less than half a minute.
        mnist: a NumPy archive of ``x_train``, ``y_train``, ``x_test``, ``y_test``; by default what
            the environment variable ``GOLDSTONE_MNIST`` names. Without one MNIST is not tested; it
            may be given later, when only its part is still to be done.
        progress: told of measurements.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        InputError: the archive is missing or is not of MNIST.
    """
    sizes = QUICK if quick else FULL
    kept = Kept(out, {"sizes": asdict(sizes)})
    plan = _plan(sizes, data.mnist_file(mnist))
    values: dict[str, dict[str, Any]] = {}
    with progress.task("asymmetric networks", len(plan)) as task:
        for name, make in plan.items():
            values[name] = kept.measure(name, make)
            task.advance()
    found = Found(sizes, values)
    drawn = drawings(found)
    seconds: dict[str, float] = {}
    for name in plan:
        part = name.split("-")[0]
        seconds[part] = seconds.get(part, 0.0) + kept.seconds(name)
    return Reproduction(
        name="asymmetric_networks",
        title="Asymmetric networks: what parameter symmetries do",
        source=_SOURCE,
        setting=_setting(sizes),
        claims=claims(found),
        provenance=Provenance(
            versions(),
            tuple(range(2 * sizes.digits_pairs)),
            kept.settings["sizes"],
            seconds,
            quick,
        ),
        figures={name: CAPTIONS[name] for name in drawn},
        tables=values,
        drawings=drawn,
    )


def _plan(sizes: Sizes, archive: Path | None) -> dict[str, _Make]:
    digits = data.digits()
    plan: dict[str, _Make] = {}
    for arm in ARMS:
        for k in range(sizes.digits_pairs):
            plan[f"digits-{arm}-{k}"] = partial(
                pair, arm, digits, sizes.width, sizes.digits_epochs, k, sizes.points
            )
    if archive is not None:
        images = data.mnist(archive, sizes.mnist_images, sizes.mnist_test)
        for arm in MNIST_ARMS:
            for k in range(sizes.mnist_pairs):
                plan[f"MNIST-{arm}-{k}"] = partial(
                    pair, arm, images, sizes.width, sizes.mnist_epochs, k, sizes.points
                )
    for arm in INTERPOLATED:
        for k in range(sizes.interpolation_runs):
            plan[f"interpolation-{arm}-{k}"] = partial(
                interpolation, arm, digits, sizes.width, k, sizes.points, sizes.interpolation_epochs
            )
    for count in (0, *sizes.speed_counts):
        for scale in sizes.speed_scales if count else (1.0,):
            for k in range(sizes.speed_seeds):
                plan[f"speed-{count}-{scale:g}-{k}"] = partial(
                    steps_to_level, digits, sizes.width, count, scale, k, sizes.speed_epochs
                )
    for depth in sizes.bayesian_depths:
        controls = CONTROLS if depth == max(sizes.bayesian_depths) else ()
        for arm in (*BAYESIAN, *controls):
            for k in range(sizes.bayesian_seeds):
                plan[f"posterior-{depth}-{arm}-{k}"] = partial(
                    posterior, arm, digits, depth, sizes.bayesian_width, k, sizes.bayesian_epochs
                )
    return plan


def _setting(sizes: Sizes) -> str:
    return (
        f"Perceptrons of four layers, {sizes.width} wide, with LayerNorm and GELU, trained by the "
        "paper's MNIST recipe (AdamW, rate 1e-3, decay 0.03, batches of 64): on scikit-learn's "
        f"digits, 1,297 images of 8×8, for {sizes.digits_epochs} epochs ({sizes.digits_pairs} "
        f"pairs), and on {sizes.mnist_images:,} images of MNIST for {sizes.mnist_epochs} epochs "
        f"({sizes.mnist_pairs} pairs) where the user has them. Networks of a pair differ in their "
        "initial weights and the order of the data and share what is fixed. Fixed entries: as many "
        "of each first unit as in the paper (64; a quarter of the pixels of small images), half of "
        "its numbers elsewhere, as the width is half of its; the same κ. F of σ-asymmetric "
        "networks is N(0, 1/width), as in the paper's appendix F.4, and N(0, 1), as in its "
        "definition. The paper trains for 25 epochs, 512 wide, on 60,000 images, and takes "
        "ResNets, graph networks and metanetworks as well, which are left out here. Intervals are "
        "Student's over pairs or networks. Published numbers are of the paper's larger networks."
    )

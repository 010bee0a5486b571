"""Amarel et al., *Loss Landscape Geometry and the Learning of Symmetries* (arXiv 2601.20172)."""

from dataclasses import asdict
from pathlib import Path

from goldstone.core import Progress, SilentProgress
from goldstone.reproductions.loss_landscape_geometry.convention_claims import convention_claims
from goldstone.reproductions.loss_landscape_geometry.damping_claims import damping_claims
from goldstone.reproductions.loss_landscape_geometry.epoch_claims import epoch_claims
from goldstone.reproductions.loss_landscape_geometry.experiments import Experiments, Run
from goldstone.reproductions.loss_landscape_geometry.left_out_claims import left_out_claims
from goldstone.reproductions.loss_landscape_geometry.point_group_claims import point_group_claims
from goldstone.reproductions.loss_landscape_geometry.shift_claims import shift_claims
from goldstone.reproductions.loss_landscape_geometry.sizes import FULL, QUICK, Sizes
from goldstone.reproductions.results import Provenance, Reproduction
from goldstone.reproductions.versions import versions

__all__ = ["reproduce"]

_SILENT = SilentProgress()
NAME = "loss_landscape_geometry"


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Train the paper's two emulators on two flows, and measure what it claims of them.

    Args:
        out: folder for flows, models and measurements; what is there is not made again.
        quick: sizes of seconds.
        progress: shows what is being done.

    Raises:
        InputError: ``out`` holds the work of other sizes.
    """
    return reproduced(out, QUICK if quick else FULL, quick=quick, progress=progress)


def reproduced(
    out: Path, sizes: Sizes, *, quick: bool = False, progress: Progress = _SILENT
) -> Reproduction:
    """The same of any sizes; more seeds of the same sizes go on from fewer."""
    experiments = Experiments(out, sizes, progress)
    parts = [
        claims(experiments)
        for claims in (
            shift_claims,
            point_group_claims,
            epoch_claims,
            convention_claims,
            damping_claims,
            left_out_claims,
        )
    ]
    losses = {
        run.name: experiments.trained(run).share
        for run in (
            Run(flow, network, seed)
            for flow in ("NS", "CE")
            for network in ("U-Net", "ViT")
            for seed in sizes.seeds
        )
    }
    tables = {name: table for part in parts for name, table in part.tables.items()}
    return Reproduction(
        name=NAME,
        title="Symmetry learning by gradient alignment in flow emulators",
        source=(
            "Amarel et al., *Loss Landscape Geometry and the Learning of Symmetries* (arXiv "
            "2601.20172) and *Loss Landscape Geometry of Partial Differential Equation Emulators* "
            "(PMLR 334, 2026). Published numbers were read off the figures."
        ),
        setting=_setting(sizes),
        claims=tuple(claim for part in parts for claim in part.claims),
        provenance=Provenance(
            versions=versions(),
            seeds=sizes.seeds,
            settings=asdict(sizes),
            seconds=experiments.seconds(),
            quick=quick,
        ),
        figures={name: text for part in parts for name, text in part.captions.items()},
        tables={**tables, "loss_over_persistence": losses},
        drawings={name: svg for part in parts for name, svg in part.drawings.items()},
    )


def _setting(sizes: Sizes) -> str:
    stages, width = sizes.unet["stages"], sizes.unet["base_channels"]
    return (
        f"{sizes.grid}² points instead of 128²; {sizes.trajectories} trajectories of {sizes.steps} "
        f"steps of Δt = 0.05 instead of about 39,000 of 16; a U-Net of {stages} halvings (total "
        f"stride {sizes.total_stride} instead of 16) and {width} base channels, a ViT of patch "
        f"{sizes.patch} and width {sizes.vit['width']}: under 0.3 M parameters each instead of "
        "14 M and 4 M. As there: periodic domains, one-step prediction, the scaled squared error "
        "(over the RMS, not its square), AdamW at a constant learning rate, circular padding, "
        "attention at the bottleneck, learned positions, no augmentation, the Galerkin metric on "
        "the span of the gradients with η of the audited states. Otherwise than there: the "
        "networks predict the change over a step, the learning rate is scaled by the root of the "
        "ratio of parameters, Navier–Stokes starts from isotropic turbulence (ν = 2×10⁻³), Euler "
        "from straight and curved four-quadrant Riemann problems, samples are of distinct "
        f"trajectories ({sizes.samples} a group element), and λ is relative to the mean "
        "curvature. K is the normalised influence, its null that of distinct trajectories in the "
        "same poses, ρ the orbit coherence, E the ratio of losses at gx and x. Intervals are over "
        "seeds."
    )

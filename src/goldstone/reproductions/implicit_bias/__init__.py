"""Aladrah et al. 2026: implicit bias as a gauge correction (arXiv 2601.06597)."""

from dataclasses import asdict
from pathlib import Path

from goldstone.core import Progress, SilentProgress
from goldstone.reproductions.implicit_bias.balance_claims import balance_claims
from goldstone.reproductions.implicit_bias.design_claims import low_rank_claims, spectral_claims
from goldstone.reproductions.implicit_bias.measure_claims import measure_claims
from goldstone.reproductions.implicit_bias.sizes import FULL, QUICK, Sizes
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.parts import assembled, measured_parts
from goldstone.reproductions.results import Provenance, Reproduction
from goldstone.reproductions.versions import versions

__all__ = ["reproduce"]

_SILENT = SilentProgress()
_PARTS = {
    "balance": balance_claims,
    "spectral": spectral_claims,
    "low rank": low_rank_claims,
    "measures": measure_claims,
}


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Train, sample and compare with what the gauge correction says.

    Args:
        out: folder for the measurements; what is there is not made again.
        quick: sizes of seconds.
        progress: shows what is being done.

    Raises:
        InputError: ``out`` holds the work of other sizes.
    """
    sizes = QUICK if quick else FULL
    kept = Kept(out, asdict(sizes))
    parts, seconds = measured_parts("implicit bias", _PARTS, kept, sizes, progress)
    return assembled(
        "implicit_bias",
        "Implicit bias as a gauge correction",
        "Aladrah et al. 2026, *Implicit bias as a gauge correction* (arXiv 2601.06597)",
        _setting(sizes),
        parts,
        Provenance(versions(), tuple(range(sizes.seeds)), kept.settings, seconds, quick),
    )


def _setting(sizes: Sizes) -> str:
    return (
        f"{sizes.seeds} seeds, each with its own data. Ratios of norms: a ReLU network of 8 inputs "
        "and 8 units and an attention head of 6 tokens, width 6 and rank 4, started with ratios "
        f"over the published range and trained on single noisy samples for {sizes.norm_steps:,} "
        "steps. Spectral regression: 64 cosines, 3 nonzero of size 1 to 2, 32 noisy samples "
        "(0.1), SGD. Matrix sensing: 10×10 of rank 2 from 60 measurements. Langevin equation: "
        "L = ½(uv − 1)² + 0.15(u² + v²) at T = 0.3. The publication's own data and noise are not "
        "known to us, so absolute errors cannot be compared."
    )

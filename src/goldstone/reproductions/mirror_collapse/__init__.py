"""Ziyin 2024 and Ziyin, Xu, Chuang 2025: collapse by mirror symmetries, and its removal."""

from dataclasses import asdict
from pathlib import Path

from goldstone.core import Progress, SilentProgress
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.mirror_collapse.continual_claims import continual_claims
from goldstone.reproductions.mirror_collapse.duplicates import duplicate_claims
from goldstone.reproductions.mirror_collapse.lasso import lasso_claims
from goldstone.reproductions.mirror_collapse.rank import rank_claims
from goldstone.reproductions.mirror_collapse.sizes import FULL, QUICK, Sizes
from goldstone.reproductions.parts import assembled, measured_parts
from goldstone.reproductions.results import Provenance, Reproduction
from goldstone.reproductions.versions import versions

__all__ = ["reproduce"]

_SILENT = SilentProgress()
_PARTS = {
    "duplicates": duplicate_claims,
    "continual learning": continual_claims,
    "rank": rank_claims,
    "lasso": lasso_claims,
}


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Train networks that collapse, and those that should not.

    Args:
        out: folder for the measurements; what is there is not made again.
        quick: sizes of seconds.
        progress: shows what is being done.

    Raises:
        InputError: ``out`` holds the work of other sizes.
        MissingExtraError: scikit-learn, which has the digits, is not installed.
    """
    sizes = QUICK if quick else FULL
    kept = Kept(out, asdict(sizes))
    parts, seconds = measured_parts("mirror symmetries", _PARTS, kept, sizes, progress)
    return assembled(
        "mirror_collapse",
        "Mirror symmetries: collapse, and its removal",
        "Ziyin 2024, *Symmetry induces structure and constraint of learning* (arXiv 2309.16932); "
        "Ziyin, Xu, Chuang 2025, *Remove symmetries to control model expressivity and improve "
        "optimization* (arXiv 2408.15495)",
        _setting(sizes),
        parts,
        Provenance(versions(), tuple(range(sizes.seeds)), kept.settings, seconds, quick),
    )


def _setting(sizes: Sizes) -> str:
    return (
        f"{sizes.seeds} seeds. Duplicates: a tanh network of two units, each twice, on a smooth "
        f"function of the plane. Continual learning: {sizes.tasks} tasks of {sizes.epochs} epochs, "
        "each the 8×8 digits of scikit-learn with pixels in a new order, by a ReLU network of two "
        "layers of 64 units, trained with Adam at a learning rate of 10⁻² and SGD at 0.3, at which "
        "plain training collapses; decay is added to the gradient. The paper has larger networks "
        "and MNIST. Rank: noisy linear regression of ten inputs and outputs with mini-batches of "
        "four. Lasso: 200 samples, 100 inputs of which 10 matter, γ = 0.05."
    )

"""The reproductions by name, each imported only when it is wanted."""

import importlib
from pathlib import Path
from typing import Protocol, cast

from goldstone.core import InputError, Progress, SilentProgress
from goldstone.reproductions.page import write
from goldstone.reproductions.results import Reproduction

_SILENT = SilentProgress()
_PLACE = "goldstone.reproductions"

REPRODUCTIONS = {
    "asymmetric_networks": "networks without parameter symmetries (Lim et al. 2024)",
    "equivariant_potentials": "forces from features that turn with the molecule (Batzner 2022)",
    "gauge_networks": "gauge-equivariant networks and Wilson loops (Favoni et al. 2022)",
    "implicit_bias": "what noise prefers among equal predictors (arXiv 2601.06597)",
    "loss_landscape_geometry": (
        "symmetry learning by gradient alignment in flow emulators (Amarel et al. 2026)"
    ),
    "mirror_collapse": "collapse by mirror symmetries, and syre (Ziyin 2024, Ziyin et al. 2025)",
    "symmetric_tensors": "critical points of tensor decomposition, by symmetry (Arjevani 2021)",
    "transformer_barriers": "transformers connected along their symmetries (arXiv 2506.22712)",
}
"""What there is: the name of a module of this package, and what it reproduces."""


class _Module(Protocol):
    def reproduce(
        self, out: Path, *, quick: bool = False, progress: Progress = _SILENT
    ) -> Reproduction:
        """Run the experiment, keeping in ``out`` what was finished."""
        ...


def reproduce(
    name: str, out: str | Path, *, quick: bool = False, progress: Progress = _SILENT
) -> Reproduction:
    """Run a reproduction and write NAME.json, NAME.md and its figures into ``out``.

    Data, models and measurements are kept in a folder of ``out``, ``NAME-work`` or, in the quick
    form, ``NAME-quick-work``: after a kill at any moment the same call goes on from there, and
    nothing finished is done twice. When all is finished the folder may go.

    Raises:
        InputError: there is no reproduction of this name.
    """
    if name not in REPRODUCTIONS:
        raise InputError(
            f"unknown reproduction {name!r}; expected one of {', '.join(REPRODUCTIONS)}"
        )
    module = cast(_Module, importlib.import_module(f"{_PLACE}.{name}"))
    folder = Path(out)
    work = folder / (f"{name}-quick-work" if quick else f"{name}-work")
    found = module.reproduce(work, quick=quick, progress=progress)
    write(found, folder)
    return found

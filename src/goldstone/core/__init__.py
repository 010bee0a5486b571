"""Floor 0: checks, errors, files, random state, progress and the base of results."""

from goldstone.core import trees
from goldstone.core.checks import check_finite, check_grid_fields, check_square_grid
from goldstone.core.errors import (
    GoldstoneError,
    InputError,
    MissingExtraError,
    SymmetryRefusedError,
)
from goldstone.core.extras import require
from goldstone.core.files import replacing
from goldstone.core.progress import Progress, SilentProgress, Task
from goldstone.core.random import derive_seed, generator
from goldstone.core.result import from_json, to_json
from goldstone.core.statistic import Statistic

__all__ = [
    "GoldstoneError",
    "InputError",
    "MissingExtraError",
    "Progress",
    "SilentProgress",
    "Statistic",
    "SymmetryRefusedError",
    "Task",
    "check_finite",
    "check_grid_fields",
    "check_square_grid",
    "derive_seed",
    "from_json",
    "generator",
    "replacing",
    "require",
    "to_json",
    "trees",
]

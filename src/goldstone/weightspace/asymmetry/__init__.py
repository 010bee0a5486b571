"""Parameter symmetries removed: asymmetric layers and activations, static bias."""

from goldstone.weightspace.asymmetry.figlu import FiGLU, sigma_asymmetric
from goldstone.weightspace.asymmetry.fixed_entries import FixedEntries, w_asymmetric
from goldstone.weightspace.asymmetry.static_bias import (
    StaticBias,
    syre,
    syre_optimiser,
    syre_penalty,
)

__all__ = [
    "FiGLU",
    "FixedEntries",
    "StaticBias",
    "sigma_asymmetric",
    "syre",
    "syre_optimiser",
    "syre_penalty",
    "w_asymmetric",
]

"""Floor 3: how group elements move fields, and what a symmetry is."""

from goldstone.actions.context import Context
from goldstone.actions.fields import (
    EULER_FIELDS,
    NAVIER_STOKES_FIELDS,
    Fibre,
    Field,
    FieldLayout,
)

__all__ = ["EULER_FIELDS", "NAVIER_STOKES_FIELDS", "Context", "Fibre", "Field", "FieldLayout"]

"""Lattice gauge fields."""

from goldstone.systems.lattice.wilson import (
    mean_plaquette_2d,
    sample_links,
)

__all__ = [
    "mean_plaquette_2d",
    "sample_links",
]

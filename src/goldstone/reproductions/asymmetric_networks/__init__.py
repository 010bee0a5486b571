"""Lim et al. 2024: what changes when networks lose the symmetries of their parameters."""

from goldstone.reproductions.asymmetric_networks.experiment import reproduce

__all__ = ["reproduce"]

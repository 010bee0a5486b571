"""Transformers moved along their symmetries until the straight line between them is low."""

from goldstone.reproductions.transformer_barriers.experiment import reproduce

__all__ = ["reproduce"]
